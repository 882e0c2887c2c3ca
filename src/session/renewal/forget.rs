//! The end of older epochs, once no entry is sealed in them.

use std::collections::BTreeSet;

use super::plan::stale;
use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::session::context::Context;
use crate::vault::format::entry_path;
use crate::vault::name::EnvironmentName;

/// Drops the older epochs of `names`, in which no entry may be sealed. First seals the newest to
/// every member with access who has no key to it, so that no one drops out.
///
/// # Errors
/// If an entry is sealed in one.
pub(crate) fn forget_older(
    context: &Context,
    admin: &mut Admin<'_>,
    names: &BTreeSet<EnvironmentName>,
) -> Result<BTreeSet<EnvironmentName>, Fault> {
    let before = admin.membership()?;
    let (mut after, mut forgotten) = (before.clone(), BTreeSet::new());
    for name in names {
        let environment = admin.session.vault.environment(name)?;
        if environment.epochs.len() == 1 {
            continue;
        }
        if let Some(entry) = stale(&admin.session.vault, environment)?.first() {
            let path = entry_path(name, entry);
            return Err(Fault::refused_file(&path, "is sealed in an older epoch"));
        }
        admin.seal_newest(environment, &mut after)?;
        if let Some(own) = after.root.environments.get_mut(name) {
            own.epochs.truncate(1);
        }
        forgotten.insert(name.clone());
    }
    if !forgotten.is_empty() {
        let files = admin.member_files(&before, &mut after);
        after.root.revision += 1;
        let root = admin.authority().sign_root(&after.root);
        admin.remember(context)?;
        // The keys that are forgotten are dropped last: until the root is written, they count.
        let files: Vec<_> = files
            .into_iter()
            .map(|(_, file)| file)
            .chain([root])
            .chain(admin.cleaned_files(&after))
            .collect();
        admin.writer.replace(&files)?;
        admin.read_again()?;
    }
    Ok(forgotten)
}
