//! Units of measurement for a model: an example of a tools component.
//!
//! It converts, shows how far it has come, asks which gallon is meant or remembers it, and offers what
//! it knows as resources and a prompt. The same is in ../tools-js and ../tools-python.

mod units;

use gatehouse_sdk::{
    Caller, Client, Completion, Error, KeyValue, KeyValueError, Output, Progress, Result, data,
    json, prompt, resource, tool, variable,
};
use units::{KINDS, UNITS, Unit};

gatehouse_sdk::server! {
    name: "units",
    title: "Units of measurement",
    instructions: "Converts units. `units:all` lists them.",
    tools: [convert, convert_many, prefer],
    resources: [all, of_kind],
    prompts: [explain],
}

/// How many
#[data(input)]
struct Amount(f64);

/// A unit, such as mile or celsius
#[data(input)]
struct UnitName(String);

#[data(output)]
struct Converted {
    value: f64,
    unit: &'static str,
}

#[data(output)]
struct ConvertedMany {
    #[schemars(length(max = 1000))]
    value: Vec<f64>,
    unit: &'static str,
}

/// Converts a value into another unit.
#[tool(read_only, open_world = false, ignore_unknown)]
async fn convert(
    value: Amount,
    from: UnitName,
    to: UnitName,
    client: Client,
    caller: Caller,
) -> Result<Output<Converted>> {
    let from = meant(&from, &client, &caller).await?;
    let to = meant(&to, &client, &caller).await?;
    let (value, unit) = (converted(&value, from, to)?, to.name);
    Ok(Output::structured(Converted { value, unit }).text(format!("{value} {unit}")))
}

/// Converts many values.
#[tool(read_only, open_world = false, ignore_unknown)]
async fn convert_many(
    #[schemars(length(max = 1000))] values: Vec<Amount>,
    from: UnitName,
    to: UnitName,
    client: Client,
    caller: Caller,
    progress: Progress,
) -> Result<Output<ConvertedMany>> {
    let from = meant(&from, &client, &caller).await?;
    let to = meant(&to, &client, &caller).await?;
    let mut many = Vec::new();
    for value in &values {
        many.push(converted(value, from, to)?);
        progress.report(many.len()).of(values.len()).await;
    }
    let text = json!(many).to_string();
    Ok(Output::structured(ConvertedMany {
        value: many,
        unit: to.name,
    })
    .text(text))
}

/// Remembers which gallon the person means.
#[tool(idempotent, open_world = false, ignore_unknown)]
async fn prefer(gallon: Gallon, caller: Caller) -> Result<String> {
    let name = gallon.name();
    remember(&caller, name).await.map_err(Error::internal)?;
    Ok(format!("A gallon is the {name} from now on."))
}

#[resource(
    uri = "units:all",
    title = "All units",
    mime_type = "application/json",
    ttl = 3600,
    shared
)]
fn all() -> Vec<&'static str> {
    UNITS.iter().map(|unit| unit.name).collect()
}

#[resource(
    uri = "units:{kind}",
    name = "units",
    title = "The units of a kind",
    mime_type = "application/json",
    ttl = 3600,
    shared
)]
fn of_kind(#[complete(KINDS)] kind: &str) -> Option<Vec<&'static str>> {
    let units = UNITS.iter().filter(|unit| unit.kind == kind);
    let names: Vec<_> = units.map(|unit| unit.name).collect();
    (!names.is_empty()).then_some(names)
}

#[prompt(title = "Explain a unit")]
fn explain(
    /// Which
    #[complete(unit_names)]
    unit: &str,
) -> String {
    format!(
        "What is one {unit}, and what would one measure with it? Compare it with two other units."
    )
}

fn unit_names(completion: &Completion) -> Vec<&'static str> {
    let names = UNITS.iter().map(|unit| unit.name);
    names
        .filter(|name| name.starts_with(&completion.typed))
        .collect()
}

#[data(input)]
struct Which {
    gallon: Gallon,
}

#[data(input)]
enum Gallon {
    #[serde(rename = "US gallon")]
    Us,
    #[serde(rename = "imperial gallon")]
    Imperial,
}

impl Gallon {
    fn name(&self) -> &'static str {
        match self {
            Self::Us => "US gallon",
            Self::Imperial => "imperial gallon",
        }
    }
}

/// Returns the unit of this name. A gallon may be one of two: the person has said which, or is asked if the client can
/// ask.
async fn meant(name: &UnitName, client: &Client, caller: &Caller) -> Result<&'static Unit> {
    let UnitName(name) = name;
    let name = match name.as_str() {
        "gallon" => {
            let usual = usual_gallon(caller).await;
            if let Some(unit) = usual.as_deref().and_then(units::find) {
                return Ok(unit);
            }
            let answer: Result<Which, _> = client.elicit("gallon", "Which gallon?").await;
            let Ok(Which { gallon }) = answer else {
                return Err(Error::new("Say “US gallon” or “imperial gallon”."));
            };
            gallon.name()
        }
        name => name,
    };
    units::find(name).ok_or_else(|| {
        Error::invalid_arguments(format!(
            "there is no unit “{name}”; the resource units:all lists them"
        ))
    })
}

/// Returns the gallon that the person prefers, or else the operator. Tools that are composed into mcp know neither.
async fn usual_gallon(caller: &Caller) -> Option<String> {
    match remembered(caller).await {
        Ok(Some(name)) => Some(name),
        Ok(None) | Err(_) => variable("gallon").await.ok(),
    }
}

async fn remembered(caller: &Caller) -> Result<Option<String>, KeyValueError> {
    let preferences = KeyValue::open("units").await?;
    preferences.get_text(&caller.subject).await
}

async fn remember(caller: &Caller, gallon: &str) -> Result<(), KeyValueError> {
    let preferences = KeyValue::open("units").await?;
    preferences.set(&caller.subject, gallon).await
}

fn converted(Amount(value): &Amount, from: &Unit, to: &Unit) -> Result<f64> {
    units::convert(*value, from, to).ok_or_else(|| {
        let text = format!(
            "{} is {}, and {} is {}",
            from.name, from.kind, to.name, to.kind
        );
        Error::invalid_arguments(text)
    })
}

#[cfg(test)]
mod tests {
    use super::SERVER;
    use gatehouse_sdk::json;
    use gatehouse_sdk::testing::{MemoryStore, TestClient};

    #[test]
    fn the_person_is_asked_which_gallon_is_meant() {
        let client = TestClient::new(&SERVER).accepts("gallon", json!({ "gallon": "US gallon" }));
        let call = json!({ "value": 1, "from": "gallon", "to": "litre" });
        let outcome = client.call("convert", call).unwrap();
        assert_eq!(outcome.text(), "3.785411784 litre");
    }

    #[test]
    fn a_gallon_is_the_one_that_the_person_prefers_or_else_the_operator() {
        let client = TestClient::new(&SERVER)
            .variable("gallon", "imperial gallon")
            .store("units", &MemoryStore::default());
        let text = |tool, arguments| client.call(tool, arguments).unwrap().text();
        let call = json!({ "value": 1, "from": "gallon", "to": "litre" });
        assert_eq!(text("convert", call.clone()), "4.54609 litre");
        let said = text("prefer", json!({ "gallon": "US gallon" }));
        assert_eq!(said, "A gallon is the US gallon from now on.");
        assert_eq!(text("convert", call), "3.785411784 litre");
    }
}
