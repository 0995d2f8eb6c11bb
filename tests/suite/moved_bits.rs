// SPDX-License-Identifier: Apache-2.0
//! Bit fields that are elsewhere in the kernel that an object runs on than in the one it was compiled for: read by libbpf's
//! macros, their place in their unit, their width and their unit are the running kernel's. Two kernels are made of two
//! declarations of one struct.

use std::path::Path;

use bpflua::bpf::{Object, ObjectOptions, TestRun};

use super::harness::{Need, bpflua, missing, scratch};

const BEFORE: &str = "struct moving {\n    unsigned before : 3;\n    unsigned wanted : 5;\n    int sign : 4;\n    \
    unsigned long long wide : 40;\n    unsigned char tail;\n};\n";
const AFTER: &str = "struct moving {\n    unsigned long long wide : 33;\n    unsigned long long other : 7;\n    \
    int sign : 6;\n    unsigned wanted : 9;\n    unsigned char more[3];\n    unsigned char tail;\n};\n";
/// Something that has the struct in the types of an object.
const USE: &str = "struct moving kept;\nint f(void *ctx) { return kept.tail; }\n";

const PROGRAM: &str = r#"
struct raw_t { char bytes[64]; };
BPF_ARRAY(raw, struct raw_t, 1);
BPF_ARRAY(address, u64, 1);
BPF_ARRAY(hits, u64, 8);
#define SET(n, v) do { u64 v_ = (u64)(v); hits.update(&(int){n}, &v_); } while (0)

SEC("raw_tp") int look(void *ctx)
{
	u64 start = (u64)raw.lookup(&(int){0}), *kept;
	struct moving *moving;

	address.update(&(int){0}, &start);
	kept = address.lookup(&(int){0});
	if (!kept)
		return 0;
	moving = (struct moving *)*kept;
	SET(0, BPF_CORE_READ_BITFIELD_PROBED(moving, wanted));
	SET(1, BPF_CORE_READ_BITFIELD_PROBED(moving, sign));
	SET(2, BPF_CORE_READ_BITFIELD_PROBED(moving, wide));
	SET(3, moving->tail);
	SET(4, BPF_CORE_READ_BITFIELD(moving, wanted));
	SET(5, BPF_CORE_READ_BITFIELD(moving, sign));
	SET(6, BPF_CORE_READ_BITFIELD(moving, wide));
	return 0;
}
"#;

fn compile(folder: &Path, name: &str, text: &str, kernel: Option<&str>) {
    let file = folder.join(format!("{name}.c"));
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let object = format!("{}.o", file.trim_end_matches(".c"));
    let kernel = kernel.map(|kernel| folder.join(kernel));
    let mut words = vec!["compile", file, "-o", &object];
    let kernel = kernel.as_ref().map(|path| path.to_str().unwrap());
    words.extend(kernel.map(|path| ["--btf", path]).into_iter().flatten());
    bpflua(words).run().expect(0);
}

/// Some bits of bytes, the lowest of the first byte first.
fn bits(bytes: &[u8], from: usize, count: usize) -> u64 {
    (0..count).map(|bit| u64::from(bytes[(from + bit) / 8] >> ((from + bit) % 8) & 1) << bit).sum()
}

fn signed(value: u64, width: usize) -> u64 {
    if value >> (width - 1) == 1 { value | u64::MAX << width } else { value }
}

#[test]
fn root_bit_fields_are_read_where_the_running_kernel_has_them() {
    if missing(&[Need::Root, Need::Btf]) {
        return;
    }
    let folder = scratch("moved_bits");
    compile(&folder, "before", &format!("{BEFORE}{USE}"), None);
    compile(&folder, "after", &format!("{AFTER}{USE}"), None);
    compile(&folder, "program", PROGRAM, Some("before.o"));
    let elf = std::fs::read(folder.join("program.o")).unwrap();
    // Where each field begins, and its width: wanted, sign, wide, tail.
    let kernels: [(&str, [(usize, usize); 4]); 2] =
        [("before.o", [(3, 5), (8, 4), (12, 40), (56, 8)]), ("after.o", [(46, 9), (40, 6), (0, 33), (80, 8)])];
    for (kernel, fields) in kernels {
        let options = ObjectOptions { btf_path: Some(folder.join(kernel)), ..ObjectOptions::default() };
        let mut object = Object::create(elf.clone(), options).unwrap_or_else(|err| panic!("{}", err.report()));
        for round in 1..40_u64 {
            let mut bytes = [0_u8; 64];
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = (round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (index % 8 * 7)) as u8
                    ^ (index as u8).wrapping_mul(89);
            }
            object.map("raw").unwrap().update(&0_u32.to_ne_bytes(), &bytes, 0).unwrap();
            object.load("look").unwrap().test_run(&TestRun::default()).unwrap();
            let hit = |slot: u32| {
                let value = object.map("hits").unwrap().lookup(&slot.to_ne_bytes()).unwrap().unwrap();
                u64::from_ne_bytes(value.try_into().unwrap())
            };
            let [unsigned, sign, wide, tail] = fields.map(|(from, width)| bits(&bytes, from, width));
            let sign = signed(sign, fields[1].1);
            let wanted = [unsigned, sign, wide, tail, unsigned, sign, wide];
            assert_eq!([0, 1, 2, 3, 4, 5, 6].map(hit), wanted, "{kernel}, {bytes:x?}");
        }
    }
}
