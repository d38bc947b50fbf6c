use crate::{Api, ArgumentError, CallError, PersonsToken, Prepared, Settings};
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The request that a call of an operation with these members becomes.
fn request_of(path: &str, operation: &Value, arguments: &Value) -> Result<Prepared, CallError> {
    call(&[], path, operation, arguments, PersonsToken::Absent)
}

fn call(
    variables: &[(&str, &str)],
    path: &str,
    operation: &Value,
    arguments: &Value,
    token: PersonsToken<'_>,
) -> Result<Prepared, CallError> {
    let settings = Settings::read(|name| match name {
        "document" => Some("{}"),
        "base_url" => Some("https://api.example/v1"),
        name => variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value),
    })
    .unwrap();
    let mut operation = operation.clone();
    operation["operationId"] = "it".into();
    let document = json!({
        "openapi": "3.1.0",
        "paths": {path: {"post": operation}},
        "security": [{"Key": []}],
        "components": {"securitySchemes": {"Key": {"type": "apiKey", "in": "query", "name": "key"}}},
    });
    let api = Api::read(&document.to_string(), None, &settings).unwrap();
    let operation = api.operation("it", &settings).unwrap().unwrap();
    operation.request(arguments.as_object().unwrap(), token)
}

fn sent(path: &str, operation: &Value, arguments: &Value) -> Request<bytes::Bytes> {
    request_of(path, operation, arguments).unwrap().to_http()
}

fn parameters(parameters: &[(&str, &str, Value)]) -> Value {
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(name, location, more)| {
            let mut parameter = json!({"name": name, "in": location, "schema": {}});
            parameter
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            parameter
        })
        .collect();
    json!({"parameters": parameters})
}

