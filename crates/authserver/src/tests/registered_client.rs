use super::world::{ISSUER, KEY, REDIRECT_URI, World, query, request};
use crate::clients::Clients;
use crate::limits::Limits;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use store::{KeyValue, MemoryKeyValue, Store};
use web::RequestSource;

const NEW_KEY: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";

struct Registration(Value);

impl Registration {
    fn make(world: &mut World) -> Self {
        let answer = world.register_json(&json!({
            "redirect_uris": [REDIRECT_URI],
            "client_name": "Before",
            "token_endpoint_auth_method": "none",
        }));
        assert_eq!(answer.status, 201, "{answer:?}");
        Self(answer.json())
    }

    fn id(&self) -> &str {
        self.0["client_id"].as_str().unwrap()
    }

    fn token(&self) -> &str {
        self.0["registration_access_token"].as_str().unwrap()
    }

    fn path(&self) -> String {
        let uri = self.0["registration_client_uri"].as_str().unwrap();
        uri.strip_prefix(ISSUER).unwrap().to_owned()
    }

    fn send(&self, world: &mut World, method: &str, body: &Value) -> super::world::Answer {
        send(world, method, &self.path(), self.token(), body)
    }
}

fn send(
    world: &mut World,
    method: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> super::world::Answer {
    let request = request(method, path)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    world.send(request.body(body.to_string().into()).unwrap())
}

#[test]
fn a_client_reads_its_registration_with_its_token() {
    let mut world = World::new();
    let registration = Registration::make(&mut world);
    let read = registration.send(&mut world, "GET", &Value::Null);
    assert_eq!(read.status, 200, "{read:?}");
    assert_eq!(read.json(), registration.0);
    assert_eq!(read.header("cache-control"), "no-store");
    assert_eq!(read.header("access-control-allow-origin"), "*");
}

#[test]
fn a_registration_is_opened_by_its_own_token_alone() {
    let mut world = World::new();
    let one = Registration::make(&mut world);
    let other = Registration::make(&mut world);
    for token in [other.token(), "ghm_AAAA", "nonsense", one.id()] {
        for method in ["GET", "PUT", "DELETE"] {
            let refused = send(&mut world, method, &one.path(), token, &json!({}));
            assert_eq!(refused.error(), (401, "invalid_token".into()));
        }
    }
    let bare = request("GET", &one.path()).body(Bytes::new()).unwrap();
    let asked = world.send(bare);
    assert_eq!(asked.status, 401);
    assert_eq!(
        asked.header("www-authenticate"),
        "Bearer realm=\"Gatehouse\""
    );
    assert_eq!(one.send(&mut world, "GET", &Value::Null).status, 200);
    assert_eq!(one.send(&mut world, "POST", &Value::Null).status, 405);
}

#[test]
fn a_client_changes_what_it_says_of_itself() {
    let mut world = World::new();
    let registration = Registration::make(&mut world);
    let elsewhere = "https://client.example/elsewhere";
    let changed = registration.send(
        &mut world,
        "PUT",
        &json!({
            "client_id": registration.id(),
            "redirect_uris": [elsewhere],
            "client_name": "After",
            "token_endpoint_auth_method": "none",
        }),
    );
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.json()["client_name"], "After");
    let mut page = |uri: &str| world.get(&format!("/authorize?{}", query(registration.id(), uri)));
    assert_eq!(page(REDIRECT_URI).status, 400);
    assert!(page(elsewhere).body.contains("After"));
    let bad = registration.send(
        &mut world,
        "PUT",
        &json!({ "client_id": registration.id(), "redirect_uris": ["http://a.example/"] }),
    );
    assert_eq!(bad.error(), (400, "invalid_redirect_uri".into()));
}

#[test]
fn a_change_neither_prolongs_an_unused_registration_nor_ends_a_used_one() {
    let mut world = World::new();
    let unused = Registration::make(&mut world);
    let used = Registration::make(&mut world);
    world.code(used.id(), "");
    world.now += 80_000;
    for registration in [&unused, &used] {
        let fields = json!({
            "client_id": registration.id(),
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
        });
        assert_eq!(registration.send(&mut world, "PUT", &fields).status, 200);
    }
    world.now += 7_000;
    assert_eq!(unused.send(&mut world, "GET", &Value::Null).status, 401);
    assert_eq!(used.send(&mut world, "GET", &Value::Null).status, 200);
}

/// As a change does that read the registration before the sign-in and wrote it after.
#[test]
fn a_lost_mark_of_a_sign_in_is_written_again_with_its_code() {
    let mut world = World::new();
    let registration = Registration::make(&mut world);
    let key = format!("t:client:{}", registration.id());
    let unmarked = futures::executor::block_on(world.store.backend().get(&key));
    let code = world.code(registration.id(), "");
    let unmarked = unmarked.unwrap().unwrap();
    futures::executor::block_on(world.store.backend().set(&key, &unmarked, None)).unwrap();
    assert_eq!(world.redeem(registration.id(), &code).status, 200);
    world.now += 90_000;
    assert_eq!(
        registration.send(&mut world, "GET", &Value::Null).status,
        200
    );
}

