// SPDX-License-Identifier: Apache-2.0
/* Compiles a C text with libbcc: bcc-compile TEXT.c [CFLAG...]. Then once more in the same process, warm; prints the
 * processor time of both in milliseconds. The maps are made as well: libbcc does not compile without. With USDT probes in
 * the environment (USDT="PROGRAM PROBE FUNCTION ...") their arguments' readers go before the text, as bcc's Python does it. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void *create_fn(const char *text, unsigned flags, const char **cflags, int count, bool rlimit, const char *device);
typedef void destroy_fn(void *module);
typedef void *usdt_new_fn(const char *path);
typedef int usdt_enable_fn(void *usdt, const char *probe, const char *function);
typedef const char *usdt_text_fn(void **usdts, int count);

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		exit(2);
	}
	fseek(file, 0, SEEK_END);
	long size = ftell(file);
	rewind(file);
	char *text = calloc(1, size + 1);
	if (fread(text, 1, size, file) != (size_t)size)
		exit(2);
	fclose(file);
	return text;
}

static char *usdt_readers(void *bcc, char *words)
{
	usdt_new_fn *open = dlsym(bcc, "bcc_usdt_new_frompath");
	usdt_enable_fn *enable = dlsym(bcc, "bcc_usdt_enable_probe");
	usdt_text_fn *text = dlsym(bcc, "bcc_usdt_genargs");
	void *usdt = open(strtok(words, " "));
	char *probe;
	while ((probe = strtok(NULL, " "))) {
		char *colon = strrchr(probe, ':');
		if (enable(usdt, colon ? colon + 1 : probe, strtok(NULL, " ")))
			exit(3);
	}
	return strdup(text(&usdt, 1));
}

static double milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	void *bcc = dlopen("libbcc.so.0", RTLD_NOW);
	if (!bcc || argc < 2) {
		fprintf(stderr, "%s\n", bcc ? "usage: bcc-compile TEXT.c [CFLAG...]" : dlerror());
		return 2;
	}
	create_fn *create = dlsym(bcc, "bpf_module_create_c_from_string");
	destroy_fn *destroy = dlsym(bcc, "bpf_module_destroy");
	char *text = read_file(argv[1]);
	if (getenv("USDT")) {
		char *readers = usdt_readers(bcc, strdup(getenv("USDT")));
		char *both = malloc(strlen(readers) + strlen(text) + 1);
		strcpy(both, readers);
		text = strcat(both, text);
	}
	for (int time = 0; time < 2; time++) {
		double start = milliseconds();
		void *module = create(text, 0, (const char **)argv + 2, argc - 2, true, NULL);
		if (!module)
			return 1;
		printf("%.3f\n", milliseconds() - start);
		destroy(module);
	}
	return 0;
}
