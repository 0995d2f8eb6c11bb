// SPDX-License-Identifier: Apache-2.0
/* What the programs with libbpf have in common. Each says a line when it is ready, and ends by a signal. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The object that clang made of NAME.bpf.c, in the program itself. */
#define OBJECT(name)                                                                                                  \
	asm(".pushsection .rodata\n.balign 16\nobject_start:\n.incbin \"" PEERS "/" name                                   \
	    ".bpf.o\"\nobject_end:\n.popsection\n");                                                                       \
	extern const char object_start[], object_end[]

#define must(value, what) must_have((value), (what))

static inline void *must_have(void *value, const char *what)
{
	if (!value) {
		fprintf(stderr, "%s: %s\n", what, strerror(errno));
		exit(1);
	}
	return value;
}

#define open_object() must(bpf_object__open_mem(object_start, object_end - object_start, NULL), "open")
#define load_object()                                                                                                 \
	({                                                                                                                 \
		struct bpf_object *opened = open_object();                                                                     \
		must(bpf_object__load(opened) ? NULL : opened, "load");                                                        \
		opened;                                                                                                        \
	})

static inline void say(const char *words)
{
	printf("%s\n", words);
	fflush(stdout);
}

static inline int map_of(struct bpf_object *object, const char *name)
{
	return bpf_map__fd(must(bpf_object__find_map_by_name(object, name), name));
}

static inline double nanoseconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}
