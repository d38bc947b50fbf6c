//! Proofs of the timed claim under a simulated clock, over stores that answer after random delays.

use super::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

/// Simulated time. Nothing happens between two moments for which a caller waits.
#[derive(Default)]
struct Simulation {
    now: AtomicU64,
    /// The moments that are waited for.
    awaited: Mutex<Vec<u64>>,
}

impl Clock for &Simulation {
    fn now(&self) -> u64 {
        self.now.load(Relaxed)
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now() + duration.as_millis() as u64;
        self.awaited.lock().unwrap().push(until);
        poll_fn(|_| {
            if self.now() >= until {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

impl Simulation {
    /// Runs all of `work` at once, and returns what each came to.
    fn run<T>(&self, work: Vec<impl Future<Output = T>>) -> Vec<T> {
        let mut work: Vec<_> = work.into_iter().map(|work| Some(Box::pin(work))).collect();
        let mut results: Vec<Option<T>> = work.iter().map(|_| None).collect();
        let mut context = Context::from_waker(Waker::noop());
        loop {
            for (work, result) in work.iter_mut().zip(&mut results) {
                if let Some(running) = work
                    && let Poll::Ready(value) = Pin::new(running).poll(&mut context)
                {
                    *result = Some(value);
                    *work = None;
                }
            }
            if work.iter().all(Option::is_none) {
                return results.into_iter().flatten().collect();
            }
            let mut awaited = self.awaited.lock().unwrap();
            awaited.retain(|at| *at > self.now());
            let next = awaited.iter().min().copied();
            self.now.store(next.expect("a caller waits"), Relaxed);
        }
    }
}

/// A store with a copy in each of some regions. A call takes effect some time after it began, and answers some
/// time after that. A write takes effect in the other regions `lag` later.
struct Slow<'a> {
    clock: &'a Simulation,
    random: Mutex<StdRng>,
    /// The writes of each region: when they take effect, in order of their calls.
    writes: Mutex<Vec<Write>>,
    max_delay: u64,
    lag: u64,
}

struct Write {
    region: usize,
    key: String,
    value: Option<Vec<u8>>,
    at: u64,
    number: usize,
}

/// The store as one region sees it.
struct Region<'a>(&'a Slow<'a>, usize);

impl Slow<'_> {
    async fn delay(&self) {
        // Most calls are quick, and a few are very slow.
        let delay = {
            let mut random = self.random.lock().unwrap();
            let max = if random.random_bool(0.7) {
                40
            } else {
                self.max_delay
            };
            random.random_range(0..=max)
        };
        self.clock.sleep(Duration::from_millis(delay)).await;
    }
}

impl Region<'_> {
    fn entries(&self) -> BTreeMap<String, Vec<u8>> {
        let (store, region) = (self.0, self.1);
        let now = store.clock.now();
        let writes = store.writes.lock().unwrap();
        let seen_at = |write: &Write| {
            let lag = if write.region == region { 0 } else { store.lag };
            (write.at + lag, write.number)
        };
        let mut seen: Vec<_> = writes
            .iter()
            .filter(|write| seen_at(write).0 <= now)
            .collect();
        seen.sort_by_key(|write| seen_at(write));
        let mut entries = BTreeMap::new();
        for write in seen {
            match &write.value {
                Some(value) => entries.insert(write.key.clone(), value.clone()),
                None => entries.remove(&write.key),
            };
        }
        entries
    }

    async fn write(&self, key: &str, value: Option<&[u8]>) {
        self.0.delay().await;
        {
            let mut writes = self.0.writes.lock().unwrap();
            let number = writes.len();
            writes.push(Write {
                region: self.1,
                key: key.to_owned(),
                value: value.map(<[u8]>::to_vec),
                at: self.0.clock.now(),
                number,
            });
        }
        self.0.delay().await;
    }
}

impl PlainKeyValue for Region<'_> {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.delay().await;
        let found = self.entries().get(key).cloned();
        self.0.delay().await;
        Ok(found)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.write(key, Some(value)).await;
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.write(key, None).await;
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(PlainKeyValue::get(self, key).await?.is_some())
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        Ok(self.entries().into_keys().collect())
    }
}

