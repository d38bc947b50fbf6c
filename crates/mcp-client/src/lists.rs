//! The lists of what the server has, within bounds, and the offer that is made of them.

use crate::connection::Connection;
use crate::content::template;
use crate::definitions::{LeftOut, RemoteTool, prompt};
use crate::discovered::{Discovered, List};
use crate::environment::Environment;
use crate::error::Error;
use crate::outgoing::Outgoing;
use crate::pattern::Kind;
use crate::peer::Peer;
use crate::results::freshness;
use crate::settings::Settings;
use futures::future::join3;
use mcp::ClientCapabilities;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashSet};
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

/// Items of one list.
const MAX_ITEMS: usize = 1000;

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
        // A session that nobody uses may end at once.
        let (discovered, _lease) = connection.discover(&peer, deadline).await?;
        let has = &discovered.capabilities;
        let fetch = || Fetch {
            connection,
            peer: &peer,
            deadline,
            left: settings.max_bytes,
            ttl: None,
            complaints: Vec::new(),
        };
        let tool = |raw: &RawValue| RemoteTool::read(raw, settings);
        let tools = fetch().list(has.tools.is_some(), &TOOLS, tool, |tool| &tool.tool.name);
        // The contract brings no credential of a person with a prompt.
        let has_prompts = has.prompts.is_some() && !settings.credentials.are_personal();
        let prompt = |raw: &RawValue| prompt(raw, settings);
        let prompts = fetch().list(has_prompts, &PROMPTS, prompt, |prompt| &prompt.name);
        let template = |raw: &RawValue| match template(raw) {
            Ok(found)
                if settings
                    .names
                    .is_offered(Kind::Resource, &found.uri_template) =>
            {
                Ok(found)
            }
            Ok(_) => Err(LeftOut::Unwanted),
            Err(problem) => Err(LeftOut::Invalid(format!(
                "a template is left out: {problem}"
            ))),
        };
        let has_resources = has.resources.is_some();
        let templates = fetch().list(has_resources, &TEMPLATES, template, |it| &it.uri_template);
        let (tools, prompts, templates) = join3(tools, prompts, templates).await;
        // Not every server that has resources knows templates. Without its tools, there is nothing to offer.
        let (tools, prompts, templates) = (tools?, prompts.or_none()?, templates.or_none()?);
        let complaints = [
            &tools.complaints,
            &prompts.complaints,
            &templates.complaints,
        ];
        complain(settings.host(), complaints.into_iter().flatten());
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
            changes: Changes {
                tools: List::changes(has.tools),
                prompts: List::changes(has.prompts) && !are_personal,
                resources: List::changes(has.resources),
                // Whoever wants to hear of these would need a connection that stays.
                resource_contents: false,
            },
        }
    }
}

/// A list, as a method of the protocol.
struct ListMethod {
    method: &'static str,
    /// The member of the result that has the items.
    member: &'static str,
}

const TOOLS: ListMethod = ListMethod {
    method: "tools/list",
    member: "tools",
};

const PROMPTS: ListMethod = ListMethod {
    method: "prompts/list",
    member: "prompts",
};

const TEMPLATES: ListMethod = ListMethod {
    method: "resources/templates/list",
    member: "resourceTemplates",
};

/// A list that was fetched.
struct Fetched<T> {
    items: Vec<T>,
    /// The shortest that the server gave for a page.
    ttl: Option<Duration>,
    complaints: Vec<String>,
}

/// What may be missing.
trait OrNone: Sized {
    /// Returns an empty list in place of one that the server does not give.
    ///
    /// # Errors
    ///
    /// If the server does not answer, or not as it should.
    fn or_none(self) -> Self;
}

impl<T> OrNone for Result<Fetched<T>, Error> {
    fn or_none(self) -> Self {
        let problem = match &self {
            Err(error @ (Error::Rpc(_) | Error::Status(_))) => error.to_string(),
            _ => return self,
        };
        Ok(Fetched {
            items: Vec::new(),
            ttl: None,
            complaints: vec![format!("a list is left out: the server {problem}")],
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
    complaints: Vec<String>,
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
        &ListMethod { method, member }: &ListMethod,
        read: impl Fn(&RawValue) -> Result<T, LeftOut>,
        name: impl Fn(&T) -> &str,
        items: &mut Vec<T>,
    ) -> Result<(), Error> {
        const NO_LIST: Error = Error::Malformed("a list is none");
        let mut names = HashSet::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let outgoing = match &cursor {
                Some(cursor) => Outgoing::new(method).with("cursor", cursor),
                None => Outgoing::new(method),
            };
            let result = self.page(&outgoing).await?;
            let page: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(result.get()).ok();
            let page = page.ok_or(NO_LIST)?;
            let listed = page
                .get(member)
                .and_then(|list| serde_json::from_str(list.get()).ok());
            let listed: Vec<&RawValue> = listed.ok_or(NO_LIST)?;
            for raw in listed {
                match read(raw) {
                    Ok(item) if items.len() >= MAX_ITEMS => {
                        let left_out = name(&item);
                        self.complaints.push(format!(
                            "“{left_out}” and what follows in {method} is left out: {MAX_ITEMS} are taken"
                        ));
                        return Ok(());
                    }
                    Ok(item) if names.insert(name(&item).to_owned()) => items.push(item),
                    Ok(item) => {
                        let twice = name(&item);
                        self.complaints
                            .push(format!("the second “{twice}” in {method} is left out"));
                    }
                    Err(LeftOut::Unwanted) => {}
                    Err(LeftOut::Invalid(complaint)) => self.complaints.push(complaint),
                }
            }
            let next = page.get("nextCursor");
            let next: Option<String> = next.and_then(|next| serde_json::from_str(next.get()).ok());
            if next.is_none() || next == cursor {
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

fn complain<'a>(host: &str, mut complaints: impl Iterator<Item = &'a String>) {
    for complaint in complaints.by_ref().take(MAX_COMPLAINTS) {
        log_line::write(format_args!("mcp-client: {host}: {complaint}"));
    }
    let more = complaints.count();
    if more > 0 {
        log_line::write(format_args!("mcp-client: {host}: {more} more complaints"));
    }
}
