//! The one reader of queries and forms (`application/x-www-form-urlencoded`).

use http::HeaderMap;
use http_fields::MediaType;

/// Bytes that a query or form may have, which are as many as a URL may have here.
const MAX_BYTES: usize = 64 * 1024;

/// Parameters that a query or form may have.
const MAX_COUNT: usize = 64;

/// Why parameters could not be read. The names in it were sent by the client: escape them.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParameterError {
    /// The body is of another type.
    #[error("the body must be of the type application/x-www-form-urlencoded")]
    ContentType,
    /// There is too much of it.
    #[error("there are more than {MAX_BYTES} bytes or {MAX_COUNT} parameters")]
    TooMuch,
    /// A parameter that may come once came again (RFC 6749 section 3.1).
    #[error("{0} is there more than once")]
    Repeated(String),
}

/// The parameters of a query or form, in order. One without a value counts as absent (RFC 6749
/// section 3.1).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query, or nothing.
    ///
    /// # Errors
    ///
    /// [`ParameterError::TooMuch`].
    pub fn from_query(query: Option<&str>) -> Result<Self, ParameterError> {
        Self::parse(query.unwrap_or_default().as_bytes())
    }

    /// Reads the body of a request with these headers.
    ///
    /// # Errors
    ///
    /// [`ParameterError::ContentType`] and [`ParameterError::TooMuch`].
    pub fn from_form(headers: &HeaderMap, body: &[u8]) -> Result<Self, ParameterError> {
        let media_type = MediaType::of(headers);
        if !media_type.is_some_and(|of| of.is("application/x-www-form-urlencoded")) {
            return Err(ParameterError::ContentType);
        }
        Self::parse(body)
    }

    fn parse(bytes: &[u8]) -> Result<Self, ParameterError> {
        if bytes.len() > MAX_BYTES {
            return Err(ParameterError::TooMuch);
        }
        let mut pairs = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            if pairs.len() == MAX_COUNT {
                return Err(ParameterError::TooMuch);
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// Returns the value of a parameter, the first one if there are several.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns every value of a parameter that may come more than once.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is there more than once, with or without a value.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.0.iter().filter(|(key, _)| key == name).count() > 1
    }

    /// Refuses parameters that come more than once, apart from those in `except`.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Repeated`] with the first such name.
    pub fn refuse_repeated(&self, except: &[&str]) -> Result<(), ParameterError> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            let again = self.0[..index].iter().any(|(earlier, _)| earlier == name);
            if again && !except.contains(&name.as_str()) {
                return Err(ParameterError::Repeated(name.clone()));
            }
        }
        Ok(())
    }

    /// Returns every parameter, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The names alone: values may be secrets.
impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Parameters {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    fn form(content_type: &'static str, body: &str) -> Result<Parameters, ParameterError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Parameters::from_form(&headers, body.as_bytes())
    }

    #[test]
    fn a_form_is_decoded_and_an_empty_parameter_counts_as_absent() {
        let form = form(
            "application/X-WWW-form-urlencoded; charset=utf-8",
            "a=1+%26&b=&c",
        );
        let form = form.unwrap();
        assert_eq!(form.get("a"), Some("1 &"));
        assert_eq!(form.get("b"), None);
        assert_eq!(form.get("c"), None);
    }

    #[test]
    fn another_content_type_is_no_form() {
        assert_eq!(
            form("application/json", "a=1"),
            Err(ParameterError::ContentType)
        );
        assert_eq!(
            Parameters::from_form(&HeaderMap::new(), b"a=1"),
            Err(ParameterError::ContentType)
        );
    }

    #[test]
    fn a_repeated_parameter_is_refused_unless_it_may_repeat() {
        let query = Parameters::from_query(Some("resource=a&resource=b&state=&state=x")).unwrap();
        assert_eq!(
            query.refuse_repeated(&["resource"]),
            Err(ParameterError::Repeated("state".into()))
        );
        assert!(query.is_repeated("state"));
        assert_eq!(query.refuse_repeated(&["resource", "state"]), Ok(()));
        assert_eq!(query.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn size_and_count_are_bounded() {
        let many = "a=1&".repeat(MAX_COUNT + 1);
        assert_eq!(
            Parameters::from_query(Some(&many)),
            Err(ParameterError::TooMuch)
        );
        let long = format!("a={}", "x".repeat(MAX_BYTES));
        assert_eq!(
            Parameters::from_query(Some(&long)),
            Err(ParameterError::TooMuch)
        );
    }

    #[test]
    fn no_value_shows_in_debug_output() {
        let query = Parameters::from_query(Some("code=s3cret")).unwrap();
        assert_eq!(format!("{query:?}"), r#"["code"]"#);
    }
}
