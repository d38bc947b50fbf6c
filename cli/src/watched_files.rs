//! The files that a project is built from: those of `watch` in its `build` sections, its manifest and its settings.

use anyhow::{Context, Result};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use notify::RecursiveMode;
use project::builds::Build;
use project::{MANIFEST, Project};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is watched.
pub struct WatchedFiles {
    manifest: PathBuf,
    settings: [PathBuf; 2],
    components: Vec<(Build, GlobSet)>,
}

/// What changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The components to build.
    pub components: BTreeSet<String>,
    /// Whether the manifest did.
    pub manifest: bool,
    /// Whether variables or the runtime configuration did.
    pub settings: bool,
}

impl WatchedFiles {
    /// Returns what is to be watched of a project whose components are built so.
    ///
    /// # Errors
    ///
    /// If a pattern is invalid.
    pub fn of(project: &Project, builds: &[Build]) -> Result<Self> {
        let components = builds.iter().map(|build| {
            let mut patterns = GlobSetBuilder::new();
            for pattern in &build.watch {
                let pattern = absolute(&build.folder, pattern);
                let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
                patterns.add(glob.with_context(|| {
                    format!("spin.toml, component {:?}: `watch`", build.component)
                })?);
            }
            Ok((build.clone(), patterns.build()?))
        });
        Ok(Self {
            manifest: project.path(MANIFEST),
            settings: [".env", "runtime-config.toml"].map(|name| project.path(name)),
            components: components.collect::<Result<_>>()?,
        })
    }

    /// Returns the folders that have them, and whether the folders inside matter too.
    pub fn folders(&self) -> BTreeMap<PathBuf, RecursiveMode> {
        let mut folders = BTreeMap::new();
        let mut add = |folder: PathBuf, mode: RecursiveMode| {
            let known = folders.entry(folder).or_insert(mode);
            if mode == RecursiveMode::Recursive {
                *known = mode;
            }
        };
        for file in self.settings.iter().chain([&self.manifest]) {
            if let Some(folder) = file.parent() {
                add(folder.to_owned(), RecursiveMode::NonRecursive);
            }
        }
        for (build, _) in &self.components {
            for pattern in &build.watch {
                let (folder, mode) = folder_of(pattern);
                add(build.folder.join(folder), mode);
            }
        }
        folders
    }

    /// Returns the components of which nothing is watched.
    pub fn unwatched(&self) -> impl Iterator<Item = &str> {
        let unwatched = self.components.iter();
        let unwatched = unwatched.filter(|(build, _)| build.watch.is_empty());
        unwatched.map(|(build, _)| build.component.as_str())
    }

    /// Adds what a change of this file means.
    pub fn add(&self, changes: &mut Changes, path: &Path) {
        changes.manifest |= path == self.manifest;
        changes.settings |= self.settings.iter().any(|file| file == path);
        for (build, patterns) in &self.components {
            if patterns.is_match(path) {
                changes.components.insert(build.component.clone());
            }
        }
    }
}

