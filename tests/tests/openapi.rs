//! OpenAPI documents that others published: every operation becomes a tool, or is left out for a reason that is known here.

use openapi::{Api, CallError, PersonsToken, Settings, Tool};
use schema::{Instance, Schema};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Documents of APIs that exist, with the number of their operations. The other documents of the packages show one feature each.
const PUBLISHED: [(&str, usize); 14] = [
    ("@digdir/dialogporten-schema/swagger.verified.json", 29),
    ("@directus/specs/dist/openapi.json", 136),
    ("@ideal-postcodes/openapi/dist/openapi.json", 31),
    ("@ideal-postcodes/openapi/dist/openapi.yaml", 31),
    ("@readme/oas-examples/3.0/json/petstore.json", 20),
    ("@readme/oas-examples/3.0/json/readme-legacy.json", 36),
    ("@readme/oas-examples/3.0/json/star-trek.json", 120),
    ("@readme/oas-examples/3.0/json/uspto.json", 3),
    ("@readme/oas-examples/3.1/json/readme.json", 54),
    ("@readme/oas-examples/3.1/json/train-travel.json", 7),
    ("@scalar/galaxy/dist/3.1.yaml", 9),
    ("rclone-openapi/openapi.json", 101),
    ("rclone-openapi/openapi.yaml", 101),
    ("shipengine-openapi/openapi.yaml", 76),
];

/// Operations that cannot be tools: document, tool, and a part of the reason.
const LEFT_OUT: [(&str, &str, &str); 2] = [
    // To have two operations of one path and method, against section 4.8.8.1 of 3.1.
    (
        "/parameters-style.",
        "cookies_form_exploded",
        "its path /cookies#",
    ),
    (
        "/parameters-style.",
        "cookies_form_nonExploded",
        "its path /cookies#",
    ),
];

fn packages() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/node_modules");
    assert!(
        folder.is_dir(),
        "{} is not there: run `cargo xtask test`, or `npm ci` in tests/openapi",
        folder.display()
    );
    folder
}

fn settings() -> Settings {
    let settings = Settings::read(|name| match name {
        "document" => Some("{}"),
        "base_url" => Some("https://api.example/v1"),
        "max_operations" => Some("1000"),
        "methods" => Some("GET PUT POST DELETE PATCH HEAD OPTIONS"),
        "max_document_bytes" => Some("16777216"),
        _ => None,
    });
    settings.unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Returns every OpenAPI document below a folder, by its path in it.
fn documents(folder: &Path) -> BTreeMap<String, String> {
    let mut documents = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let is_document = path.extension().is_some_and(|extension| {
            ["json", "yaml", "yml"]
                .iter()
                .any(|known| extension == *known)
        });
        let Some(text) = is_document
            .then(|| std::fs::read_to_string(&path).ok())
            .flatten()
        else {
            continue;
        };
        let has_version = text.contains("\"openapi\": \"3.")
            || text.contains("\"openapi\":\"3.")
            || text.lines().any(|line| line.starts_with("openapi:"));
        // The same document as in YAML, without references.
        if has_version && text.len() < 4 << 20 {
            let name = path
                .strip_prefix(folder)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            documents.insert(name, text);
        }
    }
    documents
}

#[test]
fn every_operation_of_a_published_document_becomes_a_tool() {
    let settings = settings();
    let documents = documents(&packages());
    assert!(documents.len() >= 100, "{}", documents.len());
    let (mut tools, mut requests, mut left_out) = (0, 0, Vec::new());
    for (name, text) in &documents {
        let api =
            Api::read(text, None, &settings).unwrap_or_else(|error| panic!("{name}: {error}"));
        let offered = api.tools(&settings);
        left_out.extend(
            offered
                .left_out
                .iter()
                .map(|(tool, reason)| (name.as_str(), tool.clone(), reason.to_string())),
        );
        tools += offered.tools.len();
        for tool in &offered.tools {
            check_tool(name, tool);
            requests += usize::from(check_request(name, tool, &api, &settings));
        }
        if let Some((_, expected)) = PUBLISHED.iter().find(|(published, _)| published == name) {
            assert_eq!(
                offered.tools.len() + offered.left_out.len(),
                *expected,
                "{name}"
            );
        }
    }
    for (published, _) in PUBLISHED {
        assert!(documents.contains_key(published), "{published}");
    }
    for (name, tool, reason) in &left_out {
        let is_known = LEFT_OUT.iter().any(|(known, by_name, part)| {
            name.contains(known) && tool == by_name && reason.contains(part)
        });
        assert!(is_known, "{name}: {tool}: {reason}");
    }
    assert!(
        tools > 1000 && requests * 10 > tools * 9,
        "{requests} requests of {tools} tools"
    );
}

