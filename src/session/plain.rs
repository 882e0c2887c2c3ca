//! Text as it may be shown: nothing in it moves a cursor, and no CI runner takes it for a command.
//!
//! A message names files, branches, and revisions, which can be called anything. GitHub Actions
//! obeys a line that begins with `::`, and `##[` anywhere in a line; Azure Pipelines `##vso[`,
//! and others the same with a name of their own.

use serde_json::Value;

use crate::keys::hide_keys;

/// `text` without keys, control characters, and commands of a runner. Its line breaks stay.
pub(super) fn plain(text: &str) -> String {
    let visible = visible(&hide_keys(text));
    let lines: Vec<String> = visible.split('\n').map(without_command).collect();
    marks(&lines.join("\n"), r"#\#")
}

/// As [`plain`], in one line: a name with a line break in it makes no message of its own.
pub(super) fn one_line(text: &str) -> String {
    plain(text).replace('\n', "\\n")
}

/// As [`plain`], for lines that are commands of GitHub Actions, made by us.
pub(super) fn annotations(text: &str) -> String {
    marks(&visible(&hide_keys(text)), r"#\#")
}

/// `value` in one line of JSON that means the same to a reader of JSON, but without keys.
pub(super) fn json(value: Value) -> String {
    // Only a string can hold such a mark, and there an escape can replace the character.
    marks(&without_keys(value).to_string(), r"#\u0023")
}

fn without_keys(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(hide_keys(&text).into_owned()),
        Value::Array(values) => values.into_iter().map(without_keys).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (hide_keys(&name).into_owned(), without_keys(value)))
            .collect(),
        value => value,
    }
}

/// Control characters and those that turn the direction of text, escaped.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => visible.push(character),
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                visible.extend(character.escape_unicode());
            }
            _ if character.is_control() => visible.extend(character.escape_debug()),
            _ => visible.push(character),
        }
    }
    visible
}

/// A runner trims blanks before it looks for `::`.
fn without_command(line: &str) -> String {
    let command = line.trim_start();
    if !command.starts_with("::") {
        return line.to_owned();
    }
    let blanks = &line[..line.len() - command.len()];
    format!(r"{blanks}\{command}")
}

/// `text` with `broken` for each `##` that letters and a bracket follow.
fn marks(text: &str, broken: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("##") {
        let (before, mark) = rest.split_at(at);
        shown.push_str(before);
        let letters = mark[2..].trim_start_matches(|c: char| c.is_ascii_alphabetic());
        if letters.starts_with('[') {
            shown.push_str(broken);
            rest = &mark[2..];
        } else {
            shown.push('#');
            rest = &mark[1..];
        }
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runner_command_is_escaped_at_every_position() {
        for (text, expected) in [
            ("::set-env name=A::b", r"\::set-env name=A::b"),
            ("a\n \t::error::b\nc::d", "a\n \t\\::error::b\nc::d"),
            ("\u{a0}::error::b", "\u{a0}\\::error::b"),
            ("a\r::error::b", r"a\r::error::b"),
            ("x/##[set-output name=a;]b", r"x/#\#[set-output name=a;]b"),
            (
                "###[a] ##vso[b] ##TeamCity[c]",
                r"##\#[a] #\#vso[b] #\#TeamCity[c]",
            ),
            ("## heading # #[a] ## [b]", "## heading # #[a] ## [b]"),
            ("\x1b[2J\u{9b}2J\u{202e}\0", r"\u{1b}[2J\u{9b}2J\u{202e}\0"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn escaped_json_has_the_same_meaning() {
        let value = serde_json::json!({ "a##[b": ["##vso[c]", "::d", 1] });
        let text = json(value.clone());
        assert!(!text.contains("##"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
