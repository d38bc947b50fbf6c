//! Uses between the files of a crate.
//!
//! A file uses another if it names an item of it (in a `use` or by a path, macros included), or calls a method that this
//! other file alone defines in an `impl` of its own. So a method of a shared type counts as a use of the file that it
//! stands in. Not counted: what is for tests alone; `pub use`, which hands on; methods whose names the standard library
//! and the crates around have too ([`COMMON_METHODS`]) or a trait of the crate has, as nothing here knows the type of a
//! value.

use anyhow::{Context, Result, bail};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::{Attribute, ImplItem, Item, TraitItem, UseTree, Visibility};

/// Methods that say nothing of the type they are called on.
const COMMON_METHODS: &[&str] = &[
    "accept",
    "add",
    "answers",
    "append",
    "as_bytes",
    "as_json",
    "as_ref",
    "as_str",
    "authenticate",
    "authority",
    "begin",
    "body",
    "call",
    "chain",
    "check",
    "checked",
    "claim",
    "clear",
    "close",
    "contains",
    "content",
    "count",
    "create",
    "delete",
    "drain",
    "end",
    "exists",
    "extend",
    "find",
    "finish",
    "get",
    "handle",
    "header",
    "headers",
    "increment",
    "insert",
    "into_response",
    "is_empty",
    "iter",
    "join",
    "keep",
    "key",
    "last",
    "len",
    "list",
    "load",
    "map",
    "matches",
    "name",
    "new",
    "next",
    "now",
    "open",
    "parse",
    "path",
    "poll",
    "post",
    "prefix",
    "push",
    "put",
    "read",
    "remove",
    "report",
    "request",
    "resolve",
    "respond",
    "retain",
    "run",
    "seal",
    "send",
    "set",
    "sign",
    "sleep",
    "spawn",
    "split",
    "start",
    "status",
    "stop",
    "sum",
    "take",
    "text",
    "value",
    "verify",
    "wait",
    "write",
];

/// The files of a crate and how they use each other.
pub struct Crate {
    /// Relative to the folder of the first.
    pub files: Vec<String>,
    /// From file to file, with the names that are used.
    pub uses: BTreeMap<(usize, usize), BTreeSet<String>>,
    /// The number of methods of each type, by its file and name.
    pub methods: BTreeMap<(usize, String), usize>,
}

/// A module, which is a file or a part of one.
struct Module {
    parent: Option<usize>,
    file: usize,
    children: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    /// What `use` brings in, by its name here.
    imports: BTreeMap<String, Vec<String>>,
    /// What `use ...::*` brings in.
    globs: Vec<Vec<String>>,
    /// The paths of `use` that are dependencies: those that hand nothing on.
    used: Vec<Vec<String>>,
    /// Everything but `use` and `mod`.
    code: TokenStream,
}

/// How many names a path may lead over; more is a circle of `use`.
const MAX_STEPS: usize = 16;

impl Crate {
    /// Reads the crate that begins with this file.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or is not Rust.
    pub fn read(entry: &Path) -> Result<Self> {
        let mut reader = Reader::default();
        let folder = entry.parent().unwrap_or(Path::new(".")).to_owned();
        reader.file(entry, &folder, None)?;
        let Reader {
            modules,
            files,
            methods,
            declared,
        } = reader;
        let mut uses: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
        let mut note = |from: usize, to: usize, name: &str| {
            if from != to {
                uses.entry((from, to)).or_default().insert(name.to_owned());
            }
        };
        for (at, module) in modules.iter().enumerate() {
            let mut seen = Seen::default();
            seen.read(module.code.clone());
            for path in module.used.iter().chain(&seen.paths) {
                if let (Some(file), Some(name)) = (resolve(&modules, at, path, 0), path.last()) {
                    note(module.file, file, name);
                }
            }
            for name in &seen.calls {
                let defined = methods.get(name).filter(|_| {
                    !COMMON_METHODS.contains(&name.as_str()) && !declared.contains(name)
                });
                let defined = defined.into_iter().flatten();
                let files: BTreeSet<usize> = defined.map(|(at, _)| modules[*at].file).collect();
                if let [file] = *Vec::from_iter(files) {
                    note(module.file, file, &format!(".{name}()"));
                }
            }
        }
        let mut counts = BTreeMap::new();
        for (at, of) in methods.values().flatten() {
            let file = resolve(&modules, *at, std::slice::from_ref(of), 0);
            let file = file.unwrap_or(modules[*at].file);
            *counts.entry((file, of.clone())).or_default() += 1;
        }
        let files = files.iter().map(|file| {
            file.strip_prefix(&folder)
                .unwrap_or(file)
                .display()
                .to_string()
        });
        Ok(Self {
            files: files.collect(),
            uses,
            methods: counts,
        })
    }
}

