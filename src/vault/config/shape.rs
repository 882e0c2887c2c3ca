//! The shape of `vault.toml`: which keys each table has and which kind of value each key takes.
//!
//! serde refuses the same files without naming what it refused. This check comes first and names
//! the key, its place, and the nearest key that is known. It never shows a value, nor a key that
//! looks like one.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::refused;
use crate::fault::Fault;

/// The values that a key may have.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Bool,
    /// A whole number that is not negative.
    Count,
    Texts,
    BoolOrTexts,
    /// One of these strings.
    Word(&'static [&'static str]),
    /// A table with these keys.
    Table(&'static [Key]),
    /// A table whose keys are names, each of which holds the same.
    Named(&'static Shape),
}

struct Key {
    name: &'static str,
    shape: Shape,
}

const fn key(name: &'static str, shape: Shape) -> Key {
    Key { name, shape }
}

const TOP: Shape = Shape::Table(&[
    key("default", Shape::Text),
    key("allowed_names", Shape::Texts),
    key("environments", Shape::Named(&ENVIRONMENT)),
    key("secrets", Shape::Named(&SECRET)),
    key("steps", Shape::Named(&STEP)),
]);

const ENVIRONMENT: Shape = Shape::Table(&[
    key("confirm", Shape::Bool),
    key("inherits", Shape::Text),
    key("variables", Shape::Named(&Shape::Text)),
]);

const SECRET: Shape = Shape::Table(&[
    key("description", Shape::Text),
    key("required", Shape::BoolOrTexts),
    key("generate", Shape::Text),
    key("min_length", Shape::Count),
    key("file", Shape::Bool),
    key("mask", Shape::Word(&["auto", "always", "never"])),
]);

const STEP: Shape = Shape::Table(&[key("names", Shape::Texts), key("fail_on_leak", Shape::Bool)]);

/// Parses `text` and checks its shape.
///
/// # Errors
/// With line and column of the first thing that is not as it should be.
pub(super) fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Fault> {
    let document = DeTable::parse(text).map_err(|error| not_understood(text, &error))?;
    let mut findings = Vec::new();
    let start = document.span().start;
    check_table(&[], document.get_ref(), start, &TOP, &mut findings);
    match findings.into_iter().min_by_key(|finding| finding.at) {
        Some(finding) => Err(finding.fault(text)),
        None => Ok(document),
    }
}

/// Explains what the TOML reader refused, by its place and never in its words.
pub(super) fn not_understood(text: &str, error: &toml::de::Error) -> Fault {
    let span = error.span().unwrap_or_default();
    let fault = refused(format!("not understood {}", place(text, span.start)));
    // The reader has no kinds of error. A wording that is not listed only costs the better hint.
    match error.message() {
        "duplicate key" => {
            let twice = text.get(span).filter(|name| is_word(name));
            fault.hint(format!(
                "{} is there twice; keep one",
                twice.unwrap_or("the key")
            ))
        }
        message if message.starts_with("string values must be quoted") => {
            fault.hint("put text in quotes: `default = \"development\"`")
        }
        _ => fault.hint("it is not TOML there; docs/reference/vault-toml.md shows a whole file"),
    }
}

/// A violation of the shape.
struct Finding {
    /// Where, in bytes.
    at: usize,
    message: String,
    hints: Vec<String>,
}

impl Finding {
    fn fault(self, text: &str) -> Fault {
        let fault = refused(format!("{} {}", self.message, place(text, self.at)));
        self.hints.into_iter().fold(fault, Fault::hint)
    }
}

fn check(path: &[&str], value: &Spanned<DeValue<'_>>, shape: &Shape, findings: &mut Vec<Finding>) {
    let at = value.span().start;
    let is_texts = || {
        value
            .get_ref()
            .as_array()
            .is_some_and(|items| items.iter().all(|item| item.get_ref().is_str()))
    };
    let wanted = match (shape, value.get_ref()) {
        (Shape::Table(_) | Shape::Named(_), DeValue::Table(table)) => {
            return check_table(path, table, at, shape, findings);
        }
        (Shape::Table(_) | Shape::Named(_), _) => "a table".to_owned(),
        (Shape::Text, DeValue::String(_))
        | (Shape::Bool | Shape::BoolOrTexts, DeValue::Boolean(_)) => return,
        (Shape::Texts | Shape::BoolOrTexts, DeValue::Array(_)) if is_texts() => return,
        (Shape::Count, DeValue::Integer(number))
            if usize::from_str_radix(number.as_str(), number.radix()).is_ok() =>
        {
            return;
        }
        (Shape::Word(words), DeValue::String(word)) if words.contains(&&**word) => return,
        (Shape::Text, _) => "text in quotes".to_owned(),
        (Shape::Bool, _) => "true or false, without quotes".to_owned(),
        (Shape::Count, _) => "a whole number, without quotes".to_owned(),
        (Shape::Texts, _) => "a list of names: [\"A\", \"B\"]".to_owned(),
        (Shape::BoolOrTexts, _) => "true, false, or a list of environments".to_owned(),
        (Shape::Word(words), _) => format!("one of \"{}\"", words.join("\", \"")),
    };
    let mut hints = Vec::new();
    if let (["secrets", name], true) = (path, value.get_ref().is_str()) {
        let name = if is_word(name) { name } else { "NAME" };
        hints.push(format!(
            "a value does not belong in vault.toml: `vault set {name}`"
        ));
    }
    findings.push(Finding {
        at,
        message: format!("{} must be {wanted}", shown(path)),
        hints,
    });
}

fn check_table(
    path: &[&str],
    table: &DeTable<'_>,
    at: usize,
    shape: &Shape,
    findings: &mut Vec<Finding>,
) {
    for (name, value) in table {
        let inner = [path, &[name.get_ref()]].concat();
        match shape {
            Shape::Named(each) => check(&inner, value, each, findings),
            Shape::Table(keys) => match keys.iter().find(|key| key.name == name.get_ref()) {
                Some(key) => check(&inner, value, &key.shape, findings),
                None => findings.push(unknown(path, name, keys)),
            },
            _ => {}
        }
    }
    if let (["steps", _], false) = (path, table.contains_key("names")) {
        let message = format!("{} lacks the key names", shown(path));
        let hint = "`names = [\"DATABASE_URL\"]`".to_owned();
        findings.push(Finding {
            at,
            message,
            hints: vec![hint],
        });
    }
}

fn unknown(path: &[&str], name: &Spanned<toml::de::DeString<'_>>, keys: &[Key]) -> Finding {
    let at = name.span().start;
    let name: &str = name.get_ref();
    let known = keys.iter().map(|key| key.name);
    let shown_name = if is_word(name) {
        format!(" {name}")
    } else {
        String::new()
    };
    let message = match path {
        [] => format!("unknown key{shown_name}"),
        _ => format!("{}: unknown key{shown_name}", shown(path)),
    };
    let mut hints = Vec::new();
    if let Some(near) = crate::fault::nearest(name, known.clone()) {
        hints.push(format!("did you mean {near}?"));
    } else if let ["environments", environment] = path
        && name.starts_with(|c: char| c.is_ascii_uppercase())
    {
        let environment = if is_word(environment) {
            environment
        } else {
            "NAME"
        };
        hints.push(format!(
            "a variable belongs in [environments.{environment}.variables]"
        ));
    } else if let Some(table) = home_of(name) {
        hints.push(format!("{name} belongs {table}"));
    }
    hints.push(format!(
        "known here: {}",
        known.collect::<Vec<_>>().join(", ")
    ));
    Finding { at, message, hints }
}

/// The table that has the key `name`.
fn home_of(name: &str) -> Option<&'static str> {
    let tables = [
        (TOP, "at the top, before the first [table]"),
        (ENVIRONMENT, "in [environments.NAME]"),
        (SECRET, "in [secrets.NAME]"),
        (STEP, "in [steps.NAME]"),
    ];
    let has = |shape: &Shape| match shape {
        Shape::Table(keys) => keys.iter().any(|key| key.name == name),
        _ => false,
    };
    tables
        .into_iter()
        .find(|(shape, _)| has(shape))
        .map(|(_, table)| table)
}

