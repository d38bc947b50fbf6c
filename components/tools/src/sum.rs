//! The sum of two JSON numbers.

use gatehouse_sdk::serde_json::Number;

/// Whole numbers are added without a loss where the sum has 64 bits, everything else as doubles.
/// `None` if the sum is beyond those, too.
pub(crate) fn add(a: &Number, b: &Number) -> Option<Number> {
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
        let number = |text| gatehouse_sdk::serde_json::from_str::<Number>(text).unwrap();
        add(&number(a), &number(b)).map(|sum| sum.to_string())
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
