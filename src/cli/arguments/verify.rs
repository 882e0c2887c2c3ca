//! The arguments of `verify`.

use clap::Args;

use super::Json;
use crate::review::Format;
use crate::vault::trust::Pin;

#[derive(Args)]
pub(in crate::cli) struct VerifyArguments {
    /// The id that the vault must have [or VAULT_ID]
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) id: Option<Pin>,
    /// Also report the changes since this git revision, which supplies the id
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) since: Option<String>,
    /// The format of the report
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "json"
    )]
    pub(in crate::cli) format: Format,
    #[command(flatten)]
    pub(in crate::cli) json: Json,
}
