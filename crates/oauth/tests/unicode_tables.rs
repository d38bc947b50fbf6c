//! The tables of Unicode in `src/` are what the crates `unicode-normalization` and
//! `unicode-security` say. The crates themselves would add some 200 KB to each component; of them,
//! little more is needed than which characters look like ASCII letters.
//!
//! `UPDATE_UNICODE_TABLES=1 cargo test -p gatehouse-oauth --test unicode_tables` writes the tables again.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

/// The letters of a character's stand-in at most: longer ones are abbreviations such as `㏂`.
const MAX_LETTERS: usize = 3;

/// What looks like ASCII letters to a person, and not to UTS #39, which knows only characters that
/// can hardly be told apart.
const MORE: &[(char, &str)] = &[
    // Latin small capitals, and the letters that look like them.
    ('a', "ᴀαΑа"),
    ('b', "ʙвβьБ"),
    ('c', "ᴄ"),
    ('d', "ᴅԁ"),
    ('e', "ᴇεєҽз"),
    ('f', "ꜰ"),
    ('g', "ɢց"),
    ('h', "ʜнһη"),
    ('i', "ɪ"),
    ('j', "ᴊ"),
    ('k', "ᴋкκĸ"),
    ('l', "ʟιӏ"),
    ('m', "ᴍм"),
    ('n', "ɴпηոи"),
    ('o', "ᴏσ"),
    ('p', "ᴘρ"),
    ('q', "ꞯ"),
    ('r', "ʀгя"),
    ('s', "ꜱ"),
    ('t', "ᴛтτ"),
    ('u', "ᴜυц"),
    ('v', "ᴠν"),
    ('w', "ᴡωшɯ"),
    ('x', "χ"),
    ('y', "ʏγу"),
    ('z', "ᴢ"),
];

/// Letters in a row of their own that have no decomposition: negative circled and squared ones,
/// regional indicators.
const ROWS: &[(u32, u32)] = &[(0x1f150, 0x1f169), (0x1f170, 0x1f189), (0x1f1e6, 0x1f1ff)];

fn more(char: char) -> Option<char> {
    let code = u32::from(char);
    let in_row = ROWS
        .iter()
        .find(|(first, last)| (*first..=*last).contains(&code));
    if let Some((first, _)) = in_row {
        return char::from_u32(u32::from('a') + code - first);
    }
    let found = MORE.iter().find(|(_, alike)| alike.contains(char));
    found.map(|(letter, _)| *letter)
}

/// Returns the ASCII letters that a text looks like: through NFKC, the skeleton of UTS #39 and [`MORE`],
/// without marks and the parentheses of `⒜`.
fn letters(text: &str) -> Option<String> {
    let mut seen = String::new();
    for compatible in text.nfkc() {
        let direct = more(compatible).map(String::from);
        let skeleton = direct.unwrap_or_else(|| skeleton(&compatible.to_string()).collect());
        for char in skeleton.nfkd() {
            let char = more(char).unwrap_or(char);
            if !is_combining_mark(char) && !matches!(char, '(' | ')') {
                seen.extend(char.to_lowercase());
            }
        }
    }
    let fits = seen
        .chars()
        .any(|char| char.is_ascii_alphanumeric() || char == '.')
        && seen.len() <= MAX_LETTERS
        && seen
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    fits.then_some(seen)
}

/// Returns a line for each stand-in: it, a space, and the characters that look like it.
fn look_alikes() -> String {
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for char in ('\u{80}'..=char::MAX).filter(|char| !is_combining_mark(*char)) {
        let forms = [
            char.to_string(),
            char.to_lowercase().to_string(),
            char.to_uppercase().to_string(),
        ];
        if let Some(letters) = forms.iter().find_map(|form| letters(form)) {
            // As the skeleton folds ASCII.
            let folded = letters
                .replace(['1', 'i'], "l")
                .replace('0', "o")
                .replace('3', "e")
                .replace('5', "s")
                .replace("rn", "m")
                .replace("vv", "w");
            lines.entry(folded).or_default().push(char);
        }
    }
    lines
        .iter()
        .fold(String::new(), |mut text, (letters, alike)| {
            let _ = writeln!(text, "{letters} {alike}");
            text
        })
}

fn marks() -> String {
    let mut ranges: Vec<(char, char)> = Vec::new();
    for char in ('\u{80}'..=char::MAX).filter(|char| is_combining_mark(*char)) {
        match ranges.last_mut() {
            Some((_, last)) if u32::from(*last) + 1 == u32::from(char) => *last = char,
            _ => ranges.push((char, char)),
        }
    }
    let mut text = String::from(
        "//! Written by `tests/unicode_tables.rs`.\n\n/// The first and the last of each range of combining marks, in order.\npub(super) const MARKS: &[(char, char)] = &[\n",
    );
    for (first, last) in ranges {
        let (first, last) = (u32::from(first), u32::from(last));
        let _ = writeln!(text, "    ('\\u{{{first:x}}}', '\\u{{{last:x}}}'),");
    }
    text.push_str("];\n");
    text
}

fn check(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_UNICODE_TABLES").is_some() {
        std::fs::write(&path, expected).expect("the table can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "{} is not what the crates say; UPDATE_UNICODE_TABLES=1 writes it again",
        path.display()
    );
}

#[test]
fn the_table_of_look_alikes_is_nfkc_and_the_skeleton_of_uts_39() {
    check("src/look_alike/look_alikes.txt", &look_alikes());
}

#[test]
fn the_table_of_combining_marks_is_the_general_category_m() {
    check("src/visible_text/marks.rs", &marks());
}
