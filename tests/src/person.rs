//! A person with a browser: cookies, redirects, and forms that are read before they are sent.

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use url::Url;

/// A browser that follows nothing by itself.
pub struct Person {
    http: reqwest::Client,
}

/// A form of a page, with what it would send.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it leads.
    pub action: Url,
    /// The hidden fields.
    pub fields: Vec<(String, String)>,
}

impl Default for Person {
    fn default() -> Self {
        Self::new()
    }
}

impl Person {
    /// A browser with no cookies.
    ///
    /// # Panics
    ///
    /// If there is no HTTP client to be had.
    pub fn new() -> Self {
        Self {
            http: reqwest::Client::builder()
                .cookie_store(true)
                .redirect(Policy::none())
                .build()
                .expect("an HTTP client"),
        }
    }

    /// Opens a page.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn open(&self, url: &str) -> Response {
        self.http.get(url).send().await.expect("an answer")
    }

    /// Sends a form with one of its buttons.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn send(&self, form: &Form, button: (&str, &str)) -> Response {
        let mut fields = form.fields.clone();
        fields.push((button.0.to_owned(), button.1.to_owned()));
        self.http
            .post(form.action.clone())
            .form(&fields)
            .send()
            .await
            .expect("an answer")
    }

    /// The only form of the page that `response` is.
    ///
    /// # Panics
    ///
    /// If it is no page, or has no form.
    pub async fn form(&self, response: Response) -> Form {
        let url = response.url().clone();
        assert_eq!(response.status(), StatusCode::OK, "a page at {url}");
        let html = response.text().await.expect("a whole page");
        let start = html.find("<form").expect("a form on the page");
        let end = html[start..].find("</form").expect("an end of the form") + start;
        let form = &html[start..end];
        let action = attribute(&form[..form.find('>').unwrap_or(form.len())], "action");
        let fields = form
            .split("<input")
            .skip(1)
            .map(|input| &input[..input.find('>').unwrap_or(input.len())])
            .filter(|input| input.contains("hidden"))
            .map(|input| {
                (
                    attribute(input, "name").unwrap_or_default(),
                    attribute(input, "value").unwrap_or_default(),
                )
            })
            .collect();
        Form {
            action: url.join(&action.unwrap_or_default()).expect("an action"),
            fields,
        }
    }

    /// Goes the whole way from an authorization URL, over consent and sign-in, to the URL that
    /// leads back to the client.
    ///
    /// # Panics
    ///
    /// If a step on the way is not as it should be.
    pub async fn allow(&self, authorization_url: &str) -> Url {
        let form = self.form(self.open(authorization_url).await).await;
        let mut next = location(&self.send(&form, ("decision", "allow")).await);
        // Descope, then /callback, then the client.
        loop {
            let response = self.open(next.as_str()).await;
            let leads_to = location(&response);
            if next.path().ends_with("/callback") {
                return leads_to;
            }
            next = leads_to;
        }
    }
}

/// Where a redirect leads.
///
/// # Panics
///
/// If `response` is no redirect.
pub fn location(response: &Response) -> Url {
    let status = response.status();
    assert!(
        status.is_redirection(),
        "a redirect from {}, not {status}",
        response.url()
    );
    let location = response.headers()[LOCATION].to_str().expect("text");
    response.url().join(location).expect("a URL")
}

/// The value of an attribute in the inside of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let end = tag[start..].find('"')? + start;
    Some(
        tag[start..end]
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}
