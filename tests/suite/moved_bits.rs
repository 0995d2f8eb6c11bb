// SPDX-License-Identifier: Apache-2.0
//! Bit fields that are elsewhere in the kernel that an object runs on than in the one it was compiled for: read by libbpf's
//! macros or plainly, their place in their unit, their width and their unit are the running kernel's. Kernels are made of
//! declarations of one struct.

use std::path::Path;

use bpflua::bpf::{Object, ObjectOptions, TestRun};
use bpflua::lua::Settings;
use bpflua::lua::compile::Request;

use super::harness::{Need, bpflua, missing, scratch};

const BEFORE: &str = "struct moving {\n    unsigned before : 3;\n    unsigned wanted : 5;\n    int sign : 4;\n    \
    unsigned long long wide : 40;\n    unsigned char tail;\n    \
    struct { union { struct { unsigned char low : 2; _Bool flag : 1; }; unsigned char all : 6; }; } deep;\n};\n";
const AFTER: &str = "struct moving {\n    unsigned long long wide : 33;\n    unsigned long long other : 7;\n    \
    int sign : 6;\n    unsigned wanted : 9;\n    unsigned char more[3];\n    unsigned char tail;\n    \
    struct { int first : 13; union { struct { _Bool flag : 1; unsigned char low : 4; }; unsigned char all : 7; }; } deep;\n};\n";
/// Some are no bit fields any more.
const PLAIN: &str = "struct moving {\n    unsigned char tail;\n    short sign;\n    unsigned int wanted;\n    \
    unsigned long long wide;\n    struct { _Bool flag; unsigned char low : 1; unsigned char all; } deep;\n};\n";
/// Something that has the struct in the types of an object.
const USE: &str = "struct moving kept;\nint f(void *ctx) { return kept.tail; }\n";

const PROGRAM: &str = r#"
struct raw_t { char bytes[64]; };
BPF_ARRAY(raw, struct raw_t, 1);
BPF_ARRAY(address, u64, 1);
BPF_ARRAY(hits, u64, 24);
#define SET(n, v) do { u64 v_ = (u64)(v); hits.update(&(int){n}, &v_); } while (0)
#define PLAINLY(n, p)                                                                                   \
	SET(n, (p)->wanted);                                                                            \
	SET(n + 1, (p)->sign);                                                                          \
	SET(n + 2, (p)->wide);                                                                          \
	SET(n + 3, (p)->deep.low);                                                                      \
	SET(n + 4, (p)->deep.flag);                                                                     \
	SET(n + 5, (p)->deep.all);

SEC("raw_tp") int look(void *ctx)
{
	u64 start = (u64)raw.lookup(&(int){0}), *kept;
	struct moving *moving, *own;

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
	/* By a helper, as memory that the verifier does not follow; and directly. */
	PLAINLY(7, moving)
	own = (struct moving *)raw.lookup(&(int){0});
	if (!own)
		return 0;
	PLAINLY(13, own)
	/* Part of it: the lowest bits of what was read, and in a condition. */
	SET(19, (u8)(moving->wanted + 1));
	SET(20, moving->sign < 0 ? 1 : 2);
	return 0;
}

/* What is written is read again, and nothing beside it changes. */
SEC("raw_tp") int change(void *ctx)
{
	struct moving *own = (struct moving *)raw.lookup(&(int){0});

	if (!own)
		return 0;
	own->wanted = 21;
	own->sign = -3;
	own->wide += 1;
	own->deep.flag = !own->deep.flag;
	own->deep.low++;
	return 0;
}
"#;

/// A field of the struct: the bit that it begins at, its width, whether it has a sign.
#[derive(Clone, Copy)]
struct Place(usize, usize, bool);

impl Place {
    fn of(self, bytes: &[u8]) -> u64 {
        let value = bits(bytes, self.0, self.1);
        if self.2 { signed(value, self.1) } else { value }
    }

    fn set(self, bytes: &mut [u8], value: u64) {
        for bit in 0..self.1 {
            let (byte, mask) = ((self.0 + bit) / 8, 1 << ((self.0 + bit) % 8));
            bytes[byte] = if value >> bit & 1 == 1 { bytes[byte] | mask } else { bytes[byte] & !mask };
        }
    }
}