#[derive(Default)]
struct Reader {
    modules: Vec<Module>,
    files: Vec<PathBuf>,
    /// By name: the module and the type of each method that takes `self`.
    methods: BTreeMap<String, BTreeSet<(usize, String)>>,
    /// The methods of traits.
    declared: BTreeSet<String>,
}

impl Reader {
    /// Reads a file, and those of the modules that it declares, which lie in `folder`.
    fn file(&mut self, path: &Path, folder: &Path, parent: Option<usize>) -> Result<usize> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let parsed =
            syn::parse_file(&text).with_context(|| format!("{} is not Rust", path.display()))?;
        self.files.push(path.to_owned());
        self.module(parsed.items, self.files.len() - 1, folder, parent)
    }

    fn module(
        &mut self,
        items: Vec<Item>,
        file: usize,
        folder: &Path,
        parent: Option<usize>,
    ) -> Result<usize> {
        let at = self.modules.len();
        self.modules.push(Module {
            parent,
            file,
            children: BTreeMap::new(),
            items: BTreeSet::new(),
            imports: BTreeMap::new(),
            globs: Vec::new(),
            used: Vec::new(),
            code: TokenStream::new(),
        });
        for item in items {
            if is_for_tests(attributes(&item)) {
                continue;
            }
            match item {
                Item::Use(item) => {
                    let hands_on = !matches!(item.vis, Visibility::Inherited);
                    self.import(at, Vec::new(), &item.tree, hands_on);
                }
                Item::Mod(item) => {
                    let name = item.ident.to_string();
                    let inner = folder.join(&name);
                    let child = match item.content {
                        Some((_, items)) => self.module(items, file, &inner, Some(at))?,
                        None => {
                            let mut places =
                                [folder.join(format!("{name}.rs")), inner.join("mod.rs")]
                                    .into_iter()
                                    .chain(named_file(&item.attrs, folder));
                            let Some(path) = places.find(|path| path.is_file()) else {
                                bail!(
                                    "There is no file of the module {name} in {}",
                                    folder.display()
                                );
                            };
                            self.file(&path, &inner, Some(at))?
                        }
                    };
                    self.modules[at].children.insert(name, child);
                }
                Item::Impl(item) => {
                    let of = match &*item.self_ty {
                        syn::Type::Path(of) if item.trait_.is_none() => {
                            of.path.segments.last().map(|of| of.ident.to_string())
                        }
                        _ => None,
                    };
                    for inner in &item.items {
                        if let (ImplItem::Fn(method), Some(of)) = (inner, &of)
                            && method.sig.receiver().is_some()
                        {
                            let name = method.sig.ident.to_string();
                            self.methods
                                .entry(name)
                                .or_default()
                                .insert((at, of.clone()));
                        }
                    }
                    self.modules[at].code.extend(item.to_token_stream());
                }
                Item::Trait(item) => {
                    let methods = item.items.iter().filter_map(|inner| match inner {
                        TraitItem::Fn(method) => Some(method.sig.ident.to_string()),
                        _ => None,
                    });
                    self.declared.extend(methods);
                    self.modules[at].items.insert(item.ident.to_string());
                    self.modules[at].code.extend(item.to_token_stream());
                }
                item => {
                    self.modules[at].items.extend(name(&item));
                    self.modules[at].code.extend(item.to_token_stream());
                }
            }
        }
        Ok(at)
    }

    fn import(&mut self, at: usize, mut before: Vec<String>, tree: &UseTree, hands_on: bool) {
        let module = &mut self.modules[at];
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(at, before, &path.tree, hands_on);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(at, before.clone(), tree, hands_on);
                }
            }
            UseTree::Glob(_) => {
                module.used.extend((!hands_on).then(|| before.clone()));
                module.globs.push(before);
            }
            UseTree::Name(_) | UseTree::Rename(_) => {
                let (name, alias) = match tree {
                    UseTree::Rename(rename) => {
                        (rename.ident.to_string(), rename.rename.to_string())
                    }
                    UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
                    _ => return,
                };
                let is_itself = name == "self";
                let alias = if is_itself && alias == "self" {
                    before.last().cloned()
                } else {
                    Some(alias)
                };
                if !is_itself {
                    before.push(name);
                }
                module.used.extend((!hands_on).then(|| before.clone()));
                module.imports.extend(alias.map(|alias| (alias, before)));
            }
        }
    }
}

