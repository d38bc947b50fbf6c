//! Scalars as text.

use serde_json::Value;

/// Returns a scalar as APIs write it outside of JSON: a text without quotes, and a whole number without a fraction. What is nested is
/// its JSON, and null is an empty text.
pub(crate) fn scalar(value: &Value) -> String {
    /// Whole numbers up to here are exact in a double.
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= MAX_EXACT => {
                format!("{float:.0}")
            }
            _ => number.to_string(),
        },
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_scalar_is_written_without_json() {
        for (value, expected) in [
            (json!("a \"b\""), "a \"b\""),
            (json!(1), "1"),
            (json!(1.0), "1"),
            (json!(-0.5), "-0.5"),
            (json!(1e3), "1000"),
            (json!(1e300), "1e+300"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!(true), "true"),
            (json!(null), ""),
            (json!([1, "a"]), "[1,\"a\"]"),
        ] {
            assert_eq!(scalar(&value), expected);
        }
    }
}
