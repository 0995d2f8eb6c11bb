// SPDX-License-Identifier: Apache-2.0
/* hello with libbpf, as a skeleton does it: the object in the program, its maps and programs loaded at once. */
#include "peer.h"

OBJECT("hello");

int main(void)
{
	struct bpf_object *object = load_object();
	LIBBPF_OPTS(bpf_uprobe_opts, options, .func_name = "getuid");
	struct bpf_program *program = bpf_object__find_program_by_name(object, "hello");
	must(bpf_program__attach_uprobe_opts(program, -1, "libc.so.6", 0, &options), "attach");
	say("ready");
	pause();
}
