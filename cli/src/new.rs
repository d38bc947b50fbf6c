//! `gatehouse new`: a project from a template.

use crate::release_files::Releases;
use anyhow::{Context, Result, ensure};
use clap::Args;
use project::release::{Address, Release};
use project::templates::{self, Language};
use std::path::{Path, PathBuf};

/// What `gatehouse new` takes.
#[derive(Args)]
pub struct Options {
    /// The project's name: words of small letters and digits with `-` between them
    name: String,
    /// The language that the tools are written in
    #[arg(long, value_enum)]
    lang: Language,
    /// The folder, in place of one with the project's name
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
    /// The URL of the release that Gatehouse's components come from, in place of the one that this program is part of
    #[arg(long, value_name = "URL")]
    release: Option<String>,
}

/// Writes a new project.
///
/// # Errors
///
/// If the name cannot be one, there is no release, or the folder has something in it.
pub fn new(options: &Options) -> Result<()> {
    let release = match &options.release {
        Some(url) => Releases::default().at(Address::new(url)?)?,
        None => own_release()?.context(
            "This program was built from source and is part of no release. Name one with --release URL: the folder that `cargo xtask dist` writes, where it is served",
        )?,
    };
    let files = templates::project(options.lang, &options.name, &release)?;
    let folder = options
        .to
        .clone()
        .unwrap_or_else(|| PathBuf::from(&options.name));
    ensure!(
        is_empty(&folder)?,
        "{} has something in it already. Choose another name, or another folder with --to",
        folder.display()
    );
    templates::write(&folder, &files)?;
    println!(
        "{} has a project with the tool `greet`. Next:\n\n  cd {}\n  {}\n  gatehouse up\n\nand in another terminal there:\n\n  gatehouse call greet --name Ada",
        folder.display(),
        folder.display(),
        options.lang.setup()
    );
    Ok(())
}

/// Returns the release that this program is part of: `cargo xtask dist` builds it in.
fn own_release() -> Result<Option<Release>> {
    let (Some(url), Some(sums)) = (
        option_env!("GATEHOUSE_RELEASE_URL"),
        option_env!("GATEHOUSE_RELEASE_SUMS"),
    ) else {
        return Ok(None);
    };
    Release::new(Address::new(url)?, sums).map(Some)
}

/// Whether a folder is not there, or has nothing in it.
fn is_empty(folder: &Path) -> Result<bool> {
    if !folder.exists() {
        return Ok(true);
    }
    let mut entries = std::fs::read_dir(folder)
        .with_context(|| format!("{} cannot be read", folder.display()))?;
    Ok(entries.next().is_none())
}
