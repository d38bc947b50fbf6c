//! The output of a tool.

use crate::bindings::contract;
use crate::bindings::contract::Content;
use crate::error::{Error, Result};
use crate::schema;
use schemars::JsonSchema;
use serde::Serialize;
use std::any::Any;
use std::marker::PhantomData;

/// The result of a tool, part by part: content blocks, and structured content of the type `T`, which gives the output
/// schema.
///
/// ```
/// use gatehouse_sdk::{Content, Output, data, tool};
///
/// #[data]
/// struct Length {
///     metres: f64,
/// }
///
/// /// Measures.
/// #[tool]
/// fn measure() -> Output<Length> {
///     Output::structured(Length { metres: 2.5 }).text("About two and a half metres.")
/// }
///
/// /// Draws.
/// #[tool]
/// fn draw() -> Output {
///     Output::new([Content::text("A dot:"), Content::image(b"...", "image/png")])
/// }
/// ```
#[derive(Debug)]
pub struct Output<T = ()> {
    content: Vec<Content>,
    structured: Option<Result<String>>,
    is_error: bool,
    meta: Option<String>,
    structure: PhantomData<fn() -> T>,
}

impl Output {
    /// Makes a result of content blocks.
    pub fn new(content: impl IntoIterator<Item = Content>) -> Self {
        Self {
            content: content.into_iter().collect(),
            structured: None,
            is_error: false,
            meta: None,
            structure: PhantomData,
        }
    }

    /// Makes a result of content blocks that tell of an error, for the model to read.
    pub fn error(content: impl IntoIterator<Item = Content>) -> Self {
        Self {
            is_error: true,
            ..Self::new(content)
        }
    }
}

impl<T: Serialize> Output<T> {
    /// Makes a result of structured content. Its text is the same as JSON, unless another one is given.
    pub fn structured(value: T) -> Self {
        let json = serde_json::to_string(&value);
        Self {
            content: Vec::new(),
            structured: Some(json.map_err(Error::internal)),
            is_error: false,
            meta: None,
            structure: PhantomData,
        }
    }
}

impl<T> Output<T> {
    /// Adds a text.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.content(Content::text(text))
    }

    /// Adds a content block.
    pub fn content(mut self, content: Content) -> Self {
        self.content.push(content);
        self
    }

    /// With the `_meta` object, which is JSON.
    pub fn meta(mut self, meta: impl Into<String>) -> Self {
        self.meta = Some(meta.into());
        self
    }
}

/// What a tool may return.
#[diagnostic::on_unimplemented(
    message = "a tool cannot return `{Self}`",
    note = "it returns a String, an Output, or what is Serialize and JsonSchema, such as a struct with #[data]; each also in a Result"
)]
pub trait IntoOutput {
    /// Returns the JSON Schema of structured content, if there is any.
    fn output_schema() -> Option<String>;

    /// Returns the result.
    ///
    /// # Errors
    ///
    /// If it cannot be serialized.
    fn into_output(self) -> Result<contract::Output>;
}

impl<T: JsonSchema + 'static> IntoOutput for Output<T> {
    fn output_schema() -> Option<String> {
        schema::output::<T>()
    }

    fn into_output(self) -> Result<contract::Output> {
        let structured = self.structured.transpose()?;
        let mut content = self.content;
        if content.is_empty() {
            content.extend(structured.clone().map(Content::text));
        }
        Ok(contract::Output {
            content,
            structured,
            is_error: self.is_error,
            meta: self.meta,
        })
    }
}

impl<T: Serialize + JsonSchema + 'static> IntoOutput for T {
    fn output_schema() -> Option<String> {
        schema::output::<T>()
    }

    fn into_output(self) -> Result<contract::Output> {
        let any: &dyn Any = &self;
        if let Some(text) = any.downcast_ref::<&'static str>() {
            return Ok(plain(Some((*text).to_owned()), None));
        }
        if any.is::<String>() {
            let any: Box<dyn Any> = Box::new(self);
            let text = any.downcast::<String>().map(|text| *text);
            return Ok(plain(text.ok(), None));
        }
        let json = serde_json::to_string(&self).map_err(Error::internal)?;
        Ok(match json.as_bytes().first() {
            Some(b'{') => plain(Some(json.clone()), Some(json)),
            // A string of another type, such as an enum.
            Some(b'"') => plain(serde_json::from_str(&json).ok(), None),
            Some(b'n') => plain(None, None),
            _ => plain(Some(json), None),
        })
    }
}

fn plain(text: Option<String>, structured: Option<String>) -> contract::Output {
    contract::Output {
        content: text.map(Content::text).into_iter().collect(),
        structured,
        is_error: false,
        meta: None,
    }
}
