//! `/account`: the page with a person's connected apps, and its forms.

use crate::consent::scope_text;
use crate::context::Context;
use crate::date;
use crate::remembered_consents::RememberedConsents;
use crate::routes::AccountAction;
use crate::session::Session;
use crate::{pages, responses};
use events::{EndedBy, Event};
use grants::{Grant, Listed, Page as Grants, PageCursor};
use http::header::SET_COOKIE;
use maud::{Markup, html};
use oauth::scope::{self, Bounds, Holder};
use oauth::{ErrorCode, ParameterError, Parameters};
use store::KeyValue;
use web::{Page, Request, Response, with_header};

#[derive(Debug, thiserror::Error)]
enum AccountError {
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error("the form was not sent by a page of this session")]
    Forged,
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl AccountError {
    /// Returns the code that the log has.
    fn code(&self) -> ErrorCode {
        match self {
            Self::Parameter(_) | Self::Forged => ErrorCode::InvalidRequest,
            Self::Store(_) => ErrorCode::TemporarilyUnavailable,
        }
    }

    /// Returns the page, and writes the event.
    fn respond<K>(self, context: &Context<'_, K>) -> Response {
        context.refused("/account", self.code(), &self);
        match self {
            Self::Parameter(error) => pages::bad_target(&error.to_string()),
            Self::Forged => pages::stale_account(&context.base.join("/account")),
            Self::Store(error) => responses::store_failed_page(&error),
        }
    }
}

/// Answers a request to `/account`: the page.
pub async fn handle<K: KeyValue>(context: &Context<'_, K>, request: &Request) -> Response {
    let shown = show(context, request).await;
    shown.unwrap_or_else(|error| error.respond(context))
}

/// Answers a form of the page.
pub async fn handle_action<K: KeyValue>(
    context: &Context<'_, K>,
    action: AccountAction,
    request: &Request,
) -> Response {
    let done = act(context, request, action).await;
    done.unwrap_or_else(|error| error.respond(context))
}

/// Answers a request to any other path below `/account`.
pub fn no_such_page<K>(context: &Context<'_, K>) -> Response {
    pages::no_such_page(&context.base.join("/account"))
}

async fn session<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<Option<Session>, store::Error> {
    let (keys, base, headers) = (&context.config.keys, context.base, request.headers());
    Session::read(context.store, keys, base, headers, context.now).await
}

async fn show<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
) -> Result<Response, AccountError> {
    let query = Parameters::from_query(request.uri().query())?;
    query.refuse_repeated(&[])?;
    let done = query.get("done").and_then(done_text);
    let Some(session) = session(context, request).await? else {
        return Ok(signed_out(context, done));
    };
    let from = query.get("from").and_then(PageCursor::parse);
    let grants = context
        .grants()
        .of_subject(&session.subject, from, context.now)
        .await?;
    let keys = &context.config.keys;
    let remembered =
        RememberedConsents::read(keys, context.base, request.headers(), context.now).len();
    let view = View {
        token: session.form_token(keys),
        session: &session,
        grants: &grants,
        later: from.is_some(),
        remembered,
        done,
        account: context.base.join("/account"),
        existing: &context.config.scopes,
    };
    Ok(view.respond())
}

async fn act<K: KeyValue>(
    context: &Context<'_, K>,
    request: &Request,
    action: AccountAction,
) -> Result<Response, AccountError> {
    let (keys, base) = (&context.config.keys, context.base);
    let form = Parameters::from_form(request.headers(), request.body())?;
    form.refuse_repeated(&[])?;
    if web::is_cross_origin(request.headers(), &base.origin()) {
        return Err(AccountError::Forged);
    }
    let session = session(context, request).await?;
    let session = session
        .filter(|session| session.is_form_token(keys, form.get("token").unwrap_or_default()))
        .ok_or(AccountError::Forged)?;
    context.events.subject(&session.subject);
    let ended = |grants| {
        let by = EndedBy::Person;
        context.events.record(&Event::Revocation { by, grants });
    };
    let to = |query: &str| web::see_other(&format!("{}?{query}", base.join("/account")));
    Ok(match action {
        AccountAction::End => {
            let id = form.get("grant").unwrap_or_default();
            let is_theirs = context
                .grants()
                .end_of_subject(&session.subject, id, context.now)
                .await?;
            if is_theirs {
                context.events.grant(id);
                ended(1);
            }
            to("done=ended")
        }
        AccountAction::EndAll => {
            let from = form.get("from").and_then(PageCursor::parse);
            let page = context
                .grants()
                .end_page_of_subject(&session.subject, from, context.now)
                .await?;
            if page.count > 0 {
                ended(page.count);
            }
            match page.next {
                Some(next) => to(&format!("done=more&from={next}")),
                None => to("done=all"),
            }
        }
        AccountAction::Forget => with_header(
            to("done=forgotten"),
            SET_COOKIE,
            RememberedConsents::forget(base),
        ),
        AccountAction::SignOut => {
            session.end(context.store).await?;
            with_header(to("done=out"), SET_COOKIE, Session::clear(base))
        }
    })
}

