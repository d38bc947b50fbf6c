//! Requests to several components, each of which notes what it was asked.

use crate::{Source, Sources};
use futures::executor::block_on;
use identity::Profile;
use mcp::{
    BaseMetadata, Contents, Freshness, Prompt, PromptMessages, Reference, Resource, ResourcePage,
    ResourceTemplate, ServerInfo, Suggestions, Tool, ToolDescription,
};
use mcpserver::{
    Call, Caller, Changes, Completion, Credential, Event, Events, Failure, InputRequired, Offer,
    OfferedPrompt, OfferedTool, PromptRequest, Read, ResourceOffer, Round, RoundResult, TaskUse,
    ToolProvider,
};
use std::sync::{Arc, Mutex};

/// A component with some tools and prompts, and resources whose URIs begin with its id.
#[derive(Clone, Default)]
struct Component {
    id: &'static str,
    tools: Vec<&'static str>,
    /// The scopes of its resources, if it has any.
    resources: Option<&'static str>,
    has_template: bool,
    wants_credential: bool,
    log: Arc<Mutex<Vec<String>>>,
    is_down: Arc<Mutex<bool>>,
}

impl Component {
    fn new(id: &'static str, tools: &[&'static str]) -> Self {
        Self {
            id,
            tools: tools.to_vec(),
            ..Self::default()
        }
    }

    fn with_resources(mut self, scopes: &'static str, has_template: bool) -> Self {
        self.resources = Some(scopes);
        self.has_template = has_template;
        self
    }

    fn set_down(&self, is_down: bool) {
        *self.is_down.lock().unwrap() = is_down;
    }

    fn note(&self, what: String) -> Result<(), Failure> {
        self.log.lock().unwrap().push(what);
        if *self.is_down.lock().unwrap() {
            return Err(Failure::Internal(format!("{} is down", self.id)));
        }
        Ok(())
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

struct NoEvents;

impl Events for NoEvents {
    async fn next(&mut self) -> Option<Event> {
        None
    }
}

fn metadata(name: &str) -> BaseMetadata {
    BaseMetadata {
        name: name.to_owned(),
        title: None,
        description: None,
        icons: Vec::new(),
        meta: None,
    }
}

impl ToolProvider for Component {
    type Events = NoEvents;

    async fn describe(&self) -> Result<Offer, String> {
        self.note("describe".to_owned())
            .map_err(|failure| format!("{failure:?}"))?;
        let tool = |name: &&str| OfferedTool {
            tool: Tool::new(ToolDescription {
                name: (*name).to_owned(),
                input_schema: r#"{"type":"object"}"#.to_owned(),
                ..ToolDescription::default()
            })
            .unwrap(),
            scopes: Vec::new(),
            wants_credential: false,
            tasks: TaskUse::Never,
            component: None,
        };
        let template = ResourceTemplate {
            uri_template: format!("{}://{{name}}", self.id),
            metadata: metadata("template"),
            mime_type: None,
            annotations: None,
        };
        Ok(Offer {
            server: ServerInfo {
                name: self.id.to_owned(),
                ..ServerInfo::default()
            },
            instructions: Some(format!("Use {}.", self.id)),
            tools: self.tools.iter().map(tool).collect(),
            prompts: vec![OfferedPrompt {
                prompt: Prompt {
                    metadata: metadata("greet"),
                    arguments: Vec::new(),
                },
                scopes: Vec::new(),
            }],
            resources: self.resources.map(|scopes| ResourceOffer {
                templates: self.has_template.then_some(template).into_iter().collect(),
                scopes: scopes.split(' ').map(str::to_owned).collect(),
                change_scopes: scopes.split(' ').map(str::to_owned).collect(),
                wants_credential: self.wants_credential,
            }),
            completes: self.has_template,
            changes: Changes {
                tools: self.id == "crm",
                ..Changes::default()
            },
            ..Offer::default()
        })
    }

    async fn call(&self, call: Call) -> Result<NoEvents, Failure> {
        self.note(format!("call {}", call.name))?;
        Ok(NoEvents)
    }

    async fn list_resources(
        &self,
        _caller: Caller,
        cursor: Option<String>,
    ) -> Result<ResourcePage, Failure> {
        self.note(format!("list {cursor:?}"))?;
        let is_first = cursor.is_none();
        let number = if is_first { 1 } else { 2 };
        Ok(ResourcePage {
            resources: vec![Resource {
                uri: format!("{}://{number}", self.id),
                metadata: metadata("resource"),
                mime_type: None,
                size: None,
                annotations: None,
            }],
            next_cursor: is_first.then(|| "more".to_owned()),
            freshness: Freshness {
                ttl: 1000,
                is_shared: true,
            },
        })
    }

    async fn read_resource(&self, read: Read) -> Result<RoundResult<Contents>, Failure> {
        let credential = read.caller.credential.is_some();
        self.note(format!(
            "read {} {credential} {:?}",
            read.uri, read.round.state
        ))?;
        if !read.uri.starts_with(&format!("{}://", self.id)) {
            return Err(Failure::NotFound);
        }
        if read.uri.ends_with("asks") && read.round.state.is_none() {
            return Ok(RoundResult::InputRequired(InputRequired {
                requests: Vec::new(),
                state: Some("asked".to_owned()),
            }));
        }
        Ok(RoundResult::Complete(Contents {
            parts: Vec::new(),
            freshness: Freshness::default(),
        }))
    }

    async fn get_prompt(
        &self,
        request: PromptRequest,
    ) -> Result<RoundResult<PromptMessages>, Failure> {
        self.note(format!("prompt {}", request.name))?;
        Ok(RoundResult::Complete(PromptMessages {
            description: None,
            messages: Vec::new(),
            meta: None,
        }))
    }

    async fn complete(&self, completion: Completion) -> Result<Suggestions, Failure> {
        self.note(format!("complete {:?}", completion.reference))?;
        Ok(Suggestions {
            values: vec![self.id.to_owned()],
            total: None,
        })
    }
}

fn sources(components: &[&Component]) -> Sources<Component> {
    let source = |component: &&Component| Source {
        id: component.id.to_owned(),
        provider: (*component).clone(),
    };
    Sources::new(components.iter().map(source).collect())
}

/// Returns the components as one that is described, and forgets that they were asked.
fn described(components: &[&Component]) -> (Sources<Component>, Offer) {
    let sources = sources(components);
    let offer = block_on(sources.describe()).unwrap();
    components
        .iter()
        .for_each(|component| drop(component.asked()));
    (sources, offer)
}

fn caller(scopes: &[&str]) -> Caller {
    Caller {
        client_id: None,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        profile: Profile {
            subject: "ann".to_owned(),
            name: None,
            email: None,
            email_verified: None,
            picture: None,
            claims: "{}".to_owned(),
        },
        credential: Some(Credential::Upstream("token".to_owned())),
    }
}

fn call(name: &str) -> Call {
    Call {
        name: name.to_owned(),
        arguments: "{}".to_owned(),
        caller: caller(&[]),
        round: Round::default(),
        wants_progress: false,
    }
}

fn read(uri: &str, scopes: &[&str], state: Option<String>) -> Read {
    Read {
        uri: uri.to_owned(),
        caller: caller(scopes),
        round: Round {
            state,
            ..Round::default()
        },
    }
}

fn tool_names(offer: &Offer) -> Vec<&str> {
    offer.tools.iter().map(|tool| tool.tool.name()).collect()
}

#[test]
fn a_call_goes_to_the_component_that_has_the_tool_under_its_own_name() {
    let weather = Component::new("weather", &["forecast", "find"]);
    let crm = Component::new("crm", &["find"]);
    let (sources, offer) = described(&[&weather, &crm]);
    assert_eq!(tool_names(&offer), ["forecast", "weather_find", "crm_find"]);
    assert_eq!(offer.server.name, "weather");
    assert_eq!(
        offer.instructions.as_deref(),
        Some("Use weather.\n\nUse crm.")
    );
    assert!(offer.changes.tools);
    for name in ["forecast", "crm_find", "weather_find"] {
        assert!(block_on(sources.call(call(name))).is_ok(), "{name}");
    }
    assert_eq!(weather.asked(), ["call forecast", "call find"]);
    assert_eq!(crm.asked(), ["call find"]);
    assert!(matches!(
        block_on(sources.call(call("find"))),
        Err(Failure::NotFound)
    ));
    let prompt = PromptRequest {
        name: "crm_greet".to_owned(),
        arguments: Vec::new(),
        caller: caller(&[]),
        round: Round::default(),
    };
    assert!(block_on(sources.get_prompt(prompt)).is_ok());
    assert_eq!(crm.asked(), ["prompt greet"]);
}

#[test]
fn a_component_that_is_down_costs_its_own_tools_alone_and_keeps_those_it_had() {
    let weather = Component::new("weather", &["forecast"]);
    let crm = Component::new("crm", &["find"]);
    let sources = sources(&[&weather, &crm]);
    crm.set_down(true);
    let offer = block_on(sources.describe()).unwrap();
    assert_eq!(tool_names(&offer), ["forecast"]);
    assert!(
        offer.missing[0].contains("the component crm"),
        "{:?}",
        offer.missing
    );
    crm.set_down(false);
    let offer = block_on(sources.describe()).unwrap();
    assert_eq!(tool_names(&offer), ["forecast", "find"]);
    assert!(offer.missing.is_empty());
    crm.set_down(true);
    let offer = block_on(sources.describe()).unwrap();
    assert_eq!(tool_names(&offer), ["forecast", "find"]);
    assert_eq!(offer.missing.len(), 1);
    assert!(block_on(sources.call(call("forecast"))).is_ok());
    assert!(block_on(sources.call(call("find"))).is_err());
    weather.set_down(true);
    let nothing = Sources::new(vec![Source {
        id: "weather".to_owned(),
        provider: weather,
    }]);
    assert!(block_on(nothing.describe()).is_err());
}

#[test]
fn a_component_that_offers_a_name_twice_is_left_out() {
    let weather = Component::new("weather", &["forecast"]);
    let crm = Component::new("crm", &["find", "find"]);
    let (_, offer) = described(&[&weather, &crm]);
    assert_eq!(tool_names(&offer), ["forecast"]);
    assert!(
        offer.missing[0].contains("two tools named find"),
        "{:?}",
        offer.missing
    );
}

#[test]
fn resources_are_listed_of_one_component_after_the_other() {
    let weather = Component::new("weather", &[]).with_resources("tools", true);
    let crm = Component::new("crm", &[]).with_resources("tools crm", true);
    let other = Component::new("other", &[]).with_resources("tools", true);
    let (sources, offer) = described(&[&weather, &crm, &other]);
    let resources = offer.resources.unwrap();
    assert_eq!(resources.scopes, ["tools"]);
    assert_eq!(resources.change_scopes, ["tools", "crm"]);
    let all = |scopes: &[&str]| {
        let (mut uris, mut cursor) = (Vec::new(), None);
        loop {
            let page = block_on(sources.list_resources(caller(scopes), cursor)).unwrap();
            assert!(!page.freshness.is_shared);
            uris.extend(page.resources.into_iter().map(|resource| resource.uri));
            cursor = page.next_cursor;
            if cursor.is_none() {
                return uris;
            }
        }
    };
    let ours = ["weather://1", "weather://2", "other://1", "other://2"];
    assert_eq!(all(&["tools"]), ours);
    assert_eq!(all(&["tools", "crm"])[2..4], ["crm://1", "crm://2"]);
    weather.set_down(true);
    assert_eq!(all(&["tools"]), ours[2..]);
    for cursor in ["", "more", "[\"nowhere\",null]"] {
        let page = sources.list_resources(caller(&["tools"]), Some(cursor.to_owned()));
        assert_eq!(block_on(page).unwrap_err(), Failure::NotFound, "{cursor}");
    }
}

#[test]
fn a_resource_is_read_where_its_template_is_and_else_where_it_is_found() {
    let weather = Component::new("weather", &[]).with_resources("tools", false);
    let crm = Component::new("crm", &[]).with_resources("tools", true);
    let (sources, _) = described(&[&weather, &crm]);
    assert!(block_on(sources.read_resource(read("crm://7", &["tools"], None))).is_ok());
    assert_eq!((weather.asked().len(), crm.asked().len()), (0, 1));
    assert!(block_on(sources.read_resource(read("weather://7", &["tools"], None))).is_ok());
    let nowhere = sources.read_resource(read("nowhere://7", &["tools"], None));
    assert_eq!(block_on(nowhere), Err(Failure::NotFound));
    weather.set_down(true);
    assert!(block_on(sources.read_resource(read("crm://7", &["tools"], None))).is_ok());
    let down = sources.read_resource(read("weather://7", &["tools"], None));
    assert!(matches!(block_on(down), Err(Failure::Internal(_))));
}

#[test]
fn a_component_is_asked_with_its_scopes_and_gets_a_credential_if_it_wants_one() {
    let weather = Component {
        wants_credential: true,
        ..Component::new("weather", &[]).with_resources("tools", false)
    };
    let crm = Component::new("crm", &[]).with_resources("tools crm", false);
    let (sources, offer) = described(&[&weather, &crm]);
    assert!(offer.resources.unwrap().wants_credential);
    let uri = "crm://7";
    assert_eq!(
        block_on(sources.read_resource(read(uri, &["tools"], None))),
        Err(Failure::InsufficientScope(vec![
            "tools".to_owned(),
            "crm".to_owned()
        ]))
    );
    assert!(crm.asked().is_empty());
    assert!(block_on(sources.read_resource(read(uri, &["tools", "crm"], None))).is_ok());
    assert_eq!(weather.asked().last().unwrap(), "read crm://7 true None");
    assert_eq!(crm.asked(), ["read crm://7 false None"]);
}

#[test]
fn the_second_round_goes_to_the_component_that_asked_with_its_state() {
    let weather = Component::new("weather", &[]).with_resources("tools", false);
    let crm = Component::new("crm", &[]).with_resources("tools", false);
    let (sources, _) = described(&[&weather, &crm]);
    let round = block_on(sources.read_resource(read("crm://asks", &["tools"], None))).unwrap();
    let RoundResult::InputRequired(questions) = round else {
        panic!("{round:?}");
    };
    weather.asked();
    crm.asked();
    let again = read("crm://asks", &["tools"], questions.state);
    let round = block_on(sources.read_resource(again)).unwrap();
    assert!(matches!(round, RoundResult::Complete(_)));
    assert!(weather.asked().is_empty());
    assert_eq!(crm.asked(), ["read crm://asks false Some(\"asked\")"]);
}

#[test]
fn a_completion_goes_to_the_component_of_its_prompt_or_resource() {
    let weather = Component::new("weather", &[]).with_resources("tools", true);
    let crm = Component::new("crm", &[]).with_resources("tools", true);
    let (sources, offer) = described(&[&weather, &crm]);
    assert!(offer.completes);
    let complete = |reference| {
        let completion = Completion {
            reference,
            argument: ("name".to_owned(), "o".to_owned()),
            known: Vec::new(),
            caller: caller(&["tools"]),
        };
        block_on(sources.complete(completion)).map(|suggestions| suggestions.values)
    };
    let prompt = |name: &str| Reference::Prompt {
        name: name.to_owned(),
    };
    let resource = |uri: &str| Reference::Resource {
        uri: uri.to_owned(),
    };
    assert_eq!(complete(prompt("crm_greet")).unwrap(), ["crm"]);
    assert_eq!(complete(resource("crm://{name}")).unwrap(), ["crm"]);
    assert_eq!(complete(resource("weather://{name}")).unwrap(), ["weather"]);
    assert_eq!(complete(prompt("greet")), Err(Failure::NotFound));
}
