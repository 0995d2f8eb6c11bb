// SPDX-License-Identifier: Apache-2.0
//! Work for the scripts to see.

use std::io::{PipeReader, PipeWriter, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::super::harness::{root_folder, scratch, thread_id};

/// What `traced.c` forgets at a time, in bytes.
pub const FORGOTTEN: u64 = 4321;
/// The text that it measures.
pub const TEXT: &str = "a text of thirty-one characters";

/// The process of `tests/fixtures/bcc_lua/traced.c`, which ends with this.
pub struct Traced(Child);

impl Traced {
    pub fn start() -> Traced {
        let program = build();
        Traced(Command::new(program).stdin(Stdio::null()).spawn().unwrap())
    }

    pub fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn build() -> PathBuf {
    let program = scratch(&format!("bcc-lua-{}", thread_id())).join("traced");
    let source = root_folder().join("tests/fixtures/bcc_lua/traced.c");
    let mut command = Command::new("gcc");
    // Frames that the kernel can follow, and names for them.
    command.args(["-Wall", "-O1", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls"]);
    let built = command.arg(source).arg("-o").arg(&program).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    program
}

/// A thread of a name of its own that sleeps for 20 ms, again and again.
pub struct Sleeper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Its thread ID.
    pub id: u32,
}

/// The sleeper's name.
pub const SLEEPER: &str = "sleeps-20-ms";

impl Sleeper {
    pub fn start() -> Sleeper {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, id) = std::sync::mpsc::channel();
        let body = {
            let stop = Arc::clone(&stop);
            move || {
                told.send(thread_id()).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(20));
                }
            }
        };
        let thread = thread::Builder::new().name(SLEEPER.to_owned()).spawn(body).unwrap();
        Sleeper { stop, thread: Some(thread), id: id.recv().unwrap() }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Pipes, kept open. The kernel allocates the 16 buffers of each by a size that it computes.
#[derive(Default)]
pub struct Pipes(Vec<(PipeReader, PipeWriter)>);

impl Pipes {
    /// The kernel's `struct pipe_buffer`.
    pub const BUFFER_BYTES: u64 = 40;
    /// More would exceed what a user may have open.
    const MOST: usize = 200;

    pub fn open_more(&mut self) {
        if self.0.len() < Pipes::MOST {
            self.0.push(std::io::pipe().unwrap());
        }
    }

    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Types a line into an interactive bash; gives what came on its terminal.
pub fn type_into_bash(line: &str) -> String {
    let mut terminal = Command::new("script");
    terminal.args(["-qec", "bash --norc --noprofile -i", "/dev/null"]).env("HISTFILE", "").env("TERM", "dumb");
    let mut terminal = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    terminal.stdin.take().unwrap().write_all(format!("{line}\nexit\n").as_bytes()).unwrap();
    String::from_utf8_lossy(&terminal.wait_with_output().unwrap().stdout).into_owned()
}

/// A server on the loopback device; each connection to it sends 20 KB there and 5 KB back.
pub struct Server {
    listener: TcpListener,
    pub port: u16,
}

pub const SENT_KB: usize = 20;
pub const BACK_KB: usize = 5;

impl Server {
    pub fn ipv4() -> Server {
        Server::at((Ipv4Addr::LOCALHOST, 0).into())
    }

    pub fn ipv6() -> Server {
        Server::at((Ipv6Addr::LOCALHOST, 0).into())
    }

    /// At this port, unless it is taken.
    pub fn try_ipv4(port: u16) -> Option<Server> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|listener| Server { listener, port })
    }

    fn at(address: SocketAddr) -> Server {
        let listener = TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        Server { listener, port }
    }

    /// One connection from its beginning to its end. The client closes first.
    pub fn connect_once(&self) {
        let mut client = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = self.listener.accept().unwrap();
        let send = |from: &mut TcpStream, to: &mut TcpStream, count: usize| {
            from.write_all(&vec![7; count]).unwrap();
            to.read_exact(&mut vec![0; count]).unwrap();
        };
        send(&mut client, &mut server, SENT_KB * 1024);
        send(&mut server, &mut client, BACK_KB * 1024);
        drop(client);
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).unwrap();
    }
}
