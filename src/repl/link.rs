// SPDX-License-Identifier: Apache-2.0
//! What the thread that reads keys and the thread that Lua runs on have in common: orders one way, input the other.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::lua::prompt::{Ask, Candidate, Input};

/// The words for the text from a place on; none when they are to be asked for again.
pub type Completion = Option<(usize, Vec<Candidate>)>;

/// What goes to Lua's thread.
#[derive(Debug)]
pub enum Message {
    /// Input as Lua gets it.
    Input(Input),
    /// Completions are wanted, here is where they go.
    Complete(String, usize, Sender<Completion>),
}

/// The reading thread's end.
#[derive(Clone, Debug)]
pub struct Reader {
    messages: Sender<Message>,
    wake: Arc<OwnedFd>,
    activity: Arc<Activity>,
}

/// Lua's end.
#[derive(Debug)]
pub struct Link {
    /// What is to be read.
    pub orders: Sender<Ask>,
    /// What was read.
    pub messages: Receiver<Message>,
    /// What Lua is doing.
    pub activity: Arc<Activity>,
    wake: Arc<OwnedFd>,
}

/// Whether Lua code runs, and since which turn of the loop.
#[derive(Debug, Default)]
pub struct Activity {
    is_busy: AtomicBool,
    turn: AtomicU64,
}

impl Activity {
    /// Notes that Lua code begins or ends to run.
    pub fn set_busy(&self, is_busy: bool) {
        self.turn.fetch_add(u64::from(is_busy), Ordering::SeqCst);
        self.is_busy.store(is_busy, Ordering::SeqCst);
    }

    /// The turn that Lua code runs in now.
    pub fn busy_turn(&self) -> Option<u64> {
        self.is_busy.load(Ordering::SeqCst).then(|| self.turn.load(Ordering::SeqCst))
    }
}

/// Makes the two ends; the orders go to whoever reads.
pub fn link() -> io::Result<(Link, Reader, Receiver<Ask>)> {
    // SAFETY: no pointers.
    let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that was just made and is nobody else's.
    let wake = Arc::new(unsafe { OwnedFd::from_raw_fd(fd) });
    let (orders, ordered) = channel();
    let (sender, messages) = channel();
    let activity = Arc::new(Activity::default());
    let reader = Reader { messages: sender, wake: Arc::clone(&wake), activity: Arc::clone(&activity) };
    Ok((Link { orders, messages, activity, wake }, reader, ordered))
}

impl Link {
    /// Readable while there may be messages.
    pub fn fd(&self) -> RawFd {
        self.wake.as_raw_fd()
    }

    /// The next message.
    pub fn take(&self) -> Option<Message> {
        let mut count = [0_u8; 8];
        // SAFETY: eight bytes of our own; the descriptor does not block. Emptied first: what comes later fills it again.
        unsafe { libc::read(self.fd(), count.as_mut_ptr().cast(), count.len()) };
        let message = self.messages.try_recv().ok();
        if message.is_some() {
            notify(&self.wake);
        }
        message
    }
}

impl Reader {
    /// Sends a message; false when nobody takes it any more.
    pub fn send(&self, message: Message) -> bool {
        let sent = self.messages.send(message).is_ok();
        notify(&self.wake);
        sent
    }

    /// What Lua is doing.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }
}

fn notify(wake: &OwnedFd) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: eight valid bytes; a counter that is full is readable, which is all that is wanted.
    unsafe { libc::write(wake.as_raw_fd(), one.as_ptr().cast(), one.len()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_in_order_and_wake() {
        let (link, reader, _orders) = link().unwrap();
        assert!(link.take().is_none());
        assert!(reader.send(Message::Input(Input::Line("a".into()))) && reader.send(Message::Input(Input::End)));
        assert!(matches!(link.take(), Some(Message::Input(Input::Line(text))) if text == "a"));
        assert!(matches!(link.take(), Some(Message::Input(Input::End))));
        assert!(link.take().is_none());
    }

    #[test]
    fn a_turn_is_known_while_it_lasts() {
        let activity = Activity::default();
        assert_eq!(activity.busy_turn(), None);
        activity.set_busy(true);
        assert_eq!(activity.busy_turn(), Some(1));
        activity.set_busy(false);
        activity.set_busy(true);
        assert_eq!(activity.busy_turn(), Some(2));
    }
}
