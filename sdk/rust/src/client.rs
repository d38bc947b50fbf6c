//! Questions to the client: `elicitation/create`, `sampling/createMessage` and `roots/list`.

use crate::bindings::contract::{Answer, ClientCapabilities, InputRequest, InputRequired};
use crate::channel::Channel;
use crate::schema;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::future::pending;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::rc::Rc;

/// The client, which can be asked.
///
/// A question ends the call. When the client has answered, the function runs **again from its beginning**, perhaps on
/// another machine, and the question returns the answer: do before the last question what may be done twice. The
/// answers to earlier questions are kept, by the id that each question has.
///
/// ```
/// use gatehouse_sdk::{Client, Result, data, tool};
///
/// #[data]
/// struct Size {
///     /// In centimetres
///     height: f64,
/// }
///
/// /// Orders a table.
/// #[tool]
/// async fn order(client: Client) -> Result<String> {
///     let size: Size = client.elicit("size", "How high should it be?").await?;
///     Ok(format!("A table of {} cm.", size.height))
/// }
/// ```
///
/// Questions that do not depend on each other are asked at once if they are waited for at once (`join!`).
#[derive(Clone, Debug)]
pub struct Client(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    capabilities: ClientCapabilities,
    earlier: EarlierRounds,
    remembered: RefCell<Option<Value>>,
    channel: Rc<Channel>,
}

/// The answers of earlier rounds, and what the function kept for this one.
#[derive(Debug, Default, Deserialize, Serialize)]
struct EarlierRounds {
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    answers: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<Value>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The person said no.
    #[error("the person declined to answer")]
    Declined,
    /// The person closed the question.
    #[error("the person did not answer")]
    Cancelled,
    /// The client has no way to ask. Many have none.
    #[error("the client cannot ask this")]
    Unsupported,
    /// The answer is not what was asked for.
    #[error("the answer cannot be read: {0}")]
    Invalid(String),
}

/// A folder or file that the client works with.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Root {
    /// A `file:` URI.
    pub uri: String,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Client {
    pub(crate) fn new(
        capabilities: ClientCapabilities,
        answers: Vec<Answer>,
        state: Option<String>,
        channel: Rc<Channel>,
    ) -> Self {
        let earlier = state.and_then(|state| serde_json::from_str(&state).ok());
        let mut earlier: EarlierRounds = earlier.unwrap_or_default();
        for Answer { id, result } in answers {
            let result = serde_json::from_str(&result).unwrap_or_default();
            earlier.answers.insert(id, result);
        }
        Self(Rc::new(Inner {
            capabilities,
            earlier,
            remembered: RefCell::default(),
            channel,
        }))
    }

    /// Returns what the client can be asked.
    pub fn capabilities(&self) -> ClientCapabilities {
        self.0.capabilities
    }

    /// Asks the person to fill in a form: a struct whose fields are texts, numbers, booleans and enums.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], at once if the client cannot ask.
    pub async fn elicit<T>(&self, id: &str, message: &str) -> Result<T, Unanswered>
    where
        T: DeserializeOwned + JsonSchema,
    {
        let content = self.elicit_as(id, message, schema::form::<T>()).await?;
        read(content)
    }

    /// Asks the person to fill in a form of this JSON Schema, and returns what they filled in.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], at once if the client cannot ask.
    pub async fn elicit_as(
        &self,
        id: &str,
        message: &str,
        schema: Value,
    ) -> Result<Value, Unanswered> {
        let params = json!({ "message": message, "requestedSchema": schema });
        let is_supported = self.0.capabilities.elicits_forms;
        let answer = self
            .ask(id, "elicitation/create", params, is_supported)
            .await?;
        accepted(answer)
    }

    /// Sends the person to a URL, and returns once they agreed to go there.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], at once if the client cannot ask.
    pub async fn open_url(&self, id: &str, message: &str, url: &str) -> Result<(), Unanswered> {
        let params = json!({
            "mode": "url",
            "message": message,
            "url": url,
            "elicitationId": unique(id),
        });
        let is_supported = self.0.capabilities.elicits_urls;
        let answer = self
            .ask(id, "elicitation/create", params, is_supported)
            .await?;
        accepted(answer).map(drop)
    }

    /// Asks the client's model, and returns the text that it writes.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], at once if the client cannot ask.
    pub async fn sample(
        &self,
        id: &str,
        prompt: &str,
        max_tokens: u32,
    ) -> Result<String, Unanswered> {
        let text = json!({ "type": "text", "text": prompt });
        let params = json!({
            "messages": [{ "role": "user", "content": text }],
            "maxTokens": max_tokens,
        });
        let is_supported = self.0.capabilities.samples;
        let answer = self
            .ask(id, "sampling/createMessage", params, is_supported)
            .await?;
        // One block, or several.
        let content = answer["content"].get(0).unwrap_or(&answer["content"]);
        let text = content["text"].as_str();
        text.map(str::to_owned)
            .ok_or_else(|| Unanswered::Invalid("no text".to_owned()))
    }

    /// Asks for the client's roots.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], at once if the client has none.
    pub async fn roots(&self, id: &str) -> Result<Vec<Root>, Unanswered> {
        let is_supported = self.0.capabilities.lists_roots;
        let mut answer = self.ask(id, "roots/list", json!({}), is_supported).await?;
        read(answer["roots"].take())
    }

    /// Makes a request of these parameters, whether or not the client can answer, and returns the result as it is. A
    /// request that the client cannot answer ends the call with an error.
    pub async fn request(&self, id: &str, method: &str, params: Value) -> Value {
        match self.ask(id, method, params, true).await {
            Ok(answer) => answer,
            Err(_) => Value::Null,
        }
    }

    /// Keeps a value until the function runs again because of a question. The client cannot read or change it.
    pub fn remember(&self, value: impl Serialize) {
        *self.0.remembered.borrow_mut() = serde_json::to_value(value).ok();
    }

    /// Returns what was kept before the last question.
    pub fn remembered<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(self.0.earlier.state.as_ref()?).ok()
    }

    /// Returns the answer, or asks and never returns.
    async fn ask(
        &self,
        id: &str,
        method: &str,
        params: Value,
        is_supported: bool,
    ) -> Result<Value, Unanswered> {
        if let Some(answer) = self.0.earlier.answers.get(id) {
            return Ok(answer.clone());
        }
        if !is_supported {
            return Err(Unanswered::Unsupported);
        }
        self.0.channel.ask(InputRequest {
            id: id.to_owned(),
            method: method.to_owned(),
            params: params.to_string(),
        });
        pending().await
    }

    /// Returns the questions with what the next round has to know.
    pub(crate) fn input_required(&self, requests: Vec<InputRequest>) -> InputRequired {
        let rounds = EarlierRounds {
            answers: self.0.earlier.answers.clone(),
            state: self.0.remembered.borrow().clone(),
        };
        let is_worth_keeping = !rounds.answers.is_empty() || rounds.state.is_some();
        let state = is_worth_keeping.then(|| serde_json::to_string(&rounds).ok());
        InputRequired {
            requests,
            state: state.flatten(),
        }
    }
}

/// Returns an identifier that no other call has.
fn unique(id: &str) -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{id}-{random:016x}")
}

/// Returns what the person filled in.
fn accepted(mut answer: Value) -> Result<Value, Unanswered> {
    match answer["action"].as_str() {
        Some("accept") => Ok(answer["content"].take()),
        Some("decline") => Err(Unanswered::Declined),
        _ => Err(Unanswered::Cancelled),
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Unanswered> {
    T::deserialize(value).map_err(|error| Unanswered::Invalid(error.to_string()))
}
