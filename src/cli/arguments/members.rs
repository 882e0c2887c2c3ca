//! The arguments of `members`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use clap::Subcommand;

use super::{Json, Yes};
use crate::commands::Wanted;
use crate::fault::Fault;
use crate::vault::model::Access;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};

#[derive(Subcommand)]
pub(in crate::cli) enum Members {
    /// List the members and their access; needs no key
    List {
        #[command(flatten)]
        json: Json,
    },
    /// Add someone who ran `vault join`; prompts for the fingerprint they gave you
    Add {
        /// The name in the request
        name: MemberName,
        /// Their access: production=write, staging=read, or names: production=API_KEY,DSN
        #[arg(
            short = 'e',
            long = "environment",
            value_name = "ENVIRONMENT=ACCESS",
            value_parser = parse_granted
        )]
        access: Vec<(EnvironmentName, Access)>,
        /// Make them an admin; without -e they also get write access to every environment
        #[arg(long)]
        admin: bool,
        /// The fingerprint they gave you out of band, if there is no terminal to prompt at
        #[arg(long, value_name = "FINGERPRINT")]
        fingerprint: Option<String>,
        /// Add this age recipient or SSH key without a request; to write later, they `vault join`
        #[arg(long, value_name = "RECIPIENT", conflicts_with_all = ["fingerprint", "admin"])]
        recipient: Option<String>,
        /// Add the ssh-ed25519 key in this file, such as id_ed25519.pub (- is standard input)
        #[arg(
            long,
            value_name = "FILE",
            conflicts_with_all = ["fingerprint", "admin", "recipient"]
        )]
        ssh: Option<String>,
    },
    /// Change someone's access; values they can no longer read are re-encrypted
    Set {
        /// The member
        name: MemberName,
        /// Their new access: production=write, staging=read, names: production=API_KEY,DSN, or
        /// production=none
        #[arg(
            short = 'e',
            long = "environment",
            value_name = "ENVIRONMENT=ACCESS",
            value_parser = parse_changed
        )]
        access: Vec<(EnvironmentName, Option<Access>)>,
        /// Make them an admin, who changes membership
        #[arg(long, conflicts_with = "no_admin")]
        admin: bool,
        /// Make them an admin no longer; the vault gets a new id
        #[arg(long)]
        no_admin: bool,
        /// Replace their key, which may be lost; to write, they must `vault join` with the new one
        #[arg(long, value_name = "RECIPIENT", group = "replacement")]
        recipient: Option<String>,
        /// Replace their key with the one that they request: `vault join --new-key`
        #[arg(long, group = "replacement")]
        new_key: bool,
        /// The fingerprint they gave you out of band, if there is no terminal to prompt at
        #[arg(long, value_name = "FINGERPRINT")]
        fingerprint: Option<String>,
        #[command(flatten)]
        yes: Yes,
        #[command(flatten)]
        json: Json,
    },
    /// Remove members and re-encrypt everything they could read
    Remove {
        /// The members; both names of one person remove the person
        #[arg(value_name = "NAME", required = true)]
        names: Vec<MemberName>,
        #[command(flatten)]
        yes: Yes,
        #[command(flatten)]
        json: Json,
    },
    /// Seal what members with access cannot read yet, and show which names steps still need
    Sync {
        /// Grant this name (repeatable): github-deploy:production/SENTRY_DSN
        #[arg(
            long,
            value_name = "MEMBER:ENVIRONMENT/NAME",
            value_parser = parse_wanted,
            conflicts_with = "json"
        )]
        grant: Vec<Wanted>,
        #[command(flatten)]
        yes: Yes,
        #[command(flatten)]
        json: Json,
    },
}

/// Returns what is given by the name that it is given for. `preposition` precedes the name in the
/// error: access "to" an environment, or "of" a member.
///
/// # Errors
/// `Usage` if a name is given twice.
pub(in crate::cli) fn once<N: Ord + Display, T>(
    typed: Vec<(N, T)>,
    preposition: &str,
) -> Result<BTreeMap<N, T>, Fault> {
    let mut granted = BTreeMap::new();
    for (name, access) in typed {
        if granted.contains_key(&name) {
            return Err(Fault::usage(format!(
                "access {preposition} {name} is given twice"
            )));
        }
        granted.insert(name, access);
    }
    Ok(granted)
}

/// Parses `production=write`, `production=read`, or `production=API_KEY,SENTRY_DSN`.
pub(super) fn parse_granted(text: &str) -> Result<(EnvironmentName, Access), String> {
    let message = |fault: Fault| fault.to_string();
    let (environment, access) = text.split_once('=').ok_or(GRANTED)?;
    let access = match access {
        "" => return Err(GRANTED.to_owned()),
        "write" => Access::Write,
        "read" => Access::Read,
        names => {
            let names = names.split(',').map(str::parse);
            Access::Names(
                names
                    .collect::<Result<BTreeSet<SecretName>, _>>()
                    .map_err(message)?,
            )
        }
    };
    Ok((environment.parse().map_err(message)?, access))
}

/// Parses the same as [`parse_granted`], or `production=none`.
fn parse_changed(text: &str) -> Result<(EnvironmentName, Option<Access>), String> {
    match text.strip_suffix("=none") {
        Some(environment) => Ok((
            environment
                .parse()
                .map_err(|fault: Fault| fault.to_string())?,
            None,
        )),
        None => parse_granted(text).map(|(environment, access)| (environment, Some(access))),
    }
}

fn parse_wanted(text: &str) -> Result<Wanted, String> {
    let message = |fault: Fault| fault.to_string();
    let (member, rest) = text.split_once(':').unwrap_or_default();
    let (environment, name) = rest
        .split_once('/')
        .ok_or("write it as MEMBER:ENVIRONMENT/NAME")?;
    Ok(Wanted {
        member: member.parse().map_err(message)?,
        environment: environment.parse().map_err(message)?,
        name: name.parse().map_err(message)?,
    })
}

const GRANTED: &str =
    "write it as ENVIRONMENT=write, ENVIRONMENT=read, or with names: ENVIRONMENT=A,B";
