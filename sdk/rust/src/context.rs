//! The context of a call, beside its arguments.

use crate::bindings::contract::{self, Caller, Changed, Credential, Event, LogLevel};
use crate::channel::Channel;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::work::Work;
use serde::Serialize;
use std::rc::Rc;

/// Everything that comes with a call beside its arguments.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who calls. Its `credential` is there where the attribute has `credential`.
    pub caller: Rc<Caller>,
    /// Questions to the client.
    pub client: Client,
    /// Progress.
    pub progress: Progress,
    /// Log messages.
    pub log: Log,
    /// Changes of what there is.
    pub changes: Changes,
}

impl Context {
    pub(crate) fn new(context: contract::Context) -> Self {
        let channel = Rc::new(Channel::default());
        Self {
            client: Client::new(
                context.capabilities,
                context.answers,
                context.state,
                Rc::clone(&channel),
            ),
            progress: Progress {
                channel: Rc::clone(&channel),
                is_wanted: context.wants_progress,
            },
            log: Log {
                channel: Rc::clone(&channel),
                least: context.log_level,
                logger: None,
            },
            changes: Changes { channel },
            caller: Rc::new(context.caller),
        }
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.changes.channel
    }
}

/// Progress of a tool.
///
/// ```
/// # use gatehouse_sdk::Progress;
/// # async fn example(progress: Progress) {
/// progress.report(3).of(10).message("Reading the third page").await;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Progress {
    channel: Rc<Channel>,
    is_wanted: bool,
}

impl Progress {
    /// Begins a report of how much is done, which grows with every report. The report is sent by `.await`: it waits
    /// until the client can take it, and returns at once if the client wants none.
    pub fn report(&self, done: impl Amount) -> Report<'_> {
        Report {
            progress: self,
            report: contract::Progress {
                progress: done.amount(),
                total: None,
                message: None,
            },
        }
    }
}

/// A report of progress.
#[must_use = "a report is sent by `.await`"]
#[derive(Debug)]
pub struct Report<'a> {
    progress: &'a Progress,
    report: contract::Progress,
}

impl Report<'_> {
    /// Of how much.
    pub fn of(mut self, total: impl Amount) -> Self {
        self.report.total = Some(total.amount());
        self
    }

    /// What is being done.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.report.message = Some(message.into());
        self
    }
}

impl IntoFuture for Report<'_> {
    type Output = ();
    type IntoFuture = Work<()>;

    fn into_future(self) -> Work<()> {
        let Self { progress, report } = self;
        let channel = progress.is_wanted.then(|| Rc::clone(&progress.channel));
        Box::pin(async move {
            if let Some(channel) = channel {
                channel.send(Event::Progress(report)).await;
            }
        })
    }
}

/// A number: of an integer or floating-point type.
pub trait Amount {
    /// Returns the number, as near as a double comes to it.
    fn amount(self) -> f64;
}

macro_rules! amounts {
    ($($number:ty),+) => { $(
        impl Amount for $number {
            fn amount(self) -> f64 {
                self as f64
            }
        }
    )+ };
}

amounts!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64);

/// Log messages to the client, for a person to read. They hold no secrets.
///
/// ```
/// # use gatehouse_sdk::{Log, json};
/// # async fn example(log: Log) {
/// log.info("The first half is done").await;
/// log.warning(json!({ "skipped": 3 })).await;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Log {
    channel: Rc<Channel>,
    least: Option<LogLevel>,
    logger: Option<String>,
}

impl Log {
    /// Returns the same log under a name.
    pub fn named(&self, logger: impl Into<String>) -> Self {
        Self {
            logger: Some(logger.into()),
            ..self.clone()
        }
    }

    /// Sends a message of the level `debug`.
    pub async fn debug(&self, data: impl Serialize) {
        self.send(LogLevel::Debug, data).await;
    }

    /// Sends a message of the level `info`.
    pub async fn info(&self, data: impl Serialize) {
        self.send(LogLevel::Info, data).await;
    }

    /// Sends a message of the level `warning`.
    pub async fn warning(&self, data: impl Serialize) {
        self.send(LogLevel::Warning, data).await;
    }

    /// Sends a message of the level `error`.
    pub async fn error(&self, data: impl Serialize) {
        self.send(LogLevel::Error, data).await;
    }

    /// Sends a message of any level: a text, or anything that is serialized as JSON. It waits until the client can take
    /// the message, and returns at once if the client wants none of this level.
    pub async fn send(&self, level: LogLevel, data: impl Serialize) {
        if self.least.is_none_or(|least| level < least) {
            return;
        }
        let Ok(data) = serde_json::to_string(&data) else {
            return;
        };
        let logger = self.logger.clone();
        let log = contract::Log {
            level,
            data,
            logger,
        };
        self.channel.send(Event::Log(log)).await;
    }
}

/// Reports of what is no longer as it was. `changes: [...]` in `server!` announces them.
#[derive(Clone, Debug)]
pub struct Changes {
    channel: Rc<Channel>,
}

impl Changes {
    /// Reports that there are other tools.
    pub async fn tools(&self) {
        self.send(Changed::Tools).await;
    }

    /// Reports that there are other prompts.
    pub async fn prompts(&self) {
        self.send(Changed::Prompts).await;
    }

    /// Reports that there are other resources.
    pub async fn resources(&self) {
        self.send(Changed::Resources).await;
    }

    /// Reports that a resource holds something else.
    pub async fn resource(&self, uri: impl Into<String>) {
        self.send(Changed::Resource(uri.into())).await;
    }

    async fn send(&self, changed: Changed) {
        self.channel.send(Event::Changed(changed)).await;
    }
}

/// An argument that the SDK gives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has the name of a type of gatehouse_sdk, and is another one",
    note = "arguments of the types Caller, Changes, Client, Context, Credential, Log and Progress come from the SDK: rename yours"
)]
pub trait FromContext: Sized {
    /// Returns the argument.
    ///
    /// # Errors
    ///
    /// If it is not there.
    fn from_context(context: &Context) -> Result<Self>;
}

impl FromContext for Context {
    fn from_context(context: &Context) -> Result<Self> {
        Ok(context.clone())
    }
}

impl FromContext for Caller {
    fn from_context(context: &Context) -> Result<Self> {
        Ok((*context.caller).clone())
    }
}

impl FromContext for Client {
    fn from_context(context: &Context) -> Result<Self> {
        Ok(context.client.clone())
    }
}

impl FromContext for Progress {
    fn from_context(context: &Context) -> Result<Self> {
        Ok(context.progress.clone())
    }
}

impl FromContext for Log {
    fn from_context(context: &Context) -> Result<Self> {
        Ok(context.log.clone())
    }
}

impl FromContext for Changes {
    fn from_context(context: &Context) -> Result<Self> {
        Ok(context.changes.clone())
    }
}

impl FromContext for Credential {
    fn from_context(context: &Context) -> Result<Self> {
        context.caller.credential.clone().ok_or_else(|| {
            Error::new(
                "There is no token of the identity provider for you any more. Disconnect this server in your client and sign in again.",
            )
        })
    }
}

impl FromContext for Option<Credential> {
    fn from_context(context: &Context) -> Result<Self> {
        Ok(context.caller.credential.clone())
    }
}
