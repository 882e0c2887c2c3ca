//! The command line: turns arguments into a command, and its result into an exit status.

mod arguments;
mod mistakes;
mod misuse;

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::Context as _;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use serde_json::json;

use self::arguments::{
    Arguments, Ci, Command, Environments, ExecArguments, Global, Key, Members, OriginArguments,
    SetArguments, VerifyArguments, once,
};
use crate::commands::{self, Empty, FinalNewline, Leaks, Manner, Masking, Origin, Recovery};
use crate::fault::{Fault, Kind};
use crate::platform::{Hardened, Signal};
use crate::review::Format;
use crate::runner::{Ending, Inherit};
use crate::secret::Secret;
use crate::session::caller_key::CallerKey;
use crate::session::console::{Color, Console, Notices};
use crate::session::context::Context;
use crate::session::injection::Typed;
use crate::session::output::Style;
use crate::session::panic::hide_panics;
use crate::session::reach::IdentityVariables;
use crate::vault::model::Access;
use crate::vault::name::MemberName;
use crate::vault::signing::Role;

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
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return report_usage_error(&error, arguments, scale, voice),
    };
    let notices = if parsed.global.quiet {
        Notices::Quiet
    } else {
        Notices::Shown
    };
    let console = Console::new(notices, parsed.global.color);
    let result = context(console, &parsed.global, hardened).and_then(|context| {
        let key = context.caller_key(parsed.global.key_file, parsed.global.key_fd, key);
        dispatch(&context, key, arguments, parsed.command)
    });
    match result {
        Ok(ending) => ending,
        Err(error) => failed(console, &error, scale, voice),
    }
}

