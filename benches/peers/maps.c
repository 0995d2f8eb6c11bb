// SPDX-License-Identifier: Apache-2.0
/* maps ENTRIES ROUNDS: as benches/scripts/maps.lua, with libbpf's batches. */
#include "peer.h"

OBJECT("maps");

static __u32 *keys;
static __u64 *values;
static unsigned entries;

static void fill(int map)
{
	__u32 count = entries;
	for (unsigned i = 0; i < entries; i++) {
		keys[i] = i + 1;
		values[i] = (i + 1) * 3ULL;
	}
	must(bpf_map_update_batch(map, keys, values, &count, NULL) ? NULL : keys, "fill");
}

/* The sum of all values, each of so many numbers. */
static __u64 walk(int map, int cpus, int delete)
{
	__u64 sum = 0;
	__u32 place, *from = NULL;
	for (int more = 1; more;) {
		__u32 count = entries + 64;
		int err = delete ? bpf_map_lookup_and_delete_batch(map, from, &place, keys, values, &count, NULL) :
				   bpf_map_lookup_batch(map, from, &place, keys, values, &count, NULL);
		must(err && errno != ENOENT ? NULL : keys, "batch");
		more = !err;
		from = &place;
		for (__u64 i = 0; i < (__u64)count * cpus; i++)
			sum += values[i];
	}
	return sum;
}

static void timed(const char *name, int map, int cpus, int delete, __u64 least)
{
	double start = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
	__u64 sum = walk(map, cpus, delete);
	double spent = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - start;
	must(sum >= least ? keys : NULL, "sum");
	printf("%s %.3f\n", name, spent / entries);
	fflush(stdout);
}

int main(int count, char **words)
{
	entries = atoi(words[1]);
	int cpus = libbpf_num_possible_cpus();
	keys = calloc(entries + 64, sizeof(*keys));
	values = calloc((entries + 64UL) * cpus, sizeof(*values));
	struct bpf_object *object = open_object();
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "counts"), entries > 16384 ? entries : 16384);
	must(bpf_object__load(object) ? NULL : object, "load");
	int counts = map_of(object, "counts"), per_cpu = map_of(object, "per_cpu");
	__u64 wanted = (__u64)entries * (entries + 1) / 2 * 3, leaf[512] = {};
	for (__u32 i = 1; i <= entries && entries <= 16384; i++) {
		leaf[0] = i * 3;
		bpf_map_update_elem(per_cpu, &i, leaf, 0);
	}
	say("ready");
	for (int round = atoi(words[2]); round > 0; round--) {
		fill(counts);
		timed("items", counts, 1, 0, wanted);
		if (entries <= 16384)
			timed("percpu", per_cpu, cpus, 0, wanted);
		timed("clear", counts, 1, 1, wanted);
	}
	return 0;
}
