use super::world::{Browser, ISSUER, REDIRECT_URI, World, query};
use std::time::Duration;

fn started() -> (World, Browser, String) {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let mut browser = Browser::default();
    world.begin_login(&mut browser, &query(&id, REDIRECT_URI));
    (world, browser, id)
}

#[test]
fn the_browser_goes_back_with_code_state_and_iss() {
    let (mut world, mut browser, _) = started();
    let answer = world.finish_login(&mut browser);
    assert!(answer.location().starts_with("https://client.example/cb?"));
    let parameters = answer.redirect();
    assert!(parameters["code"].starts_with("ghc_"));
    assert_eq!(parameters["state"], "client state");
    assert_eq!(parameters["iss"], ISSUER);
}

#[test]
fn a_state_from_another_browser_is_refused() {
    let (mut world, mut browser, id) = started();
    let path = world.callback_path();
    assert_eq!(Browser::default().open(&mut world, &path).status, 400);
    let mut other = Browser::default();
    world.begin_login(&mut other, &query(&id, REDIRECT_URI));
    assert_eq!(other.open(&mut world, &path).status, 400);
    // The one whose sign-in it is can still complete it.
    assert_eq!(browser.open(&mut world, &path).status, 303);
}

#[test]
fn a_state_is_good_once() {
    let (mut world, mut browser, _) = started();
    let path = world.callback_path();
    assert_eq!(browser.open(&mut world, &path).status, 303);
    let again = browser.open(&mut world, &path);
    assert_eq!(again.status, 400);
    assert!(again.body.contains("already complete"));
}

#[test]
fn a_sign_in_that_took_too_long_goes_back_as_an_error() {
    let (mut world, mut browser, _) = started();
    world.now += 600;
    let answer = world.finish_login(&mut browser);
    assert_eq!(answer.redirect()["error"], "access_denied");
}

#[test]
fn a_state_that_was_changed_or_is_missing_is_refused() {
    let (mut world, mut browser, _) = started();
    let path = world.callback_path();
    let (before, state) = path.split_once("&state=").unwrap();
    for bad in [
        before.to_owned(),
        format!("{before}&state=x"),
        format!("{before}&state={}", &state[..state.len() - 2]),
        format!("{path}&state={state}"),
    ] {
        assert_eq!(browser.open(&mut world, &bad).status, 400);
    }
}

#[test]
fn an_error_of_the_provider_goes_back_to_the_client_and_can_be_tried_again() {
    let (mut world, mut browser, _) = started();
    let path = world.callback_path();
    let state = path.split_once("&state=").unwrap().1.to_owned();
    for (theirs, ours) in [
        ("access_denied", "access_denied"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("invalid_scope", "server_error"),
        ("%3Cscript%3E", "server_error"),
    ] {
        let error = format!("/callback?error={theirs}&state={state}");
        let answer = browser.open(&mut world, &error);
        let parameters = answer.redirect();
        assert_eq!(parameters["error"], ours);
        assert_eq!(parameters["state"], "client state");
        assert!(!parameters["error_description"].contains('<'));
    }
    let neither = browser.open(&mut world, &format!("/callback?state={state}"));
    assert_eq!(neither.redirect()["error"], "server_error");
    assert_eq!(browser.open(&mut world, &path).status, 303);
}

#[test]
fn a_code_that_the_provider_refuses_writes_nothing() {
    let (mut world, mut browser, _) = started();
    let path = world.callback_path();
    let state = path.split_once("&state=").unwrap().1.to_owned();
    let keys = world.store.backend().keys();
    let forged = format!("/callback?code=forged&state={state}");
    let answer = browser.open(&mut world, &forged);
    assert_eq!(answer.redirect()["error"], "access_denied");
    assert_eq!(world.store.backend().keys(), keys);

    world.provider.failure = Some(identity::Error::Unavailable("timeout".into()));
    let answer = browser.open(&mut world, &path);
    assert_eq!(answer.redirect()["error"], "temporarily_unavailable");
    world.provider.failure = None;
    assert!(
        browser
            .open(&mut world, &path)
            .redirect()
            .contains_key("code")
    );
}

#[test]
fn only_get_completes_a_sign_in() {
    let (mut world, _, _) = started();
    let path = world.callback_path();
    for method in ["HEAD", "POST"] {
        let request = super::world::request(method, &path);
        let answer = world.send(request.body(bytes::Bytes::new()).unwrap());
        assert_eq!((answer.status, answer.header("allow")), (405, "GET"));
    }
}

#[test]
fn a_callback_loaded_many_times_at_once_gives_one_code_and_the_others_a_page() {
    for (instances, exchanges) in [(1, 1), (8, 8), (3, 3)] {
        let (mut world, browser, _) = started();
        // Longer than the first look of the load that was refused.
        world.provider.answers_once_after = Some(Duration::from_millis(400));
        let path = world.callback_path();
        let answers = world.load_at_once(&browser, &path, 8, instances);
        let (codes, pages): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == 303);
        assert_eq!(codes.len(), 1, "{instances}");
        assert!(codes[0].redirect().contains_key("code"));
        for page in pages {
            assert_eq!(page.status, 400);
            assert!(page.body.contains("already complete"));
        }
        let shown = world.provider.shown.lock().unwrap().len();
        assert!(shown <= exchanges, "an instance asks the provider once");
    }
}

