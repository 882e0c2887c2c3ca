//! All forms of one secret: its spellings, its parts, and the spellings of the parts.

use crate::secret::Secret;

use super::catalog::{self, Spelling};
use super::{base64, bytes, parts, percent};
use crate::mask::base64_edges::Alphabet;
use crate::mask::needles::{Boundary, Gaps, Label, MatchRules, Needles};
use crate::mask::policy::{self, LONG, Masking, SHORTEST, Treatment, Verdict};

/// The most needles of a secret of one line.
pub const MOST_NEEDLES: usize = 100;

/// A longer value is looked for in its main spellings only, so that its needles have at most about
/// twenty times its size.
const LONGEST: usize = 4096;

/// A value that exceeds even this length is looked for as it is, in JSON, and in base64.
const HUGE: usize = 1 << 16;

/// A JSON text of one line is treated like a value of several lines if it has more strings than
/// this, or a string of several lines.
const MOST_STRINGS: usize = 40;

/// The number of lines, and of strings, that are looked for in their main spellings. The others are
/// looked for as they are.
const MOST_PARTS: usize = 512;

/// Adds the needles of a secret, and returns whether it is masked.
pub fn add(needles: &mut Needles, name: &str, value: &Secret, masking: Masking) -> Verdict {
    let value = value.expose();
    let trimmed = value.trim_ascii();
    match policy::decide(trimmed, masking) {
        Treatment::Unmasked(verdict) => return verdict,
        Treatment::TokenOnly => {
            let rules = MatchRules {
                boundary: Boundary::Token,
                ..MatchRules::default()
            };
            needles.add(Label { name, form: "raw" }, trimmed, rules);
        }
        Treatment::AllForms => Forms { needles, name }.add(value, trimmed),
    }
    Verdict::Masked
}

struct Forms<'a> {
    needles: &'a mut Needles,
    name: &'a str,
}

impl<'a> Forms<'a> {
    fn add(&mut self, value: &[u8], trimmed: &[u8]) {
        let first = self.needles.len();
        self.add_raw(value, trimmed);
        if let Some(inner) = unquoted(trimmed).filter(|inner| is_worth_masking(inner)) {
            self.add_plain("unquoted", inner);
        }
        let strings = parts::strings(trimmed);
        let has_lines = |part: &[u8]| part.trim_ascii().contains(&b'\n');
        // A value with many parts: the number of needles grows with it, so the whole and each part
        // get their main spellings only.
        if has_lines(trimmed)
            || strings.len() > MOST_STRINGS
            || strings.iter().any(|string| has_lines(string.expose()))
        {
            self.add_main(trimmed);
            self.needles.keep_distinct(first, usize::MAX);
            self.add_lines(unquoted(trimmed).unwrap_or(trimmed));
            for (index, string) in strings.iter().enumerate() {
                self.add_string(index, string.expose().trim_ascii());
            }
        } else {
            // A value with few parts: everything, up to a limit. The most likely forms come first.
            self.add_parts(trimmed, &strings);
            self.add_others(trimmed);
            self.needles.keep_distinct(first, MOST_NEEDLES);
        }
    }

    /// Adds the value as it is, and without the blanks around it, which programs often trim.
    fn add_raw(&mut self, value: &[u8], trimmed: &[u8]) {
        if value == trimmed {
            return self.add_plain("raw", value);
        }
        let label = self.label("raw");
        self.needles.add(label, value, MatchRules::default());
        self.add_plain("trimmed", trimmed);
    }

    /// Adds the parts of a value of one line as they are, and then the main spellings of the value
    /// and of its parts.
    fn add_parts(&mut self, value: &[u8], strings: &[Secret]) {
        let trimmed = strings.iter().map(|string| string.expose().trim_ascii());
        let worthwhile = trimmed.filter(|string| is_worth_masking(string));
        self.add_url_parts(value);
        worthwhile
            .clone()
            .for_each(|string| self.add_plain("json-string", string));
        self.add_main(value);
        self.add_url_forms(value);
        worthwhile.for_each(|string| self.add_main(string));
    }

    /// Adds base64 and the main spellings.
    fn add_main(&mut self, part: &[u8]) {
        self.add_base64(part);
        let spellings = if part.len() > HUGE {
            1
        } else {
            catalog::MAIN.len()
        };
        self.add_spellings(part, &catalog::MAIN[..spellings]);
    }

    /// Adds the spellings that only a whole value has.
    fn add_others(&mut self, value: &[u8]) {
        if value.len() > LONGEST {
            return;
        }
        self.add_spellings(value, catalog::MORE);
        if value.len() < LONG {
            return;
        }
        self.add_spellings(value, catalog::RARE);
        let mut utf16 = Secret::with_capacity(2 * value.len());
        bytes::utf16(value, &mut utf16, bytes::ByteOrder::Little);
        for (form, alphabet, value) in [
            ("base32", Alphabet::Base32, value),
            ("base64-utf-16", Alphabet::Base64, utf16.expose()),
        ] {
            let rules = rules(value.len());
            let label = self.label(form);
            base64::add(self.needles, label, alphabet, 0, value, rules);
        }
    }

