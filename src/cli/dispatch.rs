//! From the parsed arguments to the call of a command.

use std::ffi::OsString;

use clap::CommandFactory;

use super::arguments::{
    Arguments, Ci, CiAddArguments, Command, Environments, ExecArguments, InitArguments,
    JoinArguments, Key, KeyPlace, Members, OriginArguments, SetArguments, VerifyArguments, once,
};
use super::{WELCOME, misuse};
use crate::commands::{
    self, Empty, FinalNewline, GivenKey, Leaks, Manner, Masking, NewKey, Origin, Recovery,
};
use crate::fault::Fault;
use crate::merge;
use crate::review::Format;
use crate::runner::{Ending, Inherit};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::injection::Typed;
use crate::session::reach::IdentityVariables;
use crate::vault::signing::Role;

pub(super) fn dispatch(
    context: Context,
    key: CallerKey,
    typed: &[OsString],
    command: Option<Command>,
) -> anyhow::Result<Ending> {
    match command {
        None => context.console.text(WELCOME)?,
        Some(Command::Exec(arguments)) => {
            return Ok(commands::exec(context, key, exec(typed, arguments)?)?);
        }
        Some(Command::Doctor { json }) => commands::doctor(&context, key, json.style())?,
        Some(command) => without_child(&context, key, command)?,
    }
    Ok(Ending::Exited(0))
}

/// Runs a command that starts no program of the caller.
fn without_child(context: &Context, key: CallerKey, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Exec(_) | Command::Doctor { .. } => {}
        Command::Init(arguments) => commands::init(context, key, init(arguments))?,
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
        Command::Ci(Ci::Add(arguments)) => {
            commands::ci_add(context, key, &ci_add(arguments))?;
        }
        Command::Join(arguments) => commands::join(context, key, join(arguments))?,
        Command::Members(command) => members(context, key, command)?,
        Command::Rotate(arguments) => commands::rotate(context, key, arguments.into())?,
        Command::Resolve(arguments) => merge::resolve(context, key, &arguments.into())?,
        Command::Trust { id, give_back, yes } => {
            let answer = yes.answer();
            let command = commands::TrustArguments {
                id,
                give_back,
                answer,
            };
            commands::trust(context, key, &command)?;
        }
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
        Command::Key(Key::Import { file }) => commands::key_import(context, &file)?,
        Command::Key(Key::Upgrade { json }) => commands::key_upgrade(context, key, json.style())?,
        Command::Key(Key::Move { to }) => move_key(context, to)?,
        Command::Key(Key::Protect) => commands::key_protect(context)?,
        Command::Key(Key::Unprotect) => commands::key_unprotect(context)?,
        Command::Completions { shell } => {
            commands::completions(context.console, &mut Arguments::command(), shell)?;
        }
        Command::Man { command } => {
            commands::man(context.console, &Arguments::command(), &command)?;
        }
    }
    Ok(())
}

fn init(arguments: InitArguments) -> commands::Init {
    let recovery = if arguments.recovery {
        Recovery::Wanted
    } else {
        Recovery::NotGiven
    };
    commands::Init {
        environments: arguments.environments,
        name: arguments.name,
        recovery,
        kind: arguments.kind.native(),
        style: arguments.json.style(),
    }
}

fn join(arguments: JoinArguments) -> commands::Join {
    let asking = if arguments.new_key {
        commands::Asking::Key
    } else {
        commands::Asking::New
    };
    commands::Join {
        name: arguments.name,
        asking,
        id: arguments.id,
        kind: arguments.kind.native(),
        style: arguments.json.style(),
    }
}

fn ci_add(arguments: CiAddArguments) -> commands::CiAdd {
    commands::CiAdd {
        name: arguments.name,
        environments: arguments.environments,
        only: arguments.only,
        step: arguments.step,
        wrap: arguments.wrap,
        kind: arguments.kind.native(),
        style: arguments.json.style(),
    }
}

fn environments(context: &Context, key: CallerKey, command: Environments) -> anyhow::Result<()> {
    match command {
        Environments::List { json } => commands::environments_list(context, key, json.style())?,
        Environments::Add { name, access } => {
            commands::environments_add(context, key, &name, &once(access, "of")?)?;
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
            ssh,
        } => {
            let role = if admin { Role::Admin } else { Role::Member };
            let access = once(access, "to")?;
            let command = commands::MembersAdd {
                name,
                access,
                role,
                fingerprint,
                key: recipient
                    .map(GivenKey::Typed)
                    .or(ssh.map(GivenKey::SshFile)),
            };
            commands::members_add(context, key, &command)
        }
        Members::Set {
            name,
            access,
            admin,
            no_admin,
            recipient,
            new_key,
            fingerprint,
            yes,
            json,
        } => {
            let role = admin
                .then_some(Role::Admin)
                .or(no_admin.then_some(Role::Member));
            let (access, answer, style) = (once(access, "to")?, yes.answer(), json.style());
            let command = commands::MembersSet {
                name,
                access,
                role,
                key: recipient
                    .map(NewKey::Typed)
                    .or(new_key.then_some(NewKey::Requested)),
                fingerprint,
                answer,
                style,
            };
            commands::members_set(context, key, &command)
        }
        Members::Remove { names, yes, json } => {
            commands::members_remove(context, key, &names, yes.answer(), json.style())
        }
        Members::Sync { grant, yes, json } => {
            commands::members_sync(context, key, &grant, yes.answer(), json.style())
        }
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

fn move_key(context: &Context, to: KeyPlace) -> Result<(), Fault> {
    match to {
        KeyPlace::Keyring => commands::key_to_keyring(context),
        KeyPlace::File => commands::key_to_file(context),
        KeyPlace::Protected => commands::key_protect(context),
    }
}
