// SPDX-License-Identifier: Apache-2.0
//! Gives back memory that only the start needed.
//!
//! The start runs through code of clang and LLVM that is scattered over the executable; the kernel maps sixteen pages around
//! each one that is touched, and twenty of thirty resident megabytes are pages that nobody touches again. They are
//! clean pages of a file, so they can go, and come back from the page cache when they are needed after all.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// A page's word in `/proc/self/pagemap` (`Documentation/admin-guide/mm/pagemap.rst`).
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const OF_A_FILE: u64 = 1 << 61;

/// Gives back the pages of the executable and what the allocator holds free. A failure costs memory and nothing else, so none
/// is reported.
pub fn give_back() {
    // SAFETY: hands free memory of the allocator to the kernel; what is in use stays.
    unsafe { libc::malloc_trim(0) };
    let _ = give_back_executable();
}

fn give_back_executable() -> io::Result<()> {
    let executable = std::fs::read_link("/proc/self/exe")?;
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let pagemap = File::open("/proc/self/pagemap")?;
    // SAFETY: sysconf has no preconditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.max(1) as usize;
    for range in maps.lines().filter_map(|line| read_only(line, &executable.to_string_lossy())) {
        let mut words = vec![0_u8; range.len() / page * 8];
        pagemap.read_exact_at(&mut words, (range.start / page * 8) as u64)?;
        let words: Vec<u64> = words.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word)).collect();
        for pages in unchanged(&words) {
            // SAFETY: whole pages of a read-only mapping of a file which hold what the file holds: whoever reads them next
            // reads the same bytes.
            unsafe {
                let start = (range.start + pages.start * page) as *mut libc::c_void;
                libc::madvise(start, pages.len() * page, libc::MADV_DONTNEED);
            }
        }
    }
    Ok(())
}

/// The addresses of a line of `/proc/self/maps` when it is a private mapping of the executable that is never written.
fn read_only(line: &str, executable: &str) -> Option<Range<usize>> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let permissions = words.next()?;
    let path = words.nth(3)?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    (matches!(permissions, "r--p" | "r-xp") && path == executable).then_some(address(start)?..address(end)?)
}

/// Runs of pages that no copy was made of: the breakpoint of a uprobe on bpflua itself, or of a debugger, is in a copy, and
/// would be lost with it.
fn unchanged(words: &[u64]) -> Vec<Range<usize>> {
    let is_copy = |word: u64| word & SWAPPED != 0 || word & PRESENT != 0 && word & OF_A_FILE == 0;
    let mut runs = Vec::new();
    let mut start = 0;
    for (at, word) in words.iter().enumerate() {
        if is_copy(*word) {
            runs.push(start..at);
            start = at + 1;
        }
    }
    runs.push(start..words.len());
    runs.retain(|run| !run.is_empty());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_of_the_executable_that_are_never_written() {
        let line =
            |permissions: &str, path: &str| format!("00200000-00201000 {permissions} 00000000 fe:00 17    {path}");
        assert_eq!(read_only(&line("r-xp", "/bin/bpflua"), "/bin/bpflua"), Some(0x0020_0000..0x0020_1000));
        assert_eq!(read_only(&line("rw-p", "/bin/bpflua"), "/bin/bpflua"), None);
        assert_eq!(read_only(&line("r-xp", "/lib/libc.so.6"), "/bin/bpflua"), None);
        assert_eq!(read_only("00400000-00500000 rw-p 00000000 00:00 0", "/bin/bpflua"), None);
    }

    #[test]
    fn copies_of_pages_stay() {
        let (file, copy, swapped) = (PRESENT | OF_A_FILE, PRESENT, SWAPPED | 7);
        assert_eq!(unchanged(&[file, 0, copy, file, swapped, 0]), [0..2, 3..4, 5..6]);
        assert!(unchanged(&[copy]).is_empty() && unchanged(&[]).is_empty());
    }

    #[test]
    fn the_program_goes_on_with_what_was_given_back() {
        let before = std::fs::read("/proc/self/exe").unwrap().len();
        give_back();
        assert_eq!(std::fs::read("/proc/self/exe").unwrap().len(), before);
    }
}