#[test]
fn a_removed_client_gets_no_more_tokens() {
    let mut world = World::new();
    let answer = world.register_json(&json!({
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
    }));
    let registration = Registration(answer.json());
    let code = world.code(registration.id(), "");
    let tokens = world.redeem(registration.id(), &code).json();
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(
        registration.send(&mut world, "DELETE", &Value::Null).status,
        204
    );
    let refused = world.refresh(registration.id(), refresh_token);
    assert_eq!(refused.error(), (401, "invalid_client".into()));
    let gone = registration.send(&mut world, "GET", &Value::Null);
    assert_eq!(gone.error(), (401, "invalid_token".into()));
    let page = world.get(&format!(
        "/authorize?{}",
        query(registration.id(), REDIRECT_URI)
    ));
    assert_eq!(page.status, 400);
}

#[test]
fn a_registration_access_token_outlives_the_rotation_of_the_master_secret() {
    let mut world = World::new();
    let registration = Registration::make(&mut world);
    let rotated = format!("{NEW_KEY},{KEY}");
    world.config = World::with(&[("encryption_key", &rotated)]).config;
    let read = registration.send(&mut world, "GET", &Value::Null);
    assert_eq!(read.status, 200);
    let renewed = read.json()["registration_access_token"].clone();
    assert_ne!(renewed, registration.0["registration_access_token"]);
    world.config = World::with(&[("encryption_key", NEW_KEY)]).config;
    assert_eq!(
        registration.send(&mut world, "GET", &Value::Null).status,
        401
    );
    let token = renewed.as_str().unwrap();
    let path = registration.path();
    assert_eq!(
        send(&mut world, "GET", &path, token, &Value::Null).status,
        200
    );
}

/// Returns the clients in a store, as a request from this machine has them.
fn clients_in<'a, K: KeyValue>(store: &'a Store<K>, config: &'a config::Server) -> Clients<'a, K> {
    let limits = Limits {
        store,
        keys: &config.keys,
        source: RequestSource::Local,
    };
    Clients::new(limits, config, None)
}

/// A store in which a client is removed as soon as something else has read its record: every write
/// of that comes late.
struct RemovedMeanwhile {
    inner: Store<MemoryKeyValue>,
    config: config::Server,
    is_armed: AtomicBool,
}

impl KeyValue for RemovedMeanwhile {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, store::Error> {
        let read = self.inner.backend().get(key).await?;
        if key.starts_with("t:client:") && self.is_armed.swap(false, Ordering::Relaxed) {
            let id = key.rsplit(':').next().unwrap();
            let clients = clients_in(&self.inner, &self.config);
            clients.remove(id, 1_000_000).await?;
        }
        Ok(read)
    }
    async fn set(&self, key: &str, value: &[u8], until: Option<u64>) -> Result<(), store::Error> {
        self.inner.backend().set(key, value, until).await
    }
    async fn delete(&self, key: &str) -> Result<(), store::Error> {
        self.inner.backend().delete(key).await
    }
    async fn exists(&self, key: &str) -> Result<bool, store::Error> {
        self.inner.backend().exists(key).await
    }
    async fn increment(
        &self,
        key: &str,
        delta: i64,
        until: Option<u64>,
    ) -> Result<i64, store::Error> {
        self.inner.backend().increment(key, delta, until).await
    }
}

#[test]
fn a_removal_wins_over_a_change_or_a_sign_in_in_flight() {
    for is_change in [true, false] {
        let mut world = World::new();
        let registration = Registration::make(&mut world);
        let id = registration.id();
        let now = world.now;
        let config = World::new().config;
        let backend = RemovedMeanwhile {
            inner: world.store,
            config: World::new().config,
            is_armed: false.into(),
        };
        let store = Store::new(backend, "t:");
        let clients = clients_in(&store, &config);
        futures::executor::block_on(async {
            let client = clients.registered(id, now).await.unwrap().unwrap();
            store.backend().is_armed.store(true, Ordering::Relaxed);
            if is_change {
                assert!(!clients.change(client, now).await.unwrap());
            } else {
                let mut batch = store.batch();
                let used = clients.use_with(&mut batch, id, now + 3600, now).await;
                batch.write().await.unwrap();
                assert!(!clients.is_kept(&used.unwrap()).await.unwrap());
            }
            assert_eq!(clients.registered(id, now).await.unwrap(), None);
            let keys = store.backend().inner.backend().keys();
            assert!(!keys.contains(&format!("t:client:{id}")), "{keys:?}");
            // What remembers that is swept, and so is what a killed writer would have left.
            let key = format!("t:client:{id}");
            let left = br#"{"exp":null,"rec":{}}"#;
            store.backend().set(&key, left, None).await.unwrap();
            while store.sweep(now + 3 * 3600, 10_000).await.unwrap().more {}
            let keys = store.backend().inner.backend().keys();
            assert!(!keys.iter().any(|key| key.contains("client")), "{keys:?}");
        });
    }
}
