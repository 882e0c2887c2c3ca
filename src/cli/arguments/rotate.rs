//! What can be typed behind `rotate`.

use clap::Args;

use super::{Many, Yes};
use crate::commands::{Older, Rotate, What};
use crate::vault::name::SecretName;

#[derive(Args)]
pub(in crate::cli) struct RotateArguments {
    #[command(flatten)]
    environments: Many,
    /// Bring to an end what was interrupted, or merged from a branch cut before a rotation
    #[arg(long)]
    finish: bool,
    /// With --finish: take over this entry, which somebody signed who may not write any more
    #[arg(long, value_name = "NAME", requires = "finish")]
    adopt: Vec<SecretName>,
    /// With --finish: drop the data keys of older epochs, when no branch needs them any more
    #[arg(long, requires = "finish")]
    forget: bool,
    /// A new authority, and so a new id, which everybody has to trust anew
    #[arg(long, conflicts_with_all = ["finish", "environments"])]
    authority: bool,
    #[command(flatten)]
    yes: Yes,
}

impl From<RotateArguments> for Rotate {
    fn from(typed: RotateArguments) -> Self {
        let older = if typed.forget { Older::Forgotten } else { Older::Kept };
        let what = if typed.authority {
            What::Authority
        } else if typed.finish {
            What::Finish { adopted: typed.adopt, older }
        } else {
            What::Epoch
        };
        let environments = typed.environments.environments;
        Self { environments, what, answer: typed.yes.answer() }
    }
}
