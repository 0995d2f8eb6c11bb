// SPDX-License-Identifier: Apache-2.0
//! Types that only kernel modules have, taken from a folder of type data as `--btf` names it. That they are taken from the
//! running kernel is `tests/lua/root_module_types.lua`, which runs here, too.

use super::harness::{Need, bpflua, missing, root_folder, skip};

#[test]
fn root_types_of_modules_from_a_folder() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    for given in ["/sys/kernel/btf", "/sys/kernel/btf/vmlinux"] {
        let command = bpflua(["--btf", given, "root_module_types.lua", "folder"]);
        let ended = command.current_dir(&root_folder().join("tests/lua")).run().expect(0);
        ended.stdout.lines().filter_map(|line| line.strip_prefix("skipped: ")).for_each(skip);
    }
}
