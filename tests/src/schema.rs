//! The official JSON Schemas of MCP, and whether a message is valid by the one of its revision.
//!
//! The specification publishes them in its repository alone. `cargo xtask test` takes them out of
//! the official conformance runner, which carries them (tests/clients/schemas.mjs); with `--quick`
//! there are none, and nothing is validated.

use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The revisions that have a schema, oldest first.
pub const REVISIONS: [&str; 5] = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
];

/// The schema of a revision.
pub struct Schema {
    document: Value,
    definitions: &'static str,
    /// What a request or notification is, by its method.
    methods: HashMap<String, String>,
    /// What its result is.
    results: HashMap<String, String>,
    /// What an error is, by its code.
    errors: HashMap<i64, String>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// Returns the schema of `revision`, if it is there.
///
/// # Panics
///
/// If `GATEHOUSE_TEST_SCHEMAS` names a folder without it, or it is no schema.
pub fn of(revision: &str) -> Option<&'static Schema> {
    static SCHEMAS: OnceLock<BTreeMap<&str, Schema>> = OnceLock::new();
    SCHEMAS.get_or_init(load).get(revision)
}

impl Schema {
    /// Returns what is wrong with a message of a server; nothing if it is valid. `asked` is the method of the
    /// request that it answers, if it answers one.
    pub fn errors(&self, message: &Value, asked: Option<&str>) -> Vec<String> {
        if let Some(method) = message["method"].as_str() {
            let generic = match message.get("id") {
                Some(_) => "JSONRPCRequest",
                None => "JSONRPCNotification",
            };
            let known = self.methods.get(method).map(String::as_str);
            return self.validate(known.unwrap_or(generic), message);
        }
        if let Some(error) = message.get("error") {
            let known = error["code"]
                .as_i64()
                .and_then(|code| self.errors.get(&code));
            let generic = self.first(["JSONRPCErrorResponse", "JSONRPCError"]);
            return self.validate(known.map_or(generic, String::as_str), message);
        }
        if let Some(result) = message.get("result") {
            let known = match result["resultType"].as_str() {
                Some("input_required") => Some("InputRequiredResult"),
                // Of an extension, which the schema does not know.
                Some("task") => None,
                _ => asked.and_then(|asked| self.results.get(asked).map(String::as_str)),
            };
            let mut errors = known.map_or_else(Vec::new, |known| self.validate(known, result));
            let generic = self.first(["JSONRPCResultResponse", "JSONRPCResponse"]);
            errors.extend(self.validate(generic, message));
            return errors;
        }
        vec!["it is neither a request, nor a notification, nor a response".to_owned()]
    }

    fn new(mut document: Value) -> Self {
        let definitions = match document.get("$defs") {
            Some(_) => "$defs",
            None => "definitions",
        };
        mend(&mut document[definitions]);
        let mut schema = Self {
            definitions,
            methods: HashMap::new(),
            results: HashMap::new(),
            errors: HashMap::new(),
            validators: Mutex::default(),
            document: Value::Null,
        };
        let all = document[definitions].as_object().expect("definitions");
        for (name, definition) in all {
            let properties = &definition["properties"];
            // `ClientResult` and the like are unions, and one with a single member looks like it.
            let is_union = ["Client", "Server"]
                .iter()
                .any(|side| name.starts_with(side));
            if let Some(method) = properties["method"]["const"].as_str()
                && !is_union
            {
                schema.methods.insert(method.to_owned(), name.clone());
                let result = name.strip_suffix("Request").map(|of| format!("{of}Result"));
                if let Some(result) = result.filter(|result| all.contains_key(result)) {
                    schema.results.insert(method.to_owned(), result);
                }
            }
            let parts = properties["error"]["allOf"].as_array();
            for part in parts.into_iter().flatten() {
                if let Some(code) = part["properties"]["code"]["const"].as_i64() {
                    schema.errors.insert(code, name.clone());
                }
            }
        }
        schema.document = document;
        schema
    }

    fn first<'a>(&self, names: [&'a str; 2]) -> &'a str {
        let there = |name: &&str| self.document[self.definitions].get(*name).is_some();
        names.into_iter().find(there).expect("one of these")
    }

    fn validate(&self, definition: &str, value: &Value) -> Vec<String> {
        self.validator(definition)
            .iter_errors(value)
            .map(|error| format!("{definition}{}: {error}", error.instance_path()))
            .collect()
    }

    fn validator(&self, definition: &str) -> Arc<Validator> {
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let mut document = self.document.clone();
            document["$ref"] = format!("#/{}/{definition}", self.definitions).into();
            jsonschema::options()
                .build(&document)
                .unwrap_or_else(|error| panic!("{definition} is no schema: {error}"))
                .into()
        };
        validators
            .entry(definition.to_owned())
            .or_insert_with(make)
            .clone()
    }
}

fn load() -> BTreeMap<&'static str, Schema> {
    let given = std::env::var_os("GATEHOUSE_TEST_SCHEMAS").map(PathBuf::from);
    let folder = given
        .clone()
        .unwrap_or_else(|| crate::workspace::root().join("target/mcp-schemas"));
    let mut schemas = BTreeMap::new();
    for revision in &REVISIONS[1..] {
        match read(&folder, revision) {
            Some(document) => {
                schemas.insert(*revision, Schema::new(document));
            }
            None => assert!(
                given.is_none(),
                "no schema of {revision} in {}",
                folder.display()
            ),
        }
    }
    if let Some(document) = read(&folder, REVISIONS[1]) {
        schemas.insert(REVISIONS[0], Schema::new(before_2025_03_26(document)));
    }
    schemas
}

fn read(folder: &Path, revision: &str) -> Option<Value> {
    let text = std::fs::read_to_string(folder.join(format!("{revision}.json"))).ok()?;
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// Returns the schema of 2024-11-05, which the runner has not. What 2025-03-26 forbids, it forbids as well;
/// what 2025-03-26 added, apart from properties that anybody may add, is audio. (Batches, too, which
/// are taken apart before they come here.)
fn before_2025_03_26(mut document: Value) -> Value {
    document["definitions"]["AudioContent"] = json!({ "not": {} });
    document
}

/// What the schemas say and the specification does not mean.
fn mend(definitions: &mut Value) {
    // Bounds and defaults of numbers need not be integers: a mistake in the schemas of 2025-06-18
    // and 2025-11-25 as they were published, mended in the specification's repository since.
    for name in ["default", "maximum", "minimum"] {
        let property = format!("/NumberSchema/properties/{name}");
        if let Some(property) = definitions.pointer_mut(&property) {
            property["type"] = "number".into();
        }
    }
    // An answer that refuses a whole request is "a JSON-RPC error response that has no id": so the
    // transports of all revisions, and the schemas since 2025-11-25.
    if let Some(required) = definitions.pointer_mut("/JSONRPCError/required") {
        let required = required.as_array_mut().expect("a list");
        required.retain(|name| name != "id");
    }
}
