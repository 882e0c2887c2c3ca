//! The parts of a structured value that are secrets of their own: lines, the password of a URL,
//! the strings of a JSON value.

use crate::secret::Secret;

use super::percent;

/// The lines that say something: at least eight bytes, no PEM armor (RFC 7468), no bare
/// structure such as `{`, `-----` or `clusters:`. Without the blanks around them.
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

/// Whether a line has not enough letters and digits to tell anything, or is only the name of what
/// the next lines hold, as in YAML and JSON.
fn is_structure(line: &[u8]) -> bool {
    let telling = |byte: &&u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let name = line.trim_ascii_end();
    let name = name.strip_suffix(b"{").or(name.strip_suffix(b"[")).unwrap_or(name);
    let name = name.trim_ascii_end().strip_suffix(b":");
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.\"' ".contains(byte);
    line.iter().filter(telling).count() < 4 || name.is_some_and(|name| name.iter().all(of_name))
}

/// The userinfo of a URL (RFC 3986 section 3.2.1).
pub(super) struct Userinfo<'a> {
    /// As it is written.
    pub(super) whole: &'a [u8],
    /// Behind the first colon; the whole if there is none.
    pub(super) password: &'a [u8],
}

/// The userinfo, if `value` is a URL that has one.
pub(super) fn userinfo(value: &[u8]) -> Option<Userinfo<'_>> {
    let colon = value.windows(3).position(|three| three == b"://")?;
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    if colon == 0 || !value[..colon].iter().all(is_scheme) {
        return None;
    }
    let rest = &value[colon + 3..];
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let at = rest[..end].iter().rposition(|&byte| byte == b'@')?;
    let whole = &rest[..at];
    let password = match whole.iter().position(|&byte| byte == b':') {
        Some(colon) => &whole[colon + 1..],
        None => whole,
    };
    Some(Userinfo { whole, password })
}

/// What percent-encoded text stands for, if that is something else.
pub(super) fn decoded(text: &[u8]) -> Option<Secret> {
    let plain = percent::decode(text);
    (plain.expose() != text).then_some(plain)
}

/// The strings in a JSON text (RFC 8259) that are no member names. Not JSON: nothing, or what
/// looks like it; the text is read for its strings only.
pub(super) fn strings(value: &[u8]) -> Vec<Secret> {
    let mut strings = Vec::new();
    if !matches!(value.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return strings;
    }
    let mut rest = value;
    while let Some(quote) = rest.iter().position(|&byte| byte == b'"') {
        let Some((string, behind)) = string(&rest[quote + 1..]) else {
            break;
        };
        if behind.trim_ascii_start().first() != Some(&b':') {
            strings.push(string);
        }
        rest = behind;
    }
    strings
}

/// The string that begins here, and what follows its closing quote.
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

/// Writes the character that the escape stands for, and says what follows it.
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

fn unicode<'a>(text: &'a [u8], out: &mut Secret) -> Option<&'a [u8]> {
    let (first, mut rest) = unit(text)?;
    let mut second = None;
    if (0xd800..0xdc00).contains(&first)
        && let Some((unit, behind)) = rest.strip_prefix(b"\\u").and_then(unit)
    {
        second = Some(unit);
        rest = behind;
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
    fn lines_are_those_that_say_something() {
        let value =
            b"-----BEGIN KEY-----\r\n  line one \nshort\n{ } [ ] , \nclusters:\n  \"private-key\" : {\nline,two\n-----END KEY-----";
        let lines: Vec<_> = lines(value).collect();
        assert_eq!(lines, [&b"line one"[..], b"line,two"]);
    }

    #[test]
    fn the_userinfo_is_what_stands_before_the_last_at_sign_of_the_authority() {
        for (url, expected) in [
            ("a://u:p@h/x@y", Some(("u:p", "p"))),
            ("a+b://u:p:q@r@h", Some(("u:p:q@r", "p:q@r"))),
            ("https://token@h", Some(("token", "token"))),
            ("https://:pw@h", Some((":pw", "pw"))),
            ("https://h/x@y", None),
            ("not a url://u:p@h", None),
            ("u:p@h", None),
        ] {
            let found = userinfo(url.as_bytes());
            let found = found.map(|found| (found.whole, found.password));
            let expected =
                expected.map(|(whole, password)| (whole.as_bytes(), password.as_bytes()));
            assert_eq!(found, expected, "{url}");
        }
    }

    #[test]
    fn strings_are_read_with_their_escapes_and_without_member_names() {
        for (value, expected) in [
            (r#"{"a": "b\"\u00fc\n", "c": ["d", {"e" : "f"}]}"#, &["b\"ü\n", "d", "f"][..]),
            (r#"["\ud83d\ude00", "\ud83dx", "\/"]"#, &["\u{1f600}", "\u{fffd}x", "/"]),
            (r#"["cut off"#, &[]),
            (r#"["\u12"]"#, &[]),
            (r#"no "json""#, &[]),
        ] {
            let strings = strings(value.as_bytes());
            let strings: Vec<_> = strings.iter().map(Secret::expose).collect();
            let expected: Vec<_> = expected.iter().map(|string| string.as_bytes()).collect();
            assert_eq!(strings, expected, "{value}");
        }
    }
}
