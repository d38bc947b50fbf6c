//! The rounds of a request that asks its client something: what the round before left, and what the client answered.
//!
//! A server of 2026-07-28 asks in its result, and is sent the answers with the request made again. One of before asks
//! while the request runs. No connection is held for it: the next round may come to another instance. The request is
//! cancelled and, in the next round, made again from its beginning; what was asked then is answered at once, until the
//! server asks something else.

use crate::question::Question;
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
    kept: Kept,
    answers: Vec<(String, Box<RawValue>)>,
}

/// What is kept between rounds. Gatehouse seals it for the caller.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Kept {
    /// Rounds that ended with a question.
    rounds: u32,
    state: State,
}

/// What is kept of the questions.
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
        answered: Vec<InputResponse>,
        last: String,
    },
    /// The person was sent to URLs, after this was answered. A URL is new each time, so nothing is answered with it.
    Opened { answered: Vec<InputResponse> },
}

/// An answer of the client, as kept for later rounds.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct InputResponse {
    /// The digest of what was asked.
    asked: String,
    result: Box<RawValue>,
}

/// What was answered in earlier rounds.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    answered: Vec<InputResponse>,
    given: usize,
}

/// Rounds of one request that may end with a question.
const MAX_ROUNDS: u32 = 32;

/// The id of a question that was asked while its request ran.
const QUESTION: &str = "question";

impl Round {
    /// Reads what the round before left. A state that cannot be read is not one of this client, and the request begins
    /// from its beginning.
    pub(crate) fn read(context: &Context) -> Self {
        let kept = context.state.as_deref();
        let kept = kept.and_then(|kept| serde_json::from_str(kept).ok());
        let answer = |answer: &Answer| {
            let result: Box<RawValue> = serde_json::from_str(&answer.result).ok()?;
            Some((answer.id.clone(), result))
        };
        Self {
            kept: kept.unwrap_or_default(),
            answers: context.answers.iter().filter_map(answer).collect(),
        }
    }

