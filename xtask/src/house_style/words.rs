//! Words that were replaced by those of the standards, and words that prose does without.

use super::{Source, sources};
use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeSet;

/// Names that a crate no longer has.
struct Replaced {
    /// The folder of the crate, with a slash at its end.
    prefix: &'static str,
    /// Names of files and folders of modules.
    modules: &'static [&'static str],
    /// Names in code.
    names: &'static [&'static str],
}

const REPLACED: &[Replaced] = &[
    Replaced {
        prefix: "cli/",
        modules: &[],
        names: &["PATIENCE", "tell", "told"],
    },
    Replaced {
        prefix: "components/",
        modules: &[],
        names: &["given", "place", "words"],
    },
    Replaced {
        prefix: "crates/authserver/",
        modules: &[
            "answers",
            "client_request",
            "documents",
            "elsewhere",
            "machine",
            "remembered",
        ],
        names: &["ask_for", "keep", "recognize", "words"],
    },
    Replaced {
        prefix: "crates/config/",
        modules: &["operator", "site"],
        names: &["Operator", "Site"],
    },
    Replaced {
        prefix: "crates/descope/",
        modules: &["answers", "requests"],
        names: &["words"],
    },
    Replaced {
        prefix: "crates/dpop/",
        modules: &["prover"],
        names: &["Prover"],
    },
    Replaced {
        prefix: "crates/grants/",
        modules: &["handle", "machine", "subject"],
        names: &["Place", "find_again"],
    },
    Replaced {
        prefix: "crates/instance/",
        modules: &[],
        names: &["place"],
    },
    Replaced {
        prefix: "crates/keys/",
        modules: &["authenticate", "stamp"],
        names: &["authenticate", "stamp"],
    },
    Replaced {
        prefix: "crates/mcp-client/",
        modules: &[],
        names: &["Answered", "Known"],
    },
    Replaced {
        prefix: "crates/mcp/",
        modules: &["envelope", "era", "label"],
        names: &["ASSUMED", "Era"],
    },
    Replaced {
        prefix: "crates/mcpserver/",
        modules: &[
            "calls",
            "changes",
            "checked",
            "conversation",
            "input",
            "line",
            "listening",
            "messages",
            "place",
            "possession",
            "questions",
            "refusal",
            "requests",
            "round",
            "talk",
        ],
        names: &[
            "Answered",
            "Begun",
            "Garbage",
            "Handled",
            "Heart",
            "Known",
            "Line",
            "Mark",
            "NotAnswered",
            "Place",
            "Remembered",
            "Talk",
            "Terms",
            "Unaskable",
            "Way",
            "Wish",
            "abilities",
            "alive",
            "alone",
            "ask_anew",
            "ask_the_provider",
            "converse",
            "fulfil",
            "is_here",
            "narrate",
            "needs",
            "put_questions",
            "soon",
            "tell",
            "told",
        ],
    },
    Replaced {
        prefix: "crates/openapi/",
        modules: &["place"],
        names: &["NoPlace", "Place", "SecretPlace"],
    },
    Replaced {
        prefix: "crates/schema/",
        modules: &["mirror", "plain", "words", "work"],
        names: &["Unfit", "words"],
    },
    Replaced {
        prefix: "crates/store/",
        modules: &["enter"],
        names: &["Swept", "enter"],
    },
    Replaced {
        prefix: "crates/tool-adapters/",
        modules: &["place"],
        names: &["Place"],
    },
    Replaced {
        prefix: "crates/tool-sources/",
        modules: &[],
        names: &["Known"],
    },
    Replaced {
        prefix: "host/",
        modules: &["connect", "denied", "exchange", "names"],
        names: &["FARTHEST", "LARGEST", "LOOK", "MOST", "PATIENCE"],
    },
    Replaced {
        prefix: "sdk/rust/",
        modules: &[],
        names: &["Known"],
    },
    Replaced {
        prefix: "tests/",
        modules: &["machine"],
        names: &["Machine", "PATIENCE", "Prover"],
    },
    Replaced {
        prefix: "xtask/",
        modules: &[],
        names: &["tell"],
    },
];

