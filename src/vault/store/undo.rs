//! The replacement of a vault by another one. The old files are kept until it is complete.
//!
//! Under a new id no old file is of any use beside a new one, so a change that was interrupted can
//! only be taken back. The old files wait in `.vault/tmp/before`, laid out like `.vault`; while
//! that folder is there, nothing of the vault is used. The root is copied there first and
//! replaced last, so it shows how far the change came. The old files are not trusted because of
//! their place. After they are put back, they must be checked like any others.

use super::batch::{Batch, durable};
use super::staging::{TEMPORARY, folder_in, not_written, split, temporary_name};
use super::tree::{Tree, unusable};
use super::write::Writer;
use crate::fault::Fault;
use crate::platform::{Dir, FileAccess, ReadError};
use crate::vault::format::ROOT_PATH;
use crate::vault::model::LARGEST_ROOT;

const BEFORE: &str = "before";
const PATH: &str = "tmp/before";

impl Batch<'_> {
    /// Moves everything to its place, the root last, and keeps what was there before until
    /// [`Writer::forget_before`] or [`Writer::put_back`].
    ///
    /// # Errors
    /// If the disk fails.
    pub fn finish_reversibly(mut self) -> Result<(), Fault> {
        self.sync()?;
        let before = self.temporary.make_dir(BEFORE).map_err(not_kept)?;
        self.copy_root(&before)?;
        [&before, &self.temporary]
            .into_iter()
            .try_for_each(durable)?;
        for waiting in self
            .waiting
            .iter()
            .filter(|waiting| waiting.path != ROOT_PATH)
        {
            let (folder, name) = split(&waiting.path);
            let from = &self.folders[folder];
            let to_name = if folder.is_empty() { "." } else { folder };
            let to = before.make_dir(to_name).map_err(not_kept)?;
            let moved = from.has(name).and_then(|has| {
                if has {
                    from.rename(name, &to, name)
                } else {
                    Ok(())
                }
            });
            moved.map_err(|error| not_written(PATH, error))?;
        }
        self.folders
            .values()
            .chain([&before])
            .try_for_each(durable)?;
        self.move_all()
    }

    /// Copies the root in place to `before` in one step: half a root there could not be judged.
    fn copy_root(&self, before: &Dir) -> Result<(), Fault> {
        let root = self
            .store
            .read(ROOT_PATH, LARGEST_ROOT)
            .map_err(not_kept)?
            .unwrap_or_default();
        let name = temporary_name();
        let copy = || {
            self.temporary
                .create(&name, &root, FileAccess::Shared)?
                .sync_all()?;
            self.temporary.rename(&name, before, ROOT_PATH)
        };
        copy().map_err(|error| {
            // The next writer removes it if it remains.
            let _ = self.temporary.remove(&name);
            not_written(PATH, error)
        })
    }
}

impl Tree {
    /// Whether another vault was about to take the place of this one.
    ///
    /// # Errors
    /// If it cannot be determined.
    pub fn has_interrupted_replacement(&self) -> Result<bool, Fault> {
        let Self::Working(store) = self else {
            return Ok(false);
        };
        Ok(replaced_vault(store)?.is_some())
    }
}

impl Writer {
    /// The vault that was to be replaced, if that was interrupted.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn replaced_vault(&self) -> Result<Option<Tree>, Fault> {
        Ok(replaced_vault(&self.store)?.map(Tree::Working))
    }

    /// Puts back what was there before. Can be interrupted and called again.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn put_back(&self) -> Result<(), Fault> {
        self.empty(|from, name, to| from.rename(name, to, name))
    }

    /// Removes the old files once the new vault is in effect. Can be interrupted and called again.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn forget_before(&self) -> Result<(), Fault> {
        self.empty(|from, name, _| from.remove(name))
    }

    /// Calls `each` with every old file and with its folder in the store. The root comes last,
    /// because it shows which work remains.
    fn empty(&self, each: impl Fn(&Dir, &str, &Dir) -> std::io::Result<()>) -> Result<(), Fault> {
        let Some(before) = replaced_vault(&self.store)? else {
            return Ok(());
        };
        let failed = |error: std::io::Error| not_written(PATH, error);
        let mut names = before.names().map_err(failed)?;
        names.sort_by_key(|name| name == ROOT_PATH);
        for name in &names {
            match before.dir(name) {
                Ok(Some(folder)) => {
                    let place = folder_in(&self.store, name)?;
                    for file in folder.names().map_err(failed)? {
                        each(&folder, &file, &place).map_err(failed)?;
                    }
                    durable(&place)?;
                    before.remove_dir(name).map_err(failed)?;
                }
                Ok(None) => {}
                Err(ReadError::NotRegular) => each(&before, name, &self.store).map_err(failed)?,
                Err(error) => return Err(not_kept(error)),
            }
        }
        durable(&self.store)?;
        folder_in(&self.store, TEMPORARY)?
            .remove_dir(BEFORE)
            .map_err(failed)
    }
}

/// If the folder's place is taken by a link or a file, we kept nothing there.
fn replaced_vault(store: &Dir) -> Result<Option<Dir>, Fault> {
    let folder = |dir: &Dir, name| match dir.dir(name) {
        Err(ReadError::NotRegular) => Ok(None),
        opened => opened.map_err(not_kept),
    };
    let temporary = folder(store, TEMPORARY)?;
    Ok(temporary
        .map(|temporary| folder(&temporary, BEFORE))
        .transpose()?
        .flatten())
}

fn not_kept(error: ReadError) -> Fault {
    match error {
        ReadError::Io(error) => not_written(PATH, error),
        error => unusable(PATH, "a folder", error),
    }
}
