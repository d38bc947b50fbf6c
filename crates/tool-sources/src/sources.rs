//! The components, and the requests to them.

use crate::merge::{Routes, duplicate, merge};
use crate::resources::{Owned, ResourceSource, in_order};
use futures::future::{BoxFuture, FutureExt, join_all};
use mcp::{Contents, Freshness, PromptMessages, Reference, ResourcePage, Suggestions};
use mcpserver::{
    Call, Caller, Completion, Failure, InputRequired, Offer, PromptRequest, Read, Round,
    RoundResult, ToolProvider,
};
use std::sync::{Arc, PoisonError, RwLock};

/// A tools component.
pub struct Source<T> {
    /// Its id in the manifest, or the name of the composed one.
    pub id: String,
    /// What it is called through.
    pub provider: T,
}

/// Several tools components, in the operator's order.
pub struct Sources<T> {
    sources: Vec<Source<T>>,
    cached: RwLock<CachedOffers>,
}

/// The last offer of each component, and where its parts lead.
#[derive(Default)]
struct CachedOffers {
    /// The last offer of each component.
    offers: Vec<Option<Offer>>,
    routes: Arc<Routes>,
}

impl<T: ToolProvider> Source<T> {
    async fn describe(&self) -> Result<Offer, String> {
        let offer = self.provider.describe().await?;
        match duplicate(&offer) {
            Some(twice) => Err(format!("there are two {twice}")),
            None => Ok(offer),
        }
    }
}

impl<T: ToolProvider> Sources<T> {
    /// Returns these components as one. Their ids are different.
    pub fn new(sources: Vec<Source<T>>) -> Self {
        Self {
            sources,
            cached: RwLock::default(),
        }
    }

    fn routes(&self) -> Arc<Routes> {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&cached.routes)
    }

    fn provider(&self, source: usize) -> &T {
        &self.sources[source].provider
    }

    /// Returns the text that leads a cursor or a state back to its component.
    fn owned(&self, source: usize, value: Option<String>) -> String {
        let id = self.sources[source].id.clone();
        Owned { id, value }.to_text()
    }

    /// Returns the position, among the components with resources, of the one that a cursor or a state is of.
    fn owner(&self, resources: &[ResourceSource], owned: &Owned) -> Option<usize> {
        let is_owner = |one: &ResourceSource| self.sources[one.source].id == owned.id;
        resources.iter().position(is_owner)
    }

    /// Reads a resource of a component, whose state leads back to it.
    async fn read(&self, source: usize, read: Read) -> Result<RoundResult<Contents>, Failure> {
        let round = self.provider(source).read_resource(read).await?;
        Ok(match round {
            RoundResult::InputRequired(questions) => RoundResult::InputRequired(InputRequired {
                state: Some(self.owned(source, questions.state)),
                requests: questions.requests,
            }),
            complete @ RoundResult::Complete(_) => complete,
        })
    }

    /// Takes the offers, as far as there are any. What could not be described has its last offer.
    fn take(&self, described: Vec<Result<Offer, String>>) -> (Vec<(usize, Offer)>, Vec<String>) {
        let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
        cached.offers.resize(self.sources.len(), None);
        let mut missing = Vec::new();
        for (source, described) in described.into_iter().enumerate() {
            match described {
                Ok(offer) => cached.offers[source] = Some(offer),
                Err(reason) => missing.push(format!(
                    "what the component {} offers is not known: {reason}",
                    self.sources[source].id
                )),
            }
        }
        let offers = cached.offers.iter().enumerate();
        let offers = offers.filter_map(|(source, offer)| Some((source, offer.clone()?)));
        (offers.collect(), missing)
    }
}

impl<T: ToolProvider> ToolProvider for Sources<T> {
    type Events = T::Events;

    async fn describe(&self) -> Result<Offer, String> {
        let described = self.sources.iter().map(Source::describe);
        let (offers, missing) = self.take(join_all(described).await);
        if offers.is_empty() {
            return Err(missing.join("; "));
        }
        let ids: Vec<_> = self
            .sources
            .iter()
            .map(|source| source.id.as_str())
            .collect();
        let (mut offer, routes) = merge(&ids, offers);
        offer.missing.extend(missing);
        let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
        cached.routes = Arc::new(routes);
        Ok(offer)
    }

    async fn call(&self, call: Call) -> Result<T::Events, Failure> {
        let routes = self.routes();
        let (source, name) = routes.tool(&call.name).ok_or(Failure::NotFound)?;
        let name = name.to_owned();
        self.provider(source).call(Call { name, ..call }).await
    }

