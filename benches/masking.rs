//! The cost of masking, compared with the aho-corasick crate: `cargo bench --bench masking`.
//!
//! All figures are CPU time of this process, because the machine may be shared. The best of several
//! rounds counts. The text is fed 64 KiB at a time, and the output is included. The automata of
//! aho-corasick only count matches. They do not hold bytes back, merge matches, or allow gaps.

#![expect(clippy::print_stdout, reason = "printing is what this program is for")]
#![expect(clippy::cast_precision_loss, reason = "figures for reading")]

#[path = "masking/texts.rs"]
mod texts;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use repovault::mask::needles::{Gaps, MatchRules};
use repovault::mask::{Label, Masker, Masking, Matcher, Needles, forms};
use repovault::secret::Secret;
use rustix::time::{ClockId, clock_gettime};

const CHUNK: usize = 1 << 16;
const LENGTH: usize = 8 << 20;
const ROUNDS: usize = 5;

fn main() {
    println!("GB per CPU second; x = times the faster of aho-corasick's NFA and DFA\n");
    println!(
        "{:>7} {:<16} {:>7} {:>12} {:>8} {:>8} {:>7}",
        "needles", "text", "plain", "transparent", "ac NFA", "ac DFA", "x"
    );
    for count in [10, 100, 1_000, 10_000] {
        throughput(count);
    }
    for (name, needles, text) in texts::hostile(LENGTH / 4) {
        let plain = gigabytes(&matcher(&needles, Gaps::Refused), &text);
        let transparent = gigabytes(&matcher(&needles, Gaps::Allowed), &text);
        let count = needles.len();
        println!("{count:>7} {name:<16} {plain:>7.2} {transparent:>12.2}");
    }
    println!();
    for secrets in [10, 100, 1_000] {
        all_forms(secrets);
    }
    println!(
        "\n{:>7} {:>16} {:>16} {:>16}",
        "needles", "build ns/needle", "bytes/needle", "ns/80-byte write"
    );
    for count in [10, 100, 1_000, 10_000] {
        cost(count);
    }
}

/// Returns the CPU time that this process has used.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("a time after the start")
}

