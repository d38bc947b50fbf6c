//! The processors: one for the servers and one for the load, so that neither takes time from the other.

use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

/// The runtime that servers are started on, whose processor a process that it starts inherits, and the one of the load.
pub struct Cores {
    /// For the servers.
    pub servers: Runtime,
    /// For the load.
    pub load: Runtime,
}

impl Cores {
    /// Makes the two, on the first and the second processor. Where there is only one, or the system binds no thread to
    /// one (all but Linux), they share what there is.
    ///
    /// # Errors
    ///
    /// If a thread cannot be started.
    pub fn take() -> Result<Self> {
        let cores = Core::all();
        let [first, second, ..] = cores[..] else {
            return Ok(Self {
                servers: runtime(None)?,
                load: runtime(None)?,
            });
        };
        // The load begins in this thread.
        second.take();
        Ok(Self {
            servers: runtime(Some(first))?,
            load: runtime(Some(second))?,
        })
    }
}

fn runtime(core: Option<Core>) -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(core) = core {
        builder
            .worker_threads(1)
            .on_thread_start(move || core.take());
    }
    Ok(builder.enable_all().build()?)
}

/// A processor, by its number.
#[derive(Clone, Copy)]
struct Core(usize);

#[cfg(target_os = "linux")]
impl Core {
    /// Returns those that this thread may run on.
    fn all() -> Vec<Self> {
        use rustix::thread::{CpuSet, sched_getaffinity};
        let set = sched_getaffinity(None).unwrap_or_default();
        let numbers = 0..CpuSet::MAX_CPU;
        numbers
            .filter(|number| set.is_set(*number))
            .map(Self)
            .collect()
    }

    /// Binds this thread, and what it starts, to the processor. A thread that cannot be bound runs on any.
    fn take(self) {
        use rustix::thread::{CpuSet, sched_setaffinity};
        let mut set = CpuSet::new();
        set.set(self.0);
        sched_setaffinity(None, &set).ok();
    }
}

#[cfg(not(target_os = "linux"))]
impl Core {
    fn all() -> Vec<Self> {
        Vec::new()
    }

    fn take(self) {
        let _ = self.0;
    }
}
