//! The rounds of a request that asks its client something: what the round before left, and what the client answered.
//!
//! A server of 2026-07-28 asks in its result, and is sent the answers with the request made again. One of before asks
//! while the request runs. No connection is held for it: the next round may come to another instance. The request is
//! cancelled and, in the next round, made again from its beginning; what was asked then is answered at once, until the
//! server asks something else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tools_export::{Answer, Context, InputRequest, InputRequired};

/// What a round begins with.
#[derive(Debug, Default)]
pub(crate) struct Round {
    state: State,
    answers: Vec<(String, Box<RawValue>)>,
}

/// What is kept between rounds. Gatehouse seals it for the caller.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    /// There was no round before.
    #[default]
    Nothing,
    /// The server keeps what it wants to know in here, if anything.
    Server(Option<String>),
    /// What was answered so far, in order, and what was asked last.
    Asked {
        answered: Vec<Answered>,
        last: String,
    },
    /// The person was sent to these URLs.
    Opened,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Answered {
    /// The digest of what was asked.
    asked: String,
    result: Box<RawValue>,
}

/// The only question of a round, and what was answered before.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    answered: Vec<Answered>,
    given: usize,
}

/// Questions that one request may ask.
const MAX_QUESTIONS: usize = 32;

/// The id of a question that was asked while its request ran.
const QUESTION: &str = "question";

impl Round {
    /// Reads what the round before left. What cannot be read is none of ours, and the request begins from its beginning.
    pub(crate) fn read(context: &Context) -> Self {
        let state = context.state.as_deref();
        let state = state.and_then(|state| serde_json::from_str(state).ok());
        let answer = |answer: &Answer| {
            let result: Box<RawValue> = serde_json::from_str(&answer.result).ok()?;
            Some((answer.id.clone(), result))
        };
        Self {
            state: state.unwrap_or_default(),
            answers: context.answers.iter().filter_map(answer).collect(),
        }
    }

    /// Returns what a server of 2026-07-28 is told: its answers and its state.
    pub(crate) fn for_server(&self) -> (BTreeMap<&str, &RawValue>, Option<&str>) {
        let State::Server(state) = &self.state else {
            return (BTreeMap::new(), None);
        };
        let answers = self.answers.iter().map(|(id, result)| (&**id, &**result));
        (answers.collect(), state.as_deref())
    }

    /// Returns whether the person was sent to URLs and did not go to each.
    pub(crate) fn is_declined(&self) -> bool {
        #[derive(Deserialize)]
        struct Result {
            action: String,
        }
        let is_accepted = |result: &RawValue| {
            let result: Option<Result> = serde_json::from_str(result.get()).ok();
            result.is_some_and(|result| result.action == "accept")
        };
        matches!(self.state, State::Opened)
            && !self.answers.iter().all(|(_, result)| is_accepted(result))
    }

    /// Returns the answers to what a server of before asks.
    pub(crate) fn into_answers(self) -> Answers {
        let State::Asked { mut answered, last } = self.state else {
            return Answers::default();
        };
        let mut answers = self.answers.into_iter();
        if let Some((_, result)) = answers.find(|(id, _)| id == QUESTION) {
            let asked = last;
            answered.push(Answered { asked, result });
        }
        Answers { answered, given: 0 }
    }
}

/// Returns the end of a round of a server of 2026-07-28.
pub(crate) fn asked_by_server(requests: Vec<InputRequest>, state: Option<String>) -> InputRequired {
    input_required(requests, &State::Server(state))
}

/// Returns the end of a round that sends the person to URLs.
pub(crate) fn opened(requests: Vec<InputRequest>) -> InputRequired {
    input_required(requests, &State::Opened)
}

impl Answers {
    /// Returns the answer to what is asked now, if it was asked before at the same point.
    pub(crate) fn next(&mut self, method: &str, params: &str) -> Option<Box<RawValue>> {
        let known = self.answered.get(self.given)?;
        if known.asked != digest(method, params) {
            // It goes another way than before: later answers are to other questions.
            self.answered.truncate(self.given);
            return None;
        }
        self.given += 1;
        Some(known.result.clone())
    }

    /// Returns whether one more may be asked.
    pub(crate) fn may_ask(&self) -> bool {
        self.given < MAX_QUESTIONS
    }

    /// Returns the end of a round that asks this.
    pub(crate) fn ask(self, method: &str, params: &str) -> InputRequired {
        let state = State::Asked {
            last: digest(method, params),
            answered: self.answered,
        };
        let request = InputRequest {
            id: QUESTION.to_owned(),
            method: method.to_owned(),
            params: params.to_owned(),
        };
        input_required(vec![request], &state)
    }
}

fn input_required(requests: Vec<InputRequest>, state: &State) -> InputRequired {
    InputRequired {
        requests,
        state: serde_json::to_string(state).ok(),
    }
}

