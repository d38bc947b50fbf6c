//! A tool whose schemas were looked at, and holding calls against them.

use crate::{Failure, OfferedTool};
use mcp::Output;
use schema::{Instance, Mirrored, Schema, SchemaError, Unfit};

/// A tool that can be called.
#[derive(Debug)]
pub(crate) struct CheckedTool {
    pub(crate) offered: OfferedTool,
    /// The arguments that clients of 2026-07-28 repeat in headers.
    pub(crate) mirrored: Vec<Mirrored>,
    input: Schema,
    output: Option<Schema>,
}

impl CheckedTool {
    /// # Errors
    ///
    /// Why the tool cannot be offered, for the log.
    pub(crate) fn new(offered: OfferedTool) -> Result<Self, String> {
        let tool = &offered.tool;
        let refused = |what| {
            let name = tool.name().to_owned();
            move |error: SchemaError| {
                format!("the tool {name} is left out: its {what} is not taken: {error}")
            }
        };
        let input = Schema::read(tool.input_schema()).map_err(refused("input schema"))?;
        let output = tool
            .output_schema()
            .map(Schema::read)
            .transpose()
            .map_err(refused("output schema"))?;
        Ok(Self {
            mirrored: input.mirrored().map_err(refused("input schema"))?,
            input,
            output,
            offered,
        })
    }

    /// Whether the tool may see these arguments, which are a JSON object.
    ///
    /// # Errors
    ///
    /// [`Failure`].
    pub(crate) fn check_arguments(&self, arguments: &str) -> Result<(), Failure> {
        const WHOLE: &str = "`arguments`";
        let arguments = Instance::read(arguments)
            .map_err(|error| Failure::InvalidArguments(format!("{WHOLE}: {error}")))?;
        self.input
            .check(&arguments, WHOLE)
            .map_err(|unfit| match unfit {
                Unfit::Instance(words) => Failure::InvalidArguments(words),
                Unfit::Schema(error) => {
                    Failure::Internal(format!("its input schema cannot be used: {error}"))
                }
            })
    }

    /// Whether a client may see this output (2026-07-28, Tools, Output Schema).
    ///
    /// # Errors
    ///
    /// What is wrong, for the log.
    pub(crate) fn check_output(&self, output: &Output) -> Result<(), String> {
        let Some(schema) = self.output.as_ref().filter(|_| !output.is_error) else {
            return Ok(());
        };
        let structured = output.structured.as_deref();
        let structured =
            structured.ok_or("no structured content, though it has an output schema")?;
        let instance = Instance::read(structured)
            .map_err(|error| format!("structured content that cannot be read: {error}"))?;
        schema
            .check(&instance, "the whole")
            .map_err(|unfit| format!("structured content that does not fit: {unfit}"))
    }
}
