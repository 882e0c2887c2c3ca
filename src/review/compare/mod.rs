//! The differences between two vaults. Pure: both are already read and checked, and the wording of
//! the differences is elsewhere.

mod entries;
mod loosened;
mod membership;
mod paths;
mod requests;
mod root;
mod sealed;
mod variables;

pub(super) use entries::{
    Contents, EntryChange, EntryDifference, Place, PriorPresence, SingleChange, Unrelated, entries,
};
pub(super) use loosened::{Loosened, LooserSecret, loosened};
pub(super) use membership::{AccessChange, Cause, CredentialChange, Key, MemberChange, members};
pub(super) use paths::{PathChange, paths};
pub(super) use requests::{RequestChange, Requests, requests};
pub(super) use root::{EnvironmentChange, Lineage, RootChange, environments, lineage, root};
pub(super) use sealed::{Resealed, SealedChange, resealed};
pub(super) use variables::{VariableChange, VariableDifference};