fn digest(method: &str, params: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(method);
    digest.update([0]);
    digest.update(params);
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    const FORM: &str = r#"{"message":"Name?"}"#;

    fn next(asked: InputRequired, answers: &[(&str, &str)]) -> Round {
        let mut context = context();
        context.state = asked.state;
        let answer = |(id, result): &(&str, &str)| Answer {
            id: (*id).to_owned(),
            result: (*result).to_owned(),
        };
        context.answers = answers.iter().map(answer).collect();
        Round::read(&context)
    }

    fn answer(answers: &mut Answers, params: &str) -> Option<String> {
        let answer = answers.next("elicitation/create", params)?;
        Some(answer.get().to_owned())
    }

    #[test]
    fn what_was_answered_is_answered_again_in_the_same_order() {
        let mut answers = Round::read(&context()).into_answers();
        assert_eq!(answer(&mut answers, FORM), None);
        let asked = answers.ask("elicitation/create", FORM);
        assert_eq!(asked.requests[0].params, FORM);
        let mut answers = next(asked, &[("question", "{\"a\":1}")]).into_answers();
        assert_eq!(answer(&mut answers, FORM).as_deref(), Some("{\"a\":1}"));
        assert_eq!(
            answer(&mut answers, FORM),
            None,
            "the second is another question"
        );
        let asked = answers.ask("elicitation/create", FORM);
        let mut answers = next(asked, &[("question", "{\"a\":2}")]).into_answers();
        assert_eq!(answer(&mut answers, FORM).as_deref(), Some("{\"a\":1}"));
        assert_eq!(answer(&mut answers, FORM).as_deref(), Some("{\"a\":2}"));
    }

    #[test]
    fn an_answer_is_never_given_to_another_question() {
        let asked = Answers::default().ask("elicitation/create", FORM);
        let mut answers = next(asked, &[("question", "{}")]).into_answers();
        assert_eq!(answer(&mut answers, "{\"message\":\"Card number?\"}"), None);
        assert_eq!(answer(&mut answers, FORM), None, "the way back is gone");
        let asked = Answers::default().ask("sampling/createMessage", FORM);
        let mut answers = next(asked, &[("question", "{}")]).into_answers();
        assert_eq!(answer(&mut answers, FORM), None, "the method is another");
    }

    #[test]
    fn what_the_client_did_not_answer_is_asked_again() {
        let asked = Answers::default().ask("elicitation/create", FORM);
        let mut answers = next(asked, &[("other", "{}"), ("question", "no json")]).into_answers();
        assert_eq!(answer(&mut answers, FORM), None);
    }

    #[test]
    fn a_request_asks_only_so_often() {
        let mut answers = Answers::default();
        for _ in 0..MAX_QUESTIONS {
            assert!(answers.may_ask());
            let mut next =
                next(answers.ask("roots/list", "{}"), &[("question", "{}")]).into_answers();
            while next.next("roots/list", "{}").is_some() {}
            answers = next;
        }
        assert!(!answers.may_ask());
    }

    #[test]
    fn a_stateless_server_gets_its_state_and_the_answers_by_its_ids() {
        for state in [Some("opaque".to_owned()), None] {
            let round = next(
                asked_by_server(Vec::new(), state.clone()),
                &[("name", "{}")],
            );
            let (answers, back) = round.for_server();
            assert_eq!((answers.len(), back), (1, state.as_deref()));
        }
        // Neither comes from a round of another kind.
        let asked = Answers::default().ask("roots/list", "{}");
        let round = next(asked, &[("question", "{}")]);
        assert_eq!(round.for_server().0.len(), 0);
        let round = next(asked_by_server(Vec::new(), None), &[("question", "{}")]);
        assert_eq!(round.into_answers().answered.len(), 0);
    }

    #[test]
    fn a_url_that_was_not_opened_ends_the_call() {
        let declined = |answers: &[(&str, &str)]| next(opened(Vec::new()), answers).is_declined();
        assert!(!declined(&[("0", r#"{"action":"accept"}"#)]));
        assert!(declined(&[
            ("0", r#"{"action":"accept"}"#),
            ("1", r#"{"action":"cancel"}"#)
        ]));
        assert!(declined(&[("0", "{}")]));
        assert!(!next(asked_by_server(Vec::new(), None), &[("0", "{}")]).is_declined());
    }

    #[test]
    fn a_state_that_is_none_of_ours_begins_from_the_beginning() {
        let mut context = context();
        for state in ["", "{}", "null", "\"x\"", "{\"asked\":{}}"] {
            context.state = Some(state.to_owned());
            let round = Round::read(&context);
            assert!(matches!(round.state, State::Nothing), "{state}");
        }
    }
}