/// A kernel: the file of its types, and where its struct has `wanted`, `sign`, `wide`, `tail`, `low`, `flag`, `all`.
const KERNELS: [(&str, [Place; 7]); 3] = [
    (
        "before.o",
        [
            Place(3, 5, false),
            Place(8, 4, true),
            Place(12, 40, false),
            Place(56, 8, false),
            Place(64, 2, false),
            Place(66, 1, false),
            Place(64, 6, false),
        ],
    ),
    (
        "after.o",
        [
            Place(46, 9, false),
            Place(40, 6, true),
            Place(0, 33, false),
            Place(80, 8, false),
            Place(113, 4, false),
            Place(112, 1, false),
            Place(112, 7, false),
        ],
    ),
    (
        "plain.o",
        [
            Place(32, 32, false),
            Place(16, 16, true),
            Place(64, 64, false),
            Place(0, 8, false),
            Place(136, 1, false),
            Place(128, 8, false),
            Place(144, 8, false),
        ],
    ),
];

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
    compile(&folder, "plain", &format!("{PLAIN}{USE}"), None);
    compile(&folder, "program", PROGRAM, Some("before.o"));
    let elf = std::fs::read(folder.join("program.o")).unwrap();
    for (kernel, fields) in KERNELS {
        let options = ObjectOptions { btf_path: Some(folder.join(kernel)), ..ObjectOptions::default() };
        let mut object = Object::create(elf.clone(), options).unwrap_or_else(|err| panic!("{}", err.report()));
        for round in 1..40_u64 {
            let mut bytes = [0_u8; 64];
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = (round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (index % 8 * 7)) as u8
                    ^ (index as u8).wrapping_mul(89);
            }
            if kernel == "plain.o" {
                // What a byte of `_Bool` holds.
                bytes[16] &= 1;
            }
            object.map("raw").unwrap().update(&0_u32.to_ne_bytes(), &bytes, 0).unwrap();
            object.load("look").unwrap().test_run(&TestRun::default()).unwrap();
            let hit = |slot: u32| {
                let value = object.map("hits").unwrap().lookup(&slot.to_ne_bytes()).unwrap().unwrap();
                u64::from_ne_bytes(value.try_into().unwrap())
            };
            let [wanted, sign, wide, tail, low, flag, all] = fields.map(|field| field.of(&bytes));
            let expected = [wanted, sign, wide, tail, wanted, sign, wide];
            // The text's types are those of the kernel that it was compiled for.
            let plain = [wanted, sign, wide, u64::from(low as u8), flag, u64::from(all as u8)];
            let used = [wanted.wrapping_add(1) & 0xff, if (sign as i64) < 0 { 1 } else { 2 }];
            let expected: Vec<u64> = expected.into_iter().chain(plain).chain(plain).chain(used).collect();
            assert_eq!((0..21).map(hit).collect::<Vec<_>>(), expected, "{kernel}, {bytes:x?}");

            object.load("change").unwrap().test_run(&TestRun::default()).unwrap();
            let changed = object.map("raw").unwrap().lookup(&0_u32.to_ne_bytes()).unwrap().unwrap();
            let mut wished = bytes;
            fields[0].set(&mut wished, 21);
            fields[1].set(&mut wished, -3_i64 as u64);
            // Numbers of the text's own width are written.
            fields[2].set(&mut wished, wide.wrapping_add(1) & ((1 << 40) - 1));
            fields[5].set(&mut wished, u64::from(flag == 0));
            fields[4].set(&mut wished, (low + 1) & 3);
            assert_eq!(changed, wished, "{kernel}, {bytes:x?}");
        }
    }
}

/// A text for the kernel at hand asks the loader for no more than where the unit of a field begins.
#[test]
fn only_objects_that_travel_pay_for_it() {
    if missing(&[Need::Btf]) {
        return;
    }
    let text = "int kprobe__f(struct pt_regs *ctx, struct task_struct *task) { return task->sched_reset_on_fork; }";
    let folder = scratch("moved_bits_cost");
    let file = folder.join("text.c");
    std::fs::write(&file, text).unwrap();
    let request = Request::of_file(&file).unwrap();
    let settings = Settings { use_cache: false, ..Settings::default() };
    let size = |portable| {
        let request = Request { portable, ..request.clone() };
        bpflua::lua::compile::compile(&request, &settings).unwrap().object.len()
    };
    assert!(size(false) < size(true), "{} and {} bytes", size(false), size(true));
}
