//! A command line that makes no sense, and what to say of it.
//!
//! A word in the wrong place may be a value, such as a password whose option is not ours, and errors
//! end in logs. So no word that was typed is repeated, except names of options and what is
//! known to be one of our own names.

use std::error::Error;
use std::ffi::OsString;
use std::num::ParseIntError;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::fault::Fault;

/// What to say instead of the parser, whose own words would repeat a value.
pub(super) fn fault(error: &clap::Error) -> Option<Fault> {
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::ValueValidation => error.source().map(|reason| {
            let fault = reason.downcast_ref::<Fault>().cloned();
            fault.unwrap_or_else(|| {
                let is_number = reason.is::<ParseIntError>();
                let number = || format!("{argument} needs a number");
                Fault::usage(if is_number { number() } else { reason.to_string() })
            })
        }),
        ErrorKind::UnknownArgument if !argument.starts_with('-') => {
            Some(Fault::usage("there is an argument too many").hint("vault COMMAND --help"))
        }
        ErrorKind::UnknownArgument if !is_option(argument) => {
            Some(Fault::usage("unknown option").hint("vault COMMAND --help"))
        }
        ErrorKind::InvalidValue if text(error, ContextKind::InvalidValue) == Some("") => {
            Some(with_choices(Fault::usage(format!("{argument} needs a value")), error))
        }
        ErrorKind::InvalidValue => {
            Some(with_choices(Fault::usage(format!("not a value of {argument}")), error))
        }
        ErrorKind::TooManyValues => Some(Fault::usage(format!("{argument} takes no value"))),
        _ => None,
    }
}

/// The parser's own words as a fault: the message, and its tips as hints.
pub(super) fn plain(error: &clap::Error) -> Fault {
    let rendered = error.render().to_string();
    let message = rendered.split("\n\n").next().unwrap_or_default();
    let message = message.trim().strip_prefix("error: ").unwrap_or(message);
    let words: Vec<&str> = message.split_whitespace().collect();
    let tips = rendered.lines().filter_map(|line| line.trim().strip_prefix("tip: "));
    tips.fold(Fault::usage(words.join(" ")), Fault::hint)
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// Adds the values that the option takes, if there is a list of them.
fn with_choices(fault: Fault, error: &clap::Error) -> Fault {
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => {
            fault.hint(format!("one of {}", values.join(", ")))
        }
        _ => fault,
    }
}

/// Whether this can only be the name of an option, not a value that begins with a hyphen.
fn is_option(word: &str) -> bool {
    let name = word.strip_prefix("--").filter(|name| name.len() <= 24);
    let is_long = name.is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    });
    is_long || matches!(word.as_bytes(), [b'-', letter] if letter.is_ascii_alphabetic())
}

/// That a command for `exec` does not come after `--`.
pub(super) fn without_dashes(ours: &[OsString], command: &[OsString]) -> Fault {
    let first = command.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    let option = first.split('=').next().unwrap_or_default();
    if first.starts_with('-') {
        let known = if is_option(option) { option } else { "of this name" };
        return Fault::usage(format!("exec has no option {known}"))
            .hint("its options: vault exec --help; the command must come after `--`");
    }
    Fault::usage("the command must come after `--`").hint(corrected(ours, command))
}

/// The command line with `--` in its place: our own options and names in full, the program, and
/// nothing of what follows it.
fn corrected(ours: &[OsString], command: &[OsString]) -> String {
    let mut words = vec!["vault".to_owned()];
    let mut is_path = false;
    for word in ours.iter().skip(1).map(|word| word.to_string_lossy()) {
        let (option, value) = word.split_once('=').map_or((&*word, None), |(o, v)| (o, Some(v)));
        let is_ours = is_name(&word) && !is_path;
        words.push(match value {
            Some(value) if option.starts_with("--") && is_name(value) => word.to_string(),
            Some(_) if is_option(option) => format!("{option}=…"),
            None if is_option(&word) || is_ours => word.to_string(),
            _ => "…".to_owned(),
        });
        is_path = ["--vault", "--key-file"].contains(&&*word);
    }
    words.push("--".to_owned());
    let mut rest = command.iter().map(|word| word.to_string_lossy());
    let program = rest.next().unwrap_or_default();
    let is_program = program.chars().all(|c| c.is_ascii_alphanumeric() || "._/+-".contains(c));
    words.push(if is_program { program.into_owned() } else { "COMMAND".to_owned() });
    words.extend(rest.next().map(|_| "…".to_owned()));
    words.join(" ")
}

/// A name of an environment, a step, or a secret, or several.
fn is_name(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_alphanumeric() || "_-,".contains(c)) && !word.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrected_command_keeps_options_and_program() {
        let line = |typed: &str, count: usize| {
            let words: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
            let (ours, command) = words.split_at(count);
            corrected(ours, command)
        };
        for (typed, count, expected) in [
            ("v exec ./run --password hunter2", 2, "vault exec -- ./run …"),
            (
                "v exec -e production --only=A,B make",
                5,
                "vault exec -e production --only=A,B -- make",
            ),
            (
                "v --vault /a --key-file=k/e.y exec x y z",
                5,
                "vault --vault … --key-file=… exec -- x …",
            ),
            ("v exec PASSWORD=hunter2 ./run", 2, "vault exec -- COMMAND …"),
        ] {
            assert_eq!(line(typed, count), expected);
        }
    }

    #[test]
    fn only_words_with_dashes_are_options() {
        for word in ["--password", "--no-mask", "-p"] {
            assert!(is_option(word), "{word}");
        }
        for word in ["--hunter2", "--Pass", "-pa", "-", "--", "--p=a", "password", "-1"] {
            assert!(!is_option(word), "{word}");
        }
    }
}
