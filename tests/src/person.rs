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
        self.try_open(url).await.expect("an answer")
    }

    /// Opens a page of a server that may be gone.
    ///
    /// # Errors
    ///
    /// If nothing answers.
    pub async fn try_open(&self, url: &str) -> reqwest::Result<Response> {
        self.http.get(url).send().await
    }

    /// Sends a form with one of its buttons.
    ///
    /// # Panics
    ///
    /// If nothing answers.
    pub async fn send(&self, form: &Form, button: (&str, &str)) -> Response {
        self.try_send(form, button).await.expect("an answer")
    }

    async fn try_send(&self, form: &Form, button: (&str, &str)) -> reqwest::Result<Response> {
        let mut fields = form.fields.clone();
        fields.push((button.0.to_owned(), button.1.to_owned()));
        let request = self.http.post(form.action.clone()).form(&fields);
        request.send().await
    }

    /// The only form of the page that `response` is.
    ///
    /// # Panics
    ///
    /// If it is no page, or has no form.
    pub async fn form(&self, response: Response) -> Form {
        self.try_form(response).await.expect("a whole page")
    }

    async fn try_form(&self, response: Response) -> reqwest::Result<Form> {
        let url = response.url().clone();
        assert_eq!(response.status(), StatusCode::OK, "a page at {url}");
        let html = response.text().await?;
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
        Ok(Form {
            action: url.join(&action.unwrap_or_default()).expect("an action"),
            fields,
        })
    }

    /// Goes the whole way from an authorization URL, over consent and sign-in, to the URL that
    /// leads back to the client.
    ///
    /// # Panics
    ///
    /// If a step on the way is not as it should be.
    pub async fn allow(&self, authorization_url: &str) -> Url {
        self.try_allow(authorization_url).await.expect("an answer")
    }

    /// The same at a server that may be gone.
    ///
    /// # Errors
    ///
    /// If nothing answers at some step.
    ///
    /// # Panics
    ///
    /// If a step on the way is not as it should be.
    pub async fn try_allow(&self, authorization_url: &str) -> reqwest::Result<Url> {
        let page = self.try_open(authorization_url).await?;
        let form = self.try_form(page).await?;
        let mut next = location(&self.try_send(&form, ("decision", "allow")).await?);
        // Descope, then /callback, then the client.
        loop {
            let response = self.try_open(next.as_str()).await?;
            let leads_to = location(&response);
            if next.path().ends_with("/callback") {
                return Ok(leads_to);
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
