//! The subschemas of a schema (JSON Schema 2020-12, Core section 10).

use serde_json::{Map, Value};

/// A schema directly inside of another.
pub struct Subschema<'s> {
    /// The part of an instance that it applies to.
    pub applies: Applies<'s>,
    /// An object or a boolean, if the schema is valid.
    pub schema: &'s Value,
}

/// What a subschema applies to, of the value that its parent applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies<'s> {
    /// The same value.
    Here,
    /// The property of this name.
    Property(&'s str),
    /// Some or all properties.
    Properties,
    /// The names of properties.
    Names,
    /// Items.
    Items,
    /// Nothing, unless a reference leads to it.
    Nowhere,
}

/// Returns every schema directly inside of `schema`, in any dialect. An unknown keyword has none.
pub fn subschemas<'s>(schema: &'s Map<String, Value>) -> impl Iterator<Item = Subschema<'s>> {
    schema
        .iter()
        .filter_map(|(keyword, value)| Some((holder(keyword)?, value)))
        .flat_map(|(holder, value)| held(holder, value))
}

enum Holder {
    /// A schema.
    One(Applies<'static>),
    /// An array of schemas, or a schema.
    Several(Applies<'static>),
    /// An object of schemas.
    Named(Applies<'static>),
    /// `properties`.
    Properties,
}

fn holder(keyword: &str) -> Option<Holder> {
    use Applies::{Here, Items, Names, Nowhere, Properties};
    Some(match keyword {
        "properties" => Holder::Properties,
        "allOf" | "anyOf" | "oneOf" => Holder::Several(Here),
        "not" | "if" | "then" | "else" => Holder::One(Here),
        "dependentSchemas" | "dependencies" => Holder::Named(Here),
        "patternProperties" => Holder::Named(Properties),
        "additionalProperties" | "unevaluatedProperties" => Holder::One(Properties),
        "propertyNames" => Holder::One(Names),
        "items" | "prefixItems" => Holder::Several(Items),
        "additionalItems" | "contains" | "unevaluatedItems" => Holder::One(Items),
        "$defs" | "definitions" => Holder::Named(Nowhere),
        "contentSchema" => Holder::One(Nowhere),
        _ => return None,
    })
}

fn held(holder: Holder, value: &Value) -> Vec<Subschema<'_>> {
    let one = |applies, schema| Subschema { applies, schema };
    match (holder, value) {
        (Holder::Several(applies), Value::Array(schemas)) => {
            schemas.iter().map(|schema| one(applies, schema)).collect()
        }
        (Holder::One(applies) | Holder::Several(applies), schema) => vec![one(applies, schema)],
        (Holder::Named(applies), Value::Object(schemas)) => schemas
            .values()
            .map(|schema| one(applies, schema))
            .collect(),
        (Holder::Properties, Value::Object(schemas)) => schemas
            .iter()
            .map(|(name, schema)| one(Applies::Property(name), schema))
            .collect(),
        (Holder::Named(_) | Holder::Properties, _) => Vec::new(),
    }
}