fn nonce() -> [u8; 16] {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    u128::from(COUNT.fetch_add(1, Relaxed)).to_be_bytes()
}

/// How the callers of one race differ from run to run.
#[derive(Clone, Copy)]
struct Race {
    max_delay: u64,
    lag: u64,
    regions: usize,
    write_window: u64,
}

const LINEARIZABLE: Race = Race {
    max_delay: 400,
    lag: 0,
    regions: 1,
    write_window: WRITE_WINDOW,
};

/// Returns how many of `callers` win a claim of one key.
fn winners(race: Race, callers: usize, random: &mut StdRng) -> usize {
    let clock = Simulation::default();
    let store = Slow {
        clock: &clock,
        random: Mutex::new(StdRng::from_rng(random)),
        writes: Mutex::default(),
        max_delay: race.max_delay,
        lag: race.lag,
    };
    let work = (0..callers).map(|caller| {
        let store = &store;
        let start = store.random.lock().unwrap().random_range(0..700);
        async move {
            store.clock.sleep(Duration::from_millis(start)).await;
            let region = Region(store, caller % race.regions);
            let mut backend = WithoutAtomics::new(region, store.clock, nonce, Regions::One);
            backend.write_window = race.write_window;
            backend.claim("k", 1, None).await.unwrap()
        }
    });
    let results = clock.run(work.collect());
    let made = results.iter().filter(|result| **result == Claimed::Made);
    made.count()
}

/// The runs of a race with none, one, and more winners.
fn outcomes(race: Race, runs: u32, callers: Option<usize>) -> [u32; 3] {
    let mut random = StdRng::seed_from_u64(14);
    let mut outcomes = [0; 3];
    for _ in 0..runs {
        let callers = callers.unwrap_or_else(|| random.random_range(2..=5));
        outcomes[winners(race, callers, &mut random).min(2)] += 1;
    }
    outcomes
}

const RUNS: u32 = 20_000;

#[test]
fn never_do_two_callers_win_a_timed_claim_on_a_linearizable_store() {
    // A quick store is never too slow for the window, and a slow one often is.
    for (max_delay, max_none) in [(100, 0), (400, RUNS / 7), (2000, RUNS / 2)] {
        let race = Race {
            max_delay,
            ..LINEARIZABLE
        };
        let [none, one, more] = outcomes(race, RUNS, None);
        assert_eq!((more, none + one), (0, RUNS), "{max_delay}");
        assert!(none <= max_none, "{max_delay}: none won {none} of {RUNS}");
    }
}

/// So the delays of the simulation are such that the check is needed.
#[test]
fn without_its_check_of_the_time_two_callers_win_a_timed_claim() {
    let race = Race {
        max_delay: 2000,
        write_window: u64::MAX,
        ..LINEARIZABLE
    };
    let [_, _, more] = outcomes(race, RUNS, None);
    assert!(more > RUNS / 5, "more than one won {more} of {RUNS}");
}

/// Nothing here holds two callers apart, and `docs/security.md` says so.
#[test]
fn two_regions_both_win_a_timed_claim_if_they_lag_by_more_than_its_wait() {
    let race = |lag| Race {
        max_delay: 100,
        lag,
        regions: 2,
        ..LINEARIZABLE
    };
    let [_, _, more] = outcomes(race(5000), 2000, Some(2));
    assert_eq!(more, 2000);
    // Callers of one region are held apart, however far away the other is.
    let own = Race {
        regions: 1,
        ..race(5000)
    };
    assert_eq!(outcomes(own, 2000, Some(2))[2], 0);
}

