//! The two cases of identifiers in a manifest: `kebab-case` and `lower_snake_case`.

/// Checks a component's name: words of letters and digits joined by hyphens.
///
/// # Errors
///
/// Says what is wrong with the name.
pub fn kebab(name: &str) -> Result<(), String> {
    words(name, '-', '_', true)
}

/// Checks a variable's name: lower-case words joined by single underscores.
///
/// # Errors
///
/// Says what is wrong with the name.
pub fn snake(name: &str) -> Result<(), String> {
    words(name, '_', '-', false)
}

fn words(name: &str, delimiter: char, wrong: char, upper_allowed: bool) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    if name.contains(wrong) {
        return Err(format!("words are joined by {delimiter:?}, not {wrong:?}"));
    }
    for word in name.split(delimiter) {
        let Some(first) = word.chars().next() else {
            return Err(format!("there is an empty word between two {delimiter:?}"));
        };
        if !first.is_ascii_alphabetic() {
            return Err(format!(
                "the word {word:?} does not start with an ASCII letter"
            ));
        }
        let upper = first.is_ascii_uppercase();
        if upper && !upper_allowed {
            return Err(format!("the word {word:?} is not lower case"));
        }
        let fits = |letter: char| {
            letter.is_ascii_digit()
                || (letter.is_ascii_alphabetic() && letter.is_ascii_uppercase() == upper)
        };
        if !word.chars().all(fits) {
            return Err(format!(
                "the word {word:?} may hold ASCII letters of one case and digits only"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn component_names_are_words_joined_by_hyphens() {
        for good in ["a", "identity-descope", "HTTP-server2"] {
            kebab(good).unwrap();
        }
        for bad in ["", "a--b", "-a", "a_b", "2a", "aB", "a.b"] {
            kebab(bad).unwrap_err();
        }
    }

    #[test]
    fn variable_names_are_lower_case_words_joined_by_single_underscores() {
        for good in ["a", "public_url", "key2"] {
            snake(good).unwrap();
        }
        for bad in ["", "a__b", "_a", "a-b", "A", "a_", "2a"] {
            snake(bad).unwrap_err();
        }
    }
}
