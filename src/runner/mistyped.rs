//! Command lines that a shell would understand but that do not name a program: a whole command in
//! one argument, an assignment, a shell builtin.
//!
//! `vault exec` starts programs without a shell. Messages repeat only the program's name, up to the
//! first character that could belong to a value.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::unstartable::{Explained, Program};

/// Shell builtins and keywords that are not programs. Those in the second list need more than `sh`.
const BUILTINS: [&str; 37] = [
    "!", ".", ":", "alias", "bg", "break", "case", "cd", "continue", "do", "done", "eval", "exec",
    "exit", "export", "fc", "fg", "for", "getopts", "hash", "if", "jobs", "read", "readonly",
    "return", "set", "shift", "time", "times", "trap", "type", "ulimit", "umask", "unalias",
    "unset", "wait", "{",
];
const BASH_BUILTINS: [&str; 16] = [
    "((", "[[", "declare", "dirs", "function", "history", "let", "local", "popd", "pushd",
    "select", "shopt", "source", "typeset", "until", "while",
];

/// Operators that only a shell understands.
const OPERATORS: [&str; 12] = [
    "&&", "||", "|", ";", "&", ">", ">>", "<", "2>", "2>&1", "&>", "|&",
];

/// Explains a command line that does not name a program. `found` is the file that the name means,
/// if there is one. Returns `None` if the intention cannot be guessed.
pub(super) fn explain(arguments: &[OsString], found: Option<&Program>) -> Option<Explained> {
    let name = arguments.first()?.to_string_lossy();
    if name.trim().is_empty() {
        return explained(
            "the command name is empty",
            &["`vault exec -- COMMAND ARG…`"],
        );
    }
    if !name.contains('/') && BUILTINS.contains(&&*name) {
        return Some(builtin(&name, "sh"));
    }
    if !name.contains('/') && BASH_BUILTINS.contains(&&*name) {
        return Some(builtin(&name, "bash"));
    }
    if found.is_some() {
        return None;
    }
    let shell = "to use a shell: `vault exec -- sh -c '…'`";
    if name.contains(char::is_whitespace) {
        return Some(whole_command(&name));
    }
    if let Some(variable) = assigned(&name) {
        let hint = format!("`vault exec -- env {variable}=… COMMAND`");
        return explained("command not found: it is an assignment", &[&hint]);
    }
    if name == "--" {
        return explained(
            "command not found: `--` is given twice",
            &["remove the second `--`"],
        );
    }
    if name.starts_with('-') {
        return explained(
            "command not found: it looks like an option",
            &["options for vault come before `--`: `vault exec -e ENVIRONMENT -- COMMAND`"],
        );
    }
    if name.starts_with('~') || name.contains(['$', '*', '?', '`', ';', '|', '&', '<', '>']) {
        return explained("command not found: it is shell syntax", &[shell]);
    }
    if arguments
        .iter()
        .skip(1)
        .any(|word| OPERATORS.iter().any(|known| word == known))
    {
        let reason = "command not found: an argument looks like shell syntax";
        return explained(reason, &[shell]);
    }
    in_current_folder(&name)
}

/// Returns the part of a command's name that may be shown: the whole name if it is a file or a
/// plain word, otherwise the part before the first unusual character. A blank name is shown as `''`.
pub(super) fn shown(name: &OsStr) -> String {
    let text = name.to_string_lossy();
    if text.trim().is_empty() {
        return "''".to_owned();
    }
    let is_plain = |c: char| c.is_alphanumeric() || "./_+-~[{!".contains(c);
    let plain: String = text
        .chars()
        .take_while(|&c| is_plain(c))
        .take(MAX_SHOWN)
        .collect();
    match text.get(plain.len()..) {
        Some("") => plain,
        _ if Path::new(name).exists() => text.escape_debug().to_string(),
        Some(rest) if rest.starts_with('=') => format!("{plain}=…"),
        _ => format!("{plain}…"),
    }
}

/// A longer name is cut here.
const MAX_SHOWN: usize = 200;

/// Explains a quoted command: suggests typing it without quotes if its program can be shown, or
/// using a shell.
fn whole_command(text: &str) -> Explained {
    let reason = "command not found: the whole command is one argument".to_owned();
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let shell = "to use a shell: `vault exec -- sh -c '…'`".to_owned();
    if text.contains(['|', '&', ';', '<', '>', '$', '`', '(', '*', '\n'])
        || BUILTINS.contains(&first)
        || BASH_BUILTINS.contains(&first)
    {
        return (reason, vec![shell]);
    }
    let command = match assigned(first) {
        Some(variable) => format!("env {variable}=… COMMAND"),
        None => format!("{} …", shown(OsStr::new(first))),
    };
    (
        reason,
        vec![
            format!("type it without quotes: `vault exec -- {command}`"),
            shell,
        ],
    )
}

/// Returns the variable that `word` assigns.
fn assigned(word: &str) -> Option<&str> {
    let (name, _) = word.split_once('=')?;
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (starts && name.chars().all(legal)).then_some(name)
}

fn builtin(name: &str, shell: &str) -> Explained {
    let hint = match name {
        "cd" | "pushd" => "`vault exec -- sh -c 'cd FOLDER && COMMAND'`".to_owned(),
        "." | "source" => format!("`vault exec -- {shell} -c '{name} FILE && COMMAND'`"),
        "export" | "readonly" | "declare" | "typeset" | "local" => {
            "`vault exec -- env NAME=… COMMAND`".to_owned()
        }
        "exec" | "time" | "eval" => "leave out this word: `vault exec -- COMMAND`".to_owned(),
        _ => format!("`vault exec -- {shell} -c '…'`"),
    };
    (
        "command not found: it is a shell builtin or keyword".to_owned(),
        vec![hint],
    )
}

/// Explains a name that is a file or folder in the current folder.
fn in_current_folder(name: &str) -> Option<Explained> {
    let path = Path::new(name);
    if name.contains('/') || !path.exists() {
        return None;
    }
    if path.is_dir() {
        return explained(
            "command not found: it is a folder in the current folder",
            &["to run a command there: `vault exec -- sh -c 'cd FOLDER && COMMAND'`"],
        );
    }
    let hint = format!("`vault exec -- ./{}`", shown(OsStr::new(name)));
    explained(
        "command not found: it is a file in the current folder, not in PATH",
        &[&hint],
    )
}

#[expect(clippy::unnecessary_wraps, reason = "the caller returns it as it is")]
fn explained(reason: &str, hints: &[&str]) -> Option<Explained> {
    Some((
        reason.to_owned(),
        hints.iter().map(|hint| (*hint).to_owned()).collect(),
    ))
}
