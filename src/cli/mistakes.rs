//! Unknown commands and options: suggests the intended command, and recognizes a value that was
//! typed as an option of `set`.
//!
//! No typed word is repeated, because a word in the wrong place may be a value.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory};

use super::arguments::Arguments;
use crate::commands::value_in_arguments;
use crate::fault::{Fault, nearest};

/// Explains an error of the parser. Returns `None` if the parser's own message is good enough.
pub(super) fn explain(kind: ErrorKind, typed: &[OsString]) -> Option<Fault> {
    let mut root = Arguments::command();
    root.build();
    let line = Line::read(&root, typed);
    match kind {
        ErrorKind::InvalidSubcommand => Some(line.unknown_command()),
        ErrorKind::UnknownArgument if line.path == ["set"] => line.unknown_option_of_set(),
        _ => None,
    }
}

/// Returns a hint to the help of the typed command.
pub(super) fn help(typed: &[OsString]) -> String {
    let mut root = Arguments::command();
    root.build();
    let words = ["vault"]
        .into_iter()
        .chain(Line::read(&root, typed).path)
        .chain(["--help"]);
    format!(
        "list its options: `{}`",
        words.collect::<Vec<_>>().join(" ")
    )
}

/// The command line, parsed as far as possible.
struct Line<'a> {
    /// The names of the command, such as `["members", "add"]`.
    path: Vec<&'a str>,
    command: &'a Command,
    /// The words after it.
    rest: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn read(root: &'a Command, typed: &'a [OsString]) -> Self {
        let (mut command, mut path, mut rest) = (root, Vec::new(), Vec::new());
        let mut words = typed
            .iter()
            .skip(1)
            .map(|word| word.to_str().unwrap_or_default());
        while let Some(word) = words.next() {
            match command.find_subcommand(word) {
                // The argument of `help` is the intended command.
                Some(found) if rest.is_empty() && found.get_name() == "help" => {}
                Some(found) if rest.is_empty() => {
                    command = found;
                    path.push(found.get_name());
                }
                _ if rest.is_empty() && word.starts_with('-') && command.has_subcommands() => {
                    if takes_value(command, word) {
                        words.next();
                    }
                }
                _ => rest.push(word),
            }
        }
        Self {
            path,
            command,
            rest,
        }
    }

    fn unknown_command(&self) -> Fault {
        let word = self
            .rest
            .first()
            .copied()
            .unwrap_or_default()
            .to_lowercase();
        let list = if self.path.is_empty() {
            "list all commands: `vault --help`".to_owned()
        } else {
            format!("list its commands: `vault {} --help`", self.path.join(" "))
        };
        let hints = self.meant(&word).into_iter().chain([list]);
        hints.fold(Fault::usage("unknown command"), Fault::hint)
    }

    /// Returns a hint for a word that other programs use, or else the nearest command.
    fn meant(&self, word: &str) -> Option<String> {
        let synonyms: &[(&[&str], &str)] = if self.path.is_empty() {
            &SYNONYMS
        } else {
            &VERBS
        };
        let synonym = synonyms.iter().find(|(words, _)| words.contains(&word));
        let known = || self.command.get_subcommands().map(Command::get_name);
        if self.path.is_empty() {
            if let Some((_, meant)) = synonym {
                return Some((*meant).to_owned());
            }
            if HASHICORP.contains(&word) {
                return Some(match self.rest.get(1) {
                    Some(&"get") => format!("{OTHER_VAULT}: `vault get NAME`"),
                    Some(&("put" | "patch")) => format!("{OTHER_VAULT}: `vault set NAME`"),
                    _ => OTHER_VAULT.to_owned(),
                });
            }
        } else if self.path == ["ci"] && ["list", "ls", "remove", "rm", "delete"].contains(&word) {
            return Some("a machine is a member: `vault members --help`".to_owned());
        } else if let Some((_, verb)) = synonym
            && known().any(|name| name == *verb)
        {
            return Some(format!(
                "did you mean `vault {} {verb}`?",
                self.path.join(" ")
            ));
        }
        let near = nearest(word, known())?;
        let words: Vec<&str> = self.path.iter().copied().chain([near]).collect();
        Some(format!("did you mean `vault {}`?", words.join(" ")))
    }

    /// Explains an unknown option of `set`, which most often precedes a value.
    fn unknown_option_of_set(&self) -> Option<Fault> {
        let is_known = |word: &str| option(self.command, word).is_some();
        let at = self
            .rest
            .iter()
            .position(|word| word.starts_with('-') && !is_known(word))?;
        let name = self.rest[at]
            .trim_start_matches('-')
            .split('=')
            .next()
            .unwrap_or_default();
        let options = self.command.get_arguments().filter_map(Arg::get_long);
        let is_long = self.rest[at].starts_with("--");
        if !VALUES.contains(&name.to_lowercase().as_str())
            && let Some(near) = nearest(name, options).filter(|_| is_long)
        {
            let fault = Fault::usage("unknown option").hint(format!("did you mean `--{near}`?"));
            return Some(fault.hint("list its options: `vault set --help`"));
        }
        // Only a word before the option can be the name of the secret.
        let mut names = self.rest[..at].iter().filter(|word| is_name(word));
        Some(value_in_arguments(names.next().copied().unwrap_or("NAME")))
    }
}

