//! Warnings about files in git: that it ignores the vault, or has the plaintext. A vault works without
//! git, so an answer that git cannot give is not missed.

use std::path::Path;

use super::apply::Change;
use super::console::Console;
use crate::git::{Presence, Repository};
use crate::vault::format::{ROOT_PATH, entry_path};
use crate::vault::store::{CONFIG_FILE, Place, STORE_FOLDER};

/// Warns if git ignores a file of the vault: other clones and CI would not have it.
pub(crate) fn warn_if_ignored(console: Console, place: &Place, changes: &[Change]) {
    let Ok(repository) = Repository::open(place.folder()) else {
        return;
    };
    let mut paths = vec![
        CONFIG_FILE.to_owned(),
        format!("{STORE_FOLDER}/{ROOT_PATH}"),
    ];
    let entry = |change: &Change| entry_path(&change.environment, &change.name);
    paths.extend(
        changes
            .iter()
            .map(entry)
            .map(|path| format!("{STORE_FOLDER}/{path}")),
    );
    let Some(ignored) = repository.ignored(&paths).into_iter().next() else {
        return;
    };
    console.warn(format!(
        "git ignores {ignored}, so other clones and CI would not have it; to see which rule does: \
         `git check-ignore -v {ignored}`"
    ));
}

/// Warns if git has this file with plaintext.
pub(crate) fn warn_if_committed(console: Console, path: &str) {
    // Git knows the file itself, not a link to it.
    let Ok(file) = Path::new(path).canonicalize() else {
        return;
    };
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
        return;
    };
    let Ok(repository) = Repository::open(folder) else {
        return;
    };
    match repository.presence(&name.to_string_lossy()) {
        Presence::None => {}
        Presence::Staged => console.warn(format!(
            "{path} is staged in git; before you commit: `git rm --cached {path}`"
        )),
        Presence::Since { commit, day } => console.warn(format!(
            "{path} is in git since commit {commit} ({day}), so its values are in the history: \
             replace each at its source"
        )),
    }
}
