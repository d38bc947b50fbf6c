//! `gatehouse-host`: serves a Spin application without Spin. Its options are those of `spin up` that it has, and one of its own.

#![allow(clippy::print_stderr, reason = "a program for a terminal")]

use std::io::Write;
use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};
use gatehouse_host::{
    Host, HostLimits, Limits, Running,
    manifest::{Route, Target},
    stop_signal,
};
use tracing_subscriber::EnvFilter;

/// Serves a Spin application on an embedded Wasmtime.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The application's manifest, or the directory it is in.
    #[arg(short, long, visible_short_alias = 'F', default_value = "spin.toml")]
    from: PathBuf,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: String,
    /// The runtime configuration.
    #[arg(long, value_name = "FILE")]
    runtime_config_file: Option<PathBuf>,
    /// Where state is kept: `.spin` beside the manifest by default, in memory where it is empty.
    #[arg(long, value_name = "DIRECTORY")]
    state_dir: Option<String>,
    /// Sets an application variable.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// Sets an environment variable of every component.
    #[arg(short, long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    environment: Vec<(String, String)>,
    /// Does not show what components print.
    #[arg(short, long)]
    quiet: bool,
    /// How many connections there may be at once; further ones wait.
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_connections)]
    max_connections: usize,
    /// Restricts the application as this host does.
    #[arg(long, value_name = "HOST", value_enum)]
    limits: Option<RestrictedAs>,
    /// Compiles components at every start.
    #[arg(long)]
    disable_cache: bool,
}

/// Hosts whose restrictions are known.
#[derive(Clone, Copy, ValueEnum)]
enum RestrictedAs {
    Akamai,
    FermyonCloud,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let manifest = if options.from.is_dir() {
        options.from.join("spin.toml")
    } else {
        options.from
    };
    let mut host = Host::builder(manifest)
        .listen(options.listen)
        .environment(".")
        .forward_logs(!options.quiet)
        .keep_logs(false)
        .limits(Limits {
            max_connections: options.max_connections,
            ..Limits::default()
        });
    if let Some(host_limits) = options.limits {
        host = host.host_limits(match host_limits {
            RestrictedAs::Akamai => HostLimits::akamai(),
            RestrictedAs::FermyonCloud => HostLimits::fermyon_cloud(),
        });
    }
    if let Some(path) = options.runtime_config_file {
        host = host.runtime_config(path);
    }
    if let Some(path) = options.state_dir {
        host = host.state_dir(path);
    }
    if options.disable_cache {
        host = host.cache(None);
    }
    for (name, value) in options.variables {
        host = host.variable(name, value);
    }
    for (name, value) in options.environment {
        host = host.component_environment(name, value);
    }
    let stop = stop_signal()?;
    let running = tokio::select! {
        running = host.start() => running?,
        () = stop => return Ok(()),
    };
    announce(&running);
    stop_signal()?.await;
    running.shutdown().await;
    Ok(())
}

/// Says on stdout where the application listens. A program that reads no further than it needs closes
/// the pipe; the host serves on.
fn announce(running: &Running) {
    let mut text = format!("Serving {}\nAvailable Routes:\n", running.url());
    for trigger in &running.app().triggers {
        if let Route::Pattern(route) = &trigger.route {
            let name = match &trigger.target {
                Target::Component(component) => component,
                Target::Static(_) => &trigger.id,
            };
            text += &format!("  {name}: {}{route}\n", running.url());
        }
    }
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("it must be of the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
