//! The checks of the fuzz target `engine`, for arbitrary needles, text, and cuts. `cargo test`
//! replays its corpus.

use std::sync::Arc;

use repovault::mask::base64_edges::{Alphabet, EdgeCharacter};
use repovault::mask::needles::{Boundary, Gaps, MatchRules};
use repovault::mask::{Label, Masker, Matcher, Needles};

use crate::masked::masked;
use crate::reference::{self, Needle};

/// Masks a text that is cut in several ways. The output must always be the same and, if the
/// reference supports the rules, equal that of the reference.
pub(crate) fn check(data: &[u8]) {
    let Some((&[mode, count, cut], mut rest)) = data.split_first_chunk() else {
        return;
    };
    let mut plain = Vec::new();
    let mut needles = Needles::new();
    for _ in 0..=count % 4 {
        let Some((&length, after)) = rest.split_first() else {
            return;
        };
        let (bytes, text) = after.split_at(usize::from(length % 40).min(after.len()));
        needles.add(
            Label {
                name: "A",
                form: "raw",
            },
            bytes,
            rules(mode),
        );
        plain.push(Needle {
            bytes: bytes.to_vec(),
            transparent: false,
        });
        rest = text;
    }
    plain.retain(|needle| !needle.bytes.is_empty());
    let matcher = Arc::new(Matcher::new(needles));
    let whole = masked(&matcher, rest, usize::MAX);
    assert_eq!(whole, masked(&matcher, rest, 1));
    assert_eq!(whole, masked(&matcher, rest, usize::from(cut) + 2));
    if rules(mode) == MatchRules::default() {
        assert_eq!(whole, reference::mask(&plain, rest));
    }
    disturb(matcher, rest, usize::from(cut) + 1);
}

/// Shows bytes early and replaces the matcher while the text passes. Nothing may panic, and at the
/// end no byte may be held.
fn disturb(mut matcher: Arc<Matcher>, text: &[u8], cut: usize) {
    let mut masker = Masker::new(Arc::clone(&matcher));
    let mut out = Vec::new();
    for (index, chunk) in text.chunks(cut).take(20).enumerate() {
        masker.feed(chunk, &mut out);
        masker.show_short(&mut out);
        if index % 4 == 3 {
            let mut more = Needles::new();
            more.add(
                Label {
                    name: "B",
                    form: "raw",
                },
                chunk,
                rules(u8::try_from(index).unwrap_or(0)),
            );
            matcher = Arc::new(matcher.extended(&more));
            masker.replace_matcher(Arc::clone(&matcher));
        }
    }
    masker.finish(&mut out);
    assert_eq!(masker.held(), 0);
}

fn rules(mode: u8) -> MatchRules {
    let edge = |mask| EdgeCharacter {
        alphabet: Alphabet::Base64,
        value: mode & mask,
        mask,
    };
    MatchRules {
        gaps: if mode & 1 == 0 {
            Gaps::Refused
        } else {
            Gaps::Allowed
        },
        boundary: if mode & 0b1110 == 2 {
            Boundary::Token
        } else {
            Boundary::Any
        },
        lead: (mode & 4 != 0).then(|| edge(0b11)),
        trail: (mode & 8 != 0).then(|| edge(0b11_0000)),
        padding: if mode & 8 == 0 { 0 } else { 2 },
    }
}
