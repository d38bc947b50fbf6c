//! A tool, as the attribute defines it.

use crate::bindings::contract::{self, TaskUse, ToolAnnotations};
use crate::context::Context;
use crate::error::Result;
use crate::icon::Icon;
use crate::texts::owned;
use crate::work::Work;

/// What `#[tool]` makes of a function.
#[diagnostic::on_unimplemented(message = "`{Self}` is no tool: it needs #[tool]")]
pub trait Tool {
    /// The tool.
    const DEFINITION: ToolDefinition;
}

/// A tool.
#[doc(hidden)]
#[derive(Debug)]
pub struct ToolDefinition {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: Option<&'static str>,
    pub icons: &'static [Icon],
    pub input_schema: fn() -> String,
    pub output_schema: fn() -> Option<String>,
    pub annotations: ToolAnnotations,
    /// `None`: those of the server.
    pub scopes: Option<&'static [&'static str]>,
    pub wants_credential: bool,
    pub tasks: TaskUse,
    pub meta: Option<&'static str>,
    pub call: fn(String, Context) -> Work<Result<contract::Output>>,
}

impl ToolDefinition {
    pub(crate) fn offered(&self, scopes: &[&str]) -> contract::Tool {
        let hints = &self.annotations;
        let is_hinted = [
            hints.read_only,
            hints.destructive,
            hints.idempotent,
            hints.open_world,
        ]
        .iter()
        .any(Option::is_some);
        contract::Tool {
            name: self.name.to_owned(),
            title: self.title.map(str::to_owned),
            description: self.description.map(str::to_owned),
            icons: Icon::all(self.icons),
            input_schema: (self.input_schema)(),
            output_schema: (self.output_schema)(),
            annotations: is_hinted.then_some(*hints),
            scopes: owned(self.scopes.unwrap_or(scopes)),
            wants_credential: self.wants_credential,
            tasks: self.tasks,
            meta: self.meta.map(str::to_owned),
        }
    }
}
