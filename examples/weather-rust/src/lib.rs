//! Two tools: one calls an API, the other says who is asking.

use gatehouse_sdk::{Caller, Error, Result, data, http, server, tool};

server!(name: "weather", title: "Weather", tools: [weather, whoami]);

#[data]
struct Weather {
    city: String,
    /// In degrees Celsius
    temperature: f64,
}

/// The weather in a city, now.
#[tool(read_only)]
async fn weather(
    /// Such as Oslo
    city: String,
) -> Result<Weather> {
    let response = http::get("https://api.example.com/now")
        .query("city", &city)
        .send()
        .await?;
    if response.status == 404 {
        return Err(Error::new(format!("There is no city “{city}”.")));
    }
    Ok(response.json()?)
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
    use gatehouse_sdk::http::Response;
    use gatehouse_sdk::{json, testing::TestClient};

    #[test]
    fn the_weather_is_what_the_api_says() {
        let client = TestClient::new(&SERVER).http(|request| {
            assert_eq!(request.url, "https://api.example.com/now?city=Oslo");
            Response::new(200, r#"{"city":"Oslo","temperature":4.5}"#)
        });
        let outcome = client.call("weather", json!({ "city": "Oslo" })).unwrap();
        assert_eq!(outcome.structured.unwrap()["temperature"], 4.5);
    }

    #[test]
    fn a_city_that_is_not_there_is_for_the_model_to_mend() {
        let client = TestClient::new(&SERVER).http(|_| Response::new(404, ""));
        let outcome = client
            .call("weather", json!({ "city": "Atlantis" }))
            .unwrap();
        assert_eq!(outcome.text(), "There is no city “Atlantis”.");
    }

    #[test]
    fn a_person_is_told_their_name() {
        let outcome = TestClient::new(&SERVER).call("whoami", json!({})).unwrap();
        assert_eq!(outcome.text(), "You are Test Person.");
    }
}