    /// Returns what a server of 2026-07-28 is told: its answers and its state.
    pub(crate) fn for_server(&self) -> (BTreeMap<&str, &RawValue>, Option<&str>) {
        let State::Server(state) = &self.kept.state else {
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
        matches!(self.kept.state, State::Opened { .. })
            && !self.answers.iter().all(|(_, result)| is_accepted(result))
    }

    /// Returns whether this round may end with a question.
    pub(crate) fn may_ask(&self) -> bool {
        self.kept.rounds < MAX_ROUNDS
    }

    /// Returns the answers to what a server of before asks.
    pub(crate) fn answers(&self) -> Answers {
        let answered = match &self.kept.state {
            State::Asked { answered, last } => {
                let mut answered = answered.clone();
                let mut answers = self.answers.iter();
                if let Some((_, result)) = answers.find(|(id, _)| id == QUESTION) {
                    let (asked, result) = (last.clone(), result.clone());
                    answered.push(InputResponse { asked, result });
                }
                answered
            }
            State::Opened { answered } => answered.clone(),
            State::Nothing | State::Server(_) => Vec::new(),
        };
        Answers { answered, given: 0 }
    }

    /// Returns the end of the round of a server of 2026-07-28, which asks this.
    pub(crate) fn asked_by_server(
        &self,
        requests: Vec<InputRequest>,
        state: Option<String>,
    ) -> InputRequired {
        self.ended(requests, State::Server(state))
    }

    /// Returns the end of the round if it sends the person to URLs.
    pub(crate) fn opened(&self, requests: Vec<InputRequest>, answers: Answers) -> InputRequired {
        let answered = answers.answered;
        self.ended(requests, State::Opened { answered })
    }

    /// Returns the end of the round if it asks this.
    pub(crate) fn asked(&self, question: &Question, answers: Answers) -> InputRequired {
        let Question { method, params, .. } = question;
        let request = InputRequest {
            id: QUESTION.to_owned(),
            method: method.clone(),
            params: params.clone(),
        };
        if question.is_of_url {
            return self.opened(vec![request], answers);
        }
        let state = State::Asked {
            last: digest(method, params),
            answered: answers.answered,
        };
        self.ended(vec![request], state)
    }

    fn ended(&self, requests: Vec<InputRequest>, state: State) -> InputRequired {
        let kept = Kept {
            rounds: self.kept.rounds + 1,
            state,
        };
        InputRequired {
            requests,
            state: serde_json::to_string(&kept).ok(),
        }
    }
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

    fn first() -> Round {
        Round::read(&context())
    }

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

    fn question(method: &str, is_of_url: bool) -> Question {
        Question {
            method: method.to_owned(),
            params: FORM.to_owned(),
            is_of_url,
        }
    }

    /// Asks in this round for a form.
    fn ask(round: &Round, answers: Answers) -> InputRequired {
        round.asked(&question("elicitation/create", false), answers)
    }

    fn answer(answers: &mut Answers, params: &str) -> Option<String> {
        let answer = answers.next("elicitation/create", params)?;
        Some(answer.get().to_owned())
    }

    #[test]
    fn what_was_answered_is_answered_again_in_the_same_order() {
        let round = first();
        let mut answers = round.answers();
        assert_eq!(answer(&mut answers, FORM), None);
        let asked = ask(&round, answers);
        assert_eq!(asked.requests[0].params, FORM);
        let round = next(asked, &[("question", "{\"a\":1}")]);
        let mut answers = round.answers();
        assert_eq!(answer(&mut answers, FORM).as_deref(), Some("{\"a\":1}"));
        assert_eq!(
            answer(&mut answers, FORM),
            None,
            "the second is another question"
        );
        let asked = ask(&round, answers);
        let mut answers = next(asked, &[("question", "{\"a\":2}")]).answers();
        assert_eq!(answer(&mut answers, FORM).as_deref(), Some("{\"a\":1}"));
        assert_eq!(answer(&mut answers, FORM).as_deref(), Some("{\"a\":2}"));
    }

    #[test]
    fn an_answer_is_never_given_to_another_question() {
        let asked = ask(&first(), Answers::default());
        let mut answers = next(asked, &[("question", "{}")]).answers();
        assert_eq!(answer(&mut answers, "{\"message\":\"Card number?\"}"), None);
        assert_eq!(answer(&mut answers, FORM), None, "the way back is gone");
        let sampling = question("sampling/createMessage", false);
        let asked = first().asked(&sampling, Answers::default());
        let mut answers = next(asked, &[("question", "{}")]).answers();
        assert_eq!(answer(&mut answers, FORM), None, "the method is another");
    }

    #[test]
    fn what_the_client_did_not_answer_is_asked_again() {
        let asked = ask(&first(), Answers::default());
        let mut answers = next(asked, &[("other", "{}"), ("question", "no json")]).answers();
        assert_eq!(answer(&mut answers, FORM), None);
    }

    #[test]
    fn a_url_that_was_opened_is_answered_to_nothing_and_what_came_before_stays() {
        let asked = ask(&first(), Answers::default());
        let round = next(asked, &[("question", "{}")]);
        let url = question("elicitation/create", true);
        let asked = round.asked(&url, round.answers());
        let round = next(asked, &[("question", r#"{"action":"accept"}"#)]);
        assert!(!round.is_declined());
        let mut answers = round.answers();
        assert!(answer(&mut answers, FORM).is_some());
        assert_eq!(answer(&mut answers, FORM), None);
        let asked = round.asked(&url, round.answers());
        assert!(next(asked, &[("question", r#"{"action":"decline"}"#)]).is_declined());
    }

    #[test]
    fn a_request_asks_only_so_often_whatever_it_asks() {
        let ways: [fn(&Round) -> InputRequired; 3] = [
            |round| ask(round, Answers::default()),
            |round| round.opened(Vec::new(), Answers::default()),
            |round| round.asked_by_server(Vec::new(), None),
        ];
        let mut round = first();
        for way in ways.iter().cycle().take(MAX_ROUNDS as usize) {
            assert!(round.may_ask());
            round = next(way(&round), &[]);
        }
        assert!(!round.may_ask());
    }

    #[test]
    fn a_stateless_server_gets_its_state_and_the_answers_by_its_ids() {
        for state in [Some("opaque".to_owned()), None] {
            let asked = first().asked_by_server(Vec::new(), state.clone());
            let round = next(asked, &[("name", "{}")]);
            let (answers, back) = round.for_server();
            assert_eq!((answers.len(), back), (1, state.as_deref()));
        }
        // Neither comes from a round of another kind.
        let round = next(ask(&first(), Answers::default()), &[("question", "{}")]);
        assert_eq!(round.for_server().0.len(), 0);
        let asked = first().asked_by_server(Vec::new(), None);
        let round = next(asked, &[("question", "{}")]);
        assert_eq!(round.answers().answered.len(), 0);
    }

    #[test]
    fn a_url_that_was_not_opened_ends_the_call() {
        let declined = |answers: &[(&str, &str)]| {
            next(first().opened(Vec::new(), Answers::default()), answers).is_declined()
        };
        assert!(!declined(&[("0", r#"{"action":"accept"}"#)]));
        assert!(declined(&[
            ("0", r#"{"action":"accept"}"#),
            ("1", r#"{"action":"cancel"}"#)
        ]));
        assert!(declined(&[("0", "{}")]));
        let asked = first().asked_by_server(Vec::new(), None);
        assert!(!next(asked, &[("0", "{}")]).is_declined());
    }

    #[test]
    fn a_state_that_is_none_of_ours_begins_from_the_beginning() {
        let mut context = context();
        for state in ["", "{}", "null", "\"x\"", "{\"asked\":{}}"] {
            context.state = Some(state.to_owned());
            let round = Round::read(&context);
            assert!(matches!(round.kept.state, State::Nothing), "{state}");
        }
    }
}