#[test]
fn a_thousand_claims_on_a_slow_store_are_each_won_by_at_most_one_of_32_callers() {
    let [none, one, more] = outcomes(LINEARIZABLE, 1000, Some(32));
    assert_eq!((more, none + one), (0, 1000));
    assert!(none <= 250, "none won {none} of 1000");
}

/// A store that is a map behind a lock, for real threads.
#[derive(Default)]
struct Shared(Mutex<BTreeMap<String, Vec<u8>>>);

impl PlainKeyValue for &Shared {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        let mut entries = self.0.lock().unwrap();
        entries.insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.0.lock().unwrap().contains_key(key))
    }

    async fn keys(&self) -> Result<Vec<String>, Error> {
        Ok(self.0.lock().unwrap().keys().cloned().collect())
    }
}

/// Milliseconds that a thread counts.
#[derive(Default)]
struct Ticks(AtomicU64);

impl Clock for &Ticks {
    fn now(&self) -> u64 {
        self.0.load(Relaxed)
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now() + duration.as_millis() as u64;
        poll_fn(|_| {
            if self.now() >= until {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

#[test]
fn threads_that_race_for_a_thousand_claims_win_each_once_at_most() {
    const KEYS: usize = 1000;
    const CALLERS: usize = 32;
    let (store, clock) = (Shared::default(), Ticks::default());
    let running = AtomicU64::new(CALLERS as u64);
    let made: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    let start = std::sync::Barrier::new(CALLERS);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while running.load(Relaxed) > 0 {
                std::thread::sleep(Duration::from_millis(1));
                clock.0.fetch_add(1, Relaxed);
            }
        });
        for _ in 0..CALLERS {
            scope.spawn(|| {
                let backend = WithoutAtomics::new(&store, &clock, nonce, Regions::One);
                start.wait();
                let claim = |key: usize| {
                    let (backend, made) = (&backend, &made);
                    Box::pin(async move {
                        let claimed = backend.claim(&key.to_string(), 1, None).await;
                        let is_made = claimed.unwrap() == Claimed::Made;
                        made[key].fetch_add(is_made.into(), Relaxed);
                    })
                };
                let mut work: Vec<_> = (0..KEYS).map(claim).collect();
                let mut context = Context::from_waker(Waker::noop());
                while !work.is_empty() {
                    work.retain_mut(|work| work.as_mut().poll(&mut context).is_pending());
                    std::thread::sleep(Duration::from_millis(5));
                }
                running.fetch_sub(1, Relaxed);
            });
        }
    });
    let won = |count| {
        made.iter()
            .filter(|made| made.load(Relaxed) == count)
            .count()
    };
    assert_eq!(won(0) + won(1), KEYS);
}

#[test]
fn a_claim_of_one_caller_on_a_quick_store_succeeds_and_is_kept() {
    let clock = Simulation::default();
    let race = Race {
        max_delay: 40,
        ..LINEARIZABLE
    };
    assert_eq!(outcomes(race, 200, Some(1)), [0, 200, 0]);
    let store = Slow {
        clock: &clock,
        random: Mutex::new(StdRng::seed_from_u64(1)),
        writes: Mutex::default(),
        max_delay: 40,
        lag: 0,
    };
    let work = async {
        let backend = WithoutAtomics::new(Region(&store, 0), &clock, nonce, Regions::One);
        assert_eq!(backend.counted("k").await.unwrap(), None);
        let claimed = backend.claim("k", 7, Some(5)).await.unwrap();
        assert_eq!(claimed, Claimed::Made);
        let claimed = backend.claim("k", 9, Some(5)).await.unwrap();
        assert_eq!(claimed, Claimed::Before(7));
        assert_eq!(backend.counted("k").await.unwrap(), Some(7));
        assert_eq!(backend.increment("n", 2, Some(5)).await.unwrap(), 2);
        assert_eq!(backend.increment("n", 3, None).await.unwrap(), 5);
        let stored = backend.get("n").await.unwrap().unwrap();
        assert_eq!(stored, br#"{"exp":5,"count":5}"#);
    };
    clock.run(vec![work]);
}
