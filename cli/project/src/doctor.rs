//! Checking what can be checked before anything starts.

use crate::environment::Variables;
use crate::identity::{self, configure_emulator, emulator_address, wants_emulator};
use crate::identity_component::Identity;
use crate::project::Project;
use crate::report::Report;
use crate::{manifest, runtime_config};
use anyhow::Result;
use clap::Args;
use config::{AuthorizationServer, PresentedTokens, Problem, PublicUrl, RedisUrl};
use std::net::{SocketAddr, TcpListener};

/// What `doctor` takes.
#[derive(Args)]
pub struct Options {
    /// The address that `up` would listen on
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
}

/// Checks what builds (`toolchain`), the ports and the configuration, and says what to do.
///
/// # Errors
///
/// If anything would keep `up` from working.
pub fn doctor(
    project: &Project,
    options: &Options,
    toolchain: impl FnOnce(&mut Report),
) -> Result<()> {
    let up = project.command("up");
    let mut report = Report::default();
    toolchain(&mut report);
    port(&mut report, "the application", options.listen);
    let mut variables = Variables::read(project)?;
    let identity = variables.identity();
    if wants_emulator(&variables) {
        let emulator = emulator_address(options.listen);
        port(&mut report, "the emulator", emulator);
        report.good("sign-in: the emulator, since no identity provider is configured");
        configure_emulator(&mut variables, emulator);
    } else {
        report.good(&format!("sign-in: {}", identity.name()));
    }
    describe_servers(&mut report, &variables);
    if !variables.is_set("encryption_key") {
        report.good(&format!(
            "encryption_key: not set yet; `{up}` will make one in .env"
        ));
        variables.set("encryption_key", EXAMPLE_KEY);
    }
    for problem in problems(&variables, options.listen) {
        report.bad(&problem);
    }
    describe_grants(project, &mut report)?;
    describe_rules(&mut report, &variables);
    match runtime_config::local_host(&variables) {
        Some(name) => report.good(&format!(
            "private networks: open while `{up}` serves, since {name} is on this machine"
        )),
        None => report.good("private networks: as runtime-config.toml has them"),
    }
    for warning in about_runtime_config(project, &variables)? {
        report.warn(&warning);
    }
    report.print(&format!("`{up}`"))?;
    println!("\nAll is well. Start with `{up}`.");
    Ok(())
}

/// Returns what should be known of `runtime-config.toml`.
///
/// # Errors
///
/// If it cannot be read.
fn about_runtime_config(project: &Project, variables: &Variables) -> Result<Vec<String>> {
    let document = project.document("docs/deploy.md");
    let networks = runtime_config::missing_networks(project)?.into_iter().map(|network| {
        format!(
            "runtime-config.toml: {network} is not in block_networks, so a public name may lead through it into a private network; {document} says when to leave it out"
        )
    });
    // With redis_url, Gatehouse has no use for its key-value store.
    let has_own = variables.is_set("redis_url");
    let stores = runtime_config::redis_stores(project)?.into_iter();
    let stores = stores.filter(|name| name != "default" || !has_own).map(|name| {
        format!(
            "runtime-config.toml: key_value_store.{name} has type = \"redis\". Once its connection breaks, Spin's client opens it again only after a minute or two, and what needs the store is answered 503 until then. For Gatehouse's own store set redis_url instead; {document} says how"
        )
    });
    Ok(networks.chain(stores).collect())
}

/// Adds which authorization server there is, and where state lies.
pub fn describe_servers(report: &mut Report, variables: &Variables) {
    match AuthorizationServer::read(&|name: &str| variables.get(name)) {
        Ok(AuthorizationServer::BuiltIn) => {
            report.good("authorization server: built in; people sign in through it");
        }
        Ok(AuthorizationServer::External(external)) => report.good(&format!(
            "authorization server: {}; clients sign in there themselves",
            external.mode
        )),
        // Named with the other problems.
        Err(_) => {}
    }
    if variables.is_set("redis_url") {
        report.good("store: the Redis of redis_url");
    } else {
        report.good("store: Spin's key-value store");
    }
}

/// Adds what `spin.toml` grants that it may not, or that should be known.
///
/// # Errors
///
/// If it cannot be read.
pub fn describe_grants(project: &Project, report: &mut Report) -> Result<()> {
    let manifest = manifest::findings(project)?;
    if manifest.refusals.is_empty() {
        report.good("spin.toml: no tools component can reach a secret");
    }
    for refusal in &manifest.refusals {
        report.bad(refusal);
    }
    for warning in &manifest.warnings {
        report.warn(warning);
    }
    Ok(())
}

