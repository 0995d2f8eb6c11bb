// SPDX-License-Identifier: Apache-2.0
//! The process's one copy of what is known about the running kernel's functions.

use super::functions::TraceableFunctions;
use crate::error::Result;
use crate::kernel::kallsyms;
use crate::kernel::pseudo_files::KPROBE_BLACKLIST;
use crate::kernel::tracefs::Tracefs;
use std::fs::File;
use std::io::{self, BufReader};
use std::sync::{Arc, Mutex, PoisonError};

static SHARED: Mutex<Option<Arc<TraceableFunctions>>> = Mutex::new(None);

/// The running kernel's functions with what tracefs and debugfs say of them; read when first asked for and kept until
/// [`forget`].
pub fn shared() -> Result<Arc<TraceableFunctions>> {
    let mut kept = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(functions) = kept.as_ref() {
        return Ok(Arc::clone(functions));
    }
    let mut functions = TraceableFunctions::new(kallsyms::shared()?);
    // Without tracefs, or without leave to read these, less is known; that is no error here.
    if let Ok(tracefs) = Tracefs::open() {
        functions.add_filter_list(buffered(File::open(tracefs.available_filter_functions())));
    }
    functions.add_blacklist(buffered(KPROBE_BLACKLIST.open()));
    let functions = Arc::new(functions);
    *kept = Some(Arc::clone(&functions));
    Ok(functions)
}

/// Drops the copy and that of the symbols behind it.
pub fn forget() {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner).take();
    kallsyms::forget();
}

fn buffered(file: io::Result<File>) -> io::Result<BufReader<File>> {
    file.map(|file| BufReader::with_capacity(64 << 10, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_kernel_has_functions() {
        match shared() {
            Ok(functions) => {
                assert!(functions.matching("vfs_read|vfs_write").is_ok_and(|names| names.len() == 2));
                assert!(functions.why_not("vfs_read").is_none());
            }
            Err(err) => println!("skipped: {err}"),
        }
        forget();
    }
}
