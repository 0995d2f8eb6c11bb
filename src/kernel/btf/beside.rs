// SPDX-License-Identifier: Apache-2.0
//! Threads that read type data beside the one that compiles. A process that is forked while one of them makes an index would
//! wait for it for ever: the index is half made there, and the thread that makes it is not.

use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

static READING: RwLock<()> = RwLock::new(());

/// Reads type data on another thread than the one that forks.
pub fn beside<T>(read: impl FnOnce() -> T) -> T {
    let _held = READING.read().unwrap_or_else(PoisonError::into_inner);
    read()
}

/// Waits until nobody reads beside; while it is held, nobody begins. For a fork: the child has whole what the parent had.
pub fn quiet() -> RwLockWriteGuard<'static, ()> {
    READING.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn a_fork_waits_for_who_reads() {
        let (begun, wait) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let reader = thread::spawn(move || {
            beside(|| {
                begun.send(()).unwrap();
                ended.recv().unwrap();
            });
        });
        wait.recv().unwrap();
        assert!(READING.try_write().is_err());
        end.send(()).unwrap();
        drop(quiet());
        reader.join().unwrap();
    }
}