/// As the contract and the APIs of models want it.
fn check_tool(document: &str, tool: &Tool) {
    let name = &tool.name;
    let is_name = |name: &str| {
        (1..=64).contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    assert!(is_name(name), "{document}: {name}");
    assert!(!tool.description.is_empty(), "{document}: {name}");
    let schema = tool.input_schema.to_string();
    let read = Schema::read(&schema).unwrap_or_else(|error| panic!("{document}: {name}: {error}"));
    assert_eq!(read.compile(), Ok(()), "{document}: {name}: {schema}");
    let properties = tool.input_schema["properties"].as_object().unwrap();
    assert!(
        properties.keys().all(|name| is_name(name)),
        "{document}: {name}"
    );
    if let Some(output) = &tool.output_schema {
        assert_eq!(output["type"], "object", "{document}: {name}");
        let read = Schema::read(&output.to_string()).unwrap();
        assert_eq!(read.compile(), Ok(()), "{document}: {name}: {output}");
        let nothing = Instance::read("{}").unwrap();
        assert_eq!(
            read.check(&nothing, "it"),
            Ok(()),
            "{document}: {name}: {output}"
        );
    }
}

/// Builds a request of made-up arguments. Returns whether the schema takes these.
fn check_request(document: &str, tool: &Tool, api: &Api, settings: &Settings) -> bool {
    let schema = Schema::read(&tool.input_schema.to_string()).unwrap();
    let arguments = sample(&tool.input_schema, &tool.input_schema, 0);
    let instance = Instance::read(&arguments.to_string()).unwrap();
    let fits = schema.check(&instance, "it").is_ok();
    let operation = api.operation(&tool.name, settings).unwrap().unwrap();
    let name = &tool.name;
    match operation.request(arguments.as_object().unwrap(), PersonsToken::Absent) {
        Ok(request) => {
            let request = request.to_http();
            let uri = request.uri().to_string();
            assert!(
                uri.starts_with("https://api.example/v1/"),
                "{document}: {name}: {uri}"
            );
        }
        Err(CallError::Argument(error)) => {
            assert!(!fits, "{document}: {name}: {error} in {arguments}");
        }
        Err(error) => panic!("{document}: {name}: {error}"),
    }
    fits
}

/// Makes up an instance of a schema: what is required, and on the first levels everything.
fn sample(schema: &Value, root: &Value, depth: usize) -> Value {
    // Some schemas have no finite instance.
    if depth > 12 {
        return Value::Null;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return sample(root.pointer(&reference[1..]).unwrap(), root, depth + 1);
    }
    if let Some(example) = schema["examples"].get(0).or_else(|| schema["enum"].get(0)) {
        return example.clone();
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    let mut merged = json!({});
    for part in ["allOf", "anyOf", "oneOf"] {
        let parts = schema[part].as_array().map_or(&[][..], Vec::as_slice);
        let parts = if part == "allOf" {
            parts
        } else {
            &parts[..parts.len().min(1)]
        };
        for part in parts {
            match sample(part, root, depth + 1) {
                Value::Object(members) => merged.as_object_mut().unwrap().extend(members),
                other if schema.get("properties").is_none() => return other,
                _ => {}
            }
        }
    }
    let named = match &schema["type"] {
        Value::Array(types) => types[0].as_str(),
        named => named.as_str(),
    };
    let minimum = schema["minimum"]
        .as_f64()
        .or_else(|| Some(schema["exclusiveMinimum"].as_f64()? + 1.0));
    let number = minimum
        .or_else(|| schema["maximum"].as_f64())
        .unwrap_or(1.0);
    match named {
        Some("string") => {
            let length = schema["minLength"].as_u64().unwrap_or(1).max(1);
            Value::String("a".repeat(usize::try_from(length).unwrap()))
        }
        Some("integer") => json!(number.ceil() as i64),
        Some("number") => json!(number),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") => {
            let items = schema["minItems"].as_u64().unwrap_or(u64::from(depth < 3));
            let items = (0..items)
                .map(|_| sample(schema.get("items").unwrap_or(&json!("a")), root, depth + 1));
            Value::Array(items.collect())
        }
        _ if named == Some("object")
            || schema.get("properties").is_some()
            || merged != json!({}) =>
        {
            let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
            let properties = schema["properties"].as_object().into_iter().flatten();
            let wanted = properties
                .filter(|(name, _)| depth < 2 || required.iter().any(|known| known == *name));
            let members: Map<_, _> = wanted
                .map(|(name, property)| (name.clone(), sample(property, root, depth + 1)))
                .collect();
            merged.as_object_mut().unwrap().extend(members);
            merged
        }
        _ => json!("a"),
    }
}
