//! Tools with valid schemas, and the validation of arguments and outputs by them (2025-11-25, Tools).

use crate::{Failure, OfferedTool};
use mcp::Output;
use mcp::header_params::{HeaderParam, header_params};
use schema::{Instance, Schema, ValidationError};
use std::borrow::Cow;
use std::fmt;

/// A tool that can be called.
#[derive(Debug)]
pub(crate) struct ValidatedTool {
    pub(crate) offered: OfferedTool,
    pub(crate) header_params: Vec<HeaderParam>,
    input: Schema,
    output: Option<Schema>,
}

impl ValidatedTool {
    /// # Errors
    ///
    /// Why the tool cannot be offered, for the log.
    pub(crate) fn new(offered: OfferedTool) -> Result<Self, String> {
        let tool = &offered.tool;
        let refused = |what: &str, error: &dyn fmt::Display| {
            let name = tool.name();
            format!("the tool {name} is left out: its {what} is not taken: {error}")
        };
        let input =
            Schema::read(tool.input_schema()).map_err(|error| refused("input schema", &error))?;
        let output = tool.output_schema().map(Schema::read).transpose();
        let output = output.map_err(|error| refused("output schema", &error))?;
        let header_params =
            header_params(input.value()).map_err(|error| refused("input schema", &error))?;
        Ok(Self {
            header_params,
            input,
            output,
            offered,
        })
    }

    /// Returns the arguments, which are a JSON object, as the tool sees them: with the defaults of
    /// its input schema where they lack a property.
    ///
    /// Defaults come before the check, so one for a required property counts. One that does not fit
    /// is a mistake that no caller can mend: then what the caller sent is checked and kept as it is.
    ///
    /// # Errors
    ///
    /// [`Failure`], if they do not fit.
    pub(crate) fn check_arguments<'a>(&self, arguments: &'a str) -> Result<Cow<'a, str>, Failure> {
        let given = Instance::read(arguments)
            .map_err(|error| Failure::InvalidArguments(format!("{WHOLE}: {error}")))?;
        let filled = self.input.with_defaults(&given, WHOLE);
        let Some(filled) = filled.map_err(unfit_arguments)? else {
            self.input.check(&given, WHOLE).map_err(unfit_arguments)?;
            return Ok(arguments.into());
        };
        match self.input.check(&filled, WHOLE) {
            Ok(()) => Ok(filled.value().to_string().into()),
            Err(_) if self.input.check(&given, WHOLE).is_ok() => Ok(arguments.into()),
            Err(unfit) => Err(unfit_arguments(unfit)),
        }
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

/// What the arguments are called in words.
const WHOLE: &str = "`arguments`";

fn unfit_arguments(unfit: ValidationError) -> Failure {
    match unfit {
        ValidationError::Instance(words) => Failure::InvalidArguments(words),
        ValidationError::Schema(error) => {
            Failure::Internal(format!("its input schema cannot be used: {error}"))
        }
    }
}
