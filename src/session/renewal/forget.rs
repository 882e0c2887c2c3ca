//! The end of older epochs, once no entry is sealed in them.

use std::collections::BTreeSet;

use super::plan::stale;
use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::session::context::Context;
use crate::vault::format::entry_path;
use crate::vault::name::EnvironmentName;
use crate::vault::rotation::without_older;

/// Drops the older epochs of `names`, in none of which an entry is sealed any more.
///
/// # Errors
/// When an entry is.
pub(crate) fn forget_older(
    context: &Context,
    admin: &mut Admin<'_>,
    names: &BTreeSet<EnvironmentName>,
) -> Result<BTreeSet<EnvironmentName>, Fault> {
    let mut roster = admin.roster();
    let (mut files, mut forgotten) = (Vec::new(), BTreeSet::new());
    for name in names {
        let environment = admin.session.vault.environment(name)?;
        if environment.content().epochs.len() == 1 {
            continue;
        }
        let newer = without_older(environment.content())?;
        if let Some(name) = stale(&admin.session.vault, environment)?.first() {
            let path = entry_path(&newer.name, name);
            return Err(Fault::refused_file(&path, "is of an older epoch"));
        }
        files.push((name.clone(), admin.authority().sign_environment(&newer)));
        forgotten.insert(name.clone());
    }
    if !files.is_empty() {
        admin.remember(context)?;
        admin.write_environments(&mut roster, files)?;
        admin.write_roster(&mut roster)?;
        admin.read_again()?;
    }
    Ok(forgotten)
}
