//! The arguments of `set`.

use std::path::PathBuf;

use clap::Args;

use super::Many;

#[derive(Args)]
pub(in crate::cli) struct SetArguments {
    /// The secret, or several at a terminal or with --generate
    #[arg(required = true, value_name = "NAME")]
    pub(in crate::cli) names: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) environments: Many,
    #[command(flatten)]
    pub(in crate::cli) origin: OriginArguments,
    /// Allow an empty value
    #[arg(long, conflicts_with_all = ["generate", "from"])]
    pub(in crate::cli) empty: bool,
    /// Keep the newline at the end of a single line
    #[arg(long, conflicts_with_all = ["generate", "from"])]
    pub(in crate::cli) keep_newline: bool,
}

#[derive(Args)]
#[group(multiple = false)]
pub(in crate::cli) struct OriginArguments {
    /// Take the value from this file
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Make a random value: django, alphanumeric, hex, or base64url [default: as in vault.toml]
    #[arg(long, value_name = "KIND", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "absent, without a kind, with a kind")]
    pub(in crate::cli) generate: Option<Option<String>>,
    /// Take the value from this git revision
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) from: Option<String>,
}
