//! The catalog of tools, prompts and resources: read once per instance and after each change. The results of the
//! lists are made once.

use crate::call::validated_tool::ValidatedTool;
use crate::context::Context;
use crate::contract::tools::{Changed, Changes, Offer, OfferedPrompt, TaskUse};
use crate::http::authenticated::Authenticated;
use crate::protocol::summary::summary;
use crate::stream::change_feed::{ChangeFeed, ChangeReader, FeedRead};
use crate::{Environment, Parts, ToolProvider};
use futures::future::{Either, select};
use mcp::capabilities::{Empty, ListChanged, ResourceCapabilities, TASKS};
use mcp::{
    Envelope, Error, Freshness, InvalidJson, Revision, ServerCapabilities, discover_result,
    prompts_list, resource_templates_list, tools_list,
};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use store::ReadAhead;

/// Seconds after which a catalog that may change is read again: by then this instance has the changes that
/// another one reported.
const CATALOG_TTL: u64 = 30;

/// Seconds after which a catalog is read again in which something is missing.
const INCOMPLETE_CATALOG_TTL: u64 = 10;

/// The least time for the description of the tools, however short calls have to be: one of several components that
/// hangs is waited for, for five seconds, before the others are offered.
const MIN_DESCRIBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Changes that one request reads.
const MAX_LOOKS: u32 = 64;

/// The tools, prompts and resources, with their validated schemas.
pub(crate) struct Catalog {
    /// What is offered, without the tools.
    pub(crate) offer: Offer,
    /// The tools in their order.
    tools: Vec<Arc<ValidatedTool>>,
    /// The places of the tools, and of the prompts of the offer.
    tool_places: HashMap<String, usize>,
    prompt_places: HashMap<String, usize>,
    envelope: Envelope,
    /// The reasons why something is left out or cannot be used, for the log.
    pub(crate) complaints: Vec<String>,
    /// Whether something is missing that may be there later.
    is_incomplete: bool,
    /// Made for a revision when a client of it first asks: most instances serve one.
    prepared: [OnceLock<Prepared>; Revision::ALL.len()],
}

/// The catalog in this instance's memory.
#[derive(Clone)]
struct CachedCatalog {
    catalog: Arc<Catalog>,
    /// Seconds since the Unix epoch from which on it is read again; `None` if it never changes and nothing is missing.
    until: Option<u64>,
    /// The number of changes of the offer that this instance had reported before.
    offer_changes: u64,
    /// The reader of the changes since then.
    reader: Option<ChangeReader>,
}

/// The catalog of the tools component.
pub(crate) struct CatalogSource<P: Parts> {
    context: Arc<Context<P>>,
    tools: Arc<P::Tools>,
    changes: Arc<ChangeFeed<P>>,
    cached: RwLock<Option<CachedCatalog>>,
}

impl<P: Parts> CatalogSource<P> {
    pub(crate) fn new(
        context: Arc<Context<P>>,
        tools: Arc<P::Tools>,
        changes: Arc<ChangeFeed<P>>,
    ) -> Self {
        Self {
            context,
            tools,
            changes,
            cached: RwLock::default(),
        }
    }

    /// Returns the catalog, read again if it may be old.
    ///
    /// # Errors
    ///
    /// Fails with an internal error if the tools component does not describe its tools now, and never
    /// did before. The reason is in the log.
    pub(crate) async fn current(&self) -> Result<Arc<Catalog>, Error> {
        match self.cached() {
            Some(cached) if self.is_fresh(&cached) => Ok(cached.catalog),
            cached => self.refresh(cached).await,
        }
    }

    /// Returns the catalog as it is after every change that a client may have been notified of. If the
    /// catalog may change, that costs a read of the store.
    ///
    /// # Errors
    ///
    /// Those of [`current`](Self::current).
    pub(crate) async fn newest(&self) -> Result<Arc<Catalog>, Error> {
        let catalog = self.current().await?;
        let mut cached = self.cached().ok_or_else(Error::internal)?;
        if !catalog.offer.changes.of_the_offer() {
            return Ok(catalog);
        }
        let Some(reader) = &mut cached.reader else {
            // The reader begins before the catalog is read, so that no change falls between the two.
            cached.reader = self.changes.reader().await.ok();
            return self.refresh(Some(cached)).await;
        };
        let mut is_old = false;
        for looks in 1.. {
            match reader.look(&self.changes, &mut ReadAhead::default()).await {
                Ok(FeedRead::Nothing) if looks == 1 => return Ok(catalog),
                Ok(FeedRead::Nothing) => break,
                Ok(FeedRead::Change(Changed::Resource(_))) if looks < MAX_LOOKS => {}
                Ok(FeedRead::Change(_) | FeedRead::Anything) if looks < MAX_LOOKS => is_old = true,
                Ok(_) => {
                    is_old = true;
                    break;
                }
                Err(error) => {
                    log_line::write(format_args!("mcp: {error}"));
                    break;
                }
            }
        }
        if is_old {
            return self.refresh(Some(cached)).await;
        }
        self.cache(cached);
        Ok(catalog)
    }

