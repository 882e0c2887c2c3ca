//! Runs masking cases from data files: secrets, chunks, and expectations in base64.
//!
//! Knows the format of the files and the masking engine. It runs every case with the case's own
//! chunks, in one chunk, byte by byte, and with random cuts. Each run must produce the expected
//! output.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use repovault::mask::{Label, Masker, Masking, Matcher, Needles, forms, needles::MatchRules};
use repovault::secret::Secret;
use serde_json::Value;

/// The number of times that a case is cut at random.
const CUTS: u64 = 8;

/// The results of the cases in a file.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The number of cases that passed.
    pub(crate) passed: usize,
    /// The names of the others, each with the reason.
    pub(crate) failed: Vec<String>,
}

/// Runs every case in the text of a file.
pub(crate) fn run(text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let cases: Vec<Value> = serde_json::from_str(text).expect("a JSON array");
    for case in &cases {
        match check(case) {
            Ok(()) => outcome.passed += 1,
            Err(reason) => outcome.failed.push(format!("{}: {reason}", case["name"])),
        }
    }
    outcome
}

fn check(case: &Value) -> Result<(), String> {
    let matcher = Arc::new(Matcher::new(needles(case)));
    let chunks = list(case, "chunks");
    let whole = chunks.concat();
    expected(
        case,
        &masked(&matcher, &chunks, &list(case, "emitted_after_chunk"))?,
        "own chunks",
    )?;
    expected(
        case,
        &masked(&matcher, std::slice::from_ref(&whole), &[])?,
        "one chunk",
    )?;
    let bytes: Vec<_> = whole.iter().map(|&byte| vec![byte]).collect();
    expected(case, &masked(&matcher, &bytes, &[])?, "byte by byte")?;
    for seed in 0..CUTS {
        let how = format!("random cuts {seed}");
        expected(case, &masked(&matcher, &cut(&whole, seed), &[])?, &how)?;
    }
    Ok(())
}

fn needles(case: &Value) -> Needles {
    let raw = case["tags"]
        .as_array()
        .is_some_and(|tags| tags.iter().any(|tag| tag == "raw-only"));
    let mut needles = Needles::new();
    for (index, secret) in list(case, "secrets").into_iter().enumerate() {
        let name = format!("SECRET_{index}");
        if raw {
            let label = Label {
                name: &name,
                form: "raw",
            };
            needles.add(label, &secret, MatchRules::default());
        } else {
            // The case expects that a secret without needles passes unchanged.
            let _ = forms::add(
                &mut needles,
                &name,
                &Secret::new(secret),
                Masking::Automatic,
            );
        }
    }
    needles
}

fn list(case: &Value, field: &str) -> Vec<Vec<u8>> {
    let texts = case[field].as_array().into_iter().flatten();
    texts
        .map(|text| {
            BASE64_STANDARD
                .decode(text.as_str().expect("a string"))
                .expect("base64")
        })
        .collect()
}

/// Returns the output for these chunks. After each chunk it must equal that element of `emitted`.
fn masked(
    matcher: &Arc<Matcher>,
    chunks: &[Vec<u8>],
    emitted: &[Vec<u8>],
) -> Result<Vec<u8>, String> {
    let mut masker = Masker::new(Arc::clone(matcher));
    let mut out = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        masker.feed(chunk, &mut out);
        if emitted.get(index).is_some_and(|emitted| *emitted != out) {
            return Err(format!("after chunk {index}: {}", out.escape_ascii()));
        }
    }
    masker.finish(&mut out);
    Ok(out)
}

fn expected(case: &Value, out: &[u8], how: &str) -> Result<(), String> {
    let holds = |part: &Vec<u8>| out.windows(part.len()).any(|place| place == part);
    let exact = list(case, "expect");
    let good = (exact.is_empty() || exact.iter().any(|exact| exact == out))
        && list(case, "must_contain").iter().all(holds)
        && !list(case, "must_not_contain").iter().any(holds);
    good.then_some(())
        .ok_or_else(|| format!("{how}: {}", out.escape_ascii()))
}

/// Cuts `bytes` into pieces of 1 to 40 bytes.
fn cut(bytes: &[u8], seed: u64) -> Vec<Vec<u8>> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let length = usize::try_from(state % 40).expect("small") + 1;
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}
