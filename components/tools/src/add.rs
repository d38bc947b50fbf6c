//! `add`: the sum of two numbers.

use crate::arguments;
use crate::bindings::contract::{Call, Failure, Output, TaskUse, Tool};
use crate::common::{read_only, text};
use serde::Deserialize;
use serde_json::{Number, Value};

pub(crate) const NAME: &str = "add";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    a: Value,
    b: Value,
}

pub(crate) fn tool() -> Tool {
    Tool {
        name: NAME.to_owned(),
        title: Some("Add".to_owned()),
        description: Some("Adds two numbers and gives their sum.".to_owned()),
        input_schema: r#"{"type":"object","properties":{"a":{"type":"number","description":"The first number"},"b":{"type":"number","description":"The second number"}},"required":["a","b"],"additionalProperties":false}"#.to_owned(),
        output_schema: Some(r#"{"type":"object","properties":{"sum":{"type":"number","description":"a + b"}},"required":["sum"],"additionalProperties":false}"#.to_owned()),
        icons: Vec::new(),
        annotations: read_only(),
        scopes: vec!["tools".to_owned()],
        wants_credential: false,
        tasks: TaskUse::Never,
        meta: None,
    }
}

pub(crate) fn call(call: &Call) -> Result<Output, Failure> {
    let Arguments { a, b } = arguments::read(call)?;
    let (a, b) = (number("a", a)?, number("b", b)?);
    let sum = add(&a, &b).ok_or_else(|| {
        Failure::InvalidArguments("the sum is larger than any number can be".to_owned())
    })?;
    Ok(Output {
        structured: Some(format!(r#"{{"sum":{sum}}}"#)),
        ..text(sum.to_string())
    })
}

fn number(name: &str, value: Value) -> Result<Number, Failure> {
    let given = match value {
        Value::Number(number) => return Ok(number),
        Value::String(_) => "a string",
        Value::Bool(_) => "a boolean",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
        Value::Null => "null",
    };
    Err(Failure::InvalidArguments(format!(
        "`{name}` is a number, not {given}"
    )))
}

/// Whole numbers are added without a loss where the sum has 64 bits, everything else as doubles.
/// `None` if the sum is beyond those, too.
fn add(a: &Number, b: &Number) -> Option<Number> {
    if let (Some(a), Some(b)) = (a.as_i128(), b.as_i128())
        && let Some(sum) = Number::from_i128(a + b)
    {
        return Some(sum);
    }
    let sum = a.as_f64()? + b.as_f64()?;
    // 2.0, too, is a whole number, and people write it 2.
    let whole = sum as i64;
    if whole as f64 == sum && whole.unsigned_abs() <= MAX_EXACT_INTEGER {
        return Some(whole.into());
    }
    Number::from_f64(sum)
}

/// Up to here a double holds every whole number.
const MAX_EXACT_INTEGER: u64 = 1 << 53;

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(a: &str, b: &str) -> Option<String> {
        let number = |text| serde_json::from_str::<Number>(text).unwrap();
        add(&number(a), &number(b)).map(|sum| sum.to_string())
    }

    #[test]
    fn an_argument_that_is_no_number_is_named() {
        assert!(matches!(
            number("b", Value::from("x")),
            Err(Failure::InvalidArguments(text)) if text == "`b` is a number, not a string"
        ));
    }

    #[test]
    fn whole_numbers_stay_whole() {
        assert_eq!(sum("1", "2").as_deref(), Some("3"));
        assert_eq!(sum("1.5", "0.5").as_deref(), Some("2"));
        assert_eq!(
            sum("9007199254740993", "1").as_deref(),
            Some("9007199254740994")
        );
        assert_eq!(
            sum("9223372036854775807", "1").as_deref(),
            Some("9223372036854775808")
        );
        assert_eq!(sum("-3", "3").as_deref(), Some("0"));
    }

    #[test]
    fn other_numbers_are_added_as_doubles() {
        assert_eq!(sum("0.1", "0.2").as_deref(), Some("0.30000000000000004"));
        assert_eq!(
            sum("18446744073709551615", "1").as_deref(),
            Some("1.8446744073709552e+19")
        );
    }

    #[test]
    fn a_sum_beyond_all_numbers_is_none() {
        assert_eq!(sum("1e308", "1e308"), None);
        assert_eq!(sum("-1e308", "-1e308"), None);
    }
}
