// SPDX-License-Identifier: Apache-2.0
//! The machine that is measured on.

use std::fs;
use std::process::Command;

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// How busy it is: runnable tasks over the last minute, this benchmark's among them.
pub fn load() -> String {
    let text = read("/proc/loadavg");
    format!("load {}", text.split(' ').next().unwrap_or("unknown"))
}

/// The date and time.
pub fn now() -> String {
    let output = Command::new("date").arg("+%Y-%m-%d %H:%M").output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// Kernel, processor, memory.
pub fn about() -> String {
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    let cpus = cpu.matches("processor\t").count();
    let memory = read("/proc/meminfo");
    let kib: f64 = memory.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0.0);
    let model = model.unwrap_or("unknown processor");
    format!("Linux {}, {cpus} × {model}, {:.0} GiB", read("/proc/sys/kernel/osrelease"), kib / 1024.0 / 1024.0)
}

/// Goes before the machine's other work, as far as root may, with as many descriptors as peers need.
pub fn prefer_this_process() {
    let files = libc::rlimit { rlim_cur: 65536, rlim_max: 65536 };
    // SAFETY: system calls on this process. A probe of bcc's and of bpftrace's takes a descriptor or two.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, -15);
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const files);
    }
}
