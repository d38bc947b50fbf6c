//! The kept corpora, and small changes to them.

use gatehouse_properties::TARGETS;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use std::path::{Path, PathBuf};

/// Changed inputs tried for each kept one.
const CHANGES: usize = 40;

#[test]
fn every_kept_input_of_every_parser_keeps_its_rules() {
    for (name, target) in TARGETS {
        for input in corpus(name) {
            target(&input);
        }
    }
}

#[test]
fn so_does_every_small_change_to_one() {
    let random = &mut StdRng::seed_from_u64(1);
    for (name, target) in TARGETS {
        let corpus = corpus(name);
        for input in &corpus {
            for _ in 0..CHANGES {
                let other = &corpus[random.random_range(..corpus.len())];
                target(&changed(input, other, random));
            }
        }
    }
}

#[test]
fn every_parser_has_a_fuzz_target() {
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).expect("fuzz/Cargo.toml");
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let path = folder().join(format!("fuzz_targets/{name}.rs"));
        let text = std::fs::read_to_string(path).expect("a fuzz target");
        assert!(text.contains(&format!("properties::{name}(")), "{name}");
    }
}

/// The kept inputs of a target.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder().join("corpus").join(name))
        .expect("a corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 5, "{name} has a corpus of {}", paths.len());
    let read = |path| std::fs::read(path).expect("an input");
    paths.into_iter().map(read).collect()
}

/// `input` with some bytes changed, cut, repeated or taken from `other`.
fn changed(input: &[u8], other: &[u8], random: &mut impl Rng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..random.random_range(1..=3) {
        let place = random.random_range(..=bytes.len());
        let end = (place + random.random_range(0..8)).min(bytes.len());
        match random.random_range(0..5) {
            0 if place < bytes.len() => bytes[place] = random.random(),
            1 if place < bytes.len() => bytes[place] ^= 1 << random.random_range(0..8),
            2 => drop(bytes.drain(place..end)),
            3 => {
                let repeated = bytes[place..end].to_vec();
                bytes.splice(place..place, repeated);
            }
            _ => {
                let from = random.random_range(..=other.len());
                bytes.splice(place.., other[from..].iter().copied());
            }
        }
    }
    bytes
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}
