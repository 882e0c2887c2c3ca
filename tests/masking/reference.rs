//! The reference: the rules of masking in their plainest and slowest form. It has the whole text,
//! and tries every needle at every offset. The engine must produce the same output.

/// A needle, and whether transparent bytes may interrupt it.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    pub(crate) bytes: Vec<u8>,
    pub(crate) transparent: bool,
}

/// The start and the end of each masked occurrence.
type Spans = Vec<(usize, usize)>;

/// Returns the output for a whole text.
pub(crate) fn mask(needles: &[Needle], text: &[u8]) -> Vec<u8> {
    let mut spans = occurrences(needles, text);
    spans.extend(cut_off(needles, text));
    let mut out = Vec::new();
    let mut done = 0;
    for (start, end) in union(spans) {
        out.extend_from_slice(&text[done..start]);
        out.extend_from_slice(b"***");
        done = end;
    }
    out.extend_from_slice(&text[done..]);
    out
}

/// Returns how many bytes are held back after a text that may continue. For needles without gaps.
pub(crate) fn held(needles: &[Needle], text: &[u8]) -> usize {
    let hold = (0..text.len())
        .find(|&start| needles.iter().any(|needle| begins(needle, &text[start..])))
        .unwrap_or(text.len());
    let masked = occurrences(needles, text)
        .into_iter()
        .filter(|(start, _)| *start < hold);
    text.len() - masked.map(|(_, end)| end).max().unwrap_or(0).max(hold)
}

fn begins(needle: &Needle, text: &[u8]) -> bool {
    text.len() < needle.bytes.len() && needle.bytes.starts_with(text)
}

fn occurrences(needles: &[Needle], text: &[u8]) -> Spans {
    let mut spans = Spans::new();
    let (shown, bytes) = shown(needles, text);
    for needle in needles {
        let length = needle.bytes.len();
        for start in 0..=text.len().saturating_sub(length) {
            if text[start..].starts_with(&needle.bytes) {
                spans.push((start, start + length));
            }
        }
        if needle.transparent {
            for start in 0..=bytes.len().saturating_sub(length) {
                if bytes[start..].starts_with(&needle.bytes) {
                    spans.extend(masked_span(&shown[start..start + length]));
                }
            }
        }
    }
    spans
}

/// Returns the needles that the end of the text cuts off and that are masked nevertheless.
fn cut_off(needles: &[Needle], text: &[u8]) -> Spans {
    let mut spans = Spans::new();
    let (shown, bytes) = shown(needles, text);
    for needle in needles {
        let length = needle.bytes.len();
        for read in 8.max(length.div_ceil(2))..length {
            if text.ends_with(&needle.bytes[..read]) {
                spans.push((text.len() - read, text.len()));
            }
            if needle.transparent && bytes.ends_with(&needle.bytes[..read]) {
                let places = &shown[shown.len() - read..];
                let plain = (places[0].at, places[read - 1].at + 1);
                spans.push(masked_span(places).unwrap_or(plain));
            }
        }
    }
    spans
}

/// Returns the visible bytes if any needle allows gaps.
fn shown(needles: &[Needle], text: &[u8]) -> (Vec<VisibleByte>, Vec<u8>) {
    let asked = needles.iter().any(|needle| needle.transparent);
    let shown = if asked { visible(text) } else { Vec::new() };
    let bytes = shown.iter().map(|place| place.byte).collect();
    (shown, bytes)
}

/// A visible byte.
struct VisibleByte {
    byte: u8,
    at: usize,
    /// The gap before it.
    gap: Gap,
}

#[derive(Clone, Copy, PartialEq)]
enum Gap {
    None,
    Sequence,
    LineBreak,
}

/// Returns the masked part of an occurrence with these visible bytes, or `None` if it has no gap.
fn masked_span(places: &[VisibleByte]) -> Option<(usize, usize)> {
    let inner = &places[1..];
    if inner.iter().all(|place| place.gap == Gap::None) {
        return None;
    }
    let last_early_break = inner
        .iter()
        .take(3)
        .rfind(|place| place.gap == Gap::LineBreak);
    let start = last_early_break.unwrap_or(&places[0]).at;
    Some((start, places[places.len() - 1].at + 1))
}

/// Returns the visible bytes of a text whose only escape sequences are `ESC [ … m`.
fn visible(text: &[u8]) -> Vec<VisibleByte> {
    let mut places = Vec::new();
    let mut gap = Gap::None;
    let mut at = 0;
    let mut indentation = false;
    while at < text.len() {
        let byte = text[at];
        if text[at..].starts_with(b"\x1b[") {
            let length = text[at..]
                .iter()
                .position(|&byte| byte == b'm')
                .unwrap_or(text.len());
            at += length + 1;
            if gap == Gap::None {
                gap = Gap::Sequence;
            }
            continue;
        }
        if byte == b'\n' || byte == b'\r' || indentation && byte == b' ' {
            gap = Gap::LineBreak;
            indentation = true;
        } else {
            places.push(VisibleByte { byte, at, gap });
            gap = Gap::None;
            indentation = false;
        }
        at += 1;
    }
    places
}

/// Merges spans that overlap, but not spans that only touch.
fn union(mut spans: Spans) -> Spans {
    spans.sort_unstable();
    let mut merged = Spans::new();
    for (start, end) in spans {
        match merged.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}