/// Reports `error`, which may be a fault with context around it or, without a kind of its own, any
/// other failure.
fn failed(console: Console, error: &anyhow::Error, scale: Scale, voice: Style) -> Ending {
    let fault = error.downcast_ref::<Fault>();
    let kind = fault.map_or(Kind::Failed, Fault::kind);
    if let Kind::Interrupted(signal) = kind {
        return Ending::Killed(Signal::new(signal));
    }
    let (message, hints) = (format!("{error:#}"), fault.map_or(&[][..], Fault::hints));
    match voice {
        Style::Table => console.error(message, hints),
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
    failed(console, &fault.into(), scale, voice)
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

fn dispatch(
    context: &Context,
    key: CallerKey,
    typed: &[OsString],
    command: Option<Command>,
) -> anyhow::Result<Ending> {
    match command {
        None => context.console.text(WELCOME)?,
        Some(Command::Exec(arguments)) => {
            return Ok(commands::exec(context, key, exec(typed, arguments)?)?);
        }
        Some(Command::Doctor { json }) => commands::doctor(context, key, json.style())?,
        Some(command) => without_child(context, key, command)?,
    }
    Ok(Ending::Exited(0))
}

/// Runs a command that starts no program of the caller.
fn without_child(context: &Context, key: CallerKey, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Exec(_) | Command::Doctor { .. } => {}
        Command::Init {
            environments,
            name,
            recovery,
            json,
        } => {
            let recovery = if recovery {
                Recovery::Wanted
            } else {
                Recovery::NotGiven
            };
            let style = json.style();
            commands::init(
                context,
                key,
                commands::Init {
                    environments,
                    name,
                    recovery,
                    style,
                },
            )?;
        }
        Command::Environments(command) => environments(context, key, command)?,
        Command::Set(arguments) => commands::set(context, key, &set(arguments))?,
        Command::Get {
            name,
            environment,
            json,
        } => {
            commands::get(
                context,
                key,
                &name,
                environment.environment.as_ref(),
                json.style(),
            )?;
        }
        Command::List { environments, json } => {
            commands::list(context, key, &environments.environments, json.style())?;
        }
        Command::Remove { names, environment } => {
            commands::remove(context, key, &names, environment.environment.as_ref())?;
        }
        Command::Copy { names, from, to } => commands::copy(context, key, &names, &from, &to)?,
        Command::Import { file, environment } => {
            commands::import(context, key, &file, environment.environment.as_ref())?;
        }
        Command::Ci(Ci::Add {
            name,
            environments,
            only,
            step,
            json,
        }) => {
            let style = json.style();
            commands::ci_add(
                context,
                key,
                &commands::CiAdd {
                    name,
                    environments,
                    only,
                    step,
                    style,
                },
            )?;
        }
        Command::Join {
            name,
            new_key,
            id,
            json,
        } => {
            let asking = if new_key {
                commands::Asking::Key
            } else {
                commands::Asking::New
            };
            commands::join(
                context,
                key,
                commands::Join {
                    name,
                    asking,
                    id,
                    style: json.style(),
                },
            )?;
        }
        Command::Members(command) => members(context, key, command)?,
        Command::Rotate(arguments) => commands::rotate(context, key, arguments.into())?,
        Command::Trust { id } => commands::trust(context, key, id.as_deref())?,
        Command::Id { json } => commands::id(context, key, json.style())?,
        Command::Verify(VerifyArguments {
            id,
            since,
            format,
            json,
        }) => {
            let format = if json.json { Format::Json } else { format };
            commands::verify(context, key, &commands::Verify { id, since, format })?;
        }
        Command::Status { json } => commands::status(context, key, json.style())?,
        Command::Key(Key::Show { json }) => commands::key_show(context, key, json.style())?,
        Command::Completions { shell } => {
            commands::completions(context.console, &mut Arguments::command(), shell)?;
        }
        Command::Man { command } => {
            commands::man(context.console, &Arguments::command(), &command)?;
        }
    }
    Ok(())
}

fn environments(context: &Context, key: CallerKey, command: Environments) -> anyhow::Result<()> {
    match command {
        Environments::List { json } => commands::environments_list(context, key, json.style())?,
        Environments::Add { name, access } => {
            let access: BTreeMap<MemberName, Access> = access.into_iter().collect();
            commands::environments_add(context, key, &name, &access)?;
        }
        Environments::Remove { name, yes } => {
            commands::environments_remove(context, key, &name, yes.answer())?;
        }
    }
    Ok(())
}

fn members(context: &Context, key: CallerKey, command: Members) -> Result<(), Fault> {
    match command {
        Members::List { json } => commands::members_list(context, key, json.style()),
        Members::Add {
            name,
            access,
            admin,
            fingerprint,
            recipient,
        } => {
            let role = if admin { Role::Admin } else { Role::Member };
            let access = once(access)?;
            let command = commands::MembersAdd {
                name,
                access,
                role,
                fingerprint,
                recipient,
            };
            commands::members_add(context, key, &command)
        }
        Members::Set {
            name,
            access,
            admin,
            no_admin,
            recipient,
            fingerprint,
            yes,
            json,
        } => {
            let role = admin
                .then_some(Role::Admin)
                .or(no_admin.then_some(Role::Member));
            let (access, answer, style) = (once(access)?, yes.answer(), json.style());
            let command = commands::MembersSet {
                name,
                access,
                role,
                recipient,
                fingerprint,
                answer,
                style,
            };
            commands::members_set(context, key, &command)
        }
        Members::Remove { name, yes, json } => {
            commands::members_remove(context, key, &name, yes.answer(), json.style())
        }
        Members::Sync { grant, json } => commands::members_sync(context, key, &grant, json.style()),
    }
}

fn set(arguments: SetArguments) -> commands::Set {
    let manner = Manner {
        empty: if arguments.empty {
            Empty::Allowed
        } else {
            Empty::Refused
        },
        newline: if arguments.keep_newline {
            FinalNewline::Kept
        } else {
            FinalNewline::Dropped
        },
    };
    commands::Set {
        names: arguments.names,
        environments: arguments.environments.environments,
        origin: arguments.origin.into(),
        manner,
    }
}

impl From<OriginArguments> for Origin {
    fn from(arguments: OriginArguments) -> Self {
        match arguments {
            OriginArguments {
                file: Some(path), ..
            } => Self::File(path),
            OriginArguments {
                generate: Some(kind),
                ..
            } => Self::Generated(kind),
            OriginArguments {
                from: Some(revision),
                ..
            } => Self::Revision(revision),
            OriginArguments {
                file: None,
                generate: None,
                from: None,
            } => Self::Input,
        }
    }
}

/// `typed` is the whole command line. The command must come after `--`, so that its options are
/// never taken for our own.
fn exec(typed: &[OsString], arguments: ExecArguments) -> Result<commands::Exec, Fault> {
    if arguments.command.is_empty() {
        return Err(Fault::usage("no command was given")
            .hint("name it after `--`: `vault exec -- python manage.py migrate`"));
    }
    let before = typed.len().checked_sub(arguments.command.len() + 1);
    if before.is_none_or(|before| typed[before] != "--") {
        let (ours, command) = typed.split_at(typed.len() - arguments.command.len());
        return Err(misuse::without_dashes(ours, command));
    }
    Ok(commands::Exec {
        environment: arguments.environment.environment,
        names: Typed {
            step: arguments.step,
            only: arguments.only,
        },
        keep: arguments.keep,
        masking: if arguments.no_mask {
            Masking::Declined
        } else {
            Masking::Wanted
        },
        leaks: match (arguments.fail_on_leak, arguments.report_leaks) {
            (true, _) => Leaks::Fatal,
            (false, true) => Leaks::Reported,
            (false, false) => Leaks::Ignored,
        },
        if_locked: arguments.if_locked,
        inherit: if arguments.clean_env {
            Inherit::Basics
        } else {
            Inherit::Everything
        },
        identity: if arguments.keep_identity {
            IdentityVariables::Passed
        } else {
            IdentityVariables::Withheld
        },
        command: arguments.command,
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

All commands: vault --help      One command: vault set --help
";
