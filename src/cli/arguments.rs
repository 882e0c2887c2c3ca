//! The arguments of the command line. The doc comments here are the help text.
#![expect(clippy::doc_markdown, reason = "the comments are shown as they are")]

mod exec;
mod joining;
mod members;
mod resolve;
mod rotate;
mod set;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(super) use self::exec::ExecArguments;
pub(super) use self::joining::{CiAddArguments, InitArguments, JoinArguments};
pub(super) use self::members::{Members, once};
pub(super) use self::resolve::ResolveArguments;
pub(super) use self::rotate::RotateArguments;
pub(super) use self::set::{OriginArguments, SetArguments};
pub(super) use self::verify::VerifyArguments;
use crate::fault::Fault;
use crate::session::console::{Answer, Color};
use crate::session::output::Style;
use crate::vault::model::Access;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};

/// Keep the secrets of this repository encrypted in it, and inject them into the process that needs them
#[derive(Parser)]
#[command(name = "vault", version, long_version = LONG_VERSION, after_help = EXIT)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// The version, the commit of a release build, and the target; build.rs sets it.
const LONG_VERSION: &str = env!("REPOVAULT_LONG_VERSION");

pub(super) const EXIT: &str = "\
Exit status: 0 done; 1 a check found something, or the work failed; 2 usage; 3 locked (no key, not a
member, no pin); 4 refused (tampered, untrusted, corrupt). `vault exec` exits with the command's
status; its own failures are 121 locked, 122 refused, 123 incomplete, 124 leak found, 125 any other
failure, 126 cannot be executed, 127 not found.";

/// Options that every command takes.
#[derive(Args)]
pub(super) struct Global {
    /// The folder that contains vault.toml [default: VAULT_DIR, or the nearest one upward]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help_heading = "Global options"
    )]
    pub(super) vault: Option<PathBuf>,
    /// Read the key from this file; - is standard input [default: VAULT_KEY_FILE, VAULT_KEY, …]
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        help_heading = "Global options"
    )]
    pub(super) key_file: Option<OsString>,
    /// Read the key from this open file descriptor
    #[arg(
        long,
        global = true,
        value_name = "N",
        conflicts_with = "key_file",
        help_heading = "Global options"
    )]
    pub(super) key_fd: Option<i32>,
    /// Print only results and errors
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(super) quiet: bool,
    /// Color messages; auto colors them on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Global options"
    )]
    pub(super) color: Color,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create a vault here; you become its first admin
    Init(InitArguments),
    /// List, add, or remove environments
    #[command(subcommand)]
    Environments(Environments),
    /// Set a secret: type it at a prompt, or pipe it in
    Set(SetArguments),
    /// Print the value of a secret, byte for byte
    Get {
        /// The secret
        name: SecretName,
        #[command(flatten)]
        environment: One,
        #[command(flatten)]
        json: Json,
    },
    /// List the secrets, without values; needs no key
    List {
        #[command(flatten)]
        environments: Many,
        #[command(flatten)]
        json: Json,
    },
    /// Remove secrets, leaving tombstones so that merges keep them removed
    Remove {
        /// The secrets
        #[arg(required = true, value_name = "NAME")]
        names: Vec<SecretName>,
        #[command(flatten)]
        environment: One,
    },
    /// Copy secrets from one environment to another
    Copy {
        /// The secrets
        #[arg(required = true, value_name = "NAME")]
        names: Vec<SecretName>,
        /// Environment to copy from
        #[arg(long, value_name = "ENVIRONMENT")]
        from: EnvironmentName,
        /// Environment to copy to
        #[arg(long, value_name = "ENVIRONMENT")]
        to: EnvironmentName,
    },
    /// Set every name in a dotenv file, or none
    Import {
        /// The file; - is standard input
        #[arg(value_name = "FILE")]
        file: String,
        #[command(flatten)]
        environment: One,
    },
    /// Run a command with the secrets in its environment
    #[command(override_usage = "vault exec [OPTIONS] -- COMMAND [ARG]...")]
    Exec(ExecArguments),
    /// Add a machine and print its credential for VAULT_KEY once
    #[command(subcommand)]
    Ci(Ci),
    /// Request to become a member; prints a fingerprint to send to an admin out of band
    Join(JoinArguments),
    /// List, add, or remove members, or change their access
    #[command(subcommand)]
    Members(Members),
    /// Rotate the data key and re-encrypt everything, or finish an interrupted change
    Rotate(RotateArguments),
    /// Trust the id that a colleague sent you, or go back from an abandoned branch
    Trust {
        /// vault1…, or vault1…@TAG to go back to a root whose last revocation is TAG [default: asks at
        /// a terminal]
        id: Option<String>,
        /// Let this member have access again, or know a key (repeatable)
        #[arg(long, value_name = "NAME")]
        give_back: Vec<MemberName>,
        #[command(flatten)]
        yes: Yes,
    },
    /// End the conflicts of a merge below .vault
    Resolve(ResolveArguments),
    /// Print the vault's id, to send to a colleague; needs no key
    Id {
        #[command(flatten)]
        json: Json,
    },
    /// Check everything except the values; needs no key
    Verify(VerifyArguments),
    /// List what needs attention, such as values that a former member may know
    Status {
        #[command(flatten)]
        json: Json,
    },
    /// Explain why something does not work: the binary, the vault, the key, trust
    Doctor {
        #[command(flatten)]
        json: Json,
    },
    /// Show, move, protect, or replace your key
    #[command(subcommand)]
    Key(Key),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page of vault or of one command
    Man {
        /// The command, such as `ci add`
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
}

