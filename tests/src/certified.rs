//! The certified OpenID Connect provider of npm (`tests/clients/oidc-provider.mjs`).

use crate::person::location;
use crate::scripts::folder;
use crate::{Gatehouse, Page, Person, Provider, Settings, secrets};
use serde_json::Value;
use std::process::Stdio;
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::Url;

/// The provider, for one Gatehouse. It ends with this value.
pub struct CertifiedProvider {
    /// Its issuer.
    pub issuer: String,
    accounts: NamedTempFile,
    _process: Child,
}

impl CertifiedProvider {
    /// Starts Gatehouse over a provider with these `accounts`: who can sign in, and the claims of each. Their access tokens
    /// live so many seconds.
    ///
    /// # Panics
    ///
    /// If either does not start.
    pub async fn start(
        settings: Settings,
        accounts: &Value,
        access_token_seconds: u32,
    ) -> (Gatehouse, Self) {
        // The provider has to know where Gatehouse is, and Gatehouse where the provider is: it starts over the emulator,
        // and again, at the same address, over the provider.
        let settings = Settings {
            provider: Provider::OpenId,
            ..settings
        };
        let gatehouse = Gatehouse::start_with(settings).await;
        let file = NamedTempFile::new().expect("a file");
        write(&file, accounts);
        let mut process = Command::new("node")
            .arg("oidc-provider.mjs")
            .arg(gatehouse.url("/callback"))
            .arg(file.path())
            .arg(access_token_seconds.to_string())
            .current_dir(folder())
            // It ends with this pipe.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the provider starts; `cargo xtask test` installs it");
        let output = process.stdout.take().expect("an output");
        let line = BufReader::new(output).lines().next_line().await;
        let line = line.expect("text").expect("where the provider is");
        let said: Value = serde_json::from_str(&line).expect("JSON");
        let text = |name: &str| said[name].as_str().expect("text").to_owned();
        let (issuer, secret) = (text("issuer"), text("clientSecret"));
        secrets::keep(&secret);
        let gatehouse = gatehouse
            .restart_with(&[
                ("oidc_issuer", &issuer),
                ("oidc_host", &issuer),
                ("oidc_client_id", &text("clientId")),
                ("oidc_client_secret", &secret),
                ("oidc_scopes", "openid profile email offline_access"),
            ])
            .await;
        let provider = Self {
            issuer,
            accounts: file,
            _process: process,
        };
        (gatehouse, provider)
    }

    /// Changes who can sign in, and the claims of each, from now on.
    ///
    /// # Panics
    ///
    /// If the file cannot be written.
    pub fn set_accounts(&self, accounts: &Value) {
        write(&self.accounts, accounts);
    }

    /// Lets `person` sign in as `login` on the provider's own pages and allow what they ask, from the authorization URL to
    /// which Gatehouse sent the browser; the address of Gatehouse's `/callback` to which the provider sends it back,
    /// which is not opened.
    ///
    /// # Panics
    ///
    /// If a step on the way is neither a redirect nor a page with one form.
    pub async fn sign_in(&self, person: &Person, authorization_url: &Url, login: &str) -> Url {
        let mut next = authorization_url.clone();
        loop {
            let response = person.open(next.as_str()).await;
            next = if response.status().is_redirection() {
                location(&response)
            } else {
                let form = Page::read(response).await.form();
                // The page of the sign-in asks for both, and the other for neither.
                let form = form.with("login", login).with("password", "any");
                location(&person.submit(&form).await)
            };
            if !next.as_str().starts_with(&self.issuer) {
                return next;
            }
        }
    }
}

fn write(file: &NamedTempFile, accounts: &Value) {
    // In one step: the provider may be reading it.
    let next = file.path().with_extension("next");
    std::fs::write(&next, accounts.to_string()).expect("it can be written");
    std::fs::rename(next, file.path()).expect("it can be replaced");
}
