use super::*;
use std::fs;

/// A crate: its name, its dependencies as in a manifest, and its files with their text.
type CrateText<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// A workspace of crates.
struct Written(tempfile::TempDir);

impl Written {
    fn new(layers: &str, crates: &[CrateText<'_>]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let members: Vec<String> = crates
            .iter()
            .map(|(name, ..)| format!("{name:?}"))
            .collect();
        let manifest = format!(
            "[workspace]\nmembers = [{}]\nresolver = \"3\"\n[workspace.metadata]\nlayers = {layers}\n",
            members.join(", ")
        );
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        for (name, dependencies, files) in crates {
            let own = folder.path().join(name);
            fs::create_dir_all(own.join("src")).unwrap();
            let manifest = format!(
                "[package]\nname = {name:?}\nedition = \"2024\"\n[dependencies]\n{dependencies}\n"
            );
            fs::write(own.join("Cargo.toml"), manifest).unwrap();
            for (file, text) in *files {
                let path = own.join("src").join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
        }
        Self(folder)
    }

    fn faults(&self) -> Vec<String> {
        faults(self.0.path()).unwrap()
    }
}

/// Returns what is wrong in a crate of these files.
fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    Written::new(r#"[["one"]]"#, &[("one", "", files)]).faults()
}

#[test]
fn this_workspace_has_no_circle_and_no_arrow_up() {
    assert_eq!(faults(root()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_dependency_up_or_sideways_is_named() {
    let on = |other: &str| format!("{other} = {{ path = \"../{other}\" }}");
    let crates: [CrateText<'_>; 3] = [
        ("upper", "", &[("lib.rs", "")]),
        ("lower", &on("upper"), &[("lib.rs", "")]),
        ("beside", &on("lower"), &[("lib.rs", "")]),
    ];
    let written = Written::new(r#"[["upper"], ["lower", "beside"], ["gone"]]"#, &crates);
    assert_eq!(
        written.faults(),
        [
            "lower depends on upper, which is not in a lower layer.",
            "beside depends on lower, which is not in a lower layer.",
            "The layers of Cargo.toml name gone, which is no crate here.",
        ]
    );
    let written = Written::new(r#"[["beside"], ["lower"]]"#, &crates);
    assert_eq!(
        written.faults(),
        ["upper is in no layer: put it into workspace.metadata.layers of Cargo.toml."]
    );
}

#[test]
fn a_circle_of_use_is_named_with_what_ties_it() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; pub use a::A;"),
        ("a.rs", "use crate::b; pub struct A(b::B);"),
        (
            "b.rs",
            "pub struct B; impl B { fn go() { crate::c::go() } }",
        ),
        ("c.rs", "pub fn go() { println!(\"{}\", crate::A::new()) }"),
    ];
    assert_eq!(
        faults_of(&files),
        [
            "one: a circle of 3 files:\n  a.rs -> b.rs: B, b\n  b.rs -> c.rs: go\n  c.rs -> a.rs: new"
        ]
    );
}

#[test]
fn a_method_of_a_shared_type_ties_like_a_use() {
    let files = [
        ("lib.rs", "mod server; mod one; mod other;"),
        ("server.rs", "pub struct Server;"),
        (
            "one.rs",
            "use crate::server::Server; impl Server { fn first(&self) { self.second(); } }",
        ),
        (
            "other.rs",
            "use crate::server::Server; impl Server { fn second(&self) { self.first(); } }",
        ),
    ];
    assert_eq!(
        faults_of(&files),
        [
            "one: a circle of 2 files:\n  one.rs -> other.rs: .second()\n  other.rs -> one.rs: .first()"
        ]
    );
}

#[test]
fn what_hands_on_is_for_tests_or_leads_down_is_no_circle() {
    let files = [
        (
            "lib.rs",
            "mod a; mod b; pub use a::A; #[cfg(test)] mod tests;",
        ),
        (
            "a/mod.rs",
            "mod inner; pub use inner::A; #[cfg(test)] mod tests { use crate::b::B; }",
        ),
        (
            "a/inner.rs",
            "use serde::b; pub struct A; impl A { pub fn len(&self) {} }",
        ),
        ("b.rs", "use super::A; pub struct B; fn b(a: A) { a.len() }"),
    ];
    assert_eq!(faults_of(&files), Vec::<String>::new());
}

#[test]
fn a_type_with_too_many_methods_is_named() {
    let methods: String = (0..=MAX_METHODS)
        .map(|n| format!("fn m{n}(&self) {{}} "))
        .collect();
    let files = [("lib.rs", format!("struct A; impl A {{ {methods} }}"))];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    assert_eq!(
        faults_of(&files),
        ["one: A has 36 methods; give it owners with 35 at most."]
    );
}
