//! The coverage-guided fuzzer of init's option parser: names, variables and words in, and what init understands beside what
//! the contract says (judge.rs). `tests/fuzz/run` builds and runs it.

#![no_main]

mod judge;

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

/// A mistake that stands behind two conditions, for a run that must find it.
fn with_a_mistake(input: &judge::Input) -> judge::Meaning {
    let mut meaning = judge::init(input);
    if let judge::Meaning::Run(settings) = &mut meaning
        && settings.flags.contains("wait-all")
        && settings.parent_death > 0
    {
        settings.parent_death = 0;
    }
    meaning
}

/// Is the mistake to be in it?
static IS_PLANTED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("BITTS_FUZZ_PLANTED").is_some());

fuzz_target!(|bytes: &[u8]| {
    let init = if *IS_PLANTED { with_a_mistake } else { judge::init };
    if let Err(why) = judge::judge(bytes, init) {
        panic!("{}{why}", if *IS_PLANTED { "planted, and found: " } else { "" });
    }
});

// Every other change puts a piece of the vocabulary in, or over what is there; the rest are libFuzzer's own.
fuzz_mutator!(|bytes: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let pick = |bound: usize, shift: u32| (seed.rotate_right(shift).wrapping_mul(0x9e37_79b1) >> 8) as usize % bound;
    let piece = judge::VOCABULARY[pick(judge::VOCABULARY.len(), 3)];
    let at = pick(size + 1, 11);
    let insert = seed & 2 == 0;
    let new_size = if insert { size + piece.len() } else { size.max(at + piece.len()) };
    if seed & 1 == 0 || new_size > max_size {
        return fuzzer_mutate(bytes, size, max_size);
    }
    if insert {
        bytes.copy_within(at..size, at + piece.len());
    }
    bytes[at..at + piece.len()].copy_from_slice(piece);
    new_size
});
