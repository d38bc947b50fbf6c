//! The offer of a server, as the contract has it.

use crate::bindings::contract::{
    Changes, Failure, Freshness, Offer, ResourceOffer, ResourcePage, ServerInfo,
};
use crate::icon::Icon;
use crate::server::Server;
use crate::texts::owned;

impl Server {
    pub(crate) fn offer(&self) -> Offer {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let has_completer = |complete: Option<_>| complete.is_some();
        let arguments = self.prompts.iter().flat_map(|prompt| prompt.arguments);
        let variables = self.resources.iter().flat_map(|resource| resource.complete);
        let completes = arguments
            .map(|argument| argument.complete)
            .any(has_completer)
            || variables.map(|(_, complete)| *complete).any(has_completer);
        Offer {
            server: ServerInfo {
                name: self.name.to_owned(),
                title: text(self.title),
                version: self.version.to_owned(),
                description: text(self.description),
                icons: Icon::all(self.icons),
                website: text(self.website),
            },
            instructions: text(self.instructions),
            tools: self
                .tools
                .iter()
                .map(|tool| tool.offered(self.scopes))
                .collect(),
            prompts: self
                .prompts
                .iter()
                .map(|prompt| prompt.offered(self.scopes))
                .collect(),
            resources: (!self.resources.is_empty()).then(|| self.resource_offer()),
            completes,
            changes: Changes {
                tools: self.changes.tools,
                prompts: self.changes.prompts,
                resources: self.changes.resources,
                resource_contents: self.changes.resource_contents,
            },
        }
    }

    fn resource_offer(&self) -> ResourceOffer {
        let templates = self
            .resources
            .iter()
            .filter(|resource| resource.is_template);
        ResourceOffer {
            templates: templates.map(|template| template.template()).collect(),
            scopes: owned(self.resource_scopes.unwrap_or(self.scopes)),
            wants_credential: self
                .resources
                .iter()
                .any(|resource| resource.wants_credential),
        }
    }

    /// Returns the only page of the resources. It may be kept as long as each of them.
    pub(crate) fn resource_page(&self) -> Result<ResourcePage, Failure> {
        if self.resources.is_empty() {
            return Err(Failure::Unsupported);
        }
        let listed = || {
            self.resources
                .iter()
                .filter(|resource| !resource.is_template)
        };
        let kept: Option<Vec<Freshness>> = listed().map(|resource| resource.freshness()).collect();
        let freshness = kept.and_then(|kept| {
            Some(Freshness {
                ttl: kept.iter().map(|freshness| freshness.ttl).min()?,
                shared: kept.iter().all(|freshness| freshness.shared),
            })
        });
        Ok(ResourcePage {
            resources: listed().map(|resource| resource.listed()).collect(),
            next_cursor: None,
            freshness,
        })
    }
}