#[test]
fn each_argument_goes_to_its_part_of_the_request() {
    let mut operation = parameters(&[
        ("id", "path", json!({})),
        ("q", "query", json!({})),
        ("tags", "query", json!({"explode": false})),
        ("filter", "query", json!({"style": "deepObject"})),
        (
            "range",
            "query",
            json!({"content": {"application/json": {}}}),
        ),
        ("X-Trace", "header", json!({})),
        ("sid", "cookie", json!({})),
        ("unused", "query", json!({})),
    ]);
    operation["requestBody"] = json!({"content": {"application/json": {"schema": {"properties": {"id": {}, "name": {}}}}}});
    operation["responses"] =
        json!({"200": {"content": {"text/plain": {}, "application/json": {}}}});
    let arguments = json!({
        "id": "a/b", "q": "x&y", "tags": ["a,b", "c"], "filter": {"a": 1}, "range": [1, 2], "X-Trace": ["t", 1], "sid": "s;t",
        "id_body": 7, "name": null,
    });
    let request = sent(
        "/pets/{id}/{free}",
        &operation,
        &with(&arguments, "free", json!(5)),
    );
    assert_eq!(
        request.uri(),
        "https://api.example/v1/pets/a%2Fb/5?q=x%26y&tags=a%2Cb,c&filter%5Ba%5D=1&range=%5B1%2C2%5D"
    );
    assert_eq!(request.headers()["x-trace"], "t,1");
    assert_eq!(request.headers()[COOKIE], "sid=s%3Bt");
    assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(request.headers()[ACCEPT], "application/json");
    assert_eq!(request.body(), r#"{"id":7,"name":null}"#);
}

fn with(arguments: &Value, name: &str, value: Value) -> Value {
    let mut arguments = arguments.clone();
    arguments[name] = value;
    arguments
}

#[test]
fn bodies_are_written_in_their_media_type() {
    let body = |media_type: &str, schema: Value| json!({"requestBody": {"required": true, "content": {media_type: {"schema": schema}}}});
    let form = json!({"properties": {"a": {}, "b": {}}});
    let request = sent(
        "/",
        &body("application/x-www-form-urlencoded", form.clone()),
        &json!({"a": "x y", "b": [1, 2]}),
    );
    assert_eq!(request.body(), "a=x%20y&b=1&b=2");
    assert_eq!(
        request.headers()[CONTENT_TYPE],
        "application/x-www-form-urlencoded"
    );

    let request = sent("/", &body("multipart/form-data", form), &json!({"a": 1}));
    let media_type = request.headers()[CONTENT_TYPE].to_str().unwrap();
    assert_eq!(media_type, "multipart/form-data; boundary=gatehouse-1-");
    assert!(request.body().starts_with(b"--gatehouse-1-\r\n"));

    let request = sent("/", &body("text/csv", json!({})), &json!({"body": "a,b"}));
    assert_eq!(request.body(), "a,b");
    assert_eq!(request.headers()[CONTENT_TYPE], "text/csv; charset=utf-8");

    let request = sent(
        "/",
        &body("application/octet-stream", json!({})),
        &json!({"body": {"base64": "aGk="}}),
    );
    assert_eq!(request.body(), "hi");

    let request = sent(
        "/",
        &body("application/json", json!({"type": "array"})),
        &json!({"body": [1]}),
    );
    assert_eq!(request.body(), "[1]");

    let anything = body("application/x-www-form-urlencoded", json!({"oneOf": [{}]}));
    assert_eq!(
        sent("/", &anything, &json!({"body": {"a": 1}})).body(),
        "a=1"
    );
    let refused = request_of("/", &anything, &json!({"body": "a=1"})).unwrap_err();
    assert_eq!(refused.to_string(), "`body` has to be an object");
}

#[test]
fn a_body_of_which_nothing_is_given_is_sent_only_if_it_is_required() {
    for (required, expected) in [(true, "{}"), (false, "")] {
        let content = json!({"application/json": {"schema": {"properties": {"a": {}}}}});
        let operation = json!({"requestBody": {"required": required, "content": content}});
        let request = sent("/", &operation, &json!({}));
        assert_eq!(request.body(), expected);
        assert_eq!(request.headers().contains_key(CONTENT_TYPE), required);
    }
}

#[test]
fn arguments_that_do_not_fit_are_named() {
    let operation = parameters(&[
        ("id", "path", json!({})),
        ("q", "query", json!({"required": true})),
    ]);
    let error = |arguments: Value| request_of("/{id}", &operation, &arguments).unwrap_err();
    let argument = |error: ArgumentError| CallError::Argument(error);
    assert_eq!(
        error(json!({"q": 1})),
        argument(ArgumentError::Missing("id".into()))
    );
    assert_eq!(
        error(json!({"id": 1})),
        argument(ArgumentError::Missing("q".into()))
    );
    assert_eq!(
        error(json!({"id": 1, "q": 1, "x": 1})),
        argument(ArgumentError::Unknown("x".into()))
    );
    for long in [
        json!({"id": 1, "q": "x".repeat(10_000)}),
        json!({"id": format!("%{}", "25".repeat(1_000_000)), "q": 1}),
    ] {
        assert_eq!(error(long), argument(ArgumentError::TooLong(8192)));
    }
}

#[test]
fn a_part_of_the_path_stays_that_part() {
    let operation = parameters(&[("id", "path", json!({}))]);
    for empty in [json!(""), json!(null), json!([]), json!({})] {
        let error = request_of("/pets/{id}", &operation, &json!({"id": empty})).unwrap_err();
        assert_eq!(
            error,
            CallError::Argument(ArgumentError::Empty("id".into()))
        );
    }
    for dots in [
        "..",
        ".",
        "../admin",
        "a/../../b",
        "..\\b",
        "%2e%2e",
        "%252e%252e%252f",
        "..;a=b",
        "..;/admin",
        "a\r\nX: 1",
        "\0",
    ] {
        let error = request_of("/pets/{id}", &operation, &json!({"id": dots})).unwrap_err();
        assert_eq!(
            error,
            CallError::Argument(ArgumentError::Dots("id".into())),
            "{dots:?}"
        );
    }
    for value in [
        "a/b",
        "//evil.example/",
        "?x=1",
        "#x",
        "@evil.example",
        "a b",
        "é",
        "...",
        "%",
        ":8080",
        ";a=b",
    ] {
        let request = sent("/pets/{id}", &operation, &json!({"id": value}));
        assert_eq!(request.uri().host(), Some("api.example"));
        assert_eq!(
            request.uri().path().split('/').count(),
            4,
            "{}",
            request.uri()
        );
        assert_eq!(request.uri().query(), None);
    }
    // Two values that are harmless alone.
    let two = parameters(&[
        ("a", "path", json!({"style": "label"})),
        ("b", "path", json!({})),
    ]);
    let error = request_of(
        "/{a}/x",
        &parameters(&[("a", "path", json!({"style": "label"}))]),
        &json!({"a": "."}),
    );
    assert!(error.is_err());
    let request = sent("/{a}{b}/x", &two, &json!({"a": "x", "b": "y"}));
    assert_eq!(request.uri().path(), "/v1/.xy/x");
}

#[test]
fn a_header_stays_one_line() {
    let operation = parameters(&[("X-Note", "header", json!({}))]);
    for note in ["a\r\nX-Admin: 1", "a\nb", "\0", "a\tb", "\u{7f}"] {
        let error = request_of("/", &operation, &json!({"X-Note": note})).unwrap_err();
        assert_eq!(
            error,
            CallError::Argument(ArgumentError::Control("X-Note".into()))
        );
    }
    let request = sent("/", &operation, &json!({"X-Note": {"a": "é"}}));
    assert_eq!(request.headers()["x-note"].as_bytes(), "a,é".as_bytes());
}

#[test]
fn members_of_an_object_are_no_other_parameters() {
    let operation = parameters(&[
        ("filter", "query", json!({})),
        ("admin", "query", json!({})),
    ]);
    let error = |variables: &[(&str, &str)], member: &str| {
        let arguments = json!({"filter": {member: 1}, "admin": false});
        call(variables, "/", &operation, &arguments, PersonsToken::Absent)
            .map(|request| request.to_http())
    };
    let refused =
        |member: &str| CallError::Argument(ArgumentError::Member("filter".into(), member.into()));
    assert_eq!(error(&[], "admin").unwrap_err(), refused("admin"));
    assert_eq!(
        error(&[], "a").unwrap().uri().query(),
        Some("a=1&admin=false")
    );
    let secret = [("credentials", "secret"), ("secret", "k3y")];
    assert_eq!(error(&secret, "key").unwrap_err(), refused("key"));
    assert_eq!(
        error(&secret, "a").unwrap().uri().query(),
        Some("a=1&admin=false&key=k3y")
    );
}

#[test]
fn a_server_that_is_lenient_about_names_finds_no_other_parameter() {
    let operation = parameters(&[
        ("filter", "query", json!({"allowReserved": true})),
        ("page", "query", json!({"style": "deepObject"})),
        ("page[size]", "query", json!({})),
        ("admin", "query", json!({})),
    ]);
    for member in ["Admin", "admin[]", "ADMIN[a]"] {
        let refused = request_of("/", &operation, &json!({"filter": {member: 1}})).unwrap_err();
        let error = ArgumentError::Member("filter".into(), member.into());
        assert_eq!(refused, CallError::Argument(error));
    }
    let arguments = json!({"filter": {"admin=1&a": "b=c"}, "page": {"number": 2}});
    assert_eq!(
        sent("/", &operation, &arguments).uri().query(),
        Some("admin%3D1%26a=b=c&page%5Bnumber%5D=2")
    );
}

#[test]
fn members_of_an_object_are_no_other_properties_of_a_form() {
    let body = |schema: Value| {
        let form = json!({"schema": schema, "encoding": {"meta": {"style": "form"}}});
        json!({"requestBody": {"content": {"application/x-www-form-urlencoded": form}}})
    };
    let properties = json!({"properties": {"meta": {"type": "object"}, "role": {}}});
    let flat = body(properties.clone());
    let whole = body(json!({"oneOf": [properties]}));
    let arguments = json!({"meta": {"role": "admin"}, "role": "user"});
    for (operation, arguments, argument) in [
        (&flat, arguments.clone(), "meta"),
        (&flat, json!({"meta": {"role": "admin"}}), "meta"),
        (&whole, json!({"body": arguments}), "body"),
        (&whole, json!({"body": {"meta": {"Role": "admin"}}}), "body"),
    ] {
        let refused = request_of("/", operation, &arguments).unwrap_err();
        let CallError::Argument(ArgumentError::Member(of, _)) = refused else {
            panic!("{refused}");
        };
        assert_eq!(of, argument);
    }
    let request = sent("/", &flat, &json!({"meta": {"a": 1}, "role": "user"}));
    assert_eq!(request.body(), "a=1&role=user");
}

#[test]
fn a_file_of_a_body_that_may_be_absent_is_sent_as_a_file() {
    let schema = json!({"properties": {"file": {"format": "binary"}}, "required": ["file"]});
    let operation =
        json!({"requestBody": {"content": {"multipart/form-data": {"schema": schema}}}});
    let arguments = json!({"body": {"file": {"base64": "aGk=", "filename": "a.txt"}}});
    let request = sent("/", &operation, &arguments);
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    assert!(
        body.contains("filename=\"a.txt\"") && body.contains("\r\n\r\nhi\r\n"),
        "{body}"
    );
    assert_eq!(sent("/", &operation, &json!({})).body(), "");
}

#[test]
fn a_parameter_that_the_secret_fills_is_no_argument() {
    let operation = parameters(&[
        ("key", "query", json!({"required": true})),
        ("q", "query", json!({})),
    ]);
    let secret = [("credentials", "secret"), ("secret", "k3y")];
    let called = call(
        &secret,
        "/",
        &operation,
        &json!({"q": 1}),
        PersonsToken::Absent,
    )
    .unwrap();
    assert_eq!(called.to_http().uri().query(), Some("q=1&key=k3y"));
    let error = call(
        &secret,
        "/",
        &operation,
        &json!({"key": "mine"}),
        PersonsToken::Absent,
    );
    assert_eq!(
        error.unwrap_err(),
        CallError::Argument(ArgumentError::Unknown("key".into()))
    );
}

#[test]
fn the_persons_token_is_passed_on_only_if_it_is_of_the_identity_provider() {
    let upstream = [("credentials", "upstream")];
    let call = |operation: Value, token| call(&upstream, "/", &operation, &json!({}), token);
    let request = call(json!({}), PersonsToken::Upstream("t0ken"))
        .unwrap()
        .to_http();
    assert_eq!(request.headers()[AUTHORIZATION], "Bearer t0ken");
    assert_eq!(
        call(json!({}), PersonsToken::Presented).unwrap_err(),
        CallError::PresentedToken
    );
    assert_eq!(
        call(json!({}), PersonsToken::Absent).unwrap_err(),
        CallError::NoToken
    );
    // The document says that it is for everyone.
    let public = call(json!({"security": []}), PersonsToken::Upstream("t0ken"))
        .unwrap()
        .to_http();
    assert!(!public.headers().contains_key(AUTHORIZATION));
}

fn hostile_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "..",
        "/",
        "\\",
        "%2e",
        "%2f",
        "%25",
        "?",
        "#",
        "&",
        "=",
        ";",
        "\r\n",
        "\0",
        "@",
        ":",
        "//evil.example",
        "a",
        "é",
        " ",
        "'",
        "\"",
        "+",
        ",",
        "|",
        "{id}",
        "[",
        "]",
        "key",
        "X-Evil: 1",
    ]);
    prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat())
}