#[derive(Subcommand)]
pub(super) enum Environments {
    /// List the environments and who has access; needs no key
    List {
        #[command(flatten)]
        json: Json,
    },
    /// Add an environment; admins get write access, unless --access says otherwise
    Add {
        /// Its name
        name: EnvironmentName,
        /// Give a member access: alice=write, bob=read
        #[arg(long, value_name = "MEMBER=ACCESS", value_parser = parse_access)]
        access: Vec<(MemberName, Access)>,
    },
    /// Remove an environment with all its entries
    Remove {
        /// Its name
        name: EnvironmentName,
        #[command(flatten)]
        yes: Yes,
    },
}

#[derive(Subcommand)]
pub(super) enum Ci {
    /// Add a machine that can read; prints its credential once, alone on standard output
    Add(CiAddArguments),
}

#[derive(Subcommand)]
pub(super) enum Key {
    /// Print your recipient and the source of your key
    Show {
        #[command(flatten)]
        json: Json,
    },
    /// Add the identities in a file to your own; - is standard input
    Import {
        /// The file, which `age-keygen` may have made
        file: OsString,
    },
    /// Request that a new post-quantum key take the place of yours, and print a fingerprint
    Upgrade {
        #[command(flatten)]
        json: Json,
    },
    /// Move your key to the system's keyring, to a file, or to a file with a passphrase
    Move {
        /// Where your key will be
        #[arg(long, value_name = "PLACE")]
        to: KeyPlace,
    },
    /// Protect your key file with a passphrase
    Protect,
    /// Take the passphrase off your key file
    Unprotect,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum KeyPlace {
    /// The keyring of the operating system
    Keyring,
    /// The file identity.txt
    File,
    /// The file identity.age, with a passphrase
    Protected,
}

#[derive(Args)]
pub(super) struct One {
    /// The environment [default: VAULT_ENVIRONMENT, the credential's, or the one in vault.toml]
    #[arg(short, long, value_name = "NAME")]
    pub(super) environment: Option<EnvironmentName>,
}

#[derive(Args)]
pub(super) struct Many {
    /// The environment, repeatable [default: VAULT_ENVIRONMENT, the credential's, or the one in
    /// vault.toml]
    #[arg(short, long = "environment", value_name = "NAME")]
    pub(super) environments: Vec<EnvironmentName>,
}

#[derive(Args)]
pub(super) struct Json {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Json {
    pub(super) fn style(&self) -> Style {
        if self.json { Style::Json } else { Style::Table }
    }
}

#[derive(Args)]
pub(super) struct Yes {
    /// Skip the confirmation
    #[arg(short, long)]
    pub(super) yes: bool,
}

impl Yes {
    pub(super) fn answer(&self) -> Answer {
        if self.yes { Answer::Yes } else { Answer::Ask }
    }
}

fn parse_access(text: &str) -> Result<(MemberName, Access), String> {
    let (member, access) = text
        .split_once('=')
        .ok_or("write it as MEMBER=write or MEMBER=read")?;
    let access = match access {
        "write" => Access::Write,
        "read" => Access::Read,
        _ => return Err("access must be write or read".to_owned()),
    };
    Ok((
        member.parse().map_err(|fault: Fault| fault.to_string())?,
        access,
    ))
}
