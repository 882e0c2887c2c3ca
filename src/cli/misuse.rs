//! Errors for command lines that the parser rejects.
//!
//! A word in the wrong place may be a value, such as a password after an unknown option, and errors
//! end up in logs. Therefore no typed word is repeated, except names of options and words that are
//! known to be our own names.

use std::error::Error;
use std::ffi::OsString;
use std::num::ParseIntError;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::fault::Fault;

/// Returns the error for a mistake, without the typed words that the parser's own message repeats.
/// `help` is a hint to the help of the command.
pub(super) fn fault(error: &clap::Error, help: &str) -> Fault {
    let argument = text(error, ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::ValueValidation => invalid_value(error, argument),
        ErrorKind::UnknownArgument if !argument.starts_with('-') => {
            Fault::usage("unexpected argument").hint(help)
        }
        ErrorKind::UnknownArgument => unknown_option(error, argument).hint(help),
        ErrorKind::InvalidValue if text(error, ContextKind::InvalidValue) == Some("") => {
            with_choices(Fault::usage(format!("{argument} needs a value")), error)
        }
        ErrorKind::InvalidValue => {
            with_choices(Fault::usage(format!("invalid value for {argument}")), error)
        }
        ErrorKind::TooManyValues => Fault::usage(format!("{argument} takes no value")),
        ErrorKind::MissingRequiredArgument => missing(error).hint(help),
        ErrorKind::ArgumentConflict => conflict(error).hint(help),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Fault::usage("missing command").hint(help)
        }
        _ => Fault::usage(first_line(error)).hint(help),
    }
}

/// Takes the reason from our own parser of the value.
fn invalid_value(error: &clap::Error, argument: &str) -> Fault {
    let Some(reason) = error.source() else {
        return Fault::usage(first_line(error));
    };
    if let Some(fault) = reason.downcast_ref::<Fault>() {
        return fault.clone();
    }
    if reason.is::<ParseIntError>() {
        return Fault::usage(format!("{argument} needs a number"));
    }
    Fault::usage(reason.to_string())
}

fn unknown_option(error: &clap::Error, argument: &str) -> Fault {
    if !is_option(argument) {
        return Fault::usage("unknown option");
    }
    let fault = Fault::usage(format!("unknown option {argument}"));
    match text(error, ContextKind::SuggestedArg) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault,
    }
}

fn missing(error: &clap::Error) -> Fault {
    let names = texts(error, ContextKind::InvalidArg);
    let noun = if names.len() == 1 {
        "argument"
    } else {
        "arguments"
    };
    let fault = Fault::usage(format!("missing {noun}: {}", names.join(" ")));
    match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => {
            let line = usage.to_string();
            fault.hint(format!(
                "type `{}`",
                line.trim().trim_start_matches("Usage: ")
            ))
        }
        _ => fault,
    }
}

fn conflict(error: &clap::Error) -> Fault {
    let argument = texts(error, ContextKind::InvalidArg).join(" ");
    let others = texts(error, ContextKind::PriorArg);
    if others.is_empty() {
        return Fault::usage(first_line(error));
    }
    if others == [argument.as_str()] {
        return Fault::usage(format!("{argument} can be given only once"));
    }
    Fault::usage(format!(
        "{argument} cannot be used with {}",
        others.join(", ")
    ))
}

/// Returns the first line of the parser's message, which names options only.
fn first_line(error: &clap::Error) -> String {
    let message = error.render().to_string();
    message
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .to_owned()
}

/// Returns one or several texts of the error's context.
fn texts(error: &clap::Error, kind: ContextKind) -> Vec<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text],
        Some(ContextValue::Strings(texts)) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
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
            fault.hint(format!("use one of {}", values.join(", ")))
        }
        _ => fault,
    }
}

/// Whether this can only be the name of an option, and not a value that begins with a hyphen.
fn is_option(word: &str) -> bool {
    let name = word.strip_prefix("--").filter(|name| name.len() <= 24);
    let is_long = name.is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    });
    is_long || matches!(word.as_bytes(), [b'-', letter] if letter.is_ascii_alphabetic())
}

/// Explains that the command for `exec` must come after `--`.
pub(super) fn without_dashes(ours: &[OsString], command: &[OsString]) -> Fault {
    let first = command
        .first()
        .map(|word| word.to_string_lossy())
        .unwrap_or_default();
    let option = first.split('=').next().unwrap_or_default();
    if first.starts_with('-') {
        let known = if is_option(option) {
            option
        } else {
            "of this name"
        };
        return Fault::usage(format!("exec has no option {known}"))
            .hint("list its options: `vault exec --help`; the command must come after `--`");
    }
    Fault::usage("the command must come after `--`")
        .hint(format!("type `{}`", corrected(ours, command)))
}

/// Returns the command line with `--` in its place: our own options and names in full, then the
/// program, without its arguments.
fn corrected(ours: &[OsString], command: &[OsString]) -> String {
    let mut words = vec!["vault".to_owned()];
    let mut is_path = false;
    for word in ours.iter().skip(1).map(|word| word.to_string_lossy()) {
        let (option, value) = word
            .split_once('=')
            .map_or((&*word, None), |(o, v)| (o, Some(v)));
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
    let is_program = program
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._/+-".contains(c));
    words.push(if is_program {
        program.into_owned()
    } else {
        "COMMAND".to_owned()
    });
    words.extend(rest.next().map(|_| "…".to_owned()));
    words.join(" ")
}

/// Whether this can be the name of an environment, a step, or a secret, or a list of names.
fn is_name(word: &str) -> bool {
    word.chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-,".contains(c))
        && !word.starts_with('-')
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
            (
                "v exec ./run --password hunter2",
                2,
                "vault exec -- ./run …",
            ),
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
            (
                "v exec PASSWORD=hunter2 ./run",
                2,
                "vault exec -- COMMAND …",
            ),
        ] {
            assert_eq!(line(typed, count), expected);
        }
    }

    #[test]
    fn only_words_with_dashes_are_options() {
        for word in ["--password", "--no-mask", "-p"] {
            assert!(is_option(word), "{word}");
        }
        for word in [
            "--hunter2",
            "--Pass",
            "-pa",
            "-",
            "--",
            "--p=a",
            "password",
            "-1",
        ] {
            assert!(!is_option(word), "{word}");
        }
    }
}
