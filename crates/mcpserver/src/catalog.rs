//! What is offered, asked for once per instance, and everything made of it in advance.

use crate::checked::CheckedTool;
use crate::tools::{Offer, OfferedPrompt, ResourceOffer};
use mcp::capabilities::{Empty, ListChanged, ResourceCapabilities};
use mcp::{
    Freshness, Garbage, Revision, ServerCapabilities, discover_result, prompts_list,
    resource_templates_list, tools_list,
};
use std::collections::HashMap;
use std::sync::Arc;

/// What there is.
pub(crate) struct Catalog {
    tools: HashMap<String, Arc<CheckedTool>>,
    prompts: HashMap<String, OfferedPrompt>,
    pub(crate) resources: Option<ResourceOffer>,
    pub(crate) completes: bool,
    pub(crate) instructions: Option<String>,
    /// Why tools are left out that the component offers, for the log.
    pub(crate) complaints: Vec<String>,
    prepared: [Prepared; Revision::ALL.len()],
}

/// What a revision is answered with, whoever asks.
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
    /// # Errors
    ///
    /// What is wrong with the offer, for the log.
    pub(crate) fn new(mut offer: Offer) -> Result<Self, String> {
        let mut complaints = Vec::new();
        let mut tools = Vec::with_capacity(offer.tools.len());
        for offered in std::mem::take(&mut offer.tools) {
            match CheckedTool::new(offered) {
                Ok(tool) => tools.push(Arc::new(tool)),
                Err(complaint) => complaints.push(complaint),
            }
        }
        let prepare = |revision| {
            Prepared::new(&offer, &tools, revision)
                .map_err(|garbage| format!("they have {garbage}"))
        };
        let prepared = Revision::ALL.map(prepare);
        let prepared: Vec<Prepared> = prepared.into_iter().collect::<Result<_, _>>()?;
        let prepared = prepared.try_into().map_err(|_| "a revision is missing")?;
        Ok(Self {
            prepared,
            tools: by_name("tools", tools, |one| one.offered.tool.name())?,
            prompts: by_name("prompts", offer.prompts, |one| &one.prompt.name)?,
            resources: offer.resources,
            completes: offer.completes,
            instructions: offer.instructions,
            complaints,
        })
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<CheckedTool>> {
        self.tools.get(name)
    }

    pub(crate) fn prompt(&self, name: &str) -> Option<&OfferedPrompt> {
        self.prompts.get(name)
    }

    pub(crate) fn prepared(&self, revision: Revision) -> &Prepared {
        &self.prepared[revision.index()]
    }
}

fn by_name<T>(
    kind: &str,
    items: Vec<T>,
    name: impl Fn(&T) -> &str,
) -> Result<HashMap<String, T>, String> {
    let mut named = HashMap::with_capacity(items.len());
    for item in items {
        let key = name(&item).to_owned();
        if named.insert(key.clone(), item).is_some() {
            return Err(format!("there are two {kind} named {key}"));
        }
    }
    Ok(named)
}

impl Prepared {
    fn new(offer: &Offer, tools: &[Arc<CheckedTool>], revision: Revision) -> Result<Self, Garbage> {
        let tools = tools.iter().map(|one| &one.offered.tool);
        let prompts = offer.prompts.iter().map(|offered| &offered.prompt);
        let resources = offer.resources.as_ref();
        let templates = resources.map_or(&[][..], |resources| &resources.templates);
        let capabilities = capabilities(offer, revision);
        let instructions = offer.instructions.as_deref();
        Ok(Self {
            discover: discover_result(revision, &capabilities, instructions, FRESHNESS),
            capabilities,
            tools: tools_list(tools, revision, FRESHNESS)?,
            prompts: prompts_list(prompts, revision, FRESHNESS)?,
            templates: resource_templates_list(templates, revision, FRESHNESS)?,
        })
    }
}

/// Nobody is told of changes yet, so none is announced.
fn capabilities(offer: &Offer, revision: Revision) -> ServerCapabilities {
    ServerCapabilities {
        // As ever, `tools` is there even where there are none: clients ask for them first of all.
        tools: Some(ListChanged::default()),
        prompts: (!offer.prompts.is_empty()).then(ListChanged::default),
        resources: offer
            .resources
            .is_some()
            .then(ResourceCapabilities::default),
        completions: (offer.completes && revision >= Revision::V2025_03_26).then_some(Empty {}),
        logging: Some(Empty {}),
        ..ServerCapabilities::default()
    }
}

/// The lists depend on nobody, and change with a new version of their component alone.
const FRESHNESS: Freshness = Freshness {
    ttl: 60_000,
    is_shared: true,
};