fn count(world: &World, kind: &str) -> usize {
    let keys = world.store.backend().keys();
    keys.iter().filter(|key| key.starts_with(kind)).count()
}

fn sweep(world: &World) {
    let sweep = || futures::executor::block_on(world.store.sweep(world.now, 10_000));
    while sweep().unwrap().more {}
}

#[test]
fn of_loads_whose_code_the_provider_takes_each_time_one_leaves_a_grant() {
    let (mut world, browser, _) = started();
    world.provider.answers_once_after = Some(Duration::from_millis(400));
    world.provider.takes_codes_again = true;
    world.provider.refresh_token = Some("refresh".into());
    world.store.backend().set_racing(true);
    let path = world.callback_path();
    let before = world.store.backend().writes();
    let answers = world.load_at_once(&browser, &path, 8, 8);
    assert_eq!(world.provider.shown.lock().unwrap().len(), 8);
    let (codes, pages): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 303);
    assert_eq!(codes.len(), 1);
    for page in pages {
        assert!(page.body.contains("already complete"), "{}", page.body);
    }
    assert_eq!(
        (count(&world, "t:grant:"), count(&world, "t:upstream:")),
        (1, 1)
    );
    // Each has written its grant before one of them had completed the sign-in.
    assert!(world.store.backend().writes() - before > 8 * 4);
    assert!(world.revocations.take().is_empty());
    let sign_ins = world.events();
    let completed = sign_ins.iter().filter(|event| event["event"] == "sign_in");
    assert_eq!(completed.count(), 1, "{sign_ins:?}");
}

#[test]
fn a_sign_in_that_is_cut_off_at_any_write_gives_one_code_when_it_is_loaded_again() {
    for writes in 0.. {
        let (mut world, mut browser, id) = started();
        sweep(&world);
        let path = world.callback_path();
        world.store.backend().fail_after(Some(writes));
        let cut_off = browser.open(&mut world, &path);
        world.store.backend().fail_after(None);
        let again = browser.open(&mut world, &path);
        let codes: Vec<_> = [&cut_off, &again]
            .into_iter()
            .filter(|answer| answer.status == 303)
            .filter_map(|answer| answer.redirect().remove("code"))
            .collect();
        assert_eq!(codes.len(), 1, "{writes}: {cut_off:?} {again:?}");
        // What is cut off after the grant was written leaves one whose code no one has.
        let grants = count(&world, "t:grant:");
        assert!((1..=2).contains(&grants), "{writes}");
        assert_eq!(world.redeem(&id, &codes[0]).status, 200);
        world.now += 2 * 366 * 86_400;
        sweep(&world);
        assert_eq!(world.store.backend().keys(), ["t:sweep:cursor"], "{writes}");
        if cut_off.redirect().contains_key("code") {
            assert!(writes > 3);
            break;
        }
    }
}

