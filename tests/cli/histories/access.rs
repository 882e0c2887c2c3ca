//! Access to an environment, and what becomes of it in a merge.

use std::collections::BTreeSet;

use super::model::Secret;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    Read,
    Names(BTreeSet<Secret>),
}

impl Access {
    pub(super) fn reads(&self, name: Secret) -> bool {
        match self {
            Self::Write | Self::Read => true,
            Self::Names(names) => names.contains(name),
        }
    }

    /// As the command line and the list of members spell it.
    pub(super) fn spelled(&self) -> String {
        match self {
            Self::Write => "write".to_owned(),
            Self::Read => "read".to_owned(),
            Self::Names(names) => names.iter().copied().collect::<Vec<_>>().join(","),
        }
    }
}

/// Whether `more` allows everything that `less` does.
pub(super) fn covers(more: Option<&Access>, less: Option<&Access>) -> bool {
    match (more, less) {
        (_, None) | (Some(Access::Write), _) => true,
        (Some(Access::Read), Some(less)) => *less != Access::Write,
        (Some(Access::Names(more)), Some(Access::Names(less))) => less.is_subset(more),
        (None | Some(Access::Names(_)), Some(_)) => false,
    }
}

/// Whether something that `before` could read is closed to `after`.
pub(super) fn reads_less(after: Option<&Access>, before: Option<&Access>) -> bool {
    match before {
        Some(Access::Write) => !covers(after, Some(&Access::Read)),
        before => !covers(after, before),
    }
}

/// The lesser if a side reduced it, otherwise the greater; of names, what was there with both sides'
/// gains and without both sides' losses.
pub(super) fn one_access(
    base: Option<&Access>,
    ours: Option<&Access>,
    theirs: Option<&Access>,
) -> Option<Access> {
    if let (Some(Access::Names(one)), Some(Access::Names(two))) = (ours, theirs) {
        let names = match base {
            Some(Access::Write | Access::Read) => one & two,
            Some(Access::Names(old)) => {
                let lost = &(old - one) | &(old - two);
                &(one | two) - &lost
            }
            None => one | two,
        };
        return Some(Access::Names(names));
    }
    let is_reduced = !covers(ours, base) || !covers(theirs, base);
    let one = if covers(ours, theirs) == is_reduced {
        theirs
    } else {
        ours
    };
    one.cloned()
}
