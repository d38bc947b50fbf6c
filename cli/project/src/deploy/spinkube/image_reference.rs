//! References of images in registries (OCI distribution specification, "Pulling manifests").

/// Checks the reference that an application is pushed to and pulled from, for the command line.
///
/// # Errors
///
/// Says what is wrong with it.
pub(super) fn parse(reference: &str) -> Result<String, String> {
    let (repository, tag) = match reference.rsplit_once(':') {
        // A port is followed by the rest of the repository.
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => return Err("it has no tag. Name one, such as :0.1.0, and another one for each deployment: the cluster does not pull an image again that it has".to_owned()),
    };
    if reference.contains('@') {
        return Err(
            "it names a digest, which an image gets when it is pushed. Name a tag".to_owned(),
        );
    }
    if reference.contains("://") {
        return Err("it begins with a scheme. Leave that out".to_owned());
    }
    if !is_tag(tag) {
        return Err(
            "its tag has other characters than letters, digits, `.`, `_` and `-`".to_owned(),
        );
    }
    let (registry, path) = match repository.split_once('/') {
        Some((first, rest)) if is_registry(first) => (Some(first), rest),
        _ => (None, repository),
    };
    let has_registry = registry.is_none_or(|registry| !registry.starts_with([':', '.']));
    if has_registry && path.split('/').all(is_component) {
        Ok(reference.to_owned())
    } else {
        Err(
            "it is no repository: names of small letters and digits, with `/` between them"
                .to_owned(),
        )
    }
}

/// Whether what stands before the first `/` is a registry: a host name with a dot, or one with a port.
fn is_registry(name: &str) -> bool {
    name.contains(['.', ':']) || name == "localhost"
}

fn is_tag(tag: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=128).contains(&tag.len()) && tag.bytes().all(is_good) && !tag.starts_with(['.', '-'])
}

fn is_component(name: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_good = |byte: u8| is_alphanumeric(byte) || b"._-".contains(&byte);
    let bytes = name.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    let ends_well = ends
        .iter()
        .all(|end| end.is_some_and(|end| is_alphanumeric(*end)));
    ends_well && name.bytes().all(is_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_repository_and_a_tag() {
        for good in [
            "registry.example.com/gatehouse:0.1.0",
            "localhost:5000/tools/gatehouse:1",
            "ghcr.io/some-one/gate.house_2:v1.2-rc.1",
            "someone/gatehouse:1",
        ] {
            assert_eq!(parse(good).as_deref(), Ok(good));
        }
        for (bad, words) in [
            ("registry.example.com/gatehouse", "no tag"),
            ("localhost:5000/gatehouse", "no tag"),
            ("https://registry.example.com/gatehouse:1", "scheme"),
            ("registry.example.com/gatehouse@sha256:0123", "digest"),
            ("registry.example.com/Gatehouse:1", "repository"),
            ("registry.example.com/gate house:1", "repository"),
            ("registry.example.com//gatehouse:1", "repository"),
            ("registry.example.com/gatehouse:a b", "tag"),
            ("registry.example.com/gatehouse:", "tag"),
            (":1", "repository"),
        ] {
            let error = parse(bad).unwrap_err();
            assert!(error.contains(words), "{bad}: {error}");
        }
    }
}
