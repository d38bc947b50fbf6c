//! Texts of the server that are passed on in messages of ours.

/// Returns a name in quotation marks, as far as a line of the log holds it.
pub(crate) fn quoted(name: &str) -> String {
    const MAX_CHARS: usize = 128;
    let name: String = name.chars().take(MAX_CHARS).collect();
    format!("“{name}”")
}

/// Returns the text, or as much of it as a message holds.
pub(crate) fn excerpt(text: &str) -> String {
    const MAX_CHARS: usize = 2000;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