/// Returns what the page says first after a form. Nothing of a link is repeated on it.
fn done_text(done: &str) -> Option<&'static str> {
    Some(match done {
        "ended" => "The app is disconnected.",
        "all" => "All apps are disconnected.",
        "more" => {
            "Many apps are disconnected, but not all of them. Disconnect all again to continue."
        }
        "forgotten" => "Every app will ask you again.",
        "out" => "You are signed out.",
        _ => return None,
    })
}

fn signed_out<K>(context: &Context<'_, K>, done: Option<&str>) -> Response {
    let body = html! {
        h1 { "Your account" }
        @if let Some(done) = done { p.note role="status" { (done) } }
        p.lead { "Sign in to see which apps you have connected to this server, and to disconnect those that you no longer want." }
        div.choices { a.button href=(context.base.join("/account/sign-in")) { "Sign in" } }
    };
    Page::new("Your account", body).into_response()
}

struct View<'a> {
    session: &'a Session,
    token: String,
    grants: &'a Grants,
    /// Whether this is not the first page of the list.
    later: bool,
    remembered: usize,
    done: Option<&'static str>,
    account: String,
    /// The scopes that exist: a grant has no other, whatever it once had.
    existing: &'a [String],
}

impl View<'_> {
    fn respond(&self) -> Response {
        let Grants { grants, next } = self.grants;
        let is_all = next.is_none() && !self.later;
        let body = html! {
            h1 { "Your account" }
            @if let Some(done) = self.done { p.note role="status" { (done) } }
            div.row {
                p.lead { "You are signed in as " b { (self.session.display_name()) } "." }
                (self.form("sign-out", html! {
                    button.quiet.compact type="submit" { "Sign out" }
                }))
            }
            h2 { "Connected apps" }
            @if grants.is_empty() && is_all {
                p { "You have not connected any apps. Apps that connect to this server in your name are listed here." }
            } @else if grants.is_empty() {
                p { "No apps on this page." }
            } @else {
                ul.cards { @for listed in grants { (self.card(listed)) } }
            }
            @if !is_all {
                nav.row aria-label="Pages" {
                    @if self.later { a href=(self.account) { "Newest" } }
                    @if let Some(next) = next {
                        a href=(format!("{}?from={next}", self.account)) { "Older" }
                    }
                }
            }
            @if grants.len() > 1 || !is_all {
                details.more {
                    summary { "Disconnect all apps" }
                    (self.form("end-all", html! {
                        p { "Each app loses its access at once, and has to be connected again." }
                        button type="submit" { "Disconnect all" }
                    }))
                }
            }
            h2 { "Remembered in this browser" }
            @if self.remembered == 0 {
                p { "Nothing. Every app asks you before it is connected." }
            } @else {
                div.row {
                    p {
                        @if self.remembered == 1 { "One app is connected again without asking." }
                        @else { (self.remembered) " apps are connected again without asking." }
                    }
                    (self.form("forget", html! {
                        button.quiet.compact type="submit" { "Ask me again" }
                    }))
                }
            }
            p.small { "This sign-in ends within an hour." }
        };
        Page::new("Your account", body)
            .form_action("'self'")
            .into_response()
    }

    fn scopes(&self, grant: &Grant) -> Vec<String> {
        let bounds = Bounds {
            existing: self.existing,
            registered: None,
            person: None,
            holder: Holder::Granted(&grant.scopes),
        };
        scope::still(grant.scopes.iter().map(String::as_str), &bounds)
    }

    fn card(&self, listed: &Listed) -> Markup {
        let Listed { id, grant, used_at } = listed;
        let name = if grant.client.name.is_empty() {
            &grant.client_id
        } else {
            &grant.client.name
        };
        html! {
            li.card {
                div.row {
                    h3 { (name) }
                    (self.form("end", html! {
                        input type="hidden" name="grant" value=(id);
                        button.quiet.compact type="submit" aria-label=(format!("Disconnect {name}")) { "Disconnect" }
                    }))
                }
                p.small { "Answers go to " (grant.client.destination) }
                ul.bullets {
                    @for scope in self.scopes(grant) { li { (scope_text(&scope, "your identity provider")) } }
                }
                dl.times {
                    div { dt { "Connected" } dd { (date::time(grant.created_at)) } }
                    div {
                        dt { "Last used" }
                        dd {
                            @match used_at {
                                Some(at) => (date::time(*at)),
                                None => "not yet",
                            }
                        }
                    }
                    div { dt { "Expires" } dd { (date::time(grant.expires_at)) } }
                }
            }
        }
    }

    fn form(&self, action: &str, inside: Markup) -> Markup {
        html! {
            form method="post" action=(format!("{}/{action}", self.account)) {
                input type="hidden" name="token" value=(self.token);
                (inside)
            }
        }
    }
}
