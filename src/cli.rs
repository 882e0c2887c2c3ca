//! The command line: turns arguments into a command, and its result into an exit status.

mod arguments;
mod dispatch;
mod mistakes;
mod misuse;

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::Path;

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use serde_json::json;

use self::arguments::{Arguments, Command, Global};
use crate::fault::{Fault, Kind};
use crate::git::seems_merging;
use crate::platform::{Hardened, Signal};
use crate::runner::Ending;
use crate::secret::Secret;
use crate::session::console::{Color, Console, Notices};
use crate::session::context::Context;
use crate::session::output::Style;
use crate::session::panic::hide_panics;

/// The command that ends the conflicts of a merge, as hints name it.
const RESOLVE: &str = "`vault resolve`";

/// Runs `vault` with these arguments, of which the first is its own name, and returns how to end.
/// `key` is the value of `VAULT_KEY`.
#[must_use]
pub fn run(arguments: &[OsString], key: Option<Secret>, hardened: Hardened) -> Ending {
    hide_panics();
    let voice = if wants_json(arguments) {
        Style::Json
    } else {
        Style::Table
    };
    let scale = if names_exec(arguments) {
        Scale::Exec
    } else {
        Scale::Usual
    };
    let parsed = match parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return report_usage_error(&error, arguments, scale, voice),
    };
    let notices = if parsed.global.quiet {
        Notices::Quiet
    } else {
        Notices::Shown
    };
    let console = Console::new(notices, parsed.global.color);
    // `resolve` says itself what else is possible.
    let is_resolve = matches!(parsed.command, Some(Command::Resolve(_)));
    let folder = parsed.global.vault.clone().unwrap_or_else(|| ".".into());
    let result = context(console, &parsed.global, hardened).and_then(|context| {
        let key = context.caller_key(parsed.global.key_file, parsed.global.key_fd, key);
        dispatch::dispatch(context, key, arguments, parsed.command)
    });
    match result {
        Ok(ending) => ending,
        Err(error) => {
            let more = in_merge(&error, &folder).filter(|_| !is_resolve);
            failed(console, &error, more, scale, voice)
        }
    }
}

/// Parses the command line. The definition of the commands stays in memory: freed memory is wiped, and
/// it is hundreds of small pieces.
fn parse(arguments: &[OsString]) -> Result<Arguments, clap::Error> {
    let mut command = ManuallyDrop::new(Arguments::command());
    let mut matches = ManuallyDrop::new(command.try_get_matches_from_mut(arguments)?);
    Arguments::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// What to add to the refusal of a file below `.vault`, or to findings, while a merge is under way.
fn in_merge(error: &anyhow::Error, folder: &Path) -> Option<String> {
    let fault = error.downcast_ref::<Fault>()?;
    let is_refused = match fault.kind() {
        Kind::Refused => fault.file().is_some(),
        Kind::Found => true,
        _ => false,
    };
    let is_said = fault.hints().iter().any(|hint| hint.contains(RESOLVE));
    let is_merging = || {
        folder
            .canonicalize()
            .is_ok_and(|folder| seems_merging(&folder))
    };
    (is_refused && !is_said && is_merging())
        .then(|| format!("a merge is under way: end its conflicts with {RESOLVE}"))
}

/// Reports `error`, which may be a fault with context around it or, without a kind of its own, any
/// other failure. `more` is one more hint.
fn failed(
    console: Console,
    error: &anyhow::Error,
    more: Option<String>,
    scale: Scale,
    voice: Style,
) -> Ending {
    let fault = error.downcast_ref::<Fault>();
    let kind = fault.map_or(Kind::Failed, Fault::kind);
    if let Kind::Interrupted(signal) = kind {
        return Ending::Killed(Signal::new(signal));
    }
    let message = format!("{error:#}");
    let hints = fault.map_or(&[][..], Fault::hints).iter().cloned();
    let hints: Vec<String> = hints.chain(more).collect();
    match voice {
        Style::Table => console.error(message, &hints),
        Style::Json => console.json_error(json!({ "error": {
            "kind": kind.as_str(),
            "file": fault.and_then(Fault::file),
            "message": message,
            "hints": hints,
        }})),
    }
    Ending::Exited(scale.code(kind))
}

fn report_usage_error(
    error: &clap::Error,
    typed: &[OsString],
    scale: Scale,
    voice: Style,
) -> Ending {
    let is_help = !error.use_stderr();
    let is_list = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_help || (is_list && voice != Style::Json) {
        Console::parser(error);
        return Ending::Exited(if is_help { 0 } else { scale.code(Kind::Usage) });
    }
    let fault = mistakes::explain(error.kind(), typed)
        .unwrap_or_else(|| misuse::fault(error, &mistakes::help(typed)));
    let console = Console::new(Notices::Shown, Color::Auto);
    failed(console, &fault.into(), None, scale, voice)
}

/// Whether the arguments, which may be wrong, ask for JSON. `exec` never prints any: its streams
/// are its command's.
fn wants_json(arguments: &[OsString]) -> bool {
    let before_command = || arguments.iter().skip(1).take_while(|word| *word != "--");
    let format = before_command().zip(before_command().skip(1));
    !names_exec(arguments)
        && (before_command().any(|word| word == "--json" || word == "--format=json")
            || format
                .into_iter()
                .any(|(word, next)| word == "--format" && next == "json"))
}

fn context(console: Console, global: &Global, hardened: Hardened) -> anyhow::Result<Context> {
    let folder = std::env::current_dir().context("could not find the current folder")?;
    Ok(Context {
        console,
        hardened,
        environ: std::env::vars_os().collect(),
        folder,
        named_vault: global.vault.clone(),
    })
}

/// The exit statuses for kinds of failure.
#[derive(Clone, Copy)]
enum Scale {
    /// 1 to 4.
    Usual,
    /// Statuses that commands hardly use, so that vault's failures do not look like theirs.
    Exec,
}

impl Scale {
    fn code(self, kind: Kind) -> u8 {
        match (self, kind) {
            (Self::Usual, Kind::Found | Kind::Failed | Kind::Interrupted(_)) => 1,
            (Self::Usual, Kind::Locked) => 3,
            (Self::Usual, Kind::Refused) => 4,
            (Self::Usual, _) => 2,
            (Self::Exec, Kind::Locked) => 121,
            (Self::Exec, Kind::Refused) => 122,
            (Self::Exec, Kind::Incomplete) => 123,
            (Self::Exec, Kind::Leaked) => 124,
            (Self::Exec, Kind::NotExecutable) => 126,
            (Self::Exec, Kind::NotFound) => 127,
            (Self::Exec, Kind::Usage | Kind::Failed | Kind::Found | Kind::Interrupted(_)) => 125,
        }
    }
}

/// Whether the arguments, which may be wrong, name `exec`.
fn names_exec(arguments: &[OsString]) -> bool {
    let with_value = ["--vault", "--key-file", "--key-fd", "--color"];
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        let word = word.to_string_lossy();
        if with_value.contains(&&*word) {
            words.next();
        } else if !word.starts_with('-') {
            return word == "exec";
        }
    }
    false
}

const WELCOME: &str = "\
vault keeps the secrets of this repository encrypted in it, and injects them into the command that needs them.

  vault init                                     once per repository
  vault set DJANGO_SECRET_KEY                    prompts without echo, or reads standard input
  vault exec -- python manage.py migrate         the step sees the variable
  vault ci add github-production -e production   prints one string for the CI secret VAULT_KEY

All commands: `vault --help`      One command: `vault set --help`
";
