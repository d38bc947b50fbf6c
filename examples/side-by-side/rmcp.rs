//! The tools of ../weather-rust with rmcp 3, without a login: that is what would put a `Person` into a request.

use axum::{Router, http::request::Parts};
use rmcp::handler::server::{tool::Extension, wrapper::Parameters};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{Json, schemars, tool, tool_router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const PLACES: &str = "https://geocoding-api.open-meteo.com/v1/search";
const FORECAST: &str = "https://api.open-meteo.com/v1/forecast";

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct City {
    /// Such as Oslo
    city: String,
}

#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
struct Weather {
    city: String,
    /// In degrees Celsius
    temperature: f64,
    /// In km/h
    wind: f64,
}

#[derive(Clone)]
struct Person {
    name: String,
    scopes: Vec<String>,
}

async fn get(url: &str, query: Value) -> Result<Value, String> {
    let request = reqwest::Client::new().get(url).query(&query);
    let response = request.send().await.and_then(|it| it.error_for_status());
    let response = response.map_err(|error| error.to_string())?;
    response.json().await.map_err(|error| error.to_string())
}

struct WeatherServer;

#[tool_router(server_handler)]
impl WeatherServer {
    /// The weather in a city, now.
    #[tool(annotations(read_only_hint = true))]
    async fn weather(
        &self,
        Parameters(City { city }): Parameters<City>,
    ) -> Result<Json<Weather>, String> {
        let found = get(PLACES, json!({ "name": city, "count": 1 })).await?;
        let Some(place) = found["results"].get(0) else {
            return Err(format!("There is no city “{city}”."));
        };
        let query = json!({
            "latitude": place["latitude"],
            "longitude": place["longitude"],
            "current": "temperature_2m,wind_speed_10m",
        });
        let forecast = get(FORECAST, query).await?;
        let weather = serde_json::from_value(json!({
            "city": place["name"],
            "temperature": forecast["current"]["temperature_2m"],
            "wind": forecast["current"]["wind_speed_10m"],
        }));
        weather.map(Json).map_err(|error| error.to_string())
    }

    /// Says who is signed in.
    #[tool(annotations(read_only_hint = true))]
    fn whoami(&self, Extension(parts): Extension<Parts>) -> Result<String, String> {
        let person = parts.extensions.get::<Person>();
        let person = person.ok_or("No person is signed in.")?;
        if !person.scopes.iter().any(|scope| scope == "userinfo") {
            return Err("The scope userinfo is missing.".to_owned());
        }
        Ok(format!("You are {}.", person.name))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let service = StreamableHttpService::new(
        || Ok(WeatherServer),
        LocalSessionManager::default().into(),
        StreamableHttpServerConfig::default(),
    );
    let router = Router::new().nest_service("/mcp", service);
    let listener = TcpListener::bind("127.0.0.1:8000").await?;
    axum::serve(listener, router).await?;
    Ok(())
}