/// Adds who may use the server, how limits by client address work, and what should be known of either.
pub fn describe_rules(report: &mut Report, variables: &Variables) {
    for warning in warnings(variables) {
        report.warn(warning);
    }
    for name in variables.unknown() {
        report.warn(&format!("{name}: spin.toml has no such variable"));
    }
    for line in policy(variables) {
        report.good(&line);
    }
    if let Some(line) = client_address(variables) {
        report.good(&line);
    }
}

/// Everything that is wrong with the configuration for serving at `listen`, in words.
pub fn problems(variables: &Variables, listen: SocketAddr) -> Vec<String> {
    let mut problems = faults(variables);
    let public_url = PublicUrl::read(|name: &str| variables.get(name));
    if public_url.is_ok_and(|url| url.configured().is_none()) && !listen.ip().is_loopback() {
        problems.push(Problem::new(
            "public_url",
            format!("it is not set, and {listen} is no loopback address"),
            "Set it to the https URL under which people reach this server",
        ));
    }
    problems.iter().map(in_words).collect()
}

/// Returns what is wrong with the configuration, wherever it is served.
pub fn faults(variables: &Variables) -> Vec<Problem> {
    let values = |name: &str| variables.get(name);
    let mut problems = identity::problems(variables);
    match config::Server::read(values) {
        Ok(server) => {
            problems.extend(redis_host(variables, server.redis_url.as_ref()));
            problems.extend(server.left_out);
        }
        Err(found) => problems.extend(found),
    }
    problems
}

/// Returns a problem with the name by which the variable is set.
pub fn in_words(problem: &Problem) -> String {
    format!("{problem} ({})", problem.environment_variable())
}

/// The variable that lets calls to the Redis through, if it does not.
fn redis_host(variables: &Variables, redis_url: Option<&RedisUrl>) -> Option<Problem> {
    const NAME: &str = "redis_host";
    let origin = redis_url.map(RedisUrl::origin).unwrap_or_default();
    if variables.get(NAME).unwrap_or_default() == origin {
        return None;
    }
    let remedy = match redis_url {
        Some(_) => format!("Set it to `{origin}`"),
        None => "Leave it out, or set redis_url too".to_owned(),
    };
    let problem = "it is not the scheme, host and port of redis_url";
    Some(Problem::new(NAME, problem, remedy))
}

/// Returns what works, and should be known.
fn warnings(variables: &Variables) -> Vec<&'static str> {
    let Ok(server) = config::Server::read(|name: &str| variables.get(name)) else {
        return Vec::new();
    };
    if server.authorization_server != AuthorizationServer::BuiltIn {
        return Vec::new();
    }
    let has_own_client =
        variables.is_set("descope_client_id") || variables.identity() != Identity::Descope;
    let about_tokens = match server.presented.tokens {
        PresentedTokens::Project => Some(
            "presented_tokens is project: tokens that the identity provider issued to other applications, and people's sessions there, are taken as if they were for this server. Set it to own unless you need that",
        ),
        PresentedTokens::Own if !has_own_client => Some(
            "descope_management_key is in use, so this server has no client of its own at Descope: of tokens pasted by hand it takes those with its URL in their audience alone",
        ),
        PresentedTokens::Own | PresentedTokens::Off => None,
    };
    let needs_email = server.policy.needs_email();
    let about_email = email_scopes(variables).filter(|_| needs_email);
    let about_refreshes = no_refresh_token(variables).filter(|_| server.policy.is_set());
    about_tokens
        .into_iter()
        .chain(about_email)
        .chain(about_refreshes)
        .collect()
}

/// That the provider may give no refresh token, so that the policy is asked with old claims.
fn no_refresh_token(variables: &Variables) -> Option<&'static str> {
    let is_openid = variables.identity() == Identity::OpenId;
    let scopes = variables.get("oidc_scopes").unwrap_or_default();
    let is_asked = scopes
        .split_whitespace()
        .any(|scope| scope == "offline_access");
    (is_openid && !is_asked).then_some(
        "there is a policy, and oidc_scopes lacks offline_access, without which most providers give no refresh token: then who may come in is not asked again until a grant is over (grant_lifetime)",
    )
}

/// That the identity provider is not asked for email addresses, so that entries about them let no one
/// in.
fn email_scopes(variables: &Variables) -> Option<&'static str> {
    let (name, warning) = match variables.identity() {
        Identity::Descope => (
            "descope_scopes",
            "allowed or scope_rules has email: or domain:, which no one can meet: descope_scopes lacks email, so Descope tells no address. Add it",
        ),
        Identity::OpenId => (
            "oidc_scopes",
            "allowed or scope_rules has email: or domain:, which no one may meet: oidc_scopes lacks email, so most providers tell no address. Add it",
        ),
        Identity::Own => return None,
    };
    let scopes = variables.get(name).unwrap_or_default();
    let has_email = scopes.split_whitespace().any(|scope| scope == "email");
    (!has_email).then_some(warning)
}

