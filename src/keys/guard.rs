//! Private keys in a text that someone may see: `***` takes their place.
//!
//! A key reaches a message as part of anything that was typed, exported, or committed: a path, a
//! quoted argument, an error of the operating system. So it is found by its own shape, in any case,
//! with escapes, percent signs, or line breaks inside, and with anything before and after it.
//! Knows age identities (`AGE-SECRET-KEY-`, post-quantum ones too), those of plugins
//! (`AGE-PLUGIN-`), credentials (`vaultci1_`), and private keys in PEM.

use std::borrow::Cow;

/// The text shown in place of a key.
const HIDDEN: &str = "***";
/// The characters of an age identity after its prefix: 32 bytes and a checksum in bech32.
const IDENTITY: usize = 58;
/// The fewest characters of a credential after its prefix: 80 bytes in base64url.
const CREDENTIAL: usize = 107;
/// The longest text between `BEGIN` and `PRIVATE KEY`, such as `ENCRYPTED`, without blanks.
const KIND: usize = 24;

/// `text` without the private keys in it.
#[must_use]
pub fn hide_keys(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    // As it is, too: what precedes a key may look like an escape that its first letter ends. A key
    // in PEM comes first. Otherwise, the text around it could be taken for its beginning.
    for reading in [Reading::Unescaped, Reading::AsIs] {
        for end in [pem, line] {
            if let Some(hidden) = hide(&shown, reading, end) {
                shown = Cow::Owned(hidden);
            }
        }
    }
    shown
}

/// Whether there is a private key anywhere in `text`.
pub(super) fn holds_key(text: &str) -> bool {
    matches!(hide_keys(text), Cow::Owned(_))
}

/// Whether `text`, which is meant to be a path, a name, or a command, is a key itself or the
/// content of a key file.
#[must_use]
pub fn is_key(text: &str) -> bool {
    let signs = signs(text, Reading::AsIs);
    let mut before = 0;
    let mut starts_line = |at: usize| {
        let gap = before..signs[at].start as usize;
        before = signs[at].end as usize;
        at == 0 || text[gap].contains('\n')
    };
    (0..signs.len())
        .any(|at| starts_line(at) && (line(&signs, at).is_some() || pem(&signs, at).is_some()))
}

/// Whether escapes and percent signs mean characters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Unescaped,
    AsIs,
}

/// `text` without what begins wherever `end` knows an end for it, if anything does.
fn hide(text: &str, reading: Reading, end: fn(&[Sign], usize) -> Option<usize>) -> Option<String> {
    let signs = signs(text, reading);
    let mut shown = String::new();
    let (mut rest, mut at) = (0, 0);
    while at < signs.len() {
        let Some(end) = end(&signs, at) else {
            at += 1;
            continue;
        };
        shown.push_str(&text[rest..signs[at].start as usize]);
        shown.push_str(HIDDEN);
        rest = signs[end - 1].end as usize;
        at = end;
    }
    shown.push_str(&text[rest..]);
    (rest > 0).then_some(shown)
}

/// One character as a reader would understand it, in lower case. It is small: a report of many
/// megabytes consists of as many.
struct Sign {
    start: u32,
    end: u32,
    character: u8,
    /// Blanks, quotes, or line breaks come before it, as they are or escaped.
    is_apart: bool,
}

/// Anything that is not ASCII.
const OTHER: u8 = 0xff;

fn signs(text: &str, reading: Reading) -> Vec<Sign> {
    let mut signs = Vec::with_capacity(text.len());
    let mut is_apart = false;
    let mut at = 0;
    while at < text.len() {
        let (character, length) = understand(&text[at..], reading);
        let (start, end) = (offset(at), offset(at + length));
        at += length;
        if is_noise(character) {
            is_apart = true;
        } else {
            signs.push(Sign {
                start,
                end,
                character: simple(character),
                is_apart,
            });
            is_apart = false;
        }
    }
    signs
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("no message has 4 GiB")
}

/// The character that `text` begins with, escaped or not, and how many bytes spell it.
fn understand(text: &str, reading: Reading) -> (char, usize) {
    let escaped = match text.as_bytes()[0] {
        _ if reading == Reading::AsIs => None,
        b'%' => percent(text),
        b'\\' => backslash(text),
        _ => None,
    };
    escaped.unwrap_or_else(|| {
        let first = text.chars().next().expect("there is text left");
        (first, first.len_utf8())
    })
}

/// `%2D`, also `%252D`, as a text that was encoded twice has it.
fn percent(text: &str) -> Option<(char, usize)> {
    let mut start = 1;
    while text[start..].starts_with("25") && code(text, start + 2, 2, 16).is_some() {
        start += 2;
    }
    Some((code(text, start, 2, 16)?, start + 2))
}

/// The escapes of Rust, JSON, C, Python, and git; one that was escaped again has more backslashes.
fn backslash(text: &str) -> Option<(char, usize)> {
    let start = text.bytes().take_while(|&byte| byte == b'\\').count();
    let digits = start + 1;
    match text.as_bytes().get(start)? {
        b'u' if text[digits..].starts_with('{') => {
            let length = text[digits..].find('}').filter(|&length| length <= 7)? - 1;
            Some((code(text, digits + 1, length, 16)?, digits + length + 2))
        }
        b'u' => Some((code(text, digits, 4, 16)?, digits + 4)),
        b'U' => Some((code(text, digits, 8, 16)?, digits + 8)),
        b'x' => Some((code(text, digits, 2, 16)?, digits + 2)),
        b'0'..=b'7' => Some((code(text, start, 3, 8)?, start + 3)),
        // Not those that could be the first letter of a key after a backslash.
        b'n' | b'r' | b't' => Some(('\n', digits)),
        _ => None,
    }
}

