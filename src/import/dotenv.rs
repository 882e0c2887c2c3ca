//! Reads dotenv files as python-dotenv 1.2.4 reads them with `interpolate=False`.
//!
//! Each value is, byte for byte, the one that a program gets today from `load_dotenv` on the same
//! file; docs/reference/import.md describes the dialect. One rule is stricter: if python-dotenv
//! would warn about a line and continue, the whole file is refused. Names are copied out of the
//! text only after the whole text was parsed, because in a damaged file a piece of a value may look
//! like one.

use std::collections::HashMap;

use crate::fault::{Fault, plural};
use crate::secret::Secret;

/// The assignments of a dotenv file, as the program that loads it sees them.
pub struct Dotenv {
    /// One for each name that has a value, in the order of the file.
    pub assignments: Vec<Assignment>,
    /// The lines whose name is set again further down, where the last one counts.
    pub replaced: Vec<usize>,
    /// The lines that have a name and no `=`. They set nothing, and take back what an earlier line
    /// set. The line may hold a piece of a value, so its text is left out.
    pub without_value: Vec<usize>,
}

/// A name and its value.
pub struct Assignment {
    /// As the file spells it; not checked to be a legal name.
    pub name: String,
    /// The decoded value, which may be empty or hold a NUL.
    pub value: Secret,
    /// Where the assignment starts, counted from 1.
    pub line: usize,
}

/// Reads a whole file.
///
/// # Errors
/// `Usage`, naming the lines, when a line is not dotenv or the file is not UTF-8.
pub fn parse(file: &Secret) -> Result<Dotenv, Fault> {
    let text = with_plain_newlines(file.expose());
    let (statements, mistakes) = statements(decoded(&text)?);
    if !mistakes.is_empty() {
        return Err(refusal(&mistakes));
    }
    Ok(settled(statements))
}

/// A name, and its value if it has one.
struct Statement<'a> {
    name: &'a str,
    value: Option<Secret>,
    line: usize,
}

/// A line that is not dotenv.
struct Mistake {
    line: usize,
    reason: &'static str,
}

/// Every CRLF and CR as LF: python-dotenv opens files with universal newlines, so even those inside
/// quotes reach the program as LF.
fn with_plain_newlines(file: &[u8]) -> Secret {
    let mut text = Secret::with_capacity(file.len());
    let mut rest = file;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\r') {
        text.extend(&rest[..at]);
        text.extend(b"\n");
        rest = &rest[at + 1..];
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
    text.extend(rest);
    text
}

