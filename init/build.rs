//! Packs the texts of `src/words.rs` by pairing bytes (Gage's byte pair encoding): the most frequent pair of neighbours
//! becomes a code of its own, again and again, until no code is left or none is worth its two bytes. To unpack is a dozen
//! lines (`src/text.rs`), which says what the codes are.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

include!("src/words.rs");

/// What stands for a newline in a packed text, for that is the code of a pair. No text holds it.
const NEWLINE: char = '`';

/// The first code of a pair; behind 255 they go on at 0, up to 31.
const FIRST_PAIR: u8 = 127;

/// How many codes there are: 127–255, 0, which ends a text, and 1–31.
const PAIRS: usize = 129 + 1 + 31;

macro_rules! all {
    (
        options { $($id:ident $names:literal $help:literal)* } usage $usage:literal notes $notes:literal
        messages { $($message:ident $template:literal)* } reasons { $($name:ident $errno:literal $reason:literal)* }
    ) => {
        /// The texts in the order of `Text`: the messages, the reasons, the help text, which has two lines for each option.
        const TEXTS: &[&str] = &[
            $($template,)* $($reason,)* concat!($usage, $("  ", $names, "\n      ", $help, "\n",)* $notes)
        ];
    };
}
words!(all);

fn main() {
    let mut texts: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.chars().map(code).collect()).collect();
    let mut pairs: Vec<[u8; 2]> = Vec::new();
    while pairs.len() < PAIRS {
        let Some(pair) = most_frequent(&texts) else { break };
        let mut code = FIRST_PAIR.wrapping_add(u8::try_from(pairs.len()).expect("fewer than 256"));
        if code == 0 {
            // It ends a text, and never stands for a pair.
            pairs.push([0; 2]);
            code = 1;
        }
        pairs.push(pair);
        texts.iter_mut().for_each(|text| replace(text, pair, code));
    }
    texts.iter_mut().for_each(|text| text.push(0));
    let packed = texts.concat();
    let source = format!(
        "/// The texts, packed; each ends with a 0.\nconst PACKED: &[u8] = &{packed:?};\n\
         /// What the codes of pairs stand for.\nconst PAIRS: &[[u8; 2]] = &{pairs:?};\n"
    );
    let directory = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&directory).join("packed.rs"), source).expect("OUT_DIR can be written to");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/words.rs");
}

/// The byte of a character in a packed text.
fn code(character: char) -> u8 {
    let character = if character == '\n' { NEWLINE } else { character };
    let code = u8::try_from(character).expect("ASCII");
    assert!((32..FIRST_PAIR).contains(&code), "no text may hold {character:?}");
    code
}

/// The most frequent pair of neighbours, overlaps not counted; `None` if no pair saves more than the two bytes it costs.
/// Of equally frequent ones always the same, for the same source must give the same program.
fn most_frequent(texts: &[Vec<u8>]) -> Option<[u8; 2]> {
    let mut counts = BTreeMap::<[u8; 2], usize>::new();
    for text in texts {
        let mut last = HashMap::new();
        for (at, pair) in text.windows(2).enumerate() {
            let pair = [pair[0], pair[1]];
            if last.get(&pair).is_none_or(|last| last + 1 < at) {
                *counts.entry(pair).or_default() += 1;
                last.insert(pair, at);
            }
        }
    }
    let (pair, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count > 2).then_some(pair)
}

/// Puts `code` for every `pair`.
fn replace(text: &mut Vec<u8>, pair: [u8; 2], code: u8) {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text.as_slice();
    while let [first, others @ ..] = rest {
        if rest.starts_with(&pair) {
            replaced.push(code);
            rest = &rest[2..];
        } else {
            replaced.push(*first);
            rest = others;
        }
    }
    *text = replaced;
}
