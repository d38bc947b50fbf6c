//! `gatehouse watch`: serves a project, and builds and serves again what changes. What does not build or start is told, and
//! what was served before is served on.

use crate::release_files::check_sdk;
use crate::serving::{Serving, runtime};
use crate::watched_files::{Changes, WatchedFiles};
use anyhow::{Context, Result};
use clap::Args;
use notify::{EventKind, RecommendedWatcher, Watcher};
use project::builds::{self, Build};
use project::launch::{self, Launch};
use project::shell::step;
use project::{Project, manifest};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What `gatehouse watch` takes.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    launch: launch::Options,
}

/// How long nothing may change before it is built: editors write several files, and some twice.
const QUIET: Duration = Duration::from_millis(200);

/// Serves, and goes on until Ctrl-C.
///
/// # Errors
///
/// If the addresses are taken, or files cannot be watched. What is wrong with the project itself is told and waited for.
pub fn watch(project: &Project, options: &Options) -> Result<()> {
    Launch::plan(project, &options.launch)?.check_addresses()?;
    let runtime = runtime()?;
    let watched = runtime.block_on(async {
        let stop = host::stop_signal()?;
        let mut session = Session::new(project, &options.launch)?;
        let result = tokio::select! {
            result = session.run() => result,
            () = stop => Ok(()),
        };
        eprintln!("\nStopping.");
        if let Some(serving) = session.serving.take() {
            serving.stop().await;
        }
        result
    });
    // A build that is under way got the signal too.
    runtime.shutdown_background();
    watched
}

struct Session<'a> {
    project: &'a Project,
    options: &'a launch::Options,
    serving: Option<Serving>,
    builds: Vec<Build>,
    /// The components that are not built as their files are now.
    stale: BTreeSet<String>,
    files: WatchedFiles,
    /// Watches as long as it is there.
    _watcher: RecommendedWatcher,
    sender: UnboundedSender<PathBuf>,
    changed: UnboundedReceiver<PathBuf>,
}

impl<'a> Session<'a> {
    fn new(project: &'a Project, options: &'a launch::Options) -> Result<Self> {
        let builds = builds::of_manifest(project, &project.manifest()?, None)?;
        let files = WatchedFiles::of(project, &builds)?;
        for component in files.unwatched() {
            eprintln!("spin.toml says nothing of what {component} is built from (`watch`)");
        }
        let (sender, changed) = unbounded_channel();
        Ok(Self {
            project,
            options,
            serving: None,
            stale: builds.iter().map(|build| build.component.clone()).collect(),
            builds,
            _watcher: watcher(&files, sender.clone())?,
            files,
            sender,
            changed,
        })
    }

    async fn run(&mut self) -> Result<()> {
        loop {
            if let Err(error) = self.renew().await {
                eprintln!("\n{error:#}\nA change is built again.");
            }
            let changes = self.changes().await?;
            self.stale.extend(changes.components);
            if changes.manifest
                && let Err(error) = self.read_manifest()
            {
                eprintln!("\n{error:#}");
            }
        }
    }

    /// Builds what is stale, and serves it. An error says what is served then.
    async fn renew(&mut self) -> Result<()> {
        let unchanged = match self.serving {
            Some(_) => "What was served before is served on",
            None => "Nothing is served yet",
        };
        let launch = self.build_stale().await.context(unchanged)?;
        match &mut self.serving {
            Some(serving) => {
                let replaced = serving.replace(self.project, &launch).await;
                replaced.context(unchanged)?;
                let settled = serving.settle(&launch).await;
                settled.context("What changed is served now, and does not work")?;
                step(&format!("Serving what changed at {}", launch.base()));
            }
            None => {
                step("Starting (the first time it fetches Gatehouse and compiles it)");
                let started = Serving::start(self.project, &launch).await;
                self.serving = Some(started.context(unchanged)?);
                launch.announce();
            }
        }
        Ok(())
    }

    /// Builds what is stale, and returns how it is to be served.
    async fn build_stale(&mut self) -> Result<Launch> {
        manifest::check(self.project)?;
        if !self.stale.is_empty() {
            let project = self.project.clone();
            tokio::task::spawn_blocking(move || check_sdk(&project)).await??;
        }
        for build in &self.builds {
            if self.stale.contains(&build.component) {
                let running = build.clone();
                tokio::task::spawn_blocking(move || running.run()).await??;
                self.stale.remove(&build.component);
            }
        }
        Launch::plan(self.project, self.options)
    }

    /// Waits for changes, until there are no more of them for a moment.
    async fn changes(&mut self) -> Result<Changes> {
        let mut changes = Changes::default();
        loop {
            let next = self.changed.recv();
            let next = match changes.is_empty() {
                true => next.await,
                false => match tokio::time::timeout(QUIET, next).await {
                    Ok(next) => next,
                    Err(_) => return Ok(changes),
                },
            };
            let path = next.context("Files are watched no more")?;
            self.files.add(&mut changes, &path);
        }
    }

    /// Reads how components are built now.
    fn read_manifest(&mut self) -> Result<()> {
        let builds = builds::of_manifest(self.project, &self.project.manifest()?, None)?;
        let changed = builds.iter().filter(|build| !self.builds.contains(build));
        self.stale
            .extend(changed.map(|build| build.component.clone()));
        let files = WatchedFiles::of(self.project, &builds)?;
        self._watcher = watcher(&files, self.sender.clone())?;
        self.files = files;
        self.builds = builds;
        Ok(())
    }
}

/// Watches the folders of these files, and sends which file changed.
fn watcher(files: &WatchedFiles, sender: UnboundedSender<PathBuf>) -> Result<RecommendedWatcher> {
    let changed = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else {
            return;
        };
        // Reading a file changes nothing.
        if matches!(
            event.kind,
            EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)
        ) {
            for path in event.paths {
                // At the end no one listens.
                let _ = sender.send(path);
            }
        }
    };
    let mut watcher = notify::recommended_watcher(changed).context("Files cannot be watched")?;
    for (folder, mode) in files.folders() {
        if !folder.is_dir() {
            eprintln!(
                "There is no folder {}, which spin.toml says to watch",
                folder.display()
            );
            continue;
        }
        watcher
            .watch(&folder, mode)
            .with_context(|| format!("{} cannot be watched", folder.display()))?;
    }
    Ok(watcher)
}
