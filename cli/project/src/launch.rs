//! The plan of serving an application on this machine: with which variables, and with the emulator where no identity
//! provider is configured.

use crate::connect;
use crate::doctor::problems;
use crate::environment::Variables;
use crate::identity::{
    EMULATOR_MCP_SERVER, EMULATOR_PROJECT, configure_emulator, emulator_address, is_descope_mode,
    wants_emulator,
};
use crate::project::Project;
use crate::{runtime_config, servers};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

/// What every command takes that serves.
#[derive(Args, Clone)]
pub struct Options {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// Let the emulator sign people in without its page
    #[arg(long)]
    pub auto_login: bool,
}

/// What is served, and how.
pub struct Launch {
    options: Options,
    variables: Variables,
    runtime_config: Option<PathBuf>,
    emulator: Option<Emulator>,
    readme: String,
    made_key: bool,
}

/// How the emulator is started.
#[derive(Clone, PartialEq, Eq)]
pub struct Emulator {
    /// The address that it listens on.
    pub listen: SocketAddr,
    /// The file that keeps its state.
    pub state: PathBuf,
    /// Whether it signs people in without its page.
    pub auto_login: bool,
    /// The redirect URI that it approves besides those on this machine.
    pub redirect_uri: Option<String>,
    /// The MCP server that stands for the application, where clients sign in at the emulator themselves.
    pub mcp_server: Option<McpServer>,
}

/// An MCP server of the emulator.
#[derive(Clone, PartialEq, Eq)]
pub struct McpServer {
    /// Its id.
    pub id: &'static str,
    /// Its URL, which is the audience for clients that name no resource: no other token is taken.
    pub url: String,
    /// The scopes that exist, with spaces between them.
    pub scopes: String,
}

impl Launch {
    /// Plans to serve a project. Makes an encryption key if there is none, and writes the runtime configuration.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong; a message says what to correct.
    pub fn plan(project: &Project, options: &Options) -> Result<Self> {
        crate::manifest::check(project)?;
        let mut variables = Variables::read(project)?;
        let listen = wants_emulator(&variables).then(|| emulator_address(options.listen));
        if options.auto_login && listen.is_none() {
            bail!("--auto-login is the emulator's, but an identity provider is configured");
        }
        let made_key = variables.ensure_encryption_key(project)?;
        if let Some(address) = listen {
            configure_emulator(&mut variables, address);
        }
        let problems = problems(&variables, options.listen);
        if !problems.is_empty() {
            bail!(
                "The configuration has to be mended first:\n  {}",
                problems.join("\n  ")
            );
        }
        let emulator = listen.map(|listen| emulator(project, &variables, options, listen));
        Ok(Self {
            options: options.clone(),
            runtime_config: runtime_config::file(project, &variables)?,
            emulator: emulator.transpose()?,
            variables,
            readme: project.document("README.md"),
            made_key,
        })
    }

    /// Checks that its addresses are free.
    ///
    /// # Errors
    ///
    /// Names the one that is not.
    pub fn check_addresses(&self) -> Result<()> {
        let emulator = self.emulator.as_ref().map(|emulator| emulator.listen);
        for address in [Some(self.options.listen), emulator].into_iter().flatten() {
            TcpListener::bind(address).with_context(|| {
                format!("{address} cannot be used. Stop what listens there, or choose another address with --listen")
            })?;
        }
        Ok(())
    }

    /// Returns the address that the application listens on.
    pub fn listen(&self) -> SocketAddr {
        self.options.listen
    }

    /// Returns where the application can be reached from this machine.
    pub fn reached_at(&self) -> SocketAddr {
        reachable(self.options.listen)
    }

    /// Returns the variables that are set.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// Returns the runtime configuration to serve with, if there is one.
    pub fn runtime_config(&self) -> Option<&PathBuf> {
        self.runtime_config.as_ref()
    }

