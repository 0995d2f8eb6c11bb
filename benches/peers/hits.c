// SPDX-License-Identifier: Apache-2.0
/* hits: as benches/scripts/hits.lua, with libbpf. */
#include "peer.h"

OBJECT("hits");

int main(void)
{
	struct bpf_object *object = load_object();
	must(bpf_program__attach(bpf_object__find_program_by_name(object, "hit")), "attach");
	say("ready");
	pause();
}
