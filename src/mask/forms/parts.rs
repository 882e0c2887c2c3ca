//! The parts of a structured value that are secrets themselves: its lines, the password of a URL,
//! and the strings of a JSON value.

use crate::secret::Secret;

use super::percent;

/// Returns the lines worth masking, trimmed. They have at least eight bytes, and are neither PEM
/// armor (RFC 7468) nor bare structure such as `{`, `-----`, or `clusters:`.
pub(super) fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b'\n' || byte == b'\r')
        .map(<[u8]>::trim_ascii)
        .filter(|line| line.len() >= SHORTEST_LINE && !is_armor(line) && !is_structure(line))
}

const SHORTEST_LINE: usize = 8;

fn is_armor(line: &[u8]) -> bool {
    line.starts_with(b"-----BEGIN ") || line.starts_with(b"-----END ") || line.starts_with(b"---- ")
}

/// Returns whether a line has fewer than four letters and digits, or consists of a name that the
/// next lines give a value to, as in YAML and JSON.
fn is_structure(line: &[u8]) -> bool {
    let is_content = |byte: &&u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let trimmed = line.trim_ascii_end();
    let opening = trimmed
        .strip_suffix(b"{")
        .or(trimmed.strip_suffix(b"["))
        .unwrap_or(trimmed);
    let name = opening.trim_ascii_end().strip_suffix(b":");
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.\"' ".contains(byte);
    line.iter().filter(is_content).count() < 4 || name.is_some_and(|name| name.iter().all(of_name))
}

/// The userinfo of a URL (RFC 3986 section 3.2.1).
pub(super) struct Userinfo<'a> {
    /// The whole userinfo, as it is written.
    pub(super) whole: &'a [u8],
    /// The part after the first colon. Without a colon, the whole userinfo.
    pub(super) password: &'a [u8],
}

/// Returns the userinfo if `value` is a URL that has one.
pub(super) fn userinfo(value: &[u8]) -> Option<Userinfo<'_>> {
    let colon = value.windows(3).position(|three| three == b"://")?;
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    if colon == 0 || !value[..colon].iter().all(is_scheme) {
        return None;
    }
    let rest = &value[colon + 3..];
    let end = rest
        .iter()
        .position(|byte| b"/?#".contains(byte))
        .unwrap_or(rest.len());
    let at = rest[..end].iter().rposition(|&byte| byte == b'@')?;
    let whole = &rest[..at];
    let password = match whole.iter().position(|&byte| byte == b':') {
        Some(colon) => &whole[colon + 1..],
        None => whole,
    };
    Some(Userinfo { whole, password })
}

/// Returns the percent-decoded text if it differs.
pub(super) fn decoded(text: &[u8]) -> Option<Secret> {
    let plain = percent::decode(text);
    (plain.expose() != text).then_some(plain)
}

/// Returns the strings in a JSON text (RFC 8259) that are not member names. Only the strings of the
/// text are parsed. So a text that is not JSON has no strings, or those that look like some.
pub(super) fn strings(value: &[u8]) -> Vec<Secret> {
    let mut strings = Vec::new();
    if !matches!(value.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return strings;
    }
    let mut rest = value;
    while let Some(quote) = rest.iter().position(|&byte| byte == b'"') {
        let Some((string, after)) = string(&rest[quote + 1..]) else {
            break;
        };
        if after.trim_ascii_start().first() != Some(&b':') {
            strings.push(string);
        }
        rest = after;
    }
    strings
}

/// Returns the string that begins here, and the text after its closing quote.
fn string(text: &[u8]) -> Option<(Secret, &[u8])> {
    let mut out = Secret::with_capacity(64);
    let mut rest = text;
    loop {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        match byte {
            b'"' => return Some((out, rest)),
            b'\\' => rest = escape(rest, &mut out)?,
            _ => out.extend(&[byte]),
        }
    }
}

/// Writes the character of an escape, and returns the text after the escape.
fn escape<'a>(text: &'a [u8], out: &mut Secret) -> Option<&'a [u8]> {
    let (&letter, rest) = text.split_first()?;
    let plain = match letter {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unicode(rest, out),
        other => other,
    };
    out.extend(&[plain]);
    Some(rest)
}

/// Writes the character of a `\u` escape, or of a pair of them, and returns the text after it.
fn unicode<'a>(text: &'a [u8], out: &mut Secret) -> Option<&'a [u8]> {
    let (first, mut rest) = unit(text)?;
    let mut second = None;
    if (0xd800..0xdc00).contains(&first)
        && let Some((unit, after)) = rest.strip_prefix(b"\\u").and_then(unit)
    {
        second = Some(unit);
        rest = after;
    }
    for character in char::decode_utf16([first].into_iter().chain(second)) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(rest)
}

fn unit(text: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let digits = std::str::from_utf8(digits).ok()?;
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_skip_armor_structure_and_short_lines() {
        let value =
            b"-----BEGIN KEY-----\r\n  line one \nshort\n{ } [ ] , \nclusters:\n  \"private-key\" : {\nline,two\n-----END KEY-----";
        let lines: Vec<_> = lines(value).collect();
        assert_eq!(lines, [&b"line one"[..], b"line,two"]);
    }

    #[test]
    fn userinfo_ends_at_the_last_at_sign_of_the_authority() {
        for (url, expected) in [
            ("a://u:p@h/x@y", Some(("u:p", "p"))),
            ("a+b://u:p:q@r@h", Some(("u:p:q@r", "p:q@r"))),
            ("https://token@h", Some(("token", "token"))),
            ("https://:pw@h", Some((":pw", "pw"))),
            ("https://h/x@y", None),
            ("not a url://u:p@h", None),
            ("u:p@h", None),
        ] {
            let found = userinfo(url.as_bytes()).map(|found| (found.whole, found.password));
            let expected =
                expected.map(|(whole, password)| (whole.as_bytes(), password.as_bytes()));
            assert_eq!(found, expected, "{url}");
        }
    }

    #[test]
    fn strings_are_unescaped_and_member_names_skipped() {
        for (value, expected) in [
            (
                r#"{"a": "b\"\u00fc\n", "c": ["d", {"e" : "f"}]}"#,
                &["b\"ü\n", "d", "f"][..],
            ),
            (
                r#"["\ud83d\ude00", "\ud83dx", "\/"]"#,
                &["\u{1f600}", "\u{fffd}x", "/"],
            ),
            (r#"["cut off"#, &[]),
            (r#"["\u12"]"#, &[]),
            (r#"no "json""#, &[]),
        ] {
            let strings = strings(value.as_bytes());
            let found: Vec<_> = strings.iter().map(Secret::expose).collect();
            let expected: Vec<_> = expected.iter().map(|string| string.as_bytes()).collect();
            assert_eq!(found, expected, "{value}");
        }
    }
}
