//! The entry in the keyring, through the crate `keyring`. Runs aside, where waiting and leftovers do no
//! harm.

use super::{Absence, Work};
use crate::secret::Secret;

/// Does the work. Calls `reached` when the keyring has answered: what follows may wait for a person.
///
/// # Errors
/// If the entry cannot be used, or the work cannot be done.
#[cfg(feature = "keyring")]
pub(super) fn perform(work: &Work, reached: &mut dyn FnMut()) -> Result<Secret, Absence> {
    if let Err(error) = keyring::Entry::store_status() {
        return Err(Absence::NoService(cause(error)));
    }
    reached();
    let entry = keyring::Entry::new(super::SERVICE, super::ACCOUNT).map_err(absence)?;
    let held = entry.get_secret().map(Secret::new).map_err(absence);
    match (work, held) {
        (Work::Read, held) => held,
        (Work::Store(text) | Work::Remove(text), Ok(held)) if !held.same_as(text) => {
            Err(Absence::Other)
        }
        (Work::Store(_), Ok(held)) => Ok(held),
        (Work::Store(text), Err(Absence::Empty)) => {
            entry.set_secret(text.expose()).map_err(absence)?;
            let written = entry.get_secret().map(Secret::new).map_err(absence)?;
            if written.same_as(text) {
                Ok(written)
            } else {
                Err(Absence::Other)
            }
        }
        (Work::Remove(_), Ok(held)) => entry.delete_credential().map(|()| held).map_err(absence),
        (Work::Remove(_), Err(Absence::Empty)) => Ok(Secret::new(Vec::new())),
        (_, Err(other)) => Err(other),
    }
}

#[cfg(feature = "keyring")]
fn absence(error: keyring::Error) -> Absence {
    match error {
        keyring::Error::NoEntry => Absence::Empty,
        keyring::Error::NoStorageAccess(_) => Absence::Locked,
        keyring::Error::Ambiguous(_) => Absence::Several,
        // These hold what was found, and must not be printed.
        keyring::Error::BadEncoding(_) | keyring::Error::BadDataFormat(..) => Absence::Other,
        other => Absence::Failed(cause(&other)),
    }
}

/// The innermost error, which says most.
#[cfg(feature = "keyring")]
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

/// The same without the crate.
#[cfg(not(feature = "keyring"))]
pub(super) fn perform(_: &Work, _: &mut dyn FnMut()) -> Result<Secret, Absence> {
    Err(Absence::NotBuilt)
}
