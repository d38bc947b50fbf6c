//! The tools, asked for once per instance, and everything made of them in advance.

use crate::tools::OfferedTool;
use mcp::{Revision, tools_list};
use std::collections::HashMap;

/// The tools there are.
pub(crate) struct Toolbox {
    tools: HashMap<String, Terms>,
    /// The result of `tools/list` for each revision.
    lists: [String; Revision::ALL.len()],
}

/// What calling a tool takes.
pub(crate) struct Terms {
    pub(crate) scopes: Vec<String>,
    pub(crate) wants_credential: bool,
}

impl Toolbox {
    /// # Errors
    ///
    /// What is wrong with the tools, for the log.
    pub(crate) fn new(offered: Vec<OfferedTool>) -> Result<Self, String> {
        let lists = Revision::ALL
            .map(|revision| tools_list(offered.iter().map(|offered| &offered.tool), revision));
        let mut tools = HashMap::with_capacity(offered.len());
        for offered in offered {
            let name = offered.tool.name().to_owned();
            let terms = Terms {
                scopes: offered.scopes,
                wants_credential: offered.wants_credential,
            };
            if tools.insert(name.clone(), terms).is_some() {
                return Err(format!("there are two tools named {name}"));
            }
        }
        Ok(Self { tools, lists })
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Terms> {
        self.tools.get(name)
    }

    pub(crate) fn list(&self, revision: Revision) -> &str {
        &self.lists[revision.index()]
    }
}
