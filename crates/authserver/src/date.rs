//! Times on pages.

use maud::{Markup, html};
use time::UtcDateTime;

/// Returns a day, and the time of day, from seconds since the Unix epoch. What lies beyond all calendars is
/// their last day.
pub(crate) fn time(seconds: u64) -> Markup {
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| UtcDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(UtcDateTime::MAX);
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, _) = time.as_hms();
    let number = u8::from(month);
    html! {
        time datetime=(format!("{year:04}-{number:02}-{day:02}T{hour:02}:{minute:02}Z")) {
            (day) " " (month.to_string()) " " (year) ", " (format!("{hour:02}:{minute:02}")) " UTC"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, datetime, text) in [
            (0, "1970-01-01T00:00Z", "1 January 1970, 00:00"),
            (951_782_400, "2000-02-29T00:00Z", "29 February 2000, 00:00"),
            (
                1_795_500_000,
                "2026-11-24T06:00Z",
                "24 November 2026, 06:00",
            ),
            (
                4_107_542_399,
                "2100-02-28T23:59Z",
                "28 February 2100, 23:59",
            ),
            (u64::MAX, "9999-12-31T23:59Z", "31 December 9999, 23:59"),
        ] {
            let html = time(seconds).into_string();
            assert_eq!(
                html,
                format!("<time datetime=\"{datetime}\">{text} UTC</time>")
            );
        }
    }
}