#[test]
fn a_sign_in_takes_three_writes_and_its_tokens_one_each_time() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let sign_in = |world: &mut World| {
        let mut browser = Browser::default();
        world.begin_login(&mut browser, &query(&id, REDIRECT_URI));
        let before = world.store.backend().writes();
        let code = world.finish_login(&mut browser).redirect()["code"].clone();
        (world.store.backend().writes() - before, code)
    };
    // The first of a person and a client write more, and take numbers of ledger lines.
    for _ in 0..5 {
        sign_in(&mut world);
    }
    let (writes, code) = sign_in(&mut world);
    assert_eq!(writes, 3);
    let before = world.store.backend().writes();
    let mut token = world.redeem(&id, &code).json()["refresh_token"].clone();
    assert_eq!(world.store.backend().writes() - before, 1);
    for _ in 0..2 {
        let before = world.store.backend().writes();
        let answer = world.refresh(&id, token.as_str().unwrap());
        token = answer.json()["refresh_token"].clone();
        assert_eq!(world.store.backend().writes() - before, 1);
    }
}

#[test]
fn a_load_that_is_refused_waits_for_the_one_whose_exchange_takes_long() {
    for (seconds, instances) in [(4, 2), (8, 2), (8, 5), (20, 2)] {
        let (mut world, browser, _) = started();
        world.provider.answers_once_after = Some(Duration::from_secs(seconds));
        let path = world.callback_path();
        let answers = world.load_at_once(&browser, &path, 6, instances);
        let (codes, pages): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == 303);
        assert_eq!(codes.len(), 1, "{seconds}");
        assert!(codes[0].redirect().contains_key("code"), "{seconds}");
        for page in pages {
            assert!(page.body.contains("already complete"), "{}", page.body);
        }
        assert!(world.waited() < Duration::from_secs(25), "{seconds}");
    }
}

#[test]
fn a_load_that_cannot_wait_any_longer_says_so_to_the_person_alone() {
    for instances in [1, 2] {
        let (mut world, browser, _) = started();
        world.provider.answers_once_after = Some(Duration::from_secs(29));
        let path = world.callback_path();
        let answers = world.load_at_once(&browser, &path, 2, instances);
        assert!(answers[0].redirect().contains_key("code"));
        assert_eq!(answers[1].status, 400);
        assert!(answers[1].body.contains("not complete yet"));
        assert!(answers[1].body.contains("Load again"));
        // The person may send the client back, if it was the one load.
        let back = answers[1].body.contains("error=access_denied");
        assert_eq!(back, instances == 2);
    }
}

#[test]
fn a_code_that_is_refused_at_once_reaches_the_client_within_seconds() {
    let (world, browser, _) = started();
    let path = world.callback_path().replace("code=code-", "code=other-");
    let answers = world.load_at_once(&browser, &path, 1, 1);
    assert_eq!(answers[0].redirect()["error"], "access_denied");
    assert!(world.waited() < Duration::from_secs(6));
}

#[test]
fn a_load_that_waited_for_one_that_failed_completes_the_sign_in() {
    let (mut world, mut browser, _) = started();
    let path = world.callback_path();
    world.provider.failure = Some(identity::Error::Unavailable("timeout".into()));
    for answer in world.load_at_once(&browser, &path, 3, 1) {
        assert_eq!(answer.redirect()["error"], "temporarily_unavailable");
    }
    world.provider.failure = None;
    let answer = browser.open(&mut world, &path);
    assert!(answer.redirect().contains_key("code"));
}

#[test]
fn a_person_who_signs_in_too_often_within_an_hour_is_told_to_come_back() {
    let mut world = World::new();
    let id = world.register(REDIRECT_URI);
    let sign_in = |world: &mut World| {
        let mut browser = Browser::default();
        world.begin_login(&mut browser, &query(&id, REDIRECT_URI));
        world.finish_login(&mut browser).redirect()
    };
    for _ in 0..grants::MAX_GRANTS_PER_HOUR {
        assert!(sign_in(&mut world).contains_key("code"));
    }
    assert_eq!(sign_in(&mut world)["error"], "temporarily_unavailable");
    // Of one client they were too many at a time as well.
    let keys = world.store.backend().keys();
    let alive = keys.iter().filter(|key| key.starts_with("t:grant:"));
    assert_eq!(alive.count(), grants::MAX_GRANTS_PER_CLIENT);
    world.provider.subject = "person-2".into();
    assert!(sign_in(&mut world).contains_key("code"));
    world.provider.subject = "person-1".into();
    world.now += 3600;
    assert!(sign_in(&mut world).contains_key("code"));
}