fn hostile_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        hostile_text().prop_map(Value::String),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(Value::Null),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(hostile_text(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

const NAMES: [&str; 12] = [
    "id", "dotted", "semi", "q", "list", "spaces", "pipes", "deep", "reserved", "text", "X-Note",
    "sid",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_argument_leaves_its_part_of_the_request(values in prop::collection::vec(hostile_value(), NAMES.len())) {
        let operation = parameters(&[
            ("id", "path", json!({})),
            ("dotted", "path", json!({"style": "label", "explode": true})),
            ("semi", "path", json!({"style": "matrix", "explode": true})),
            ("q", "query", json!({})),
            ("list", "query", json!({"explode": false})),
            ("spaces", "query", json!({"style": "spaceDelimited"})),
            ("pipes", "query", json!({"style": "pipeDelimited"})),
            ("deep", "query", json!({"style": "deepObject"})),
            ("reserved", "query", json!({"allowReserved": true, "explode": false})),
            ("text", "query", json!({"content": {"application/json": {}}})),
            ("X-Note", "header", json!({})),
            ("sid", "cookie", json!({"explode": false})),
        ]);
        let arguments: Map<_, _> = NAMES.iter().map(|name| (*name).to_owned()).zip(values).collect();
        let arguments = Value::Object(arguments);
        let Ok(request) = request_of("/pets/{id}/{dotted}/{semi}/end", &operation, &arguments) else {
            return Ok(());
        };
        let request = request.to_http();
        let uri = request.uri();
        prop_assert_eq!(uri.authority().unwrap().as_str(), "api.example");
        let segments: Vec<_> = uri.path().split('/').collect();
        prop_assert_eq!(segments.len(), 7);
        prop_assert_eq!([segments[1], segments[2], segments[6]], ["v1", "pets", "end"]);
        prop_assert!(!super::path::has_dot_segment(uri.path()));
        // `q` is an exploded object: its members are parameters, but none of the others.
        let members = arguments["q"].as_object();
        for (name, _) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            let is_deep = name == "deep" || name.starts_with("deep[");
            let is_member = members.is_some_and(|members| members.contains_key(&*name));
            prop_assert!(is_deep || is_member || NAMES.contains(&&*name), "{}", name);
        }
        let names: Vec<_> = request.headers().keys().map(|name| name.as_str()).collect();
        prop_assert!(names.iter().all(|name| ["accept", "user-agent", "x-note", "cookie"].contains(name)));
        if let Some(cookie) = request.headers().get(COOKIE) {
            let cookie = cookie.to_str().unwrap();
            prop_assert!(cookie.starts_with("sid=") && !cookie.contains(';'));
        }
    }

    #[test]
    fn no_property_of_a_form_leaves_its_part_of_the_body(
        values in prop::collection::vec(hostile_value(), 4),
        media_type in prop::sample::select(vec!["application/x-www-form-urlencoded", "multipart/form-data"]),
    ) {
        const PROPERTIES: [&str; 4] = ["plain", "list", "deep", "role"];
        let named = |value: Value| PROPERTIES.map(|name| (name.to_owned(), value.clone()));
        let form = json!({
            "schema": {"properties": Map::from_iter(named(json!({})))},
            "encoding": {"plain": {"style": "form"}, "list": {"explode": false}, "deep": {"style": "deepObject"}},
        });
        let operation = json!({"requestBody": {"content": {media_type: form}}});
        let arguments: Map<_, _> = PROPERTIES.iter().map(|name| (*name).to_owned()).zip(values).collect();
        let arguments = Value::Object(arguments);
        let Ok(request) = request_of("/", &operation, &arguments) else {
            return Ok(());
        };
        let request = request.to_http();
        let body = String::from_utf8_lossy(request.body());
        if media_type == "multipart/form-data" {
            let boundary = body.lines().next().unwrap_or_default();
            for part in body.split(boundary).filter(|part| part.starts_with("\r\nContent")) {
                let name = part.split('"').nth(1).unwrap_or_default();
                prop_assert!(PROPERTIES.contains(&name), "{}", name);
            }
            return Ok(());
        }
        // `plain` is an exploded object: its members are properties, but none of the others.
        let members = arguments["plain"].as_object();
        for (name, _) in form_urlencoded::parse(request.body()) {
            let is_member = members.is_some_and(|members| members.contains_key(&*name));
            let is_own = PROPERTIES.contains(&&*name) || name.starts_with("deep[");
            prop_assert!(is_member || is_own, "{}", name);
        }
    }
}
