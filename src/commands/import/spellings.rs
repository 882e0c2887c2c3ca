//! Names in a file that differ only in case: one secret if their values are equal.
//!
//! Files on Unix often have both `http_proxy` and `HTTP_PROXY`, because some programs read one and
//! some the other.

use std::collections::HashMap;

use crate::fault::Fault;
use crate::session::apply::Change;
use crate::session::context::Context;
use crate::session::open::Session;
use crate::vault::name::{EnvironmentName, SecretName};

/// Returns the changes with one for each name regardless of case: in the spelling that the
/// environment has, or else in the first one of the file.
///
/// # Errors
/// `Usage` if two spellings have different values.
pub(super) fn one_per_name(
    context: &Context,
    session: &Session,
    environment: &EnvironmentName,
    changes: Vec<Change>,
) -> Result<Vec<Change>, Fault> {
    let mut kept: Vec<Change> = Vec::with_capacity(changes.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut twice: Vec<(usize, SecretName)> = Vec::new();
    for change in changes {
        let Some(&at) = places.get(&change.name.folded()) else {
            places.insert(change.name.folded(), kept.len());
            kept.push(change);
            continue;
        };
        if !are_equal(&kept[at], &change) {
            let (one, other) = (&kept[at].name, &change.name);
            let message =
                format!("{one} and {other} differ only in case and have different values");
            return Err(Fault::usage(message).hint("keep one of the two lines"));
        }
        twice.push((at, change.name));
    }
    if twice.is_empty() {
        return Ok(kept);
    }
    let existing = session.vault.entry_names(environment)?;
    for (at, other) in twice {
        let name = kept[at].name.clone();
        if existing.contains(&other) {
            kept[at].name = other.clone();
        }
        let stored = &kept[at].name;
        let message = format!("{name} and {other} have the same value: stored as {stored}");
        context.console.note(message);
    }
    Ok(kept)
}

fn are_equal(one: &Change, other: &Change) -> bool {
    match (&one.value, &other.value) {
        (Some(one), Some(other)) => one.same_as(other),
        _ => false,
    }
}
