//! What this process has used so far, where the system tells (Linux).

use std::time::Duration;

/// Memory and time.
pub struct Process {
    /// Resident bytes.
    pub memory: u64,
    /// Processor time, user and system.
    pub cpu: Duration,
}

impl Process {
    /// As of now; `None` where there is no `/proc`.
    pub fn now() -> Option<Self> {
        // proc_pid_status(5): kB.
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()?;
        // proc_pid_stat(5): behind the name in parentheses, fields 14 and 15 in ticks, of which
        // the interface has 100 a second.
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Some(Self {
            memory: resident * 1024,
            cpu: Duration::from_millis(ticks * 10),
        })
    }
}
