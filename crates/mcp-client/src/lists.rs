//! The lists of what the server has, within bounds, and the offer that is made of them.

use crate::connection::Connection;
use crate::content::template;
use crate::definitions::{LeftOut, RemoteTool, prompt};
use crate::discovered::Discovered;
use crate::environment::Environment;
use crate::error::Error;
use crate::json::{Items, MAX_ITEMS};
use crate::outgoing::Outgoing;
use crate::pattern::{Kind, Pattern};
use crate::peer::Peer;
use crate::results::freshness;
use crate::settings::Settings;
use crate::text::quoted;
use crate::uri::has_scheme;
use futures::future::join3;
use http::StatusCode;
use mcp::{ClientCapabilities, ErrorCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::time::Duration;
use tools_export::{Changes, Offer, Prompt, ResourceOffer, ResourceTemplate};

/// What the server has.
#[derive(Debug)]
pub(crate) struct Lists {
    discovered: Discovered,
    /// By the names that they have here.
    tools: Vec<RemoteTool>,
    prompts: Vec<Prompt>,
    /// `None` if there are no resources.
    templates: Option<Vec<ResourceTemplate>>,
    /// The time since which they are asked for again.
    pub(crate) until: Duration,
}

/// What some caller's client can be asked.
const EVERYTHING: ClientCapabilities = ClientCapabilities {
    elicits_forms: true,
    elicits_urls: true,
    samples: true,
    samples_with_tools: true,
    lists_roots: true,
    knows_tasks: false,
};

/// Pages of one list.
const MAX_PAGES: usize = 100;

/// Lines of the log about what is left out.
const MAX_COMPLAINTS: usize = 20;

impl Lists {
    /// Asks for the lists.
    ///
    /// # Errors
    ///
    /// If one of those that the server says it has cannot be had.
    pub(crate) async fn fetch<E: Environment>(connection: &Connection<E>) -> Result<Self, Error> {
        let settings = &connection.wire.settings;
        let peer = Peer {
            authorization: settings.credentials.for_lists(),
            // Servers leave out the tools that ask what a client cannot answer, and callers have clients of all kinds.
            capabilities: EVERYTHING,
            ..Peer::default()
        };
        let deadline = connection.wire.deadline();
        // A session that is not used may end at once.
        let (discovered, _lease) = connection.discover(&peer, deadline).await?;
        let has = &discovered.capabilities;
        let fetch = || Fetch {
            connection,
            peer: &peer,
            deadline,
            left: settings.max_bytes,
            ttl: None,
            complaints: Complaints::default(),
        };
        let tool = |raw: &RawValue| RemoteTool::read(raw, settings);
        let tools = fetch().list(has.tools.is_some(), &TOOLS, tool, |tool| &tool.tool.name);
        // The contract brings no credential of a person with a prompt.
        let has_prompts = has.prompts.is_some() && !settings.credentials.are_personal();
        let prompt = |raw: &RawValue| prompt(raw, settings);
        let prompts = fetch().list(has_prompts, &PROMPTS, prompt, |prompt| &prompt.name);
        let template = |raw: &RawValue| {
            let invalid =
                |problem: String| LeftOut::Invalid(format!("a template is left out: {problem}"));
            let found = template(raw).map_err(|problem| invalid(problem.to_owned()))?;
            let (names, uri) = (&settings.names, &found.uri_template);
            if !names.is_offered(Kind::Resource, uri) {
                return Err(LeftOut::Unwanted(found.uri_template));
            }
            if !has_scheme(uri) && names.allow.is_empty() {
                return Err(invalid(format!(
                    "{} may be a URI of any other server; the variable allow has to name it",
                    quoted(uri)
                )));
            }
            Ok(found)
        };
        let has_resources = has.resources.is_some();
        let templates = fetch().list(has_resources, &TEMPLATES, template, |it| &it.uri_template);
        let (tools, prompts, templates) = join3(tools, prompts, templates).await;
        // Not every server that has resources knows templates. Without its tools, there is nothing to offer.
        let (tools, prompts, templates) = (tools?, prompts.or_none()?, templates.or_none()?);
        for complaints in [
            &tools.complaints,
            &prompts.complaints,
            &templates.complaints,
        ] {
            complaints.log(settings.host());
        }
        let ttl = [tools.ttl, prompts.ttl, templates.ttl]
            .into_iter()
            .flatten()
            .min();
        let ttl = ttl.unwrap_or(settings.list_ttl).min(settings.list_ttl);
        Ok(Self {
            until: connection.wire.environment.elapsed() + ttl,
            tools: tools.items,
            prompts: prompts.items,
            templates: has_resources.then_some(templates.items),
            discovered,
        })
    }

    /// Returns the tool of this name here.
    pub(crate) fn tool(&self, name: &str) -> Option<&RemoteTool> {
        self.tools.iter().find(|tool| tool.tool.name == name)
    }

    /// Returns the offer.
    pub(crate) fn offer(&self, settings: &Settings) -> Offer {
        let has = &self.discovered.capabilities;
        let are_personal = settings.credentials.are_personal();
        let templates = self.templates.as_ref();
        Offer {
            server: self.discovered.server.clone(),
            instructions: self.discovered.instructions.clone(),
            tools: self.tools.iter().map(|tool| tool.tool.clone()).collect(),
            prompts: self.prompts.clone(),
            resources: templates.map(|templates| ResourceOffer {
                templates: templates.clone(),
                scopes: settings.names.scopes(Kind::Resource, ""),
                wants_credential: are_personal,
            }),
            completes: has.completions.is_some() && !are_personal,
            // Whatever the server says: its lists are fetched again after a time, and may then be others.
            changes: Changes {
                tools: has.tools.is_some(),
                prompts: has.prompts.is_some() && !are_personal,
                resources: has.resources.is_some(),
                // To hear of these takes a connection that stays open.
                resource_contents: false,
            },
        }
    }
}

/// A list, as a method of the protocol.
struct ListMethod {
    method: &'static str,
    kind: Kind,
    /// Returns the items of a page.
    items: for<'a> fn(Page<'a>) -> Option<Items<&'a RawValue>>,
}