    async fn list_resources(
        &self,
        caller: Caller,
        cursor: Option<String>,
    ) -> Result<ResourcePage, Failure> {
        let routes = self.routes();
        let (first, mut cursor) = match cursor {
            None => (0, None),
            Some(text) => {
                let owned = Owned::from_text(&text).ok_or(Failure::NotFound)?;
                let first = self.owner(&routes.resources, &owned);
                (first.ok_or(Failure::NotFound)?, owned.value)
            }
        };
        let mut allowed = routes.resources[first..].to_vec();
        allowed.retain(|resources| resources.allows(&caller));
        let mut remaining = allowed.iter().peekable();
        let mut failure = Failure::NotFound;
        let mut page = None;
        while let Some(resources) = remaining.next() {
            let source = resources.source;
            let listing = self
                .provider(source)
                .list_resources(resources.caller(&caller), cursor.take());
            match listing.await {
                Ok(listed) => {
                    let next = listed.next_cursor.clone();
                    let next = next.map(|next| self.owned(source, Some(next)));
                    let following = remaining.peek();
                    let is_over = next.is_none() && following.is_some();
                    let is_empty = listed.resources.is_empty();
                    let following = following.map(|following| self.owned(following.source, None));
                    page = Some(ResourcePage {
                        next_cursor: next.or(following),
                        freshness: freshness(&routes.resources, listed.freshness),
                        ..listed
                    });
                    if !(is_empty && is_over) {
                        break;
                    }
                }
                Err(Failure::Internal(reason)) => {
                    log_line::write(format_args!("mcp: resources/list goes on without {reason}"));
                    failure = Failure::Internal(reason);
                }
                Err(Failure::Unsupported) => failure = Failure::Unsupported,
                Err(other) => return Err(other),
            }
        }
        page.ok_or(failure)
    }

    async fn read_resource(&self, read: Read) -> Result<RoundResult<Contents>, Failure> {
        let routes = self.routes();
        let state = read.round.state.as_deref().and_then(Owned::from_text);
        let asked = match &state {
            Some(owned) => {
                let owner = self.owner(&routes.resources, owned);
                vec![&routes.resources[owner.ok_or(Failure::NotFound)?]]
            }
            None => in_order(&routes.resources, &read.uri),
        };
        let state = state.and_then(|owned| owned.value);
        first_that_has(asked, &read.caller, |resources| {
            let read = Read {
                uri: read.uri.clone(),
                caller: resources.caller(&read.caller),
                round: Round {
                    state: state.clone(),
                    ..read.round.clone()
                },
            };
            self.read(resources.source, read).boxed()
        })
        .await
    }

    async fn get_prompt(
        &self,
        request: PromptRequest,
    ) -> Result<RoundResult<PromptMessages>, Failure> {
        let routes = self.routes();
        let (source, name) = routes.prompt(&request.name).ok_or(Failure::NotFound)?;
        let name = name.to_owned();
        self.provider(source)
            .get_prompt(PromptRequest { name, ..request })
            .await
    }

    async fn complete(&self, completion: Completion) -> Result<Suggestions, Failure> {
        let routes = self.routes();
        match &completion.reference {
            Reference::Prompt { name } => {
                let (source, name) = routes.prompt(name).ok_or(Failure::NotFound)?;
                if !routes.completes.contains(&source) {
                    return Err(Failure::NotFound);
                }
                let name = name.to_owned();
                let completion = Completion {
                    reference: Reference::Prompt { name },
                    ..completion
                };
                self.provider(source).complete(completion).await
            }
            Reference::Resource { uri } => {
                let mut asked = in_order(&routes.resources, uri);
                asked.retain(|resources| routes.completes.contains(&resources.source));
                first_that_has(asked, &completion.caller, |resources| {
                    let provider = self.provider(resources.source);
                    provider.complete(completion.clone()).boxed()
                })
                .await
            }
        }
    }
}

/// Asks components in order, until one has what is asked for. One that fails is passed over.
///
/// # Errors
///
/// If no component has it: [`Failure::InsufficientScope`] where the caller's scopes kept one from being asked, and the
/// failure of one that failed.
async fn first_that_has<'a, R>(
    asked: Vec<&'a ResourceSource>,
    caller: &Caller,
    ask: impl Fn(&'a ResourceSource) -> BoxFuture<'a, Result<R, Failure>>,
) -> Result<R, Failure> {
    let mut failure = Failure::NotFound;
    for resources in asked {
        if !resources.allows(caller) {
            failure = Failure::InsufficientScope(resources.scopes.clone());
            continue;
        }
        match ask(resources).await {
            Err(Failure::NotFound | Failure::Unsupported) => {}
            Err(Failure::Internal(reason)) => failure = Failure::Internal(reason),
            done => return done,
        }
    }
    Err(failure)
}

/// Returns the freshness of a page: what a component gives everyone is not for everyone where another component of
/// them is left out for some.
fn freshness(all: &[ResourceSource], freshness: Freshness) -> Freshness {
    let is_same = all.windows(2).all(|pair| pair[0].scopes == pair[1].scopes);
    Freshness {
        is_shared: freshness.is_shared && is_same,
        ..freshness
    }
}
