//! The arguments of the commands that add the caller or a machine to a vault.

use std::ffi::OsString;

use clap::Args;

use super::Json;
use crate::commands::NativeKind;
use crate::vault::name::{EnvironmentName, MemberName, SecretName, StepName};

#[derive(Args)]
pub(in crate::cli) struct InitArguments {
    /// An environment to start with; the first is the default [default: development, production]
    #[arg(short, long = "environment", value_name = "NAME")]
    pub(in crate::cli) environments: Vec<EnvironmentName>,
    /// Your name as a member [default: your login name]
    #[arg(long, value_name = "MEMBER")]
    pub(in crate::cli) name: Option<MemberName>,
    /// Add a recovery member; its key is printed once, to be kept in a safe
    #[arg(long)]
    pub(in crate::cli) recovery: bool,
    #[command(flatten)]
    pub(in crate::cli) kind: Kind,
    #[command(flatten)]
    pub(in crate::cli) json: Json,
}

#[derive(Args)]
pub(in crate::cli) struct JoinArguments {
    /// Your name as a member, which no one has had before [default: your login name]
    #[arg(long, value_name = "MEMBER")]
    pub(in crate::cli) name: Option<MemberName>,
    /// Request a new key for this member, because you lost yours
    #[arg(long)]
    pub(in crate::cli) new_key: bool,
    /// Trust the vault if this is its id, as a colleague sent it [default: asks at a terminal]
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) id: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) kind: Kind,
    #[command(flatten)]
    pub(in crate::cli) json: Json,
}

#[derive(Args)]
pub(in crate::cli) struct CiAddArguments {
    /// The machine's name as a member, such as github-production
    pub(in crate::cli) name: MemberName,
    /// An environment that it can read
    #[arg(short, long = "environment", value_name = "NAME", required = true)]
    pub(in crate::cli) environments: Vec<EnvironmentName>,
    /// Give it only these secrets, and the keys of no others
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(in crate::cli) only: Vec<SecretName>,
    /// Give it only the names that this step of vault.toml lists now
    #[arg(long, value_name = "STEP", conflicts_with = "only")]
    pub(in crate::cli) step: Option<StepName>,
    /// Give the credential to this command on its standard input, and print what it prints instead
    #[arg(long, value_name = "COMMAND")]
    pub(in crate::cli) wrap: Option<OsString>,
    #[command(flatten)]
    pub(in crate::cli) kind: Kind,
    #[command(flatten)]
    pub(in crate::cli) json: Json,
}

/// The kind of the keys that a command makes.
#[derive(Args)]
pub(in crate::cli) struct Kind {
    /// Make an X25519 key, for age tools without post-quantum keys
    #[arg(long)]
    classic: bool,
}

impl Kind {
    pub(in crate::cli) fn native(&self) -> NativeKind {
        if self.classic {
            NativeKind::Classic
        } else {
            NativeKind::Hybrid
        }
    }
}
