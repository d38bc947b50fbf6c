//! The identity providers that Gatehouse is tested over.

use descope_emulator::{Running, TokenIssuer};

/// How people sign in. The emulator plays either provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Descope, by `components/identity-descope`.
    Descope,
    /// Any OpenID Connect provider, by `components/identity-oidc`.
    OpenId,
}

impl Provider {
    /// Returns its component as `spin.toml` names it, which is all that differs there.
    pub fn component(self) -> &'static str {
        match self {
            Self::Descope => "target/wasm32-wasip2/wasm/gatehouse_identity_descope.wasm",
            Self::OpenId => "target/wasm32-wasip2/wasm/gatehouse_identity_oidc.wasm",
        }
    }

    /// Whom its tokens name.
    pub fn issuer(self) -> TokenIssuer {
        match self {
            Self::Descope => TokenIssuer::InboundApp,
            Self::OpenId => TokenIssuer::OpenId,
        }
    }

    /// Returns where it says who a person is.
    pub fn userinfo(self, emulator: &Running) -> String {
        let base = emulator.base_url();
        match self {
            Self::Descope => format!("{base}/oauth2/v1/apps/userinfo"),
            Self::OpenId => format!("{base}/openid/userinfo"),
        }
    }

    /// Returns the variable that sign-ins need.
    pub fn needs(self) -> &'static str {
        match self {
            Self::Descope => "descope_project_id",
            Self::OpenId => "oidc_issuer",
        }
    }

    /// Returns the variables that point Gatehouse at it.
    pub fn variables(self, emulator: &Running) -> Vec<(&'static str, String)> {
        let config = emulator.config();
        let (id, secret) = (config.client_id.clone(), config.client_secret.clone());
        match self {
            Self::Descope => vec![
                ("descope_base_url", emulator.base_url().to_owned()),
                ("descope_project_id", config.project_id.clone()),
                ("descope_client_id", id),
                ("descope_client_secret", secret),
            ],
            Self::OpenId => vec![
                // Nothing of Descope's is to be called.
                ("descope_base_url", String::new()),
                ("oidc_issuer", emulator.issuer(self.issuer())),
                ("oidc_host", emulator.base_url().to_owned()),
                ("oidc_client_id", id),
                ("oidc_client_secret", secret),
            ],
        }
    }
}

/// Makes each of these functions, which take a [`Provider`], two tests: one over either provider.
#[macro_export]
macro_rules! over_both_providers {
    ($($rule:ident),+ $(,)?) => { $(
        mod $rule {
            #[tokio::test]
            async fn with_descope() {
                super::$rule($crate::Provider::Descope).await;
            }

            #[tokio::test]
            async fn with_openid_connect() {
                super::$rule($crate::Provider::OpenId).await;
            }
        }
    )+ };
}
