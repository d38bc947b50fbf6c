//! Patterns with `*`.

/// Returns whether the whole of `text` fits `pattern`, in which `*` stands for any text. Takes at most the product of both
/// lengths in steps.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_the_rest_for_itself() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("get*", "getPet", true),
            ("get*", "forgetPet", false),
            ("*Pet", "getPet", true),
            ("*Pet", "getPets", false),
            ("get*Pet*", "getOldPetById", true),
            ("get*get", "get", false),
            ("a*b*c", "axbxc", true),
            ("a*b*c", "axcxb", false),
            ("a*bc", "abbc", true),
            ("a.c", "abc", false),
            ("getPet", "getPet", true),
            ("getPet", "getPets", false),
            ("getPet", "GetPet", false),
            ("", "", true),
            ("", "x", false),
            ("**", "x", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_long_text_and_many_stars_take_no_longer_than_their_product() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!fits(&pattern, &"a".repeat(20_000)));
    }
}