/// Returns the shortest CPU time that `work` takes, in seconds.
fn best(mut work: impl FnMut()) -> f64 {
    let round = |_| {
        let start = now();
        work();
        now().saturating_sub(start).as_secs_f64()
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn throughput(count: usize) {
    let plain = texts::tokens(count, b"");
    let prefixed = texts::tokens(count, b"postgres://shop_production:9f8e7d6c5b");
    let sets = [
        ("log", &plain, texts::log(LENGTH)),
        ("base64", &plain, texts::base64(LENGTH)),
        ("hit per KiB", &plain, texts::with_hits(LENGTH, &plain)),
        ("near misses", &plain, texts::near_misses(LENGTH, &plain)),
        ("prefix, log", &prefixed, texts::log(LENGTH)),
        (
            "prefix, misses",
            &prefixed,
            texts::near_misses(LENGTH, &prefixed),
        ),
    ];
    for (name, needles, text) in sets {
        let plain = gigabytes(&matcher(needles, Gaps::Refused), &text);
        let transparent = gigabytes(&matcher(needles, Gaps::Allowed), &text);
        let nfa = automaton(needles, AhoCorasickKind::ContiguousNFA, &text);
        let dfa = automaton(needles, AhoCorasickKind::DFA, &text);
        let times = plain / nfa.max(dfa);
        println!(
            "{count:>7} {name:<16} {plain:>7.2} {transparent:>12.2} {nfa:>8.2} {dfa:>8.2} {times:>7.1}"
        );
    }
}

/// Measures all forms of ordinary secrets, as `vault exec` looks for them.
fn all_forms(secrets: usize) {
    let tokens = texts::tokens(secrets, b"");
    let collected = || {
        let mut needles = Needles::new();
        for (index, token) in tokens.iter().enumerate() {
            let (name, secret) = (format!("S{index}"), Secret::new(token.clone()));
            // Every token is long enough to be masked.
            let _ = forms::add(&mut needles, &name, &secret, Masking::Automatic);
        }
        needles
    };
    let count = collected().len();
    let spelling = best(|| drop(black_box(collected())));
    let building = best(|| drop(black_box(Matcher::new(collected())))) - spelling;
    println!(
        "all forms of {secrets} secrets: {count} needles, spelled in {:.0} us, prepared in {:.0} us",
        spelling * 1e6,
        building * 1e6
    );
    let matcher = Arc::new(Matcher::new(collected()));
    for (name, text) in [
        ("log", texts::log(LENGTH)),
        ("base64", texts::base64(LENGTH)),
    ] {
        let speed = gigabytes(&matcher, &text);
        println!("all forms of {secrets} secrets, {name}: {speed:.2}");
    }
}

fn matcher(needles: &[Vec<u8>], gaps: Gaps) -> Arc<Matcher> {
    Arc::new(Matcher::new(collect(needles, gaps)))
}

fn collect(needles: &[Vec<u8>], gaps: Gaps) -> Needles {
    let mut collected = Needles::new();
    for needle in needles {
        let rules = MatchRules {
            gaps,
            ..MatchRules::default()
        };
        collected.add(
            Label {
                name: "A",
                form: "raw",
            },
            needle,
            rules,
        );
    }
    collected
}

fn gigabytes(matcher: &Arc<Matcher>, text: &[u8]) -> f64 {
    let mut out = Vec::with_capacity(2 * CHUNK);
    let seconds = best(|| {
        let mut masker = Masker::new(Arc::clone(matcher));
        for chunk in text.chunks(CHUNK) {
            out.clear();
            masker.feed(black_box(chunk), &mut out);
            black_box(&out);
        }
        masker.finish(&mut out);
    });
    text.len() as f64 / seconds / 1e9
}

fn automaton(needles: &[Vec<u8>], kind: AhoCorasickKind, text: &[u8]) -> f64 {
    let automaton = AhoCorasick::builder()
        .kind(Some(kind))
        .build(needles)
        .expect("it fits");
    let seconds = best(|| {
        for chunk in text.chunks(CHUNK) {
            black_box(automaton.find_iter(black_box(chunk)).count());
        }
    });
    text.len() as f64 / seconds / 1e9
}

fn cost(count: usize) {
    let tokens = texts::tokens(count, b"");
    let build = best_build(&tokens) / count as f64 * 1e9;
    let text = texts::near_misses(1 << 20, &tokens);
    let mut out = Vec::with_capacity(2 * CHUNK);
    let before = resident();
    let mut masker = Masker::new(matcher(&tokens, Gaps::Allowed));
    for chunk in text.chunks(CHUNK) {
        out.clear();
        masker.feed(chunk, &mut out);
    }
    let bytes = resident().saturating_sub(before) as f64 / count as f64;
    let line = &texts::log(80)[..80];
    let writes = 100_000;
    let seconds = best(|| {
        for _ in 0..writes {
            out.clear();
            masker.feed(black_box(line), &mut out);
        }
    });
    let write = seconds / f64::from(writes) * 1e9;
    println!("{count:>7} {build:>16.0} {bytes:>16.0} {write:>16.0}");
}

fn best_build(tokens: &[Vec<u8>]) -> f64 {
    let rounds = 1 + 20_000 / tokens.len();
    let mut collected: Vec<_> = (0..rounds * ROUNDS)
        .map(|_| collect(tokens, Gaps::Allowed))
        .collect();
    let seconds = best(|| {
        for needles in collected.drain(..rounds) {
            std::mem::forget(black_box(Matcher::new(needles)));
        }
    });
    seconds / rounds as f64
}

/// Returns the resident memory of this process, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0_usize) * 4096
}
