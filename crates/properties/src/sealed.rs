//! Sealed states, authorization codes and refresh tokens.

use crate::KEY;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::executor::block_on;
use grants::{CodeBinding, Grant, Grants, ShownClient};
use identity::{Profile, UpstreamTokens};
use keys::{KeyRing, OpenError, Purpose};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::LazyLock;
use store::{MemoryKeyValue, Store};

const STATE: Purpose = Purpose("state");

/// What was sealed and issued here, always the same.
struct Fixture {
    keys: KeyRing,
    store: Store<MemoryKeyValue>,
    state: String,
    code: String,
    refresh_token: String,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let keys = KeyRing::parse(KEY).expect("a key");
    let store = Store::new(MemoryKeyValue::default(), "");
    let mut random = StdRng::seed_from_u64(1);
    let grants = Grants::new(&store, &keys);
    let grant = Grant {
        client_id: "client".to_owned(),
        client: ShownClient::default(),
        scopes: vec!["tools".to_owned()],
        resources: vec!["https://mcp.example.com/mcp".to_owned()],
        profile: Profile {
            subject: "U1".to_owned(),
            name: None,
            email: None,
            email_verified: None,
            picture: None,
            claims: "{}".to_owned(),
        },
        created_at: 0,
        expires_at: 1000,
        code: Some(CodeBinding {
            redirect_uri: None,
            challenge: String::new(),
            dpop_jkt: None,
            expires_at: 60,
        }),
    };
    let upstream = UpstreamTokens {
        access_token: "token".to_owned(),
        refresh_token: None,
        expires_at: None,
    };
    let begun = block_on(grants.begin(&grant, &upstream, &mut random)).expect("memory");
    let presented = block_on(grants.code(&begun.code, 1)).expect("a good code");
    let redeemed = block_on(grants.redeem(presented, None, 1)).expect("a code for the first time");
    let refresh_token = redeemed.refresh_token;
    let state = keys.seal(STATE, b"browser", b"secret", &mut random);
    Fixture {
        code: begun.code,
        refresh_token,
        state,
        keys,
        store,
    }
});

/// A state, a code or a refresh token: nothing is taken but what was made here, character by
/// character, and what is sealed opens as it was, for what it was sealed for.
pub fn sealed(data: &[u8]) {
    let known = &*FIXTURE;
    let Fixture { keys, store, .. } = known;
    if let Ok(text) = std::str::from_utf8(data) {
        if keys.open(STATE, b"browser", text).is_ok() {
            assert_eq!(text, known.state);
        }
        let grants = Grants::new(store, keys);
        if grants.grant_of_refresh_token(text).is_some() {
            assert_eq!(text, known.refresh_token);
        }
        if block_on(grants.code(text, 2)).is_ok() {
            assert_eq!(text, known.code);
        }
        if block_on(grants.refresh_token(text, 2)).is_ok() {
            assert_eq!(text, known.refresh_token);
        }
    }
    let random = &mut StdRng::seed_from_u64(data.len() as u64);
    let (context, plain) = data.split_at(data.len() / 2);
    let sealed = keys.seal(STATE, context, plain, random);
    assert_eq!(keys.open(STATE, context, &sealed).as_deref(), Ok(plain));
    assert_eq!(keys.open(Purpose("code"), context, &sealed), Err(OpenError));
    let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).expect("Base64");
    let place = data.iter().map(|byte| usize::from(*byte)).sum::<usize>() % bytes.len();
    bytes[place] ^= 1 << (data.len() % 8);
    let changed = URL_SAFE_NO_PAD.encode(bytes);
    assert_eq!(keys.open(STATE, context, &changed), Err(OpenError));
}