/// Words for which there is a common one: "callers", "a client", "no one", "everyone", "again".
const LEFT_OUT_OF_PROSE: [&str; 5] = ["anew", "everybody", "nobody", "somebody", "whoever"];

/// The files that name these words.
const OWN: &str = "xtask/src/house_style/";

impl Replaced {
    /// Returns the replaced words in a file of this crate.
    fn faults(&self, path: &str, names: &BTreeSet<String>) -> Vec<String> {
        let Some(inner) = path.strip_prefix(self.prefix) else {
            return Vec::new();
        };
        let inner = inner.strip_suffix(".rs").unwrap_or(inner);
        let modules = self
            .modules
            .iter()
            .filter(|module| inner.split('/').any(|part| part == **module))
            .map(|module| format!("{path}: the module {module}"));
        let names = self.names.iter().filter(|name| names.contains(**name));
        modules
            .chain(names.map(|name| format!("{path}: {name}")))
            .collect()
    }
}

/// Adds every name in some code: comments and strings are not code.
fn add_names(code: TokenStream, names: &mut BTreeSet<String>) {
    for token in code {
        match token {
            TokenTree::Group(group) => add_names(group.stream(), names),
            TokenTree::Ident(name) => {
                names.insert(name.to_string());
            }
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// Returns the words of prose in a file that have a common one.
fn words_of_prose(source: &Source) -> Vec<String> {
    let words = source
        .text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_ascii_lowercase);
    let words: BTreeSet<String> = words
        .filter(|word| LEFT_OUT_OF_PROSE.contains(&word.as_str()))
        .collect();
    words
        .into_iter()
        .map(|word| format!("{}: {word}", source.path))
        .collect()
}

#[test]
fn a_word_that_was_replaced_does_not_come_back() {
    let mut faults = Vec::new();
    for source in sources(&["rs"]) {
        let mut replaced = REPLACED
            .iter()
            .filter(|replaced| source.path.starts_with(replaced.prefix))
            .filter(|_| !source.path.starts_with(OWN))
            .peekable();
        if replaced.peek().is_some() {
            let mut names = BTreeSet::new();
            add_names(source.text.parse().unwrap(), &mut names);
            faults.extend(replaced.flat_map(|replaced| replaced.faults(&source.path, &names)));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    let crates: BTreeSet<&str> = REPLACED.iter().map(|replaced| replaced.prefix).collect();
    assert_eq!(crates.len(), REPLACED.len(), "a crate is there twice");
}

#[test]
fn prose_has_the_common_word() {
    let sources = sources(&[
        "css", "html", "js", "md", "mjs", "py", "rs", "tmpl", "toml", "ts", "wit",
    ]);
    let own = |source: &&Source| !source.path.starts_with(OWN);
    let faults: Vec<String> = sources
        .iter()
        .filter(own)
        .flat_map(words_of_prose)
        .collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_replaced_word_is_named_in_code_and_in_file_names_alone() {
    let replaced = Replaced {
        prefix: "crates/one/",
        modules: &["talk"],
        names: &["Place"],
    };
    let faults = |path: &str, text: &str| {
        let mut names = BTreeSet::new();
        add_names(text.parse().unwrap(), &mut names);
        replaced.faults(path, &names)
    };
    let code = "/// A Place.\nfn at() -> &'static str { \"Place\" }";
    assert_eq!(faults("crates/one/src/lib.rs", code), Vec::<String>::new());
    assert_eq!(
        faults("crates/one/src/talk/mod.rs", "fn at(place: &[Place]) {}"),
        [
            "crates/one/src/talk/mod.rs: the module talk",
            "crates/one/src/talk/mod.rs: Place",
        ]
    );
    assert_eq!(
        faults("crates/other/src/talk.rs", "struct Place;"),
        Vec::<String>::new()
    );
    let prose = Source {
        path: "a.md".to_owned(),
        text: "Whoever asks somebody's friend anew.".to_owned(),
    };
    let expected = ["a.md: anew", "a.md: somebody", "a.md: whoever"];
    assert_eq!(words_of_prose(&prose), expected);
}
