//! The two tools that docs/tools.md compares, with the SDKs of Gatehouse and with those of others.

use std::fs::read_to_string;
use std::path::Path;

/// The files whose lines the documentation gives.
const FILES: [&str; 6] = [
    "examples/weather-python/app.py",
    "examples/weather-js/app.js",
    "examples/weather-rust/src/lib.rs",
    "examples/side-by-side/fastmcp.py",
    "examples/side-by-side/typescript-sdk.mjs",
    "examples/side-by-side/rmcp.rs",
];

/// How many lines those with an SDK of Gatehouse may have, in the same order.
const MAX_LINES: [usize; 3] = [40, 40, 55];

/// The SDKs of others, as the documentation names them, and the file that pins the version to compare with.
const OTHERS: [(&str, &str, &str); 3] = [
    (
        "FastMCP 4",
        "tests/clients/requirements.txt",
        "fastmcp-slim==4.",
    ),
    (
        "TypeScript SDK 2",
        "tests/clients/package.json",
        r#""@modelcontextprotocol/server": "2."#,
    ),
    (
        "rmcp 3",
        "tests/rmcp/Cargo.toml",
        r#"rmcp = { version = "3."#,
    ),
];

#[test]
fn the_documentation_has_the_lines_of_the_six_within_the_limits() {
    let documentation = read("docs/tools.md");
    for (at, file) in FILES.into_iter().enumerate() {
        let lines = lines_without_tests(&read(file));
        assert!(
            documentation.contains(&format!("[{lines}](../{file})")),
            "docs/tools.md has to say that {file} has {lines} lines"
        );
        if let Some(max) = MAX_LINES.get(at) {
            assert!(lines <= *max, "{file} has {lines} lines, {max} at most");
        }
    }
    for (name, file, version) in OTHERS {
        assert!(documentation.contains(name), "{name}");
        assert!(read(file).contains(version), "{file}: no {version}");
    }
}

#[test]
fn the_six_have_the_same_two_tools() {
    for file in FILES {
        let text = read(file);
        for part in [
            "https://geocoding-api.open-meteo.com/v1/search",
            "https://api.open-meteo.com/v1/forecast",
            "temperature_2m,wind_speed_10m",
            "The weather in a city, now.",
            "Such as Oslo",
            "In degrees Celsius",
            "In km/h",
            "There is no city “",
            "Says who is signed in.",
            "You are ",
            "userinfo",
        ] {
            assert!(text.contains(part), "{file} lacks {part:?}");
        }
    }
}

fn lines_without_tests(text: &str) -> usize {
    let (tools, _tests) = text.split_once("#[cfg(test)]").unwrap_or((text, ""));
    tools.trim_end().lines().count()
}

/// Returns the text of a file of the workspace.
fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