/// The character whose number `length` digits at `start` spell.
fn code(text: &str, start: usize, length: usize, base: u32) -> Option<char> {
    let digits = text
        .get(start..start + length)
        .filter(|digits| !digits.starts_with('+'))?;
    let number = u32::from_str_radix(digits, base).ok()?;
    Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// Characters that may occur inside a key that was wrapped, quoted, or pasted.
fn is_noise(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '"' | '\'' | '`' | '\\' | '\u{ad}' | '\u{feff}')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}')
}

/// In lower case; every dash is a hyphen.
fn simple(character: char) -> u8 {
    match character {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => b'-',
        _ => u8::try_from(character)
            .ok()
            .filter(u8::is_ascii)
            .unwrap_or(OTHER)
            .to_ascii_lowercase(),
    }
}

/// Where the identity or the credential ends that begins with the sign `at`.
fn line(signs: &[Sign], at: usize) -> Option<usize> {
    let after = |prefix: &str| begins(signs, at, prefix).then_some(at + prefix.len());
    match signs[at].character {
        b'a' => {
            let start = after("age-secret-key-").or_else(|| after_plugin(signs, at))?;
            // A word on its own belongs to it only if it could be its next line.
            let bech32 =
                |sign: &Sign| b"-qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(&sign.character);
            data(signs, start, IDENTITY, b"-", |word| word.iter().all(bech32))
        }
        b'v' => {
            let start = after("vaultci")?;
            let is_digit = |sign: &&Sign| sign.character.is_ascii_digit();
            let end = start + signs[start..].iter().take_while(is_digit).count();
            let has_number = end > start && begins(signs, end, "_");
            has_number.then(|| data(signs, end + 1, CREDENTIAL, b"-_.~", |_| true))?
        }
        _ => None,
    }
}

/// Where the characters of a plugin's identity begin, after `AGE-PLUGIN-NAME-1`. A name of ours may
/// begin with `age-plugin-`, too.
fn after_plugin(signs: &[Sign], at: usize) -> Option<usize> {
    const PREFIX: &str = "age-plugin-";
    let name = at + PREFIX.len();
    let end = (name..=name + KIND).find(|&at| begins(signs, at, "-1"))?;
    begins(signs, at, PREFIX).then_some(end + "-1".len())
}

/// The end of the letters, digits, and characters in `others` from `start` on. The run may be
/// interrupted as long as it has fewer than `fewest`, unless the next word cannot belong to it.
/// Without a single character it is not a key: documents name a prefix like that.
fn data(
    signs: &[Sign],
    start: usize,
    fewest: usize,
    others: &[u8],
    goes_on: impl Fn(&[Sign]) -> bool,
) -> Option<usize> {
    let allowed =
        |sign: &&Sign| sign.character.is_ascii_alphanumeric() || others.contains(&sign.character);
    let mut at = start;
    while let Some(sign) = signs.get(at).filter(allowed) {
        if sign.is_apart && at > start {
            let rest = signs[at + 1..].iter().take_while(allowed);
            let length = 1 + rest.take_while(|sign| !sign.is_apart).count();
            if at - start >= fewest || !goes_on(&signs[at..at + length]) {
                break;
            }
        }
        at += 1;
    }
    (at > start).then_some(at)
}

/// Where a key in PEM ends that begins with the sign `at`: after its `END` line, or with the text
/// if there is none.
fn pem(signs: &[Sign], at: usize) -> Option<usize> {
    // A long run of dashes is looked at once.
    if at > 0 && signs[at].character == b'-' && signs[at - 1].character == b'-' {
        return None;
    }
    let dashes = dashes(signs, at);
    let body = private_key(signs, at + dashes, "begin")?;
    if dashes == 0 && !begins(signs, body, "-") {
        return None;
    }
    let Some(end) = (body..signs.len()).find_map(|at| private_key(signs, at, "end")) else {
        return Some(signs.len());
    };
    Some(end + self::dashes(signs, end))
}

/// Where `PRIVATE KEY` ends after `word` at `at` and the kind of key. Hyphens may mean blanks, as
/// in the name of a branch.
fn private_key(signs: &[Sign], at: usize, word: &str) -> Option<usize> {
    if !begins(signs, at, word) {
        return None;
    }
    let mut name = Vec::new();
    let kind = signs
        .iter()
        .enumerate()
        .skip(at + word.len())
        .take(2 * KIND);
    for (at, sign) in kind.filter(|(_, sign)| !b"-_".contains(&sign.character)) {
        name.push(sign.character);
        if name.ends_with(b"privatekey") {
            // As PGP writes it.
            let block = begins(signs, at + 1, "block");
            return Some(at + 1 + if block { "block".len() } else { 0 });
        }
    }
    None
}

fn dashes(signs: &[Sign], at: usize) -> usize {
    signs
        .iter()
        .skip(at)
        .take_while(|sign| sign.character == b'-')
        .count()
}

fn begins(signs: &[Sign], at: usize, prefix: &str) -> bool {
    let found = signs.get(at..at.saturating_add(prefix.len()));
    found.is_some_and(|signs| signs.iter().map(|sign| sign.character).eq(prefix.bytes()))
}

#[cfg(test)]
mod tests;