    fn is_fresh(&self, cached: &CachedCatalog) -> bool {
        cached
            .until
            .is_none_or(|until| until > self.context.environment.now())
            && cached.offer_changes == self.changes.offer_changes()
    }

    fn cached(&self) -> Option<CachedCatalog> {
        self.cached
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn cache(&self, catalog: CachedCatalog) {
        *self.cached.write().unwrap_or_else(PoisonError::into_inner) = Some(catalog);
    }

    /// Reads the catalog, and keeps the old one if that fails.
    async fn refresh(&self, old: Option<CachedCatalog>) -> Result<Arc<Catalog>, Error> {
        // Read first, so that a change meanwhile counts as later.
        let offer_changes = self.changes.offer_changes();
        let timeout = self.context.call_timeout().max(MIN_DESCRIBE_TIMEOUT);
        let deadline = pin!(self.context.environment.sleep(timeout));
        let described = match select(pin!(self.tools.describe()), deadline).await {
            Either::Left((described, _)) => {
                described.and_then(|offer| Catalog::new(offer, &self.context.config.scopes))
            }
            Either::Right(_) => Err("they were not described in time".to_owned()),
        };
        let catalog = match described {
            Ok(catalog) => {
                self.context.set_envelope(catalog.envelope.clone());
                Arc::new(catalog)
            }
            Err(reason) => {
                log_line::write(format_args!("mcp: the tools cannot be offered: {reason}"));
                return old.map(|old| old.catalog).ok_or_else(Error::internal);
            }
        };
        // A complaint is logged once, not each time that the catalog is read.
        let said = old.as_ref().map(|old| &old.catalog.complaints);
        for complaint in &catalog.complaints {
            if said.is_none_or(|said| !said.contains(complaint)) {
                log_line::write(format_args!("mcp: {complaint}"));
            }
        }
        let ttl = if catalog.is_incomplete {
            Some(INCOMPLETE_CATALOG_TTL)
        } else {
            catalog.offer.changes.of_the_offer().then_some(CATALOG_TTL)
        };
        self.cache(CachedCatalog {
            catalog: Arc::clone(&catalog),
            until: ttl.map(|ttl| self.context.environment.now() + ttl),
            offer_changes,
            reader: old.and_then(|old| old.reader),
        });
        Ok(catalog)
    }
}

/// The results that a revision has for every caller.
pub(crate) struct Prepared {
    /// Of `initialize` and `server/discover`.
    pub(crate) capabilities: ServerCapabilities,
    /// The result of `server/discover`.
    pub(crate) discover: String,
    /// The result of `tools/list`.
    pub(crate) tools: String,
    /// Of `prompts/list`.
    pub(crate) prompts: String,
    /// Of `resources/templates/list`.
    pub(crate) templates: String,
}

impl Catalog {
    /// Makes the catalog of an offer. `scopes` are the scopes that exist.
    ///
    /// # Errors
    ///
    /// Fails with what is wrong with the offer, for the log.
    pub(crate) fn new(mut offer: Offer, scopes: &[String]) -> Result<Self, String> {
        let mut complaints = std::mem::take(&mut offer.missing);
        let is_incomplete = !complaints.is_empty();
        complaints.append(&mut offer.left_out);
        let mut tools = Vec::with_capacity(offer.tools.len());
        for offered in std::mem::take(&mut offer.tools) {
            match ValidatedTool::new(offered) {
                Ok(tool) => tools.push(Arc::new(tool)),
                Err(complaint) => complaints.push(complaint),
            }
        }
        complaints.extend(without_scope(&offer, &tools, scopes));
        let catalog = Self {
            tool_places: places("tools", &tools, |one| one.offered.tool.name())?,
            prompt_places: places("prompts", &offer.prompts, |one| &one.prompt.metadata.name)?,
            envelope: Envelope::new(&offer.server),
            prepared: Default::default(),
            offer,
            tools,
            complaints,
            is_incomplete,
        };
        // What is JSON in one revision is in each.
        let newest = catalog.prepare(Revision::NEWEST);
        let newest = newest.map_err(|invalid| format!("they have {invalid}"))?;
        catalog.place_of(Revision::NEWEST).get_or_init(|| newest);
        Ok(catalog)
    }

