//! Decides whether an occurrence of a needle counts, and how far it reaches.
//!
//! Both may depend on bytes that have not come yet. Such decisions wait here.

use crate::mask::base64_edges::EdgeCharacter;
use crate::mask::needles::{Boundary, Needles};

use super::output::{Output, Span};
use super::text::Text;

#[derive(Default)]
pub(super) struct Occurrences {
    pub(super) output: Output,
    /// The tails of needles that end with the available bytes.
    tails: Vec<Tail>,
    /// Occurrences that count only if the next byte does not continue their token.
    undecided: Vec<Span>,
}

/// The bytes after the end of a needle that still belong to it.
#[derive(Clone, Copy)]
struct Tail {
    at: u64,
    edge: Option<EdgeCharacter>,
    padding: u8,
}

impl Occurrences {
    /// Takes an occurrence in `text`, and adds what is to be masked to the output.
    pub(super) fn found(
        &mut self,
        needles: &Needles,
        text: &Text<'_>,
        needle: u32,
        start: u64,
        end: u64,
    ) {
        let rules = &needles.get(needle).rules;
        let needle = Some(needle);
        if rules.boundary == Boundary::Token {
            // The byte before it is known. The byte after it may have to be waited for.
            if !text.byte_before(start).is_some_and(is_of_token) {
                self.decide(text, Span { start, end, needle });
            }
            return;
        }
        let before = text.byte_before(start);
        let leads = rules
            .lead
            .zip(before)
            .is_some_and(|(edge, byte)| edge.admits(byte));
        let start = start - u64::from(leads);
        self.output.add(Span { start, end, needle });
        self.follow(
            text,
            Tail {
                at: end,
                edge: rules.trail,
                padding: rules.padding,
            },
        );
    }

    /// Decides everything that waited for the bytes that are now available.
    pub(super) fn resume(&mut self, text: &Text<'_>) {
        for tail in std::mem::take(&mut self.tails) {
            self.follow(text, tail);
        }
        for span in std::mem::take(&mut self.undecided) {
            self.decide(text, span);
        }
    }

    /// Decides everything that waited for bytes that will not come.
    pub(super) fn finish(&mut self) {
        self.tails.clear();
        for span in self.undecided.drain(..) {
            self.output.add(span);
        }
    }

    /// Returns the position of the first occurrence that is still undecided.
    pub(super) fn undecided(&self) -> Option<u64> {
        self.undecided.iter().map(|span| span.start).min()
    }

    fn decide(&mut self, text: &Text<'_>, span: Span) {
        match text.byte(span.end) {
            None => self.undecided.push(span),
            Some(byte) if is_of_token(byte) => {}
            Some(_) => self.output.add(span),
        }
    }

    /// Masks the tail as far as it has come, and keeps the rest.
    fn follow(&mut self, text: &Text<'_>, mut tail: Tail) {
        let needle_end = tail.at;
        while tail.edge.is_some() || tail.padding > 0 {
            let Some(byte) = text.byte(tail.at) else {
                self.tails.push(tail);
                break;
            };
            // The edge character comes first, then the padding. If the edge character does not
            // fit, the encoded text ended before it, and no padding follows.
            match tail.edge.take() {
                Some(edge) if edge.admits(byte) => {}
                None if byte == b'=' => tail.padding -= 1,
                _ => break,
            }
            tail.at += 1;
        }
        if tail.at > needle_end {
            // Begin within the needle, so that the needle and its tail become one mask.
            self.output.add(Span {
                start: needle_end - 1,
                end: tail.at,
                needle: None,
            });
        }
    }
}

/// Returns whether a token continues through this byte.
fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}