/// The text without the byte order mark.
fn decoded(text: &Secret) -> Result<&str, Fault> {
    let text = str::from_utf8(text.expose()).map_err(|error| {
        let line = 1 + newlines(&text.expose()[..error.valid_up_to()]);
        Fault::usage(format!("line {line}: not UTF-8 text"))
            .hint("save the file as UTF-8 and import it again")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn newlines(text: &[u8]) -> usize {
    text.split(|&byte| byte == b'\n').count() - 1
}

fn statements(text: &str) -> (Vec<Statement<'_>>, Vec<Mistake>) {
    let mut scanner = Scanner {
        rest: text,
        line: 1,
    };
    let mut statements = Vec::new();
    let mut mistakes = Vec::new();
    loop {
        scanner.skip(is_space);
        if scanner.rest.is_empty() {
            return (statements, mistakes);
        }
        let line = scanner.line;
        match scanner.statement() {
            Ok(Some((name, value))) => statements.push(Statement { name, value, line }),
            Ok(None) => {}
            Err(reason) => {
                mistakes.push(Mistake { line, reason });
                scanner.skip(|letter| letter != '\n');
            }
        }
    }
}

/// How many mistakes a refusal names one by one.
const NAMED: usize = 20;

fn refusal(mistakes: &[Mistake]) -> Fault {
    let named = mistakes.iter().take(NAMED);
    let mut parts: Vec<_> = named
        .map(|Mistake { line, reason }| format!("line {line}: {reason}"))
        .collect();
    if mistakes.len() > NAMED {
        let more = mistakes.len() - NAMED;
        parts.push(plural(
            more,
            "more line like these",
            "more lines like these",
        ));
    }
    Fault::usage(parts.join("; ")).hint("mend or remove what is named, then import the file again")
}

/// For each name the last statement counts, with a value or without.
fn settled(statements: Vec<Statement<'_>>) -> Dotenv {
    let last: HashMap<_, _> = statements.iter().map(|it| (it.name, it.line)).collect();
    let mut dotenv = Dotenv {
        assignments: Vec::new(),
        replaced: Vec::new(),
        without_value: Vec::new(),
    };
    for Statement { name, value, line } in statements {
        match value {
            _ if last[name] != line => dotenv.replaced.push(line),
            None => dotenv.without_value.push(line),
            Some(value) => {
                dotenv.assignments.push(Assignment {
                    name: name.to_owned(),
                    value,
                    line,
                });
            }
        }
    }
    dotenv
}

/// The text that is still to be read, and the number of its first line.
struct Scanner<'a> {
    rest: &'a str,
    line: usize,
}

type Scanned<T> = Result<T, &'static str>;

impl<'a> Scanner<'a> {
    /// Reads to the end of a statement's last line; a comment gives nothing. After an error, the
    /// scanner is somewhere on the line of the error.
    fn statement(&mut self) -> Scanned<Option<(&'a str, Option<Secret>)>> {
        self.export();
        let name = self.name()?;
        self.skip(is_blank);
        let assigned = name.is_some() && self.rest.starts_with('=');
        let value = if assigned { Some(self.value()?) } else { None };
        self.comment();
        if !self.rest.is_empty() && !self.rest.starts_with('\n') {
            return Err(match value {
                Some(_) => "text after the closing quote",
                None => "neither NAME=value nor a comment",
            });
        }
        Ok(name.map(|name| (name, value)))
    }

    /// Skips the shell's keyword, which is a name if no blank follows.
    fn export(&mut self) {
        if self
            .rest
            .strip_prefix("export")
            .is_some_and(|rest| rest.starts_with(is_blank))
        {
            self.take("export".len());
            self.skip(is_blank);
        }
    }

    /// A name, or `None` if a comment starts.
    fn name(&mut self) -> Scanned<Option<&'a str>> {
        if self.rest.starts_with('#') {
            return Ok(None);
        }
        let name = match self.rest.strip_prefix('\'') {
            Some(quoted) => {
                let length = quoted
                    .find('\'')
                    .ok_or("the quote around the name is not closed")?;
                let quoted = self.take(length + 2);
                &quoted[1..=length]
            }
            None => self.skip(|letter| !matches!(letter, '=' | '#') && !is_space(letter)),
        };
        if name.is_empty() {
            Err("the name is missing")
        } else {
            Ok(Some(name))
        }
    }

    /// The `=` and what follows it. A `#` right after the `=` belongs to the value. One after
    /// blanks starts a comment.
    fn value(&mut self) -> Scanned<Secret> {
        self.take("=".len());
        let blanks = self.skip(is_blank);
        match self.rest.as_bytes().first() {
            Some(b'#') if !blanks.is_empty() => Ok(Secret::new(Vec::new())),
            Some(b'\'') => self.quoted(b'\'', in_single_quotes),
            Some(b'"') => self.quoted(b'"', in_double_quotes),
            _ => Ok(self.unquoted()),
        }
    }

    /// A value up to the next `quote` that has no backslash of its own; newlines are part of it.
    fn quoted(&mut self, quote: u8, meaning: fn(u8) -> Option<u8>) -> Scanned<Secret> {
        let mut escaped = true; // The opening quote is not the closing one.
        let position = self.rest.bytes().position(|byte| {
            let found = byte == quote && !escaped;
            escaped = byte == b'\\' && !escaped;
            found
        });
        let closing = position.ok_or("the quote is not closed")?;
        let quoted = self.take(closing + 1);
        Ok(unescaped(&quoted.as_bytes()[1..closing], meaning))
    }

    /// A value up to the end of the line, or to a `#` after whitespace.
    fn unquoted(&mut self) -> Secret {
        let line = self.skip(|letter| letter != '\n');
        let comment = line
            .match_indices('#')
            .find(|(at, _)| line[..*at].ends_with(is_space));
        let value = comment.map_or(line, |(at, _)| &line[..at]);
        Secret::new(value.trim_end_matches(is_space).as_bytes().to_vec())
    }

    /// Passes over blanks and a comment.
    fn comment(&mut self) {
        self.skip(is_blank);
        if self.rest.starts_with('#') {
            self.skip(|letter| letter != '\n');
        }
    }

    /// Passes over all letters up to the first that is not `wanted`.
    fn skip(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        self.take(
            self.rest
                .find(|letter| !wanted(letter))
                .unwrap_or(self.rest.len()),
        )
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.line += newlines(taken.as_bytes());
        taken
    }
}

/// What Python takes for whitespace, in `\s` as in `str.rstrip`: four separators of ASCII more than
/// Unicode does.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{1c}'..='\u{1f}')
}

