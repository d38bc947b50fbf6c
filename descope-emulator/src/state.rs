//! The state of the emulator, and its file.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::TokenIssuer;
use crate::error::DescopeError;
use crate::keys::{KeyRing, SigningKey};
use crate::user::User;

/// Everything that outlives a request. Codes and refresh tokens are kept as SHA-256 hashes.
pub(crate) struct State {
    /// The project's signing keys.
    pub(crate) keys: KeyRing,
    /// Who has signed in, by subject.
    pub(crate) users: BTreeMap<String, User>,
    /// Grants (Descope's consents), by id.
    pub(crate) grants: BTreeMap<String, Grant>,
    /// Codes that wait for their exchange, by hash.
    pub(crate) codes: BTreeMap<String, Code>,
    /// Refresh tokens, by hash.
    pub(crate) refresh_tokens: BTreeMap<String, RefreshToken>,
    /// Clients that registered themselves with the MCP server, by client id.
    pub(crate) clients: BTreeMap<String, RegisteredClient>,
    file: Option<PathBuf>,
}

/// What one person granted to the app in one login.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// The person.
    pub(crate) subject: String,
    /// The `client_id` of the login.
    pub(crate) client_id: String,
    /// The granted scopes.
    pub(crate) scopes: Vec<String>,
    /// The resource that was asked for (RFC 8707).
    pub(crate) resource: Option<String>,
    /// The issuer of this grant's tokens.
    #[serde(default)]
    pub(crate) issuer: TokenIssuer,
    /// When the person signed in, in seconds since the epoch.
    pub(crate) auth_time: u64,
    /// When the last refresh token ends, in seconds since the epoch.
    pub(crate) expires_at: u64,
}

/// An authorization code (RFC 6749 section 4.1.2).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Code {
    /// The grant, which becomes real at the exchange.
    pub(crate) grant: Grant,
    /// Where the code was sent.
    pub(crate) redirect_uri: String,
    /// The S256 challenge (RFC 7636 section 4.2).
    pub(crate) code_challenge: Option<String>,
    /// The nonce for the ID token.
    pub(crate) nonce: Option<String>,
    /// When the code ends, in seconds since the epoch.
    pub(crate) expires_at: u64,
}

/// A refresh token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RefreshToken {
    /// The id of its grant.
    pub(crate) grant_id: String,
    /// The client that may use it.
    pub(crate) client_id: String,
    /// When it ends, in seconds since the epoch.
    pub(crate) expires_at: u64,
}

/// A client that registered itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RegisteredClient {
    /// Compared exactly.
    pub(crate) redirect_uris: Vec<String>,
    /// The hash of its secret; without one it is a public client.
    pub(crate) secret: Option<String>,
}

/// Why the state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error("the state file {path} cannot be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a state file of this version.
    #[error(
        "{path} is not a state file of this emulator; move it away to start with an empty state"
    )]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] crate::keys::KeyError),
}

impl State {
    /// Returns the state in `file`, or an empty one with a fresh key if there is no file yet.
    pub(crate) fn open(file: Option<PathBuf>) -> Result<Self, StateError> {
        if let Some(path) = &file {
            match std::fs::read(path) {
                Ok(bytes) => return Self::parse(path, &bytes),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => {
                    let path = path.clone();
                    return Err(StateError::Io { path, source });
                }
            }
        }
        let state = Self {
            keys: KeyRing::new(vec![SigningKey::generate()?]),
            users: BTreeMap::new(),
            grants: BTreeMap::new(),
            codes: BTreeMap::new(),
            refresh_tokens: BTreeMap::new(),
            clients: BTreeMap::new(),
            file,
        };
        state.write()?;
        Ok(state)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, StateError> {
        let format = || StateError::Format {
            path: path.to_owned(),
        };
        let document: Document = serde_json::from_slice(bytes).map_err(|_| format())?;
        if document.version != VERSION || document.keys.is_empty() {
            return Err(format());
        }
        let keys: Result<Vec<_>, _> = document
            .keys
            .iter()
            .map(|text| SigningKey::from_text(text))
            .collect();
        Ok(Self {
            keys: KeyRing::new(keys.map_err(|_| format())?),
            users: document.users,
            grants: document.grants,
            codes: document.codes,
            refresh_tokens: document.refresh_tokens,
            clients: document.clients,
            file: Some(path.to_owned()),
        })
    }

    /// Drops what has ended by `now` and writes the file, if there is one.
    pub(crate) fn save(&mut self, now: u64) -> Result<(), DescopeError> {
        self.codes.retain(|_, code| code.expires_at > now);
        self.refresh_tokens
            .retain(|_, token| token.expires_at > now);
        self.grants.retain(|_, grant| grant.expires_at > now);
        self.write().map_err(|error| {
            log_line::write(error);
            DescopeError::Storage
        })
    }

    /// Writes the file whole or not at all, readable by its owner alone: it holds private keys.
    fn write(&self) -> Result<(), StateError> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let document = Document {
            version: VERSION,
            keys: self.keys.to_texts(),
            users: self.users.clone(),
            grants: self.grants.clone(),
            codes: self.codes.clone(),
            refresh_tokens: self.refresh_tokens.clone(),
            clients: self.clients.clone(),
        };
        let write = || {
            let mut temporary = path.clone().into_os_string();
            temporary.push(".new");
            let bytes = serde_json::to_vec_pretty(&document)?;
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&temporary)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&temporary, path)
        };
        write().map_err(|source| StateError::Io {
            path: path.clone(),
            source,
        })
    }

    /// Ends every grant of `subject`. What it gives back is how many there were.
    pub(crate) fn revoke_user(&mut self, subject: &str) -> usize {
        let before = self.grants.len();
        self.grants.retain(|_, grant| grant.subject != subject);
        self.codes.retain(|_, code| code.grant.subject != subject);
        before - self.grants.len()
    }
}

/// Returns 256 random bits as text.
pub(crate) fn random_token() -> String {
    let bytes: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns how a code or a refresh token is stored.
pub(crate) fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    keys: Vec<String>,
    users: BTreeMap<String, User>,
    grants: BTreeMap<String, Grant>,
    codes: BTreeMap<String, Code>,
    refresh_tokens: BTreeMap<String, RefreshToken>,
    #[serde(default)]
    clients: BTreeMap<String, RegisteredClient>,
}

const VERSION: u32 = 1;
