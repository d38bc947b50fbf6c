//! The memory and processor time that a process has used, where the system tells (Linux).

use std::time::Duration;

/// Memory and time.
pub struct Process {
    /// Resident bytes.
    pub memory: u64,
    /// The most that they have been.
    pub peak_memory: u64,
    /// Processor time, user and system.
    pub cpu: Duration,
}

impl Process {
    /// This process as of now; `None` where there is no `/proc`.
    pub fn now() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// The process with this id, as of now.
    pub fn of(id: u32) -> Option<Self> {
        // proc_pid_status(5): kB.
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(kilobytes * 1024)
        };
        // proc_pid_stat(5): behind the name in parentheses, fields 14 and 15 in ticks, of which
        // the interface has 100 a second.
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Some(Self {
            memory: bytes("VmRSS:")?,
            peak_memory: bytes("VmHWM:")?,
            cpu: Duration::from_millis(ticks * 10),
        })
    }
}