    /// Returns what is offered, for people who have not signed in.
    pub(crate) fn summary(&self) -> String {
        let tools = self.tools.iter().map(|one| {
            let offered = &one.offered;
            (&offered.tool, offered.scopes.as_slice())
        });
        summary(&self.offer, tools)
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<ValidatedTool>> {
        self.tools.get(*self.tool_places.get(name)?)
    }

    /// Returns the changes that the token lets its holder know.
    pub(crate) fn changes_for(&self, authenticated: &Authenticated) -> Changes {
        let may_read = self.offer.resources.as_ref().is_some_and(|resources| {
            let scopes = &resources.change_scopes;
            authenticated.require_scopes(scopes).is_ok()
        });
        Changes {
            resources: self.offer.changes.resources && may_read,
            resource_contents: self.offer.changes.resource_contents && may_read,
            ..self.offer.changes
        }
    }

    pub(crate) fn prompt(&self, name: &str) -> Option<&OfferedPrompt> {
        self.offer.prompts.get(*self.prompt_places.get(name)?)
    }

    /// Returns the results that `revision` has for every caller.
    ///
    /// # Errors
    ///
    /// None that [`new`](Self::new) does not find.
    pub(crate) fn prepared(&self, revision: Revision) -> Result<&Prepared, Error> {
        let place = self.place_of(revision);
        if let Some(prepared) = place.get() {
            return Ok(prepared);
        }
        let prepared = self.prepare(revision).map_err(|_| Error::internal())?;
        Ok(place.get_or_init(|| prepared))
    }

    fn place_of(&self, revision: Revision) -> &OnceLock<Prepared> {
        &self.prepared[revision.index()]
    }

    fn prepare(&self, revision: Revision) -> Result<Prepared, InvalidJson> {
        Prepared::new(&self.offer, &self.tools, &self.envelope, revision)
    }
}

/// Returns complaints about what no token can use, because a scope that it requires does not exist.
fn without_scope(offer: &Offer, tools: &[Arc<ValidatedTool>], there_are: &[String]) -> Vec<String> {
    let tools = tools.iter().map(|tool| {
        let name = format!("the tool {}", tool.offered.tool.name());
        (name, &tool.offered.scopes)
    });
    let prompts = offer.prompts.iter().map(|prompt| {
        let name = format!("the prompt {}", prompt.prompt.metadata.name);
        (name, &prompt.scopes)
    });
    let resources = offer.resources.iter();
    let resources = resources.map(|offer| ("a resource".to_owned(), &offer.scopes));
    let missing = |(name, scopes): (String, &Vec<String>)| {
        let scope = scopes.iter().find(|scope| !there_are.contains(scope))?;
        Some(format!(
            "no one can use {name}: it takes the scope {scope}, which is not in the variable scopes. Add it to SPIN_VARIABLE_SCOPES"
        ))
    };
    tools
        .chain(prompts)
        .chain(resources)
        .filter_map(missing)
        .collect()
}

/// Returns the place of each of `items` by its name, which no two may have.
fn places<T>(
    kind: &str,
    items: &[T],
    name: impl Fn(&T) -> &str,
) -> Result<HashMap<String, usize>, String> {
    let mut places = HashMap::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let name = name(item);
        if places.insert(name.to_owned(), place).is_some() {
            return Err(format!("there are two {kind} named {name}"));
        }
    }
    Ok(places)
}

impl Prepared {
    fn new(
        offer: &Offer,
        tools: &[Arc<ValidatedTool>],
        envelope: &Envelope,
        revision: Revision,
    ) -> Result<Self, InvalidJson> {
        let has_tasks = tools.iter().any(|one| one.offered.tasks != TaskUse::Never);
        let tools = tools.iter().map(|one| &one.offered.tool);
        let prompts = offer.prompts.iter().map(|offered| &offered.prompt);
        let resources = offer.resources.as_ref();
        let templates = resources.map_or(&[][..], |resources| &resources.templates);
        let mut capabilities = capabilities(offer, revision);
        if has_tasks && revision.is_stateless() {
            let nothing_more = Value::Object(Map::new());
            capabilities
                .extensions
                .insert(TASKS.to_owned(), nothing_more);
        }
        let instructions = offer.instructions.as_deref();
        let envelope = envelope.in_revision(revision);
        Ok(Self {
            discover: discover_result(
                revision,
                &offer.server,
                &capabilities,
                instructions,
                FRESHNESS,
            ),
            capabilities,
            tools: tools_list(tools, &envelope, FRESHNESS)?,
            prompts: prompts_list(prompts, &envelope, FRESHNESS)?,
            templates: resource_templates_list(templates, &envelope, FRESHNESS)?,
        })
    }
}

/// Returns the capabilities of an offer. Clients of every revision can listen for changes.
fn capabilities(offer: &Offer, revision: Revision) -> ServerCapabilities {
    let changes = offer.changes;
    let list = |list_changed| ListChanged { list_changed };
    ServerCapabilities {
        // Declared even without tools: clients send `tools/list` first.
        tools: Some(list(changes.tools)),
        prompts: (!offer.prompts.is_empty() || changes.prompts).then_some(list(changes.prompts)),
        resources: offer.resources.is_some().then_some(ResourceCapabilities {
            subscribe: changes.resource_contents,
            list_changed: changes.resources,
        }),
        completions: (offer.completes && revision >= Revision::V2025_03_26).then_some(Empty {}),
        logging: Some(Empty {}),
        ..ServerCapabilities::default()
    }
}

/// The freshness of lists, which are the same for every caller. They change with a new version of their
/// component, or with a notification.
const FRESHNESS: Freshness = Freshness {
    ttl: 60_000,
    is_shared: true,
};