/// The path of a key, without parts that may be a value that someone pasted.
fn shown(path: &[&str]) -> String {
    let segments = path
        .iter()
        .map(|segment| if is_word(segment) { *segment } else { "…" });
    segments.collect::<Vec<_>>().join(".")
}

/// Whether a key is shown: a word, or a name in capitals whose digits come with an underscore. A
/// password or a token rarely looks like that.
fn is_word(key: &str) -> bool {
    let is_word = key
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || b"_-".contains(&byte));
    let is_name = key.contains('_')
        && key.starts_with(|c: char| c.is_ascii_uppercase())
        && key
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    !key.is_empty() && key.len() <= LONGEST && (is_word || is_name)
}

/// A longer key, in bytes, is not shown.
const LONGEST: usize = 48;

fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.split('\n').count();
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |start| start.chars().count())
        + 1;
    format!("at line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::config::Config;

    /// A value of this shape, as it is written.
    fn example(shape: &Shape) -> String {
        match shape {
            Shape::Text => "\"text\"".to_owned(),
            Shape::Bool | Shape::BoolOrTexts => "true".to_owned(),
            Shape::Count => "1".to_owned(),
            Shape::Texts => "[\"TEXT\"]".to_owned(),
            Shape::Word(words) => format!("\"{}\"", words[0]),
            Shape::Named(_) | Shape::Table(_) => "{}".to_owned(),
        }
    }

    #[test]
    fn every_listed_key_is_accepted() {
        for (shape, header) in [
            (TOP, ""),
            (ENVIRONMENT, "[environments.a]"),
            (SECRET, "[secrets.A]"),
            (STEP, "[steps.a]"),
        ] {
            let Shape::Table(keys) = shape else {
                unreachable!()
            };
            let lines = keys
                .iter()
                .map(|key| format!("{} = {}\n", key.name, example(&key.shape)));
            let text = format!("{header}\n{}", lines.collect::<String>());
            let result = Config::parse(&text.replace("inherits = \"text\"\n", ""));
            assert!(result.is_ok(), "{text}: {:?}", result.err());
        }
    }

    #[test]
    fn key_resembling_a_value_is_not_shown() {
        for key in [
            "kind_of_value",
            "min-length",
            "Required",
            "S3_BUCKET",
            "DEBUG",
        ] {
            assert!(is_word(key), "{key}");
        }
        for key in [
            "",
            "hunter2",
            "hunter2!",
            "AKIAIOSFODNN7EXAMPLE",
            "correct horse",
            "a.b",
            "ä",
        ] {
            assert!(!is_word(key), "{key}");
        }
        assert!(!is_word(&"x".repeat(49)));
    }
}