/// Returns the file in which the item of this path stands, seen from a module. `None` for what is of another crate.
fn resolve(modules: &[Module], from: usize, path: &[String], steps: usize) -> Option<usize> {
    let mut at = from;
    for (index, name) in path.iter().enumerate() {
        let module = &modules[at];
        match name.as_str() {
            "crate" => at = 0,
            "self" => {}
            "super" => at = module.parent?,
            name => {
                if let Some(child) = module.children.get(name) {
                    at = *child;
                } else if module.items.contains(name) {
                    return Some(module.file);
                } else if steps > MAX_STEPS {
                    return None;
                } else {
                    let rest = path.get(index + 1..).unwrap_or_default();
                    let through = |path: &[String], rest: &[String]| {
                        resolve(modules, at, &[path, rest].concat(), steps + 1)
                    };
                    if let Some(import) = module.imports.get(name) {
                        return through(import, rest);
                    }
                    return module.globs.iter().find_map(|glob| {
                        let inner = resolve_module(modules, at, glob)?;
                        (inner != at).then(|| {
                            resolve(
                                modules,
                                inner,
                                path.get(index..).unwrap_or_default(),
                                steps + 1,
                            )
                        })?
                    });
                }
            }
        }
    }
    (at != from).then(|| modules[at].file)
}

/// Returns the module of this path, seen from another.
fn resolve_module(modules: &[Module], from: usize, path: &[String]) -> Option<usize> {
    path.iter().try_fold(from, |at, name| match name.as_str() {
        "crate" => Some(0),
        "self" => Some(at),
        "super" => modules[at].parent,
        name => modules[at].children.get(name).copied(),
    })
}

/// The paths and the method calls of some code.
#[derive(Default)]
struct Seen {
    paths: BTreeSet<Vec<String>>,
    calls: BTreeSet<String>,
}

impl Seen {
    fn read(&mut self, code: TokenStream) {
        let tokens: Vec<TokenTree> = code.into_iter().collect();
        let is = |at: usize, sign: char| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == sign);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Group(group) => self.read(group.stream()),
                TokenTree::Ident(first) => {
                    let is_called = |at: usize| {
                        matches!(tokens.get(at), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
                            || (is(at, ':') && is(at + 1, ':') && is(at + 2, '<'))
                    };
                    if at > 0 && is(at - 1, '.') {
                        if is_called(at + 1) {
                            self.calls.insert(first.to_string());
                        }
                    } else {
                        let mut path = vec![first.to_string()];
                        while is(at + 1, ':')
                            && is(at + 2, ':')
                            && let Some(TokenTree::Ident(next)) = tokens.get(at + 3)
                        {
                            path.push(next.to_string());
                            at += 3;
                        }
                        if path.len() > 1 {
                            self.paths.insert(path);
                        }
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}

/// Whether an item is compiled for tests alone.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = attribute.meta.to_token_stream().to_string();
        attribute.path().is_ident("cfg") && condition.contains("test") && !condition.contains("not")
    })
}

/// Returns the file that `#[path = "..."]` names.
fn named_file(attributes: &[Attribute], folder: &Path) -> Option<PathBuf> {
    let path = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("path"))?;
    let syn::Expr::Lit(literal) = &path.meta.require_name_value().ok()?.value else {
        return None;
    };
    match &literal.lit {
        syn::Lit::Str(name) => Some(folder.join(name.value())),
        _ => None,
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns the name that an item defines.
fn name(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Union(item) => item.ident.to_string(),
        Item::Macro(item) => item.ident.as_ref()?.to_string(),
        _ => return None,
    })
}
