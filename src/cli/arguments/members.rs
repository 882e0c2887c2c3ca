//! What can be typed behind `members`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Subcommand;

use super::{Json, Yes};
use crate::commands::Wanted;
use crate::fault::Fault;
use crate::vault::model::Access;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};

#[derive(Subcommand)]
pub(in crate::cli) enum Members {
    /// List who may do what; needs no key
    List {
        #[command(flatten)]
        json: Json,
    },
    /// Add who asked with `vault join`; asks for the fingerprint that they told you
    Add {
        /// The name in the request
        name: MemberName,
        /// What they may do: production=write, staging=read, or names: production=API_KEY,DSN
        #[arg(
            short = 'e',
            long = "environment",
            value_name = "ENVIRONMENT=ACCESS",
            value_parser = parse_granted
        )]
        access: Vec<(EnvironmentName, Access)>,
        /// Make them an admin; without -e they also write in every environment
        #[arg(long)]
        admin: bool,
        /// The fingerprint that they told you by another way, where nobody can be asked for it
        #[arg(long, value_name = "FINGERPRINT")]
        fingerprint: Option<String>,
        /// Add this age recipient, who made no request and so can never write
        #[arg(long, value_name = "RECIPIENT", conflicts_with_all = ["fingerprint", "admin"])]
        recipient: Option<String>,
    },
    /// Change what somebody may do; what they can no longer read is sealed anew
    Set {
        /// The member
        name: MemberName,
        /// From now on: production=write, staging=read, names: production=API_KEY,DSN, or
        /// production=none
        #[arg(
            short = 'e',
            long = "environment",
            value_name = "ENVIRONMENT=ACCESS",
            value_parser = parse_changed
        )]
        access: Vec<(EnvironmentName, Option<Access>)>,
        /// Let them change membership
        #[arg(long, conflicts_with = "no_admin")]
        admin: bool,
        /// Let them do so no longer; the vault gets a new id
        #[arg(long)]
        no_admin: bool,
        /// Another key in the place of theirs, which may be lost; to write, they `vault join` with it
        #[arg(long, value_name = "RECIPIENT")]
        recipient: Option<String>,
        /// The fingerprint that they told you by another way, where nobody can be asked for it
        #[arg(long, value_name = "FINGERPRINT", requires = "recipient")]
        fingerprint: Option<String>,
        #[command(flatten)]
        yes: Yes,
        #[command(flatten)]
        json: Json,
    },
    /// Remove a member; everything they could read is sealed anew
    Remove {
        /// The member
        name: MemberName,
        #[command(flatten)]
        yes: Yes,
        #[command(flatten)]
        json: Json,
    },
    /// Say what limited members lack of the steps in vault.toml (needs no key), and grant it
    Sync {
        /// Grant this name, repeatable: github-deploy:production/SENTRY_DSN
        #[arg(
            long,
            value_name = "MEMBER:ENVIRONMENT/NAME",
            value_parser = parse_wanted,
            conflicts_with = "json"
        )]
        grant: Vec<Wanted>,
        #[command(flatten)]
        json: Json,
    },
}

/// What was typed behind `-e`, each environment once.
pub(in crate::cli) fn once<T>(
    typed: Vec<(EnvironmentName, T)>,
) -> Result<BTreeMap<EnvironmentName, T>, Fault> {
    let mut granted = BTreeMap::new();
    for (environment, access) in typed {
        if granted.contains_key(&environment) {
            return Err(Fault::usage(format!("access to {environment} is given twice")));
        }
        granted.insert(environment, access);
    }
    Ok(granted)
}

/// `production=write`, `production=read`, or `production=API_KEY,SENTRY_DSN`.
pub(super) fn parse_granted(text: &str) -> Result<(EnvironmentName, Access), String> {
    let said = |fault: Fault| fault.to_string();
    let (environment, access) = text.split_once('=').ok_or(GRANTED)?;
    let access = match access {
        "" => return Err(GRANTED.to_owned()),
        "write" => Access::Write,
        "read" => Access::Read,
        names => {
            let names = names.split(',').map(str::parse);
            Access::Names(names.collect::<Result<BTreeSet<SecretName>, _>>().map_err(said)?)
        }
    };
    Ok((environment.parse().map_err(said)?, access))
}

/// As [`parse_granted`], or `production=none`.
fn parse_changed(text: &str) -> Result<(EnvironmentName, Option<Access>), String> {
    match text.strip_suffix("=none") {
        Some(environment) => {
            Ok((environment.parse().map_err(|fault: Fault| fault.to_string())?, None))
        }
        None => parse_granted(text).map(|(environment, access)| (environment, Some(access))),
    }
}

fn parse_wanted(text: &str) -> Result<Wanted, String> {
    let said = |fault: Fault| fault.to_string();
    let parts = text.split_once(':');
    let parts = parts.and_then(|(member, rest)| Some((member, rest.split_once('/')?)));
    let (member, (environment, name)) = parts.ok_or("write it as MEMBER:ENVIRONMENT/NAME")?;
    Ok(Wanted {
        member: member.parse().map_err(said)?,
        environment: environment.parse().map_err(said)?,
        name: name.parse().map_err(said)?,
    })
}

const GRANTED: &str =
    "write it as ENVIRONMENT=write, ENVIRONMENT=read, or with names: ENVIRONMENT=A,B";
