//! Fixtures of the tests: a project and its apps.

use crate::settings::{App, Credentials, Project};

pub(crate) const PROJECT: &str = "P123";
pub(crate) const CLIENT_ID: &str = "inbound-app==";
pub(crate) const SECRET: &str = "s3cret";

pub(crate) fn project() -> Project {
    Project {
        base_url: "https://api.descope.com".to_owned(),
        id: PROJECT.to_owned(),
        mcp_server_id: None,
        client_id: Some(CLIENT_ID.to_owned()),
        public_url: None,
    }
}

pub(crate) fn client_app() -> App {
    App {
        credentials: Credentials::Client {
            id: CLIENT_ID.to_owned(),
            secret: SECRET.to_owned(),
        },
        scopes: "openid profile email".to_owned(),
    }
}

pub(crate) fn key_app() -> App {
    App {
        credentials: Credentials::ManagementKey(SECRET.to_owned()),
        ..client_app()
    }
}