const TOOLS: ListMethod = ListMethod {
    method: "tools/list",
    kind: Kind::Tool,
    items: |page| page.tools,
};

const PROMPTS: ListMethod = ListMethod {
    method: "prompts/list",
    kind: Kind::Prompt,
    items: |page| page.prompts,
};

const TEMPLATES: ListMethod = ListMethod {
    method: "resources/templates/list",
    kind: Kind::Resource,
    items: |page| page.resource_templates,
};

/// A page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    #[serde(borrow)]
    tools: Option<Items<&'a RawValue>>,
    #[serde(borrow)]
    prompts: Option<Items<&'a RawValue>>,
    #[serde(borrow)]
    resource_templates: Option<Items<&'a RawValue>>,
    next_cursor: Option<String>,
}

/// A list that was fetched.
struct Fetched<T> {
    items: Vec<T>,
    /// The shortest that the server gave for a page.
    ttl: Option<Duration>,
    complaints: Complaints,
}

/// What is told to the operator: the first complaints, and how many there are more.
#[derive(Debug, Default)]
struct Complaints {
    first: Vec<String>,
    more: usize,
}

impl Complaints {
    fn push(&mut self, complaint: String) {
        if self.first.len() < MAX_COMPLAINTS {
            self.first.push(complaint);
        } else {
            self.more += 1;
        }
    }

    fn log(&self, host: &str) {
        let more = (self.more > 0).then(|| format!("{} more complaints", self.more));
        for complaint in self.first.iter().chain(&more) {
            log_line::write(format_args!("mcp-client: {host}: {complaint}"));
        }
    }
}

/// What may be missing.
trait OrNone: Sized {
    /// Returns an empty list in place of one that the server does not know.
    ///
    /// # Errors
    ///
    /// If the server does not answer, or not as it should.
    fn or_none(self) -> Self;
}

impl<T> OrNone for Result<Fetched<T>, Error> {
    fn or_none(self) -> Self {
        let is_unknown = match &self {
            Err(Error::Rpc(error)) => error.is(ErrorCode::MethodNotFound),
            Err(Error::Status(status)) => *status == StatusCode::NOT_FOUND,
            _ => false,
        };
        if !is_unknown {
            return self;
        }
        Ok(Fetched {
            items: Vec::new(),
            ttl: None,
            complaints: Complaints::default(),
        })
    }
}

