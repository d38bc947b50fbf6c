//! Matching of URIs with templates of RFC 6570: `{name}`, which has no slash, and `{+name}`, which may have some.

/// Returns the variables, decoded, if the URI is one of the template's.
pub(crate) fn variables(template: &str, uri: &str) -> Option<Vec<(String, String)>> {
    let Some((before, rest)) = template.split_once('{') else {
        return (template == uri).then(Vec::new);
    };
    let uri = uri.strip_prefix(before)?;
    let (expression, rest) = rest.split_once('}')?;
    let (name, has_slashes) = match expression.strip_prefix('+') {
        Some(name) => (name, true),
        None => (expression, false),
    };
    // The shortest value with which the rest fits.
    let mut ends = uri.char_indices().map(|(at, c)| at + c.len_utf8());
    let fits = |end: usize| {
        let value = &uri[..end];
        if !has_slashes && value.contains('/') {
            return None;
        }
        let mut others = variables(rest, &uri[end..])?;
        others.insert(0, (name.to_owned(), decoded(value)?));
        Some(others)
    };
    ends.find_map(fits)
}

/// Returns the text with `%xx` replaced; `None` if it is not UTF-8 then.
fn decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| byte == b'%');
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::variables;

    fn matched(template: &str, uri: &str) -> Option<String> {
        let variables = variables(template, uri)?;
        let pairs = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        Some(pairs.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_uri_that_fits_has_the_variables() {
        for (template, uri, expected) in [
            ("units:all", "units:all", Some("")),
            ("units:all", "units:none", None),
            ("units:{kind}", "units:mass", Some("kind=mass")),
            ("units:{kind}", "units:", None),
            ("units:{kind}", "units:a/b", None),
            ("file:///{+path}", "file:///a/b.txt", Some("path=a/b.txt")),
            ("test://{id}/data", "test://123/data", Some("id=123")),
            ("test://{id}/data", "test://123/other", None),
            ("a:{b}-{c}", "a:1-2-3", Some("b=1 c=2-3")),
            ("a:{b}", "a:x%20y", Some("b=x y")),
            ("a:{b}", "a:100%", Some("b=100%")),
            ("a:{b}", "a:%ff", None),
            ("a:{b}", "a:ä", Some("b=ä")),
        ] {
            assert_eq!(
                matched(template, uri).as_deref(),
                expected,
                "{template} {uri}"
            );
        }
    }
}
