//! The arguments of `exec`.

use std::ffi::OsString;

use clap::Args;

use super::One;
use crate::commands::IfLocked;
use crate::vault::name::{SecretName, StepName};

#[derive(Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent option"
)]
pub(in crate::cli) struct ExecArguments {
    #[command(flatten)]
    pub(in crate::cli) environment: One,
    /// Inject only the names that this step of vault.toml lists
    #[arg(long, value_name = "STEP")]
    pub(in crate::cli) step: Option<StepName>,
    /// Inject only these names
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        conflicts_with = "step"
    )]
    pub(in crate::cli) only: Vec<SecretName>,
    /// Keep the caller's own values of these names
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(in crate::cli) keep: Vec<SecretName>,
    /// Do not mask secrets in the output
    #[arg(long)]
    pub(in crate::cli) no_mask: bool,
    /// List the masked secrets and their forms at the end
    #[arg(long, conflicts_with = "no_mask")]
    pub(in crate::cli) report_leaks: bool,
    /// Like --report-leaks, and exit 124 if secrets were masked and the command itself succeeded
    #[arg(long, conflicts_with = "no_mask")]
    pub(in crate::cli) fail_on_leak: bool,
    /// Without a key: fail, or inject random placeholder values
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    pub(in crate::cli) if_locked: IfLocked,
    /// Pass only the variables of the caller that a program needs to work (PATH, HOME, …)
    #[arg(long)]
    pub(in crate::cli) clean_env: bool,
    /// Pass the variables that VAULT_KEY_COMMAND could fetch the key with again
    #[arg(long)]
    pub(in crate::cli) keep_identity: bool,
    /// Accepted without effect: `confirm = true` always asks a person
    #[arg(short, long, hide = true)]
    pub(in crate::cli) yes: bool,
    /// The command and its arguments, after --
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    pub(in crate::cli) command: Vec<OsString>,
}