/// A list that is being fetched, and what it may cost.
struct Fetch<'a, E: Environment> {
    connection: &'a Connection<E>,
    peer: &'a Peer,
    deadline: Duration,
    /// Bytes.
    left: usize,
    ttl: Option<Duration>,
    complaints: Complaints,
}

impl<E: Environment> Fetch<'_, E> {
    /// Fetches every page of a list; none if the server does not have it.
    async fn list<T>(
        mut self,
        is_there: bool,
        list: &ListMethod,
        read: impl Fn(&RawValue) -> Result<T, LeftOut>,
        name: impl Fn(&T) -> &str,
    ) -> Result<Fetched<T>, Error> {
        let mut items = Vec::new();
        if is_there {
            self.pages(list, read, name, &mut items).await?;
        }
        Ok(Fetched {
            items,
            ttl: self.ttl,
            complaints: self.complaints,
        })
    }

    async fn pages<T>(
        &mut self,
        list: &ListMethod,
        read: impl Fn(&RawValue) -> Result<T, LeftOut>,
        name: impl Fn(&T) -> &str,
        items: &mut Vec<T>,
    ) -> Result<(), Error> {
        const NO_LIST: Error = Error::Malformed("a list is malformed");
        let (method, kind) = (list.method, list.kind);
        let connection = self.connection;
        let settings = &connection.wire.settings;
        // Of resources, templates alone are listed here.
        let is_looked_for = |pattern: &&Pattern| kind != Kind::Resource && pattern.kind() == kind;
        let mut unused: Vec<_> = settings.patterns().filter(is_looked_for).collect();
        let mut names = HashSet::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let outgoing = match &cursor {
                Some(cursor) => Outgoing::new(method).with("cursor", cursor),
                None => Outgoing::new(method),
            };
            let result = self.page(&outgoing).await?;
            let mut page: Page<'_> = serde_json::from_str(result.get()).map_err(|_| NO_LIST)?;
            let next = page.next_cursor.take();
            let listed = (list.items)(page).ok_or(NO_LIST)?;
            for raw in listed.first {
                let item = match read(raw) {
                    Ok(item) => item,
                    Err(LeftOut::Unwanted(name)) => {
                        unused.retain(|pattern| !pattern.matches(kind, &name));
                        continue;
                    }
                    Err(LeftOut::Invalid(complaint)) => {
                        self.complaints.push(complaint);
                        continue;
                    }
                };
                let here = name(&item);
                let there = settings.names.without_prefix(here);
                unused.retain(|pattern| !pattern.matches(kind, there));
                if items.len() >= MAX_ITEMS {
                    self.complaints.push(format!(
                        "{} and what follows in {method} is left out: {MAX_ITEMS} are taken",
                        quoted(here)
                    ));
                    return Ok(());
                }
                if names.insert(here.to_owned()) {
                    items.push(item);
                } else {
                    let twice = quoted(here);
                    self.complaints
                        .push(format!("the second {twice} in {method} is left out"));
                }
            }
            if listed.is_more {
                self.complaints.push(format!(
                    "what follows {MAX_ITEMS} items of a page of {method} is left out"
                ));
            }
            if next.is_none() || next == cursor {
                for pattern in unused {
                    self.complaints
                        .push(format!("the pattern {pattern} fits nothing in {method}"));
                }
                return Ok(());
            }
            cursor = next;
        }
        let rest = format!("{method} has more than {MAX_PAGES} pages; the rest is left out");
        self.complaints.push(rest);
        Ok(())
    }

    async fn page(&mut self, outgoing: &Outgoing) -> Result<Box<RawValue>, Error> {
        let connection = self.connection;
        let exchange = connection
            .send(self.peer, outgoing, self.left, self.deadline)
            .await?;
        let result = exchange.result().await.map_err(|error| match error {
            Error::TooLarge(_) => Error::TooLarge(connection.wire.settings.max_bytes),
            error => error,
        })?;
        self.left = self.left.saturating_sub(result.get().len());
        if let Some(freshness) = freshness(&result) {
            let ttl = Duration::from_millis(freshness.ttl.into());
            self.ttl = Some(self.ttl.map_or(ttl, |shortest| shortest.min(ttl)));
        }
        Ok(result)
    }
}