    /// Returns how the emulator is started, if it stands in.
    pub fn emulator(&self) -> Option<&Emulator> {
        self.emulator.as_ref()
    }

    /// Returns the public base URL.
    pub fn base(&self) -> String {
        base(&self.variables, self.reached_at())
    }

    /// Prints how to use what is served, and asks it for its landing page. That lists what the tools components
    /// offer, so what is wrong with them is in the log from the start, and not from the first client on.
    pub fn announce(&self) {
        connect::print(&connect::Served {
            base: &self.base(),
            identity: self.variables.identity(),
            emulator: self.emulator.as_ref().map(|emulator| emulator.listen),
            is_descope_mode: is_descope_mode(&self.variables),
            auto_login: self.options.auto_login,
            readme: &self.readme,
            made_key: self.made_key,
        });
        // What has no landing page may be served as well.
        servers::get(self.reached_at(), LANDING_PAGE).ok();
    }
}

/// The path that answers 200 once the application is served.
pub const HEALTH: &str = "/.well-known/oauth-protected-resource/mcp";

/// The path of the page that lists what is offered.
const LANDING_PAGE: &str = "/";

impl Emulator {
    /// Returns the path that answers 200 once it serves.
    pub fn health(&self) -> String {
        format!("/{EMULATOR_PROJECT}/.well-known/jwks.json")
    }
}

fn emulator(
    project: &Project,
    variables: &Variables,
    options: &Options,
    listen: SocketAddr,
) -> Result<Emulator> {
    let folder = project.path(".gatehouse");
    std::fs::create_dir_all(&folder).context(".gatehouse/ cannot be made")?;
    let mcp_server = is_descope_mode(variables).then(|| {
        let scopes = variables.get("scopes").unwrap_or_default();
        McpServer {
            id: EMULATOR_MCP_SERVER,
            url: format!("{}/mcp", base(variables, reachable(options.listen))),
            scopes: format!("openid profile email phone {scopes}"),
        }
    });
    let public_url = variables.get("public_url").filter(|url| !url.is_empty());
    Ok(Emulator {
        listen,
        state: folder.join("descope-emulator.json"),
        auto_login: options.auto_login,
        redirect_uri: public_url.map(|url| format!("{}/callback", url.trim_end_matches('/'))),
        mcp_server,
    })
}

/// Returns the public base URL of a server that is reached at this address.
fn base(variables: &Variables, reached_at: SocketAddr) -> String {
    variables
        .get("public_url")
        .filter(|url| !url.trim().is_empty())
        .map_or_else(
            || format!("http://{reached_at}"),
            |url| url.trim_end_matches('/').to_owned(),
        )
}

/// Returns where a server that listens on `listen` can be reached from here.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::shipped_with_tools;
    use std::io::{BufRead, BufReader, Write};

    fn project(folder: &tempfile::TempDir, manifest: &str) -> Project {
        let project = Project::new(folder.path());
        std::fs::write(project.path(crate::MANIFEST), manifest).unwrap();
        project
    }

    fn options(listen: SocketAddr) -> Options {
        Options {
            listen,
            auto_login: false,
        }
    }

    #[test]
    fn tools_that_inherit_everything_are_not_served() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = shipped_with_tools(", inherit_configuration = true");
        let project = project(&folder, &manifest);
        let planned = Launch::plan(&project, &options(([127, 0, 0, 1], 3000).into()));
        let refusal = planned.err().unwrap().to_string();
        assert!(refusal.contains("inherit_configuration"), "{refusal}");
        // Nothing is made before.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_served_is_asked_once_what_it_offers() {
        let folder = tempfile::tempdir().unwrap();
        let project = project(&folder, &shipped_with_tools(""));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let launch = Launch::plan(&project, &options(address)).unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .unwrap();
            line
        });
        launch.announce();
        let request = server.join().unwrap();
        assert_eq!(request, "GET / HTTP/1.1\r\n");
    }
}
