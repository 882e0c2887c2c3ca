//! The arguments of `rotate`.

use clap::Args;

use super::{Many, Yes};
use crate::commands::{Older, Rotate, What};
use crate::vault::name::SecretName;

#[derive(Args)]
pub(in crate::cli) struct RotateArguments {
    #[command(flatten)]
    environments: Many,
    /// Finish an interrupted change, and re-encrypt entries of a branch from before a rotation
    #[arg(long)]
    finish: bool,
    /// With --finish: re-sign this entry, whose signer can no longer write
    #[arg(long, value_name = "NAME", requires = "finish")]
    adopt: Vec<SecretName>,
    /// With --finish: drop the data keys of older epochs, if no branch needs them
    #[arg(long, requires = "finish")]
    forget: bool,
    /// Make a new authority, and so a new id, which everyone must trust again
    #[arg(long, conflicts_with_all = ["finish", "environments"])]
    authority: bool,
    #[command(flatten)]
    yes: Yes,
}

impl From<RotateArguments> for Rotate {
    fn from(typed: RotateArguments) -> Self {
        let older = if typed.forget {
            Older::Forgotten
        } else {
            Older::Kept
        };
        let what = if typed.authority {
            What::Authority
        } else if typed.finish {
            What::Finish {
                adopted: typed.adopt,
                older,
            }
        } else {
            What::Epoch
        };
        let environments = typed.environments.environments;
        Self {
            environments,
            what,
            answer: typed.yes.answer(),
        }
    }
}
