//! Gatehouse's part of a project's `spin.toml`, made of the repository's own manifest.

use anyhow::{Context, Result, ensure};

/// Where the repository's manifest has its Wasm.
const BUILT: &str = "target/wasm32-wasip2/wasm/";

const NO_DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The name of the project's tool server, for Liquid, in the middle of raw text.
const NAME: &str = "{% endraw %}{{project-name | kebab_case}}{% raw %}";

/// Returns the part as text of a template, with the components of the release at this URL, whose digests are to be put in.
///
/// # Errors
///
/// If the manifest has no line of those that a project changes.
pub(super) fn text(manifest: &str, release: &str) -> Result<String> {
    let start = manifest
        .find("# Set a variable")
        .context("spin.toml has no variables")?;
    let mut lines: Vec<String> = Vec::new();
    let mut table = "";
    let mut changed = 0;
    for line in manifest[start..].lines() {
        if line.starts_with('[') {
            table = line;
        } else if line.is_empty() {
            table = "";
        }
        let is_tools = line.starts_with("tools = ");
        match table {
            _ if table.ends_with(".build]") => continue,
            "[variables]" | "[component.mcp.variables]" if is_tools => continue,
            "[component.mcp]" if line.starts_with("allowed_outbound_hosts = [") => {
                let hosts = line.trim_end_matches(']');
                lines.push(format!(r#"{hosts}, "http://{NAME}.spin.internal"]"#));
                changed += 1;
            }
            _ => lines.push(from_release(line, release)),
        }
        // Which components have tools for the endpoint: the project's.
        match line {
            "[variables]" => lines.push(format!(r#"tools = {{ default = "{NAME}" }}"#)),
            "[component.mcp.variables]" => lines.push(r#"tools = "{{ tools }}""#.to_owned()),
            _ => continue,
        }
        changed += 1;
    }
    ensure!(
        changed == 3,
        "spin.toml has another form than templates are made of: the tables variables, component.mcp and component.mcp.variables"
    );
    Ok(format!("{{% raw %}}{}{{% endraw %}}", lines.join("\n")))
}

/// Returns the runtime configuration as text of a template.
pub(super) fn runtime_config(text: &str, release: &str) -> String {
    let text = text.replace("`cargo\n# xtask up` leaves", "`gatehouse\n# up` leaves");
    with_documents(&text, release)
}

/// Returns a comment in which documents of the repository are those of a release.
fn with_documents(text: &str, release: &str) -> String {
    text.replace("docs/", &format!("{release}/docs/"))
        .replace("README.md", &format!("{release}/README.md"))
}

/// Returns a line of the manifest in which what the repository has or builds is that of a release.
fn from_release(line: &str, release: &str) -> String {
    let remote = |file: &str| {
        let url = file.replacen(BUILT, &format!("{release}/"), 1);
        format!("url = \"{url}\", digest = \"{NO_DIGEST}\"")
    };
    for (before, open, close) in [
        ("source = \"", "source = { ", " }"),
        ("{ path = \"", "{ ", ""),
    ] {
        let Some((start, rest)) = line.split_once(before) else {
            continue;
        };
        if let Some((file, end)) = rest.split_once('"')
            && file.starts_with(BUILT)
        {
            return format!("{start}{open}{}{close}{end}", remote(file));
        }
    }
    match line.starts_with('#') {
        true => with_documents(line, release),
        false => line.to_owned(),
    }
}