/// Returns who may come in, in words; nothing where the variables are wrong, which is said elsewhere.
fn policy(variables: &Variables) -> Vec<String> {
    let Ok(server) = config::Server::read(|name: &str| variables.get(name)) else {
        return Vec::new();
    };
    let allowed = match server.policy.allowed_entries() {
        None => "everyone whom the identity provider knows; allowed can narrow that".to_owned(),
        Some(1) => "who meets the one entry of allowed".to_owned(),
        Some(entries) => format!("who meets one of the {entries} entries of allowed"),
    };
    let scopes = match server.policy.scope_rules() {
        0 => "every scope".to_owned(),
        1 => "the scopes of the one rule of scope_rules that holds for them".to_owned(),
        rules => {
            format!("the scopes of those of the {rules} rules of scope_rules that hold for them")
        }
    };
    vec![format!("who may come in: {allowed}. They get {scopes}")]
}

/// Returns how limits by client address work here; nothing on a loopback address, where there is one client.
fn client_address(variables: &Variables) -> Option<String> {
    let public_url = variables.get("public_url").unwrap_or_default();
    let is_public = !public_url.is_empty() && public_url.starts_with("https://");
    let header = variables.get("client_address_header").unwrap_or_default();
    match (header, is_public) {
        ("", false) => None,
        ("", true) => Some(
            "client addresses: those of the connections. Behind a proxy set client_address_header to the header that it adds them to, such as x-forwarded-for"
                .to_owned(),
        ),
        (header, _) => Some(format!(
            "client addresses: the last entry of {header}. Your proxy has to add it, and no other way may lead here"
        )),
    }
}