impl Changes {
    /// Whether nothing did.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Returns a pattern from a folder as one of whole paths.
fn absolute(folder: &Path, pattern: &str) -> String {
    if Path::new(pattern).is_absolute() {
        return pattern.to_owned();
    }
    let folder = globset::escape(&folder.to_string_lossy());
    format!("{}/{pattern}", folder.trim_end_matches('/'))
}

/// Returns the folder in which everything lies that a pattern matches, and whether the folders inside matter.
fn folder_of(pattern: &str) -> (PathBuf, RecursiveMode) {
    let has_wildcard = |part: &&str| part.contains(['*', '?', '[', '{', '\\']);
    let (folders, _file) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let parts: Vec<&str> = folders.split('/').collect();
    let plain = parts.iter().take_while(|part| !has_wildcard(part));
    let plain: Vec<&str> = plain.copied().collect();
    let mode = match plain.len() == parts.len() {
        true => RecursiveMode::NonRecursive,
        false => RecursiveMode::Recursive,
    };
    let folder = match plain[..] {
        // Of an absolute pattern, which begins with a slash.
        ["", ..] if folders.starts_with('/') => format!("/{}", plain[1..].join("/")),
        _ => plain.join("/"),
    };
    (folder.into(), mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(patterns: &[&str]) -> WatchedFiles {
        let build = |component: &str, folder: &str, patterns: &[&str]| Build {
            component: component.to_owned(),
            commands: Vec::new(),
            folder: folder.into(),
            watch: patterns.iter().map(|one| (*one).to_owned()).collect(),
        };
        let builds = [
            build("one", "/a [1]", patterns),
            build("two", "/a [1]/two", &["*.js"]),
        ];
        WatchedFiles::of(&Project::new("/a [1]"), &builds).unwrap()
    }

    fn changes(files: &WatchedFiles, path: &str) -> Changes {
        let mut changes = Changes::default();
        files.add(&mut changes, Path::new(path));
        changes
    }

    #[test]
    fn a_file_concerns_the_components_whose_patterns_match_it() {
        let files = files(&["src/**/*.rs", "Cargo.toml", "/b/*.wit"]);
        for (path, component) in [
            ("/a [1]/src/lib.rs", "one"),
            ("/a [1]/src/x/y.rs", "one"),
            ("/a [1]/Cargo.toml", "one"),
            ("/b/c.wit", "one"),
            ("/a [1]/two/app.js", "two"),
        ] {
            let changes = changes(&files, path);
            assert_eq!(
                changes.components,
                BTreeSet::from([component.to_owned()]),
                "{path}"
            );
            assert!(!changes.manifest && !changes.settings);
        }
        for path in [
            "/a [1]/src/lib.txt",
            "/a [1]/target/src/lib.rs",
            "/a [1]/two/node_modules/x/app.js",
            "/b/c/d.wit",
            "/c/src/lib.rs",
        ] {
            assert!(changes(&files, path).is_empty(), "{path}");
        }
    }

    #[test]
    fn the_manifest_and_the_settings_are_watched_too() {
        let files = files(&[]);
        assert!(changes(&files, "/a [1]/spin.toml").manifest);
        assert!(changes(&files, "/a [1]/.env").settings);
        assert!(changes(&files, "/a [1]/runtime-config.toml").settings);
        assert!(changes(&files, "/a [1]/.runtime-config.local.toml").is_empty());
        assert_eq!(files.unwatched().collect::<Vec<_>>(), ["one"]);
    }

    #[test]
    fn no_more_folders_are_watched_than_the_patterns_need() {
        use RecursiveMode::{NonRecursive, Recursive};
        for (pattern, folder, mode) in [
            ("*.py", "", NonRecursive),
            ("Cargo.toml", "", NonRecursive),
            ("src/**/*.rs", "src", Recursive),
            ("src/a/*.rs", "src/a", NonRecursive),
            ("**/*.js", "", Recursive),
            ("/b/c/*", "/b/c", NonRecursive),
            ("/b/*/c", "/b", Recursive),
        ] {
            assert_eq!(folder_of(pattern), (folder.into(), mode), "{pattern}");
        }
        let folders = files(&["*.rs", "**/*.wit"]).folders();
        assert_eq!(folders[Path::new("/a [1]/")], Recursive);
        assert_eq!(folders[Path::new("/a [1]/two/")], NonRecursive);
    }

    #[test]
    fn a_pattern_that_is_none_is_named_with_its_component() {
        let build = Build {
            component: "one".to_owned(),
            commands: Vec::new(),
            folder: "/a".into(),
            watch: vec!["src/[".to_owned()],
        };
        let Err(error) = WatchedFiles::of(&Project::new("/a"), &[build]) else {
            panic!("it is a pattern");
        };
        assert!(error.to_string().contains("\"one\""), "{error}");
    }
}
