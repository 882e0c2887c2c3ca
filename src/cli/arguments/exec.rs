//! What can be typed behind `exec`.

use std::ffi::OsString;

use clap::Args;

use super::One;
use crate::commands::IfLocked;
use crate::vault::name::{SecretName, StepName};

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that stands alone")]
pub(in crate::cli) struct ExecArguments {
    #[command(flatten)]
    pub(in crate::cli) environment: One,
    /// Give the command what this step of vault.toml names
    #[arg(long, value_name = "STEP")]
    pub(in crate::cli) step: Option<StepName>,
    /// Give the command these names only
    #[arg(long, value_name = "A,B", value_delimiter = ',', conflicts_with = "step")]
    pub(in crate::cli) only: Vec<SecretName>,
    /// Keep the caller's own value of these names
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(in crate::cli) keep: Vec<SecretName>,
    /// Do not mask secrets in the output
    #[arg(long)]
    pub(in crate::cli) no_mask: bool,
    /// Say at the end which secrets were masked, in which form
    #[arg(long, conflicts_with = "no_mask")]
    pub(in crate::cli) report_leaks: bool,
    /// The same, and exit 124 where the command itself succeeded
    #[arg(long, conflicts_with = "no_mask")]
    pub(in crate::cli) fail_on_leak: bool,
    /// Where no source holds a key: start nothing, or use random values of the declared kinds
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    pub(in crate::cli) if_locked: IfLocked,
    /// Of the caller's environment pass only what a program needs to work (PATH, HOME, …)
    #[arg(long)]
    pub(in crate::cli) clean_env: bool,
    /// Keep the variables with which VAULT_KEY_COMMAND could fetch the key again
    #[arg(long)]
    pub(in crate::cli) keep_identity: bool,
    /// Accepted, as it was before `confirm = true` asked a person in any case; answers nothing
    #[arg(short, long, hide = true)]
    pub(in crate::cli) yes: bool,
    /// The command and its arguments, behind --
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(in crate::cli) command: Vec<OsString>,
}
