//! The arguments of `resolve`.

use std::cell::RefCell;

use clap::Args;

use super::Yes;
use crate::merge::{Choices, Which};
use crate::vault::name::SecretName;

#[derive(Args)]
pub(in crate::cli) struct ResolveArguments {
    /// The secrets that --ours or --theirs is for; with --yes, also the names to confirm
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Keep our value of each secret that both sides changed
    #[arg(long, conflicts_with = "theirs")]
    ours: bool,
    /// Keep their value of each secret that both sides changed
    #[arg(long)]
    theirs: bool,
    /// The side of one secret, or of a member whose keys both sides changed: bob=ours
    #[arg(long, value_name = "NAME=SIDE", value_parser = parse_take)]
    take: Vec<(String, Which)>,
    /// Sign this secret, whose signer can no longer write
    #[arg(long, value_name = "NAME")]
    adopt: Vec<SecretName>,
    #[command(flatten)]
    yes: Yes,
}

impl From<ResolveArguments> for Choices {
    fn from(typed: ResolveArguments) -> Self {
        let side = if typed.ours {
            Some(Which::Ours)
        } else {
            typed.theirs.then_some(Which::Theirs)
        };
        Self {
            names: typed.names.into_iter().collect(),
            side,
            take: typed.take.into_iter().collect(),
            adopt: typed.adopt.into_iter().collect(),
            answer: typed.yes.answer(),
            used: RefCell::default(),
        }
    }
}

fn parse_take(text: &str) -> Result<(String, Which), String> {
    let (name, side) = text.split_once('=').unwrap_or_default();
    let side = match side {
        "ours" => Which::Ours,
        "theirs" => Which::Theirs,
        _ => return Err("write it as NAME=ours or NAME=theirs".to_owned()),
    };
    Ok((name.to_owned(), side))
}
