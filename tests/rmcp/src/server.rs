//! A server of rmcp on a port of loopback, at `http://127.0.0.1:PORT/mcp`: stateless, and in sessions for clients of before.

use anyhow::{Context, Result};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
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
        let service = TowerToHyperService::new(service.clone());
        let serving = http1::Builder::new().serve_connection(TokioIo::new(connection), service);
        tokio::spawn(serving);
    }
}

struct Adder;

impl ServerHandler for Adder {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let number = json!({ "type": "integer" });
        let schema = json!({
            "type": "object",
            "properties": { "a": number, "b": number },
            "required": ["a", "b"],
        });
        let Value::Object(schema) = schema else {
            return Err(ErrorData::internal_error("no object", None));
        };
        let add = Tool::new("add", "Adds two numbers.", Arc::new(schema));
        Ok(ListToolsResult::with_all_items(vec![add]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
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
        Ok(CallToolResult::success(vec![ContentBlock::text(sum.to_string())]).into())
    }
}
