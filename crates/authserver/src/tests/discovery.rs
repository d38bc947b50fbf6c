use super::world::{ISSUER, World, request};
use bytes::Bytes;

#[test]
fn every_document_is_found_where_clients_look_for_it() {
    let mut world = World::new();
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
    ] {
        let answer = world.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.json()["issuer"], ISSUER);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
    }
    for path in ["", "/mcp", "/sse"] {
        let answer = world.get(&format!("/.well-known/oauth-protected-resource{path}"));
        assert_eq!(answer.json()["resource"], format!("{ISSUER}{path}"));
    }
    let keys = world.get("/.well-known/jwks.json").json();
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
    assert_eq!(keys["keys"][0].get("d"), None);
}

#[test]
fn an_issuer_with_a_path_has_that_path_behind_the_well_known_one() {
    let mut world = World::at("https://example.com/tools");
    let answer = world.get("/.well-known/oauth-authorization-server/tools");
    assert_eq!(answer.json()["issuer"], "https://example.com/tools");
    let answer = world.get("/.well-known/oauth-protected-resource/tools/mcp");
    assert_eq!(answer.json()["resource"], "https://example.com/tools/mcp");
    let answer = world.get("/.well-known/oauth-authorization-server/toolsmcp");
    assert_eq!(answer.status, 404);
}

#[test]
fn what_does_not_exist_is_404_also_for_browser_clients() {
    let mut world = World::new();
    for path in [
        "/.well-known/other",
        "/.well-known/oauth-authorization-server/other",
        "/.well-known/oauth-authorization-server/mcp/other",
        "/.well-known/openid-configuration/other",
        "/.well-known/oauth-protected-resource/other",
        "/.well-known/jwks.json/x",
        "/.well-known/",
    ] {
        let answer = world.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

#[test]
fn head_options_and_other_methods_are_answered_by_the_book() {
    let mut world = World::new();
    let path = "/.well-known/oauth-authorization-server";
    let mut send = |method: &str| world.send(request(method, path).body(Bytes::new()).unwrap());
    let head = send("HEAD");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let options = send("OPTIONS");
    assert_eq!(options.status, 204);
    assert_eq!(
        options.header("access-control-allow-methods"),
        "GET, HEAD, OPTIONS"
    );
    let post = send("POST");
    assert_eq!(
        (post.status, post.header("allow")),
        (405, "GET, HEAD, OPTIONS")
    );
}
