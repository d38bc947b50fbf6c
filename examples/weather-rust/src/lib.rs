//! Two tools: one calls an API, the other knows who is signed in.

use gatehouse_sdk::{Caller, Error, Result, Value, data, http, json, serde_json, server, tool};

server!(name: "weather", title: "Weather", tools: [weather, whoami]);

const PLACES: &str = "https://geocoding-api.open-meteo.com/v1/search";
const FORECAST: &str = "https://api.open-meteo.com/v1/forecast";

#[data]
struct Weather {
    city: String,
    /// In degrees Celsius
    temperature: f64,
    /// In km/h
    wind: f64,
}

/// The weather in a city, now.
#[tool(read_only)]
async fn weather(
    /// Such as Oslo
    city: String,
) -> Result<Weather> {
    let request = http::get(PLACES).query("name", &city).query("count", 1);
    let found: Value = request.send().await?.json()?;
    let Some(place) = found["results"].get(0) else {
        return Err(Error::new(format!("There is no city “{city}”.")));
    };
    let request = http::get(FORECAST)
        .query("latitude", &place["latitude"])
        .query("longitude", &place["longitude"])
        .query("current", "temperature_2m,wind_speed_10m");
    let forecast: Value = request.send().await?.json()?;
    Ok(serde_json::from_value(json!({
        "city": place["name"],
        "temperature": forecast["current"]["temperature_2m"],
        "wind": forecast["current"]["wind_speed_10m"],
    }))?)
}

/// Says who is signed in.
#[tool(scopes = ["userinfo"], read_only)]
fn whoami(caller: Caller) -> String {
    let name = caller.profile.name.unwrap_or(caller.subject);
    format!("You are {name}.")
}

#[cfg(test)]
mod tests {
    use super::SERVER;
    use gatehouse_sdk::http::{Request, Response};
    use gatehouse_sdk::{json, testing::TestClient};

    fn api(request: &Request) -> Response {
        let (_, query) = request.url.split_once('?').unwrap();
        let body = match query {
            "name=oslo&count=1" => {
                json!({ "results": [{ "name": "Oslo", "latitude": 59.9, "longitude": 10.7 }] })
            }
            "latitude=59.9&longitude=10.7&current=temperature_2m%2Cwind_speed_10m" => {
                json!({ "current": { "temperature_2m": 4.5, "wind_speed_10m": 12.0 } })
            }
            _ => json!({}),
        };
        Response::new(200, body.to_string())
    }

    #[test]
    fn the_weather_of_a_city_is_structured() {
        let client = TestClient::new(&SERVER).http(api);
        let outcome = client.call("weather", json!({ "city": "oslo" })).unwrap();
        let expected = json!({ "city": "Oslo", "temperature": 4.5, "wind": 12.0 });
        assert_eq!(outcome.structured, Some(expected));
    }

    #[test]
    fn a_city_that_is_not_there_is_for_the_model_to_mend() {
        let client = TestClient::new(&SERVER).http(api);
        let outcome = client
            .call("weather", json!({ "city": "Atlantis" }))
            .unwrap();
        assert!(outcome.is_error);
        assert_eq!(outcome.text(), "There is no city “Atlantis”.");
    }

    #[test]
    fn a_person_is_told_their_name() {
        let outcome = TestClient::new(&SERVER).call("whoami", json!({})).unwrap();
        assert_eq!(outcome.text(), "You are Test Person.");
    }
}
