//! The offers of several components as one, and the routes to where everything of it is.

use crate::names::{Named, unique};
use crate::resources::ResourceSource;
use mcpserver::{Changes, Offer, OfferedPrompt, OfferedTool, ResourceOffer};
use std::collections::{HashMap, HashSet};

/// Where the parts of a merged offer are.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    tools: HashMap<String, Named>,
    prompts: HashMap<String, Named>,
    /// The components with resources, in order.
    pub(crate) resources: Vec<ResourceSource>,
    /// The components that complete arguments.
    pub(crate) completes: HashSet<usize>,
}

impl Routes {
    /// Returns the component of a tool, and the name that it has there.
    pub(crate) fn tool(&self, name: &str) -> Option<(usize, &str)> {
        let named = self.tools.get(name)?;
        Some((named.source, &named.original))
    }

    /// Returns the component of a prompt, and the name that it has there.
    pub(crate) fn prompt(&self, name: &str) -> Option<(usize, &str)> {
        let named = self.prompts.get(name)?;
        Some((named.source, &named.original))
    }
}

/// Merges offers, each with the index of its component. The first one says who the server is.
pub(crate) fn merge(ids: &[&str], offers: Vec<(usize, Offer)>) -> (Offer, Routes) {
    let mut routes = Routes::default();
    let mut merged = Offer::default();
    let mut instructions = Vec::new();
    let (mut tools, mut prompts) = (Vec::new(), Vec::new());
    let mut resources = Vec::new();
    for (position, (source, offer)) in offers.into_iter().enumerate() {
        if position == 0 {
            merged.server = offer.server;
        }
        instructions.extend(offer.instructions);
        tools.extend(offer.tools.into_iter().map(|tool| (source, tool)));
        prompts.extend(offer.prompts.into_iter().map(|prompt| (source, prompt)));
        if let Some(offered) = offer.resources {
            routes.resources.push(ResourceSource::new(source, &offered));
            resources.push(offered);
        }
        if offer.completes {
            routes.completes.insert(source);
        }
        merged.changes = either(merged.changes, offer.changes);
        merged.missing.extend(offer.missing);
        merged.left_out.extend(offer.left_out);
    }
    if !instructions.is_empty() {
        merged.instructions = Some(instructions.join("\n\n"));
    }
    merged.completes = !routes.completes.is_empty();
    merged.resources = merge_resources(resources);

    let names = tools
        .iter()
        .map(|(source, tool)| (*source, tool.tool.name().to_owned()));
    let names = unique(ids, names.collect());
    for ((_, offered), named) in tools.into_iter().zip(names) {
        match offered.tool.renamed(named.public.clone()) {
            Ok(tool) => merged.tools.push(OfferedTool { tool, ..offered }),
            // It is there, and will not come later.
            Err(error) => {
                log_line::write(format_args!("mcp: {} is left out: {error}", named.public));
                continue;
            }
        }
        routes.tools.insert(named.public.clone(), named);
    }
    let names = prompts
        .iter()
        .map(|(source, prompt)| (*source, prompt_name(prompt)));
    let names = unique(ids, names.collect());
    for ((_, mut offered), named) in prompts.into_iter().zip(names) {
        offered.prompt.metadata.name.clone_from(&named.public);
        merged.prompts.push(offered);
        routes.prompts.insert(named.public.clone(), named);
    }
    (merged, routes)
}

/// Returns what a component offers twice under one name, which no client could tell apart.
pub(crate) fn duplicate(offer: &Offer) -> Option<String> {
    let mut names = HashSet::new();
    let tools = offer
        .tools
        .iter()
        .map(|tool| format!("tools named {}", tool.tool.name()));
    let prompts = offer.prompts.iter();
    let prompts = prompts.map(|prompt| format!("prompts named {}", prompt_name(prompt)));
    tools
        .chain(prompts)
        .find(|name| !names.insert(name.clone()))
}

fn prompt_name(offered: &OfferedPrompt) -> String {
    offered.prompt.metadata.name.clone()
}

/// Resources are listed and read with the scopes that all components ask for; a component that asks for more is left out
/// where the caller has no more. A change of them is told to those alone who may read all.
fn merge_resources(offers: Vec<ResourceOffer>) -> Option<ResourceOffer> {
    offers.into_iter().reduce(|merged, offer| {
        let is_common = |scope: &String| offer.scopes.contains(scope);
        let further = offer.change_scopes.iter();
        let further = further.filter(|scope| !merged.change_scopes.contains(scope));
        ResourceOffer {
            change_scopes: merged
                .change_scopes
                .iter()
                .chain(further)
                .cloned()
                .collect(),
            scopes: merged.scopes.into_iter().filter(is_common).collect(),
            templates: [merged.templates, offer.templates].concat(),
            wants_credential: merged.wants_credential || offer.wants_credential,
        }
    })
}

fn either(one: Changes, other: Changes) -> Changes {
    Changes {
        tools: one.tools || other.tools,
        prompts: one.prompts || other.prompts,
        resources: one.resources || other.resources,
        resource_contents: one.resource_contents || other.resource_contents,
    }
}
