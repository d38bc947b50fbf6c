//! The discovery documents: what really exists, and nothing else.

use crate::client::{AuthMethod, GrantType};
use crate::resource::Resources;
use crate::scope::OFFLINE_ACCESS;
use jwt::Algorithm;
use serde::Serialize;

/// The document of an authorization server (RFC 8414 section 2).
#[derive(Clone, Debug, Serialize)]
pub struct AuthorizationServer {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    /// Left out where registration is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    revocation_endpoint: String,
    introspection_endpoint: String,
    jwks_uri: String,
    scopes_supported: Vec<String>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 3],
    token_endpoint_auth_methods_supported: [&'static str; 4],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 3],
    code_challenge_methods_supported: [&'static str; 1],
    /// RFC 9449 section 5.1.
    dpop_signing_alg_values_supported: [&'static str; 3],
    /// RFC 9207 section 3.
    authorization_response_iss_parameter_supported: bool,
    /// Section 6 of the draft on Client ID Metadata Documents.
    client_id_metadata_document_supported: bool,
    /// RFC 9728 section 4.
    protected_resources: Vec<String>,
    service_documentation: String,
}

/// The same document where clients look for OpenID Connect's (Discovery 1.0 section 3). It says
/// what that requires to be said, and that no ID tokens are to be had.
#[derive(Clone, Debug, Serialize)]
pub struct OpenIdConfiguration {
    #[serde(flatten)]
    server: AuthorizationServer,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 0],
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    claims_parameter_supported: bool,
}

/// The document of a protected resource (RFC 9728 section 2).
#[derive(Clone, Debug, Serialize)]
pub struct ProtectedResource {
    resource: String,
    authorization_servers: [String; 1],
    scopes_supported: Vec<String>,
    bearer_methods_supported: [&'static str; 1],
    /// Left out where another server's tokens are taken: those are bearer tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    dpop_signing_alg_values_supported: Option<[&'static str; 3]>,
    resource_name: &'static str,
    resource_documentation: String,
}

/// How clients that were not configured become known.
#[derive(Clone, Copy, Debug)]
pub struct ClientIdentification {
    /// They may register (RFC 7591).
    pub registration: bool,
    /// They may be URLs with metadata documents.
    pub documents: bool,
}

/// Returns the document of the authorization server at `base`, which is its issuer and has no trailing
/// slash. `scopes` are the scopes that exist, `resources` those whose tokens it issues.
pub fn authorization_server(
    base: &str,
    scopes: &[String],
    resources: &Resources,
    client_identification: ClientIdentification,
) -> AuthorizationServer {
    let methods = AuthMethod::ALL.map(AuthMethod::as_str);
    let algorithms = signing_algorithms();
    let mut scopes_supported = scopes.to_vec();
    scopes_supported.push(OFFLINE_ACCESS.to_owned());
    AuthorizationServer {
        issuer: base.to_owned(),
        authorization_endpoint: format!("{base}/authorize"),
        token_endpoint: format!("{base}/token"),
        registration_endpoint: client_identification
            .registration
            .then(|| format!("{base}/register")),
        revocation_endpoint: format!("{base}/revoke"),
        introspection_endpoint: format!("{base}/introspect"),
        jwks_uri: format!("{base}/.well-known/jwks.json"),
        scopes_supported,
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: GrantType::ALL.map(GrantType::as_str),
        token_endpoint_auth_methods_supported: methods,
        token_endpoint_auth_signing_alg_values_supported: algorithms,
        revocation_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_signing_alg_values_supported: algorithms,
        // Public clients are told nothing.
        introspection_endpoint_auth_methods_supported: methods
            .into_iter()
            .filter(|method| *method != AuthMethod::None.as_str())
            .collect(),
        introspection_endpoint_auth_signing_alg_values_supported: algorithms,
        code_challenge_methods_supported: ["S256"],
        dpop_signing_alg_values_supported: algorithms,
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: client_identification.documents,
        protected_resources: resources.all().to_vec(),
        service_documentation: format!("{base}/"),
    }
}

/// Returns what client assertions and DPoP proofs may be signed with.
fn signing_algorithms() -> [&'static str; 3] {
    Algorithm::ALL.map(Algorithm::as_str)
}

/// Returns the document for clients that look for OpenID Connect.
pub fn openid_configuration(
    base: &str,
    scopes: &[String],
    resources: &Resources,
    client_identification: ClientIdentification,
) -> OpenIdConfiguration {
    OpenIdConfiguration {
        server: authorization_server(base, scopes, resources, client_identification),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: [],
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        claims_parameter_supported: false,
    }
}

/// Returns the document of the resource at `path` below `base` (empty: the base itself), if it is one of `resources`.
/// `issuer` is its authorization server's. Its scopes are those that a token can have; `offline_access` is not among them.
pub fn protected_resource(
    base: &str,
    path: &str,
    resources: &Resources,
    issuer: &str,
    scopes: &[String],
) -> Option<ProtectedResource> {
    let resource = format!("{base}{path}");
    resources
        .all()
        .contains(&resource)
        .then(|| ProtectedResource {
            resource,
            authorization_servers: [issuer.to_owned()],
            scopes_supported: scopes.to_vec(),
            bearer_methods_supported: ["header"],
            dpop_signing_alg_values_supported: (issuer == base).then(signing_algorithms),
            resource_name: "Gatehouse",
            resource_documentation: format!("{base}/"),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BASE: &str = "https://m.example";

    fn resources() -> Resources {
        Resources::advertised(BASE, true)
    }

    const ALL: ClientIdentification = ClientIdentification {
        registration: true,
        documents: true,
    };

    fn scopes() -> Vec<String> {
        vec!["tools".into(), "userinfo".into()]
    }

    #[test]
    fn the_issuer_is_the_base_and_every_endpoint_lies_below_it() {
        let document =
            serde_json::to_value(authorization_server(BASE, &scopes(), &resources(), ALL)).unwrap();
        assert_eq!(document["issuer"], BASE);
        for (name, value) in document.as_object().unwrap() {
            if name.ends_with("_endpoint") || name.ends_with("_uri") {
                assert!(value.as_str().unwrap().starts_with("https://m.example/"));
            }
        }
        assert_eq!(
            document["code_challenge_methods_supported"],
            json!(["S256"])
        );
        assert_eq!(
            document["scopes_supported"],
            json!(["tools", "userinfo", "offline_access"])
        );
    }

    #[test]
    fn a_way_for_clients_to_become_known_is_told_only_where_it_is_open() {
        let document = |registration, documents| {
            let identification = ClientIdentification {
                registration,
                documents,
            };
            serde_json::to_value(authorization_server(
                BASE,
                &scopes(),
                &resources(),
                identification,
            ))
            .unwrap()
        };
        let supported = "client_id_metadata_document_supported";
        let open = document(true, false);
        assert!(open.get("registration_endpoint").is_some());
        assert_eq!(open[supported], false);
        let closed = document(false, true);
        assert!(closed.get("registration_endpoint").is_none());
        assert_eq!(closed[supported], true);
    }

    #[test]
    fn the_openid_document_is_the_same_and_promises_no_id_token() {
        let plain =
            serde_json::to_value(authorization_server(BASE, &scopes(), &resources(), ALL)).unwrap();
        let openid =
            serde_json::to_value(openid_configuration(BASE, &scopes(), &resources(), ALL)).unwrap();
        for (name, value) in plain.as_object().unwrap() {
            assert_eq!(&openid[name], value);
        }
        assert_eq!(openid["id_token_signing_alg_values_supported"], json!([]));
        assert!(openid.get("userinfo_endpoint").is_none());
    }

    #[test]
    fn where_http_sse_is_not_offered_no_document_names_its_resource() {
        let resources = Resources::advertised(BASE, false);
        let server = authorization_server(BASE, &scopes(), &resources, ALL);
        let server = serde_json::to_value(server).unwrap();
        let named = json!([format!("{BASE}/mcp"), BASE]);
        assert_eq!(server["protected_resources"], named);
        let has = |path| protected_resource(BASE, path, &resources, BASE, &scopes()).is_some();
        assert_eq!(["", "/mcp", "/sse"].map(has), [true, true, false]);
    }

    #[test]
    fn a_protected_resource_is_mcp_sse_or_the_base_and_never_has_offline_access() {
        for path in ["", "/mcp", "/sse"] {
            let issuer = "https://as.example";
            let document = protected_resource(BASE, path, &resources(), issuer, &scopes()).unwrap();
            let document = serde_json::to_value(document).unwrap();
            assert_eq!(document["resource"], format!("{BASE}{path}"));
            assert_eq!(document["authorization_servers"], json!([issuer]));
            assert_eq!(document["scopes_supported"], json!(["tools", "userinfo"]));
            assert_eq!(document["bearer_methods_supported"], json!(["header"]));
        }
        let ours = protected_resource(BASE, "", &resources(), BASE, &scopes());
        let ours = serde_json::to_value(ours).unwrap();
        assert_eq!(
            ours["dpop_signing_alg_values_supported"],
            json!(["EdDSA", "ES256", "RS256"])
        );
        assert!(protected_resource(BASE, "/other", &resources(), BASE, &scopes()).is_none());
        assert!(protected_resource(BASE, "/", &resources(), BASE, &scopes()).is_none());
    }
}