    /// Adds each line worth masking.
    fn add_lines(&mut self, value: &[u8]) {
        let lines = parts::lines(value).filter(|line| is_worth_masking(line));
        for (index, line) in lines.enumerate() {
            self.add_part("line", index, line);
        }
    }

    /// Adds a string in a JSON value, and the lines of the string.
    fn add_string(&mut self, index: usize, string: &[u8]) {
        if is_worth_masking(string) {
            self.add_part("json-string", index, string);
            if string.contains(&b'\n') {
                self.add_lines(string);
            }
        }
    }

    /// Adds a line or a string: as it is and, for the first ones, in its main spellings.
    fn add_part(&mut self, form: &'static str, index: usize, part: &[u8]) {
        let first = self.needles.len();
        self.add_plain(form, part);
        if index < MOST_PARTS {
            self.add_main(part);
            self.needles.keep_distinct(first, usize::MAX);
        }
    }

    /// Adds the password and the userinfo of a URL, as they are and decoded.
    fn add_url_parts(&mut self, value: &[u8]) {
        let Some(userinfo) = parts::userinfo(value) else {
            return;
        };
        for (form, part) in [
            ("url-password", userinfo.password),
            ("url-userinfo", userinfo.whole),
        ] {
            self.add_url_part(form, part);
            if let Some(part) = parts::decoded(part) {
                self.add_url_part(form, part.expose());
            }
        }
    }

    fn add_url_part(&mut self, form: &'static str, part: &[u8]) {
        if is_worth_masking(part) {
            self.add_plain(form, part);
        }
    }

    /// Adds the main spellings of the password, and base64 of the userinfo, as HTTP sends it (RFC
    /// 7617).
    fn add_url_forms(&mut self, value: &[u8]) {
        let Some(userinfo) = parts::userinfo(value) else {
            return;
        };
        let password = percent::decode(userinfo.password);
        if is_worth_masking(password.expose()) {
            self.add_main(password.expose());
        }
        let whole = percent::decode(userinfo.whole);
        if is_worth_masking(whole.expose()) {
            self.add_base64(whole.expose());
        }
    }

    /// Adds base64 at the three alignments that a part can have in a longer text.
    fn add_base64(&mut self, part: &[u8]) {
        for (form, alphabet) in [
            ("base64", Alphabet::Base64),
            ("base64url", Alphabet::Base64Url),
        ] {
            for before in 0..3 {
                let (label, rules) = (self.label(form), rules(part.len()));
                base64::add(self.needles, label, alphabet, before, part, rules);
            }
        }
    }

    /// Adds the spellings that differ from the part itself.
    fn add_spellings(&mut self, part: &[u8], spellings: &[Spelling]) {
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        let is_token = part.iter().all(token);
        for (form, encoding) in spellings {
            if is_token && encoding.keeps_tokens() {
                // It would equal the part itself, which is a needle already.
                continue;
            }
            let (label, rules) = (self.label(form), rules(part.len()));
            self.needles
                .spell(label, rules, |out| encoding.write(part, out));
        }
    }

    /// Adds a part as it is. If it has line breaks, also adds it without them.
    fn add_plain(&mut self, form: &'static str, part: &[u8]) {
        let (label, rules) = (self.label(form), rules(part.len()));
        if !part.contains(&b'\n') && !part.contains(&b'\r') {
            self.needles.add(label, part, rules);
            return;
        }
        self.needles.add(label, part, MatchRules::default());
        let unwrapped = self.label("unwrapped");
        let write = |out: &mut Secret| join_lines(part, out);
        self.needles.spell(unwrapped, rules, write);
    }

    fn label(&self, form: &'static str) -> Label<'a> {
        Label {
            name: self.name,
            form,
        }
    }
}

/// Returns the rules for every form of a part of this many bytes.
fn rules(length: usize) -> MatchRules {
    MatchRules {
        gaps: if length >= LONG {
            Gaps::Allowed
        } else {
            Gaps::Refused
        },
        ..MatchRules::default()
    }
}

fn is_worth_masking(part: &[u8]) -> bool {
    part.trim_ascii().len() >= SHORTEST && !policy::is_common(part.trim_ascii())
}

/// Returns the text between a pair of quotes.
fn unquoted(value: &[u8]) -> Option<&[u8]> {
    match value {
        [first @ (b'"' | b'\'' | b'`'), inner @ .., last] if first == last => Some(inner),
        _ => None,
    }
}

/// Writes the value without its line breaks and the indentation after them.
fn join_lines(value: &[u8], out: &mut Secret) {
    for (index, line) in value
        .split(|&byte| byte == b'\n' || byte == b'\r')
        .enumerate()
    {
        let blanks = line
            .iter()
            .take_while(|&&byte| byte == b' ' || byte == b'\t')
            .count();
        out.extend(if index == 0 { line } else { &line[blanks..] });
    }
}
