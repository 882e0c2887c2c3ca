//! A command in a variable or an option, split into words as a shell would. Only a line that needs a
//! shell gets one, as git does it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::fault::Fault;

/// Signs with a meaning for a shell only, outside of quotes.
const OUTSIDE: &[u8] = b"$`|&;<>()";
/// The same, inside double quotes. A backslash takes the meaning from these and from itself.
const INSIDE: &[u8] = b"$`";

/// Splits `command` at blanks. Single quotes, double quotes, and backslashes keep blanks. `place`
/// is where the command comes from, for messages. A line with a sign that only a shell understands
/// becomes `sh -c LINE`: a variable that stays as it is, or a pipe that becomes an argument, would do
/// something else than what was meant.
///
/// # Errors
/// If it has no word, or a quote is open.
pub(super) fn split(command: &OsStr, place: &str) -> Result<Vec<OsString>, Fault> {
    let shell = || Ok(vec!["sh".into(), "-c".into(), command.to_owned()]);
    let mut words = Words::default();
    let mut rest = command.as_bytes().iter().copied();
    let open = || Fault::usage(format!("{place} ends within quotes, or after a backslash"));
    while let Some(byte) = rest.next() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => words.end(),
            b'\'' => words.word().extend(quoted(&mut rest).ok_or_else(open)?),
            b'"' => {
                let Ok(text) = double_quoted(&mut rest).ok_or_else(open)? else {
                    return shell();
                };
                words.word().extend(text);
            }
            b'\\' => {
                let next = rest.next().ok_or_else(open)?;
                words.word().push(next);
            }
            b'~' | b'#' if words.current.is_none() => return shell(),
            b'=' if words.ended.is_empty() => return shell(),
            _ if OUTSIDE.contains(&byte) => return shell(),
            _ => words.word().push(byte),
        }
    }
    words.end();
    if words.ended.first().is_none_or(|program| program.is_empty()) {
        return Err(Fault::usage(format!("{place} names no program")));
    }
    Ok(words.ended)
}

#[derive(Default)]
struct Words {
    ended: Vec<OsString>,
    /// Also while it is still empty: `''` is a word.
    current: Option<Vec<u8>>,
}

impl Words {
    fn word(&mut self) -> &mut Vec<u8> {
        self.current.get_or_insert_default()
    }

    fn end(&mut self) {
        self.ended
            .extend(self.current.take().map(OsString::from_vec));
    }
}

/// The text up to the single quote that ends it.
fn quoted(rest: &mut impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        match rest.next()? {
            b'\'' => return Some(text),
            byte => text.push(byte),
        }
    }
}

/// A text has a sign that only a shell understands.
struct NeedsShell;

/// The text up to the double quote that ends it.
fn double_quoted(rest: &mut impl Iterator<Item = u8>) -> Option<Result<Vec<u8>, NeedsShell>> {
    let mut text = Vec::new();
    loop {
        match rest.next()? {
            b'"' => return Some(Ok(text)),
            b'\\' => {
                let next = rest.next()?;
                if next != b'"' && next != b'\\' && !INSIDE.contains(&next) {
                    text.push(b'\\');
                }
                text.push(next);
            }
            byte if INSIDE.contains(&byte) => return Some(Err(NeedsShell)),
            byte => text.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<String>, String> {
        let words = split(OsStr::new(text), "X").map_err(|fault| fault.to_string())?;
        Ok(words
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect())
    }

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        for text in [
            "op read op://shop/vault/key",
            "  a\tb  c ",
            "a 'b c' \"d e\" f\\ g",
            "a '' \"\" b''c",
            r#"a "x\"y\\z\$\`\n" 'q\r' \$ \'"#,
            "sh -c 'echo \"$KEY\" | cat; true' a=b c~d e#f",
            "a é ' ü'",
        ] {
            let shell = std::process::Command::new("sh")
                .args(["-c", &format!("printf '%s\\0' {text}")])
                .output()
                .unwrap();
            let printed = String::from_utf8(shell.stdout).unwrap();
            let wanted: Vec<&str> = printed.strip_suffix('\0').unwrap().split('\0').collect();
            assert_eq!(words(text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn shell_syntax_gets_a_shell() {
        for text in [
            "a $B", "a \"$B\"", "a `b`", "a | b", "a; b", "a && b", "a > b", "a < b", "(a)",
            "A=b c", "a ~/b", "~/a", "a # b",
        ] {
            assert_eq!(words(text).unwrap(), ["sh", "-c", text]);
        }
    }

    #[test]
    fn line_without_a_program_or_with_an_open_quote_is_refused() {
        for text in ["", "  ", "''", "a 'b", "a \"b", "a \\"] {
            assert!(words(text).is_err(), "{text}");
        }
    }
}
