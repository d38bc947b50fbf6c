//! A server of rmcp on a port of loopback, at `http://127.0.0.1:PORT/mcp`: stateless, and in sessions for clients of before.

use anyhow::{Context, Result};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ElicitRequest,
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema,
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, InputRequest, InputRequiredResult,
    ListPromptsResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ProgressNotificationParam, Prompt, PromptArgument, PromptMessage, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, Resource, ResourceContents, Role, ServerCapabilities,
    ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let port = std::env::args().nth(1).context("usage: rmcp-server PORT")?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let service: StreamableHttpService<Adder, LocalSessionManager> = StreamableHttpService::new(
        || Ok(Adder),
        Arc::default(),
        StreamableHttpServerConfig::default(),
    );
    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        let service = TowerToHyperService::new(service.clone());
        let serving = http1::Builder::new().serve_connection(TokioIo::new(connection), service);
        tokio::spawn(serving);
    }
}

struct Adder;

impl ServerHandler for Adder {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts();
        ServerConfig::new(capabilities.build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let number = json!({ "type": "integer" });
        let numbers = json!({
            "type": "object",
            "properties": { "a": number, "b": number },
            "required": ["a", "b"],
        });
        let nothing = json!({ "type": "object" });
        Ok(ListToolsResult::with_all_items(vec![
            tool("add", "Adds two numbers.", numbers)?,
            tool("greet", "Asks for a name.", nothing)?,
        ]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match &*request.name {
            "add" => add(request, &context).await,
            _ => greet(request, &context).await,
        }
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let first = Resource::new("note://first", "first");
        Ok(ListResourcesResult::with_all_items(vec![first]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let contents = ResourceContents::text("the first note", request.uri);
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let topic = PromptArgument::new("topic").with_required(true);
        let explain = Prompt::new("explain", Some("Explains a topic."), Some(vec![topic]));
        Ok(ListPromptsResult::with_all_items(vec![explain]))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let topic = arguments.get("topic").and_then(Value::as_str);
        let topic = topic.ok_or_else(|| ErrorData::invalid_params("topic is no text", None))?;
        let message = PromptMessage::new_text(Role::User, format!("Explain {topic}."));
        Ok(GetPromptResult::new(vec![message]).into())
    }
}

fn tool(name: &'static str, description: &'static str, schema: Value) -> Result<Tool, ErrorData> {
    match schema {
        Value::Object(schema) => Ok(Tool::new(name, description, Arc::new(schema))),
        _ => Err(ErrorData::internal_error("no object", None)),
    }
}

async fn add(
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let arguments = request.arguments.unwrap_or_default();
    let number = |name: &str| {
        let number = arguments.get(name).and_then(Value::as_i64);
        number.ok_or_else(|| ErrorData::invalid_params(format!("{name} is no number"), None))
    };
    let sum = number("a")? + number("b")?;
    if let Some(token) = context.meta.get_progress_token() {
        let progress = ProgressNotificationParam::new(token, 1.0).with_total(2.0);
        // A client that is gone hears nothing.
        drop(context.peer.notify_progress(progress).await);
    }
    Ok(text(sum.to_string()))
}

/// Asks for a name: in a session while the call runs, and without one in a second round.
async fn greet(
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let schema = ElicitationSchema::builder().required_string("name").build();
    let question = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: "Who are you?".to_owned(),
        requested_schema: schema.map_err(internal)?,
    };
    let version = context.protocol_version();
    let answer: ElicitResult = if version.is_some_and(|version| version.has_initialize()) {
        let asked = context.peer.create_elicitation(question).await;
        asked.map_err(internal)?
    } else {
        let answers = request.input_responses;
        let Some(answer) = answers.and_then(|mut answers| answers.remove("name")) else {
            let question = InputRequest::Elicitation(ElicitRequest::new(question));
            let questions = BTreeMap::from([("name".to_owned(), question)]);
            return Ok(InputRequiredResult::from_input_requests(questions).into());
        };
        serde_json::from_value(answer).map_err(internal)?
    };
    Ok(text(match (answer.action, answer.content) {
        (ElicitationAction::Accept, Some(content)) => {
            format!("Hello, {}!", content["name"].as_str().unwrap_or_default())
        }
        (ElicitationAction::Decline, _) => "You said: decline".to_owned(),
        _ => "You said: nothing".to_owned(),
    }))
}

fn text(text: String) -> CallToolResponse {
    CallToolResult::success(vec![ContentBlock::text(text)]).into()
}

fn internal(error: impl Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}