/// Returns the option of `command` that `word` spells.
fn option<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let name = word.split('=').next().unwrap_or_default();
    command
        .get_arguments()
        .find(|argument| match name.strip_prefix("--") {
            Some(long) => argument.get_long() == Some(long),
            None => argument
                .get_short()
                .is_some_and(|short| name[1..].starts_with(short)),
        })
}

/// Whether the word after the option `word` is its value.
fn takes_value(command: &Command, word: &str) -> bool {
    !word.contains('=')
        && option(command, word).is_some_and(|option| option.get_action().takes_values())
}

/// Whether a word can be shown as the name of a secret.
fn is_name(word: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    word.bytes().all(legal) && word.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Options for the value in other programs.
const VALUES: [&str; 22] = [
    "b",
    "body",
    "content",
    "contents",
    "d",
    "data",
    "literal",
    "from-literal",
    "p",
    "password",
    "plaintext",
    "raw",
    "s",
    "secret",
    "stdin",
    "string",
    "t",
    "text",
    "token",
    "v",
    "val",
    "value",
];

/// Commands of other programs, each with a hint to the same command here.
const SYNONYMS: [(&[&str], &str); 18] = [
    (
        &["auth", "login", "logout", "unlock"],
        "vault has no server to log in to: `vault doctor` shows which key is used",
    ),
    (
        &[
            "add", "create", "edit", "insert", "new", "put", "save", "store", "update", "write",
        ],
        "to set a secret: `vault set NAME`",
    ),
    (
        &[
            "cat", "decrypt", "print", "printenv", "read", "reveal", "show", "view",
        ],
        "to print a secret: `vault get NAME`",
    ),
    (
        &["del", "delete", "rm", "unset"],
        "to remove a secret: `vault remove NAME`",
    ),
    (
        &["keys", "list-secrets", "ls", "names", "secret", "secrets"],
        "to list the secrets: `vault list`",
    ),
    (
        &["inject", "run", "sh", "shell", "start", "with"],
        "to run a command with the secrets: `vault exec -- COMMAND`",
    ),
    (
        &["dump", "download", "export"],
        "to give the secrets to a command: `vault exec -- COMMAND`; to print one: `vault get NAME`",
    ),
    (
        &["encrypt", "load", "upload"],
        "to encrypt a dotenv file: `vault import FILE`",
    ),
    (
        &["cp"],
        "to copy a secret: `vault copy NAME --from ENVIRONMENT --to ENVIRONMENT`",
    ),
    (
        &["move", "mv", "rename"],
        "to rename a secret: `vault get OLD | vault set NEW`, then `vault remove OLD`",
    ),
    (
        &["env", "envs", "environment"],
        "did you mean `vault environments`?",
    ),
    (
        &[
            "grant", "invite", "member", "people", "revoke", "share", "team", "user", "users",
        ],
        "to change who has access: `vault members --help`",
    ),
    (
        &["machine", "service-token", "tokens"],
        "to add a machine: `vault ci add NAME -e ENVIRONMENT`",
    ),
    (
        &["keygen", "whoami"],
        "to show your key's public half: `vault key show`",
    ),
    (
        &["audit", "check", "lint", "validate"],
        "to check the vault: `vault verify`",
    ),
    (
        &["diff", "history", "log"],
        "to show what changed: `vault verify --since REV`",
    ),
    (
        &["rekey", "reencrypt"],
        "to make a new data key: `vault rotate`",
    ),
    (
        &["commit", "pull", "push", "sync"],
        "the vault is part of the repository: commit and push `.vault` with git",
    ),
];

/// Subcommands of other programs, for `members`, `environments`, and others with subcommands.
const VERBS: [(&[&str], &str); 4] = [
    (&["create", "invite", "new", "put"], "add"),
    (&["del", "delete", "rm"], "remove"),
    (&["ls"], "list"),
    (&["edit", "change", "update", "grant"], "set"),
];

/// Commands of the vault of `HashiCorp`, whose binary has the same name.
const HASHICORP: [&str; 13] = [
    "agent",
    "kv",
    "lease",
    "namespace",
    "operator",
    "path-help",
    "pki",
    "policy",
    "server",
    "token",
    "transit",
    "unseal",
    "unwrap",
];

const OTHER_VAULT: &str = "this is repovault, not the vault of HashiCorp";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_commands_exist() {
        let mut root = Arguments::command();
        root.build();
        for (words, meant) in SYNONYMS {
            let named = meant
                .split("`vault ")
                .skip(1)
                .map(|rest| rest.split([' ', '`']).next());
            for name in named.flatten() {
                assert!(root.find_subcommand(name).is_some(), "{name}");
            }
            for word in words {
                assert!(root.find_subcommand(word).is_none(), "{word} is a command");
            }
        }
        assert!(
            HASHICORP
                .iter()
                .all(|word| root.find_subcommand(word).is_none())
        );
    }
}
