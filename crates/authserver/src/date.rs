//! Times as a person reads them.

use maud::{Markup, html};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day, and the time of day, from seconds since the Unix epoch.
pub(crate) fn time(seconds: u64) -> Markup {
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    let name = month
        .checked_sub(1)
        .and_then(|index| MONTHS.get(usize::try_from(index).unwrap_or(0)))
        .unwrap_or(&"");
    html! {
        time datetime=(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}Z")) {
            (day) " " (name) " " (year) ", " (format!("{hour:02}:{minute:02}")) " UTC"
        }
    }
}

/// Year, month and day of the Gregorian calendar, from days since 1 January 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    // Counted from 1 March of the year 0, so that a leap day ends a year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, day) in [
            (0, "1 January 1970, 00:00"),
            (951_782_400, "29 February 2000, 00:00"),
            (1_795_500_000, "24 November 2026, 06:00"),
            (4_107_542_399, "28 February 2100, 23:59"),
        ] {
            let text = time(seconds).into_string();
            assert!(text.contains(day), "{text}");
        }
    }
}