/// Stands in for the key that `up` will make, so that the rest can be checked.
pub const EXAMPLE_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn port(report: &mut Report, who: &str, address: SocketAddr) {
    match TcpListener::bind(address) {
        Ok(_) => report.good(&format!("{address} is free for {who}")),
        Err(error) => report.bad(&format!(
            "{address} cannot be used for {who} ({error}). Stop what listens there, or choose another address with --listen"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(set: &[(&str, &str)]) -> Vec<&'static str> {
        let manifest = include_str!("../../../spin.toml");
        let mut variables = Variables::of(&manifest.parse().unwrap());
        variables.set("encryption_key", EXAMPLE_KEY);
        for (name, value) in set {
            variables.set(name, *value);
        }
        warnings(&variables)
    }

    #[test]
    fn tokens_of_the_whole_project_are_warned_of() {
        let client = ("descope_client_id", "ours");
        assert!(warned(&[client]).is_empty());
        assert!(warned(&[client, ("presented_tokens", "off")]).is_empty());
        let project = warned(&[client, ("presented_tokens", "project")]);
        assert!(project[0].starts_with("presented_tokens is project"));
    }

    #[test]
    fn an_entry_about_an_email_address_that_no_scope_asks_for_is_warned_of() {
        let client = ("descope_client_id", "ours");
        let domain = ("allowed", "domain:example.com");
        let scopes = ("descope_scopes", "openid profile");
        assert!(warned(&[client, domain]).is_empty());
        assert!(warned(&[client, scopes, ("allowed", "subject:x")]).is_empty());
        let rule = r#"[{"who": "email:a@example.com", "scopes": "tools"}]"#;
        for entry in [domain, ("scope_rules", rule)] {
            let found = warned(&[client, scopes, entry]);
            assert_eq!(found.len(), 1);
            assert!(found[0].contains("descope_scopes lacks email"));
        }
    }

    #[test]
    fn a_policy_that_is_not_asked_again_for_want_of_a_refresh_token_is_warned_of() {
        let manifest = include_str!("../../../spin.toml").replace(
            "gatehouse_identity_descope.wasm",
            "gatehouse_identity_oidc.wasm",
        );
        let warned = |set: &[(&str, &str)]| {
            let mut variables = Variables::of(&manifest.parse().unwrap());
            variables.set("encryption_key", EXAMPLE_KEY);
            for (name, value) in set {
                variables.set(name, *value);
            }
            warnings(&variables)
        };
        let policy = ("allowed", "subject:x");
        assert!(warned(&[]).is_empty());
        assert!(warned(&[policy])[0].contains("oidc_scopes lacks offline_access"));
        let scopes = ("oidc_scopes", "openid email offline_access");
        assert!(warned(&[policy, scopes]).is_empty());
    }

    fn variables(set: &[(&str, &str)]) -> Variables {
        let manifest = include_str!("../../../spin.toml");
        let mut variables = Variables::of(&manifest.parse().unwrap());
        variables.set("encryption_key", EXAMPLE_KEY);
        variables.set("descope_project_id", "P1");
        for (name, value) in set {
            variables.set(name, *value);
        }
        variables
    }

    #[test]
    fn who_may_come_in_is_said_and_a_wrong_policy_keeps_up_from_starting() {
        let said = |set: &[(&str, &str)]| policy(&variables(set)).join("\n");
        assert!(said(&[]).contains("everyone whom the identity provider knows"));
        let two = ("allowed", "domain:example.com,subject:x");
        assert!(said(&[two]).contains("2 entries of allowed"));
        let listen = "127.0.0.1:3000".parse().unwrap();
        let rule = r#"[{"who": "subject:x", "scopes": "missing"}]"#;
        for wrong in [("allowed", "example.com"), ("scope_rules", rule)] {
            let found = problems(&variables(&[wrong]), listen);
            assert!(
                found.iter().any(|text| text.starts_with(wrong.0)),
                "{found:?}"
            );
            assert_eq!(said(&[wrong]), "");
        }
        let found = problems(&variables(&[two]), listen);
        assert!(!found.iter().any(|text| text.starts_with("allowed")));
    }

    #[test]
    fn what_a_component_would_leave_out_keeps_up_from_starting() {
        let manifest = include_str!("../../../spin.toml");
        let mut variables = Variables::of(&manifest.parse().unwrap());
        variables.set("encryption_key", EXAMPLE_KEY);
        let listen = "127.0.0.1:3000".parse().unwrap();
        let found = |variables: &Variables| {
            let problems = problems(variables, listen);
            let about = problems
                .into_iter()
                .filter(|problem| problem.contains("origin"));
            about.collect::<Vec<_>>()
        };
        variables.set("allowed_origins", "app://obsidian.md tauri://localhost");
        assert!(found(&variables).is_empty());
        variables.set("allowed_origins", "app://obsidian.md *");
        let problems = found(&variables);
        assert!(
            problems[0].starts_with("allowed_origins: entry 2"),
            "{problems:?}"
        );
        assert!(problems[0].contains("SPIN_VARIABLE_ALLOWED_ORIGINS"));
    }

    #[test]
    fn a_store_on_spins_own_redis_is_warned_of_and_redis_url_named() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::new(folder.path());
        let warned = |text: &str, set: &[(&str, &str)]| {
            std::fs::write(project.path(runtime_config::FILE), text).unwrap();
            about_runtime_config(&project, &variables(set)).unwrap()
        };
        let shipped = include_str!("../../../runtime-config.toml");
        assert!(warned(shipped, &[]).is_empty());
        let redis = shipped.replace("type = \"spin\"", "type = \"redis\"\nurl = \"redis://r\"");
        let found = warned(&redis, &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("key_value_store.default"), "{found:?}");
        assert!(found[0].contains("set redis_url"), "{found:?}");
        let url = ("redis_url", "redis://r");
        assert!(warned(&redis, &[url]).is_empty());
        let another = format!("{shipped}\n[key_value_store.weather]\ntype = \"redis\"");
        assert!(warned(&another, &[url])[0].contains("key_value_store.weather"));
    }

    #[test]
    fn a_management_key_is_said_to_be_no_client_of_our_own() {
        let found = warned(&[("descope_management_key", "key")]);
        assert!(found[0].contains("audience"));
    }

    #[test]
    fn a_redis_is_called_if_the_manifest_is_told_its_host() {
        let url = ("redis_url", "redis://u:secret@127.0.0.1:6390/0");
        let problems_of = |more: &[(&'static str, &'static str)]| {
            let mut variables = variables(more);
            variables.set("encryption_key", EXAMPLE_KEY);
            let found = problems(&variables, ([127, 0, 0, 1], 3000).into());
            let found = found.into_iter().filter(|one| one.contains("redis_host"));
            found.collect::<Vec<_>>()
        };
        let missing = problems_of(&[url]);
        assert!(
            missing[0].contains("`redis://127.0.0.1:6390`"),
            "{missing:?}"
        );
        assert!(!missing[0].contains("secret"));
        let host = ("redis_host", "redis://127.0.0.1:6390");
        assert!(problems_of(&[url, host]).is_empty());
        assert_eq!(problems_of(&[host]).len(), 1);
        assert!(problems_of(&[]).is_empty());
    }
}