fn is_blank(letter: char) -> bool {
    is_space(letter) && letter != '\n'
}

/// Replaces each backslash and the byte after it by its `meaning`; one without stays as it is.
fn unescaped(text: &[u8], meaning: fn(u8) -> Option<u8>) -> Secret {
    let mut value = Secret::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        value.extend(&rest[..at]);
        let meant = rest.get(at + 1).and_then(|&byte| meaning(byte));
        value.extend(&[meant.unwrap_or(b'\\')]);
        rest = &rest[at + 1 + usize::from(meant.is_some())..];
    }
    value.extend(rest);
    value
}

fn in_single_quotes(escape: u8) -> Option<u8> {
    matches!(escape, b'\\' | b'\'').then_some(escape)
}

fn in_double_quotes(escape: u8) -> Option<u8> {
    Some(match escape {
        b'\\' | b'\'' | b'"' => escape,
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        _ => return None,
    })
}

#[cfg(test)]
mod corpus;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &[u8]) -> Result<Dotenv, Fault> {
        parse(&Secret::new(file.to_vec()))
    }

    fn refused(file: &[u8]) -> String {
        read(file).err().unwrap().to_string()
    }

    fn shown(file: &str) -> Vec<(String, String, usize)> {
        let assignments = read(file.as_bytes()).unwrap().assignments;
        let text = |value: &Secret| String::from_utf8(value.expose().to_vec()).unwrap();
        assignments
            .into_iter()
            .map(|it| (it.name, text(&it.value), it.line))
            .collect()
    }

    #[test]
    fn value_is_parsed_according_to_its_quotes() {
        let cases = [
            ("A=1", "1"),
            ("  export 'A' =\u{a0}1\u{2003}\x1c", "1"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A=#fff", "#fff"),
            ("A=a#b #c", "a#b"),
            ("A=it's \"x\" \\n", "it's \"x\" \\n"),
            ("A=$B${C}", "$B${C}"),
            (r"A='it\'s \\ \n \x'#c", r"it's \ \n \x"),
            (r#"A="\\n\n\t\"\'\$\x41" # c"#, "\\n\n\t\"'\\$\\x41"),
            (r#"A="\a\b\f\v\r""#, "\x07\x08\x0c\x0b\r"),
            ("A=\"one\r\ntwo\rthree\\\n\"", "one\ntwo\nthree\\\n"),
            ("\u{feff}A=1\r\n", "1"),
            ("A=ä€\0", "ä€\0"),
        ];
        for (file, value) in cases {
            assert_eq!(shown(file), [("A".into(), value.into(), 1)], "{file:?}");
        }
    }

    #[test]
    fn last_line_of_a_name_counts() {
        let file = "A=1\nB=2\n\nA='3\n4'\nB\nC\n";
        assert_eq!(shown(file), [("A".into(), "3\n4".into(), 4)]);
        let dotenv = read(file.as_bytes()).unwrap();
        assert_eq!(dotenv.replaced, [1, 2]);
        assert_eq!(dotenv.without_value, [6, 7]);
    }

    #[test]
    fn error_lists_every_bad_line_without_its_text() {
        let file = b"A=1\nhun ter2\n=hunter2\nB=\"x\nhunter2\"\nC='hunter2' hunter2\nexport ";
        assert_eq!(
            refused(file),
            "line 2: neither NAME=value nor a comment; line 3: the name is missing; \
             line 6: text after the closing quote; line 7: the name is missing"
        );
        assert_eq!(
            refused(b"\n A='hunter2\nB=1"),
            "line 2: the quote is not closed"
        );
        assert_eq!(
            refused(b"'hunter2"),
            "line 1: the quote around the name is not closed"
        );
        assert!(refused(&b"=\n".repeat(30)).ends_with("; 10 more lines like these"));
    }

    #[test]
    fn invalid_utf_8_is_refused_with_its_line() {
        assert_eq!(refused(b"A=1\r\nB=2\rC=\xff\n"), "line 3: not UTF-8 text");
    }
}
