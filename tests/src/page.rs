//! HTML pages: their headers, text, forms and tags.

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use url::Url;

/// An HTML page, whatever its status.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it was got from.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The markup.
    pub html: String,
}

impl Page {
    /// Reads it to its end.
    ///
    /// # Panics
    ///
    /// If `response` is no whole HTML page.
    pub async fn read(response: Response) -> Self {
        Self::try_read(response).await.expect("a whole page")
    }

    /// Returns the same from a server that may be gone.
    ///
    /// # Errors
    ///
    /// If the page does not come to its end.
    ///
    /// # Panics
    ///
    /// If `response` is no HTML page.
    pub async fn try_read(response: Response) -> reqwest::Result<Self> {
        let (url, status) = (response.url().clone(), response.status());
        let headers = response.headers().clone();
        let html = response.text().await?;
        let kind = headers.get("content-type").map(|kind| kind.as_bytes());
        assert_eq!(
            kind,
            Some(b"text/html; charset=utf-8".as_slice()),
            "a page at {url}, not {status} {html}"
        );
        Ok(Self {
            url,
            status,
            headers,
            html,
        })
    }

    /// Returns the text of the body, with single spaces.
    pub fn text(&self) -> String {
        let body = self.html.split_once("<body").map_or("", |(_, body)| body);
        let mut text = String::new();
        for (index, part) in body.split('<').enumerate() {
            let words = match part.split_once('>') {
                Some((_, words)) => words,
                None if index == 0 => "",
                None => part,
            };
            text.push_str(words);
            text.push(' ');
        }
        let words: Vec<_> = text.split_whitespace().collect();
        unescaped(&words.join(" "))
    }

    /// Returns the first heading.
    pub fn heading(&self) -> String {
        let inside = between(&self.html, "<h1>", "</h1>").unwrap_or_default();
        unescaped(inside)
    }

    /// Returns the only form.
    ///
    /// # Panics
    ///
    /// If the page has no form, or several.
    pub fn form(&self) -> Form {
        let mut forms = self.forms();
        assert_eq!(forms.len(), 1, "one form at {}: {}", self.url, self.html);
        forms.remove(0)
    }

    /// Returns the first form that leads to a path with this end.
    ///
    /// # Panics
    ///
    /// If there is no such form.
    pub fn form_to(&self, end: &str) -> Form {
        self.forms()
            .into_iter()
            .find(|form| form.action.path().ends_with(end))
            .unwrap_or_else(|| panic!("a form to {end} at {}: {}", self.url, self.html))
    }

    /// Returns every form, with its hidden fields.
    pub fn forms(&self) -> Vec<Form> {
        self.html
            .split("<form")
            .skip(1)
            .map(|part| {
                let form = part.split("</form").next().unwrap_or(part);
                let action = attribute(form.split('>').next().unwrap_or(form), "action");
                let inputs = form.split("<input").skip(1);
                let hidden = inputs
                    .filter_map(|input| input.split('>').next())
                    .filter(|input| attribute(input, "type").as_deref() == Some("hidden"));
                Form {
                    action: self
                        .url
                        .join(&action.unwrap_or_default())
                        .expect("an action"),
                    fields: hidden
                        .map(|input| {
                            let read = |name| attribute(input, name).unwrap_or_default();
                            (read("name"), read("value"))
                        })
                        .collect(),
                }
            })
            .collect()
    }

    /// Returns every tag, with the names of its attributes and without their values: what others write on a
    /// page must not change it.
    pub fn tags(&self) -> Vec<String> {
        let mut tags = Vec::new();
        let mut rest = self.html.as_str();
        while let Some(start) = rest.find('<') {
            let (mut tag, mut quoted) = (String::new(), false);
            let mut length = 1;
            for char in rest[start + 1..].chars() {
                length += char.len_utf8();
                match char {
                    '>' if !quoted => break,
                    '"' => quoted = !quoted,
                    _ if !quoted => tag.push(char),
                    _ => {}
                }
            }
            tags.push(tag);
            rest = &rest[start + length..];
        }
        tags
    }

    /// Returns the value of an attribute of the first tag of this name.
    pub fn attribute_of(&self, tag: &str, name: &str) -> Option<String> {
        let (_, inside) = self.html.split_once(&format!("<{tag} "))?;
        attribute(&format!(" {}", inside.split('>').next()?), name)
    }

    /// Returns the directive of the page's policy with this name (CSP Level 3), without the name.
    ///
    /// # Panics
    ///
    /// If the page has no policy.
    pub fn policy(&self, directive: &str) -> Option<String> {
        let policy = self.headers["content-security-policy"]
            .to_str()
            .expect("text");
        policy
            .split(';')
            .filter_map(|part| part.trim().split_once(' '))
            .find(|(name, _)| *name == directive)
            .map(|(_, sources)| sources.to_owned())
    }
}

/// Returns the value of an attribute in the inside of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    between(tag, &format!(" {name}=\""), "\"").map(unescaped)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(inside, _)| inside)
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// A form of a page, with what it would send.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it leads.
    pub action: Url,
    /// The hidden fields.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// With a field more, such as a box that is ticked.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the value of a hidden field.
    ///
    /// # Panics
    ///
    /// If there is no field of this name.
    pub fn field(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(known, _)| known == name);
        &field.unwrap_or_else(|| panic!("a field {name}")).1
    }
}
