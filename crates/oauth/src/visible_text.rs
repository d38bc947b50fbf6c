//! The visible characters of a text that a stranger wrote.

mod marks;

use marks::MARKS;

/// Returns the text without characters that a person cannot see or that turn the text around, on one line
/// and with single spaces; `None` if nothing can be seen of it. Combining marks are kept, but they
/// alone are no text.
pub(crate) fn visible(text: &str) -> Option<String> {
    let kept: String = text
        .chars()
        .map(|char| if is_blank(char) { ' ' } else { char })
        .filter(|char| !is_hidden(*char))
        .collect();
    let text = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars()
        .any(|char| char != ' ' && !is_mark(char))
        .then_some(text)
}

/// Whether nothing is shown for a character by itself, or it is shown on the one before it.
pub(crate) fn is_invisible(char: char) -> bool {
    is_hidden(char) || is_mark(char)
}

/// Whether a character shows nothing and takes no room, or controls how others are shown
/// (`Default_Ignorable_Code_Point` and more).
fn is_hidden(char: char) -> bool {
    char.is_control() && !char.is_whitespace()
        || matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character takes room and shows nothing, without being white space to Unicode.
fn is_blank(char: char) -> bool {
    matches!(char, '\u{2800}' | '\u{1d159}' | '\u{16fe4}' | '\u{fffc}')
}

/// Whether a character is a combining mark (the general category M).
fn is_mark(char: char) -> bool {
    MARKS
        .binary_search_by(|(first, last)| {
            if *last < char {
                std::cmp::Ordering::Less
            } else if *first > char {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_which_nothing_can_be_seen_is_no_text() {
        for blank in [
            "",
            " \t\n",
            "\u{2800}\u{2800}",
            "\u{301}\u{302}\u{20dd}",
            "\u{200b}\u{200d}\u{feff}",
            "\u{3164}",
            "\u{115f}\u{1160}\u{ffa0}",
            "\u{a0}\u{2003}\u{3000}",
            "\u{202e}\u{2066}",
            "\u{e0041}\u{fe0f}",
            "\u{180e}\u{16fe4}\u{1d159}",
            "\u{903}\u{fe20}",
        ] {
            assert_eq!(visible(blank), None, "{}", blank.escape_unicode());
        }
    }

    #[test]
    fn what_can_be_seen_is_kept_on_one_line_with_its_marks() {
        for (text, seen) in [
            ("  Good\u{202e}\u{200b}\n App\t", "Good App"),
            ("Cafe\u{301}", "Cafe\u{301}"),
            (
                "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}",
                "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}",
            ),
            ("Claude\u{2800}\u{2800}from", "Claude from"),
        ] {
            assert_eq!(visible(text).as_deref(), Some(seen));
        }
    }
}
