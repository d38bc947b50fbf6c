//! A summary of the offer for the landing page, which shows it to people who have not signed in.

use crate::contract::tools::Offer;
use mcp::{ServerInfo, Tool};
use serde::Serialize;

/// Tools at most, and prompts.
const MAX_ITEMS: usize = 100;

/// Characters of a description at most.
const MAX_DESCRIPTION: usize = 300;

#[derive(Serialize)]
struct Summary<'a> {
    /// `Implementation` of MCP.
    server: &'a ServerInfo,
    tools: Items<'a>,
    prompts: Items<'a>,
}

#[derive(Serialize)]
struct Items<'a> {
    first: Vec<Item<'a>>,
    /// How many there are beside these.
    more: usize,
}

#[derive(Serialize)]
struct Item<'a> {
    name: &'a str,
    title: Option<&'a str>,
    description: Option<String>,
    scopes: &'a [String],
}

/// Returns the summary of an offer with these tools, as JSON: the server, and the names, titles, descriptions and scopes of
/// its tools and prompts.
pub(crate) fn summary<'a>(
    offer: &'a Offer,
    tools: impl ExactSizeIterator<Item = (&'a Tool, &'a [String])>,
) -> String {
    let tools = tools.map(|(tool, scopes)| {
        let of = tool.description();
        item(&of.name, &of.title, &of.description, scopes)
    });
    let prompts = offer.prompts.iter().map(|offered| {
        let of = &offered.prompt.metadata;
        item(&of.name, &of.title, &of.description, &offered.scopes)
    });
    let summary = Summary {
        server: &offer.server,
        tools: items(tools),
        prompts: items(prompts),
    };
    serde_json::to_string(&summary).unwrap_or_default()
}

fn items<'a>(all: impl ExactSizeIterator<Item = Item<'a>>) -> Items<'a> {
    let more = all.len().saturating_sub(MAX_ITEMS);
    Items {
        first: all.take(MAX_ITEMS).collect(),
        more,
    }
}

fn item<'a>(
    name: &'a str,
    title: &'a Option<String>,
    description: &Option<String>,
    scopes: &'a [String],
) -> Item<'a> {
    Item {
        name,
        title: title.as_deref(),
        description: description.as_deref().map(shortened),
        scopes,
    }
}

/// Returns the first paragraph, shortened. What follows is for models.
fn shortened(text: &str) -> String {
    let first = text.trim().split("\n\n").next().unwrap_or_default();
    match first.char_indices().nth(MAX_DESCRIPTION) {
        Some((end, _)) => format!("{}…", first[..end].trim_end()),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_its_first_paragraph_and_short() {
        assert_eq!(
            shortened("\nAdds.\nTwo numbers.\n\nFor models."),
            "Adds.\nTwo numbers."
        );
        let long = shortened(&"ü".repeat(MAX_DESCRIPTION + 1));
        assert_eq!(long.chars().count(), MAX_DESCRIPTION + 1);
        assert!(long.ends_with('…'));
    }
}
