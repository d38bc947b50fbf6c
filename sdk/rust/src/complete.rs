//! Completion of arguments of prompts and of variables of URI templates.

use crate::bindings::contract::Caller;
use crate::error::Result;
use crate::work::Work;

/// What completes an argument.
pub type Completer = fn(Completion) -> Work<Result<Vec<String>>>;

/// An argument that a person is typing.
#[derive(Clone, Debug)]
pub struct Completion {
    /// What there is of it so far.
    pub typed: String,
    /// The other arguments, as far as they are known: names and values.
    pub known: Vec<(String, String)>,
    /// Who is typing.
    pub caller: Caller,
}

/// What stands in `#[complete(...)]`: an array of texts, of which those are taken that begin with what was typed; or a
/// `fn(&Completion)` or `async fn(Completion)`, which returns what an argument may be. At most 100 values reach the
/// client.
///
/// `Kind` tells them apart.
#[diagnostic::on_unimplemented(
    message = "this completes nothing",
    note = "it is an array of texts, a `fn(&Completion) -> Vec<String>` or an `async fn(Completion) -> Vec<String>`, or of other texts in a row"
)]
pub trait Complete<Kind> {
    /// Returns what the argument may be.
    fn complete(self, completion: Completion) -> impl Future<Output = Result<Vec<String>>>;
}

impl<F, I> Complete<fn(&Completion) -> I> for F
where
    F: Fn(&Completion) -> I,
    I: IntoIterator<Item: Into<String>>,
{
    async fn complete(self, completion: Completion) -> Result<Vec<String>> {
        Ok(self(&completion).into_iter().map(Into::into).collect())
    }
}

impl<F, W, I> Complete<fn(Completion) -> W> for F
where
    F: Fn(Completion) -> W,
    W: Future<Output = I>,
    I: IntoIterator<Item: Into<String>>,
{
    async fn complete(self, completion: Completion) -> Result<Vec<String>> {
        Ok(self(completion).await.into_iter().map(Into::into).collect())
    }
}

impl<T: AsRef<str>, const N: usize> Complete<[T; N]> for [T; N] {
    async fn complete(self, completion: Completion) -> Result<Vec<String>> {
        let texts = self.iter().map(AsRef::as_ref);
        let fitting = texts.filter(|text| text.starts_with(&completion.typed));
        Ok(fitting.map(str::to_owned).collect())
    }
}
