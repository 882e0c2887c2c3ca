//! The state after a merge, by the rules of docs/reference/members.md.

use std::collections::{BTreeMap, BTreeSet};

use super::access::{Access, one_access, reads_less};
use super::model::{Entry, Env, Member, Place, Secret, State};

/// A side of a merge, in git's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Ours,
    Theirs,
}

impl Side {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Theirs => "theirs",
        }
    }

    pub(super) fn option(self) -> String {
        format!("--{}", self.word())
    }
}

/// How a merge ends.
pub(super) enum Ending<'a> {
    /// Git merges each file alone.
    Clean,
    /// `vault resolve` ends it.
    Resolved {
        /// The caller.
        by: &'a str,
        /// The side of entries that both changed.
        side: Side,
        /// The side of keys that both changed.
        take: &'a BTreeMap<String, Side>,
    },
}

/// The merge of `ours` and `theirs`, which both come from `base`. `next` makes new numbers, of tags and
/// epochs.
pub(super) struct Union<'a> {
    pub(super) base: &'a State,
    pub(super) ours: &'a State,
    pub(super) theirs: &'a State,
    pub(super) ending: Ending<'a>,
    pub(super) next: &'a mut dyn FnMut() -> usize,
}

/// What a file becomes that one side left as it was; `None` if both changed it.
#[expect(
    clippy::option_option,
    reason = "a file that is gone is a decision, too"
)]
fn unchanged<T: Clone>(
    file: impl Fn(&T) -> u64,
    base: Option<&T>,
    ours: Option<&T>,
    theirs: Option<&T>,
) -> Option<Option<T>> {
    let [b, o, t] = [base, ours, theirs].map(|own| own.map(&file));
    if o == t || t == b {
        Some(ours.cloned())
    } else if o == b {
        Some(theirs.cloned())
    } else {
        None
    }
}

impl Union<'_> {
    pub(super) fn state(&mut self) -> State {
        let is_resolved = matches!(self.ending, Ending::Resolved { .. });
        let mut state = self.root();
        let mut epochs = if is_resolved {
            self.parted()
        } else {
            BTreeSet::new()
        };
        self.add_members(&mut state, &mut epochs);
        self.drop_unknown_environments(&mut state);
        self.add_entries(&mut state);
        if is_resolved {
            self.find_known_keys(&state, &mut epochs);
        }
        self.find_late(&mut state, &epochs);
        for env in epochs {
            let epoch = (self.next)();
            if let Some(place) = state.places.get_mut(env) {
                place.epoch = epoch;
            }
        }
        state
    }

    /// Everything that the root says.
    fn root(&mut self) -> State {
        let roots = [self.base, self.ours, self.theirs];
        let [base, ours, theirs] = roots.map(Some);
        let only = |state: &State| State {
            members: BTreeMap::new(),
            entries: BTreeMap::new(),
            late: BTreeSet::new(),
            stale: BTreeSet::new(),
            orphans: BTreeSet::new(),
            strays: BTreeSet::new(),
            ..state.clone()
        };
        let one = unchanged(|state: &State| state.root, base, ours, theirs).flatten();
        match (one, &self.ending) {
            (Some(one), Ending::Clean) => return only(&one),
            (None, Ending::Clean) => panic!("git cannot merge two roots"),
            (_, Ending::Resolved { .. }) => {}
        }
        let mut state = only(self.ours);
        state.tags.extend(&self.theirs.tags);
        state.former.extend(self.theirs.former.iter().cloned());
        state.former_keys.extend(&self.theirs.former_keys);
        state.places = self.places();
        state
    }

    fn places(&self) -> BTreeMap<Env, Place> {
        let names: BTreeSet<Env> = [self.ours, self.theirs]
            .iter()
            .flat_map(|state| state.places.keys().copied())
            .collect();
        let place = |env| {
            let [base, ours, theirs] =
                [self.base, self.ours, self.theirs].map(|state| state.places.get(env));
            match (base, ours, theirs) {
                (Some(_), None, _) | (Some(_), _, None) | (None, None, None) => None,
                (None, Some(only), None) | (None, None, Some(only)) => Some(only.clone()),
                (base, Some(ours), Some(theirs)) => {
                    let again = self.again(env);
                    let is_theirs = again == Some(Side::Theirs)
                        || (again.is_none() && base.is_some_and(|base| base.epoch == ours.epoch));
                    let mut one = if is_theirs { theirs } else { ours }.clone();
                    if again.is_none() {
                        one.made = &ours.made | &theirs.made;
                    }
                    Some(one)
                }
            }
        };
        names
            .into_iter()
            .filter_map(|env| Some((env, place(env)?)))
            .collect()
    }

    /// The side that made an environment again.
    fn again(&self, env: Env) -> Option<Side> {
        let [base, ours, theirs] =
            [self.base, self.ours, self.theirs].map(|state| state.places.get(env));
        let (base, ours, theirs) = (&base?.made, &ours?.made, &theirs?.made);
        match (ours.is_disjoint(base), theirs.is_disjoint(base)) {
            (true, false) => Some(Side::Ours),
            (false, true) => Some(Side::Theirs),
            _ => None,
        }
    }

    /// Where both sides started an epoch, or one made the environment again.
    fn parted(&self) -> BTreeSet<Env> {
        let is_parted = |env: &Env| {
            let [base, ours, theirs] = [self.base, self.ours, self.theirs]
                .map(|state| state.places.get(env).map(|place| place.epoch));
            let both = ours.is_some() && theirs.is_some();
            both && (self.again(env).is_some()
                || (ours != theirs && ours != base && theirs != base))
        };
        let names = self.ours.places.keys().copied();
        names.filter(is_parted).collect()
    }

    fn add_members(&mut self, state: &mut State, epochs: &mut BTreeSet<Env>) {
        let is_resolved = self.is_resolved();
        let names: BTreeSet<String> = [self.base, self.ours, self.theirs]
            .iter()
            .flat_map(|state| state.members.keys().cloned())
            .collect();
        for name in names {
            let [base, ours, theirs] =
                [self.base, self.ours, self.theirs].map(|state| state.members.get(&name));
            if state.former.contains(&name) {
                continue;
            }
            let unchanged = unchanged(|own: &Member| own.file, base, ours, theirs);
            let is_deleted = base.is_some() && ours.is_some() != theirs.is_some();
            let one = match (unchanged, ours, theirs) {
                (_, Some(only), None) | (_, None, Some(only)) if is_deleted && is_resolved => {
                    // Gone without a revocation: kept, or removed.
                    if !self.is_taken(&name) {
                        epochs.extend(
                            self.written(state)
                                .union(&only.access.keys().copied().collect()),
                        );
                        state.members.insert(name.clone(), only.clone());
                        state.dismiss(&name);
                        state.tags.insert((self.next)());
                        continue;
                    }
                    Some(only.clone())
                }
                // A file that went back is never taken.
                (Some(Some(_)), Some(ours), Some(theirs))
                    if is_resolved && ours.revision != theirs.revision =>
                {
                    let is_ours = ours.revision > theirs.revision;
                    Some(if is_ours { ours } else { theirs }.clone())
                }
                (Some(one), ..) => one,
                (None, Some(ours), Some(theirs)) => {
                    Some(self.both(state, &name, base, ours, theirs))
                }
                (None, ..) => panic!("git cannot merge a file that is gone"),
            };
            state.members.extend(one.map(|one| (name, one)));
        }
        let State {
            members,
            former_keys,
            ..
        } = state;
        members.retain(|_, member| !former_keys.contains(&member.key));
    }

    fn is_taken(&self, name: &str) -> bool {
        matches!(self.ending, Ending::Resolved { take, .. } if take.contains_key(name))
    }

    /// Where the caller of `resolve` can write.
    fn written(&self, state: &State) -> BTreeSet<Env> {
        let Ending::Resolved { by, .. } = self.ending else {
            return BTreeSet::new();
        };
        let side = if self.ours.members.contains_key(by) {
            self.ours
        } else {
            self.theirs
        };
        let places = state.places.keys().copied();
        places
            .filter(|env| side.access(by, env) == Some(&Access::Write))
            .collect()
    }

    fn both(
        &self,
        state: &mut State,
        name: &str,
        base: Option<&Member>,
        ours: &Member,
        theirs: &Member,
    ) -> Member {
        let Ending::Resolved { take, .. } = &self.ending else {
            panic!("git cannot merge two files of {name}");
        };
        let side = if ours.key == theirs.key || base.is_some_and(|base| base.key == theirs.key) {
            Side::Ours
        } else if base.is_some_and(|base| base.key == ours.key) {
            Side::Theirs
        } else {
            take[name]
        };
        let (own, other) = match side {
            Side::Ours => (ours, theirs),
            Side::Theirs => (theirs, ours),
        };
        if own.key != other.key {
            state.former_keys.insert(other.key);
        }
        let envs: BTreeSet<Env> = ours
            .access
            .keys()
            .chain(theirs.access.keys())
            .copied()
            .collect();
        let merged = envs.into_iter().filter_map(|env| {
            let base = base.and_then(|base| base.access.get(env));
            let access = one_access(base, ours.access.get(env), theirs.access.get(env))?;
            Some((env, access))
        });
        Member {
            file: 0,
            is_admin: ours.is_admin || theirs.is_admin,
            access: merged.collect(),
            ..own.clone()
        }
    }

    /// Access counts only in environments that the root lists, and with a key of one of its epochs.
    fn drop_unknown_environments(&self, state: &mut State) {
        for (name, member) in &mut state.members {
            member.access.retain(|env, _| {
                let again = self.again(env).map(|side| match side {
                    Side::Ours => self.ours,
                    Side::Theirs => self.theirs,
                });
                state.places.contains_key(env)
                    && again.is_none_or(|side| side.access(name, env).is_some())
            });
        }
    }

    fn add_entries(&self, state: &mut State) {
        let names: BTreeSet<(Env, Secret)> = [self.base, self.ours, self.theirs]
            .iter()
            .flat_map(|state| state.entries.keys().copied())
            .collect();
        for name in names
            .into_iter()
            .filter(|(env, _)| state.places.contains_key(env))
        {
            let [base, ours, theirs] =
                [self.base, self.ours, self.theirs].map(|state| state.entries.get(&name));
            let one = match self.again(name.0) {
                Some(Side::Ours) if self.is_resolved() => ours.cloned(),
                Some(Side::Theirs) if self.is_resolved() => theirs.cloned(),
                _ => match unchanged(|entry: &Entry| entry.file, base, ours, theirs) {
                    Some(one) => one,
                    None => self.choose(ours, theirs).cloned(),
                },
            };
            state.entries.extend(one.map(|one| (name, one)));
        }
    }

    fn is_resolved(&self) -> bool {
        matches!(self.ending, Ending::Resolved { .. })
    }

    /// The higher revision; with equal ones, what was chosen.
    fn choose<'e>(&self, ours: Option<&'e Entry>, theirs: Option<&'e Entry>) -> Option<&'e Entry> {
        let Ending::Resolved { side, .. } = self.ending else {
            panic!("git cannot merge two files of an entry");
        };
        match (ours, theirs) {
            (Some(one), Some(two)) if one.revision > two.revision => ours,
            (Some(one), Some(two)) if one.revision < two.revision => theirs,
            _ if side == Side::Ours => ours,
            _ => theirs,
        }
    }

    /// A new epoch wherever someone holds the newest key whom the result does not give the same access.
    fn find_known_keys(&self, state: &State, epochs: &mut BTreeSet<Env>) {
        for (env, place) in &state.places {
            for side in [self.base, self.ours, self.theirs] {
                if side
                    .places
                    .get(env)
                    .is_none_or(|own| own.epoch != place.epoch)
                {
                    continue;
                }
                for (name, member) in &side.members {
                    let now = state.members.values().find(|now| now.key == member.key);
                    let now = now.and_then(|now| now.access.get(env));
                    if side.holds(name, env) && reads_less(now, member.access.get(env)) {
                        epochs.insert(env);
                    }
                }
            }
        }
    }

    /// Members with access who hold no key to the newest epoch, which another side started.
    fn find_late(&self, state: &mut State, epochs: &BTreeSet<Env>) {
        let mut late = BTreeSet::new();
        for (env, place) in state
            .places
            .iter()
            .filter(|(env, _)| !epochs.contains(*env))
        {
            for (name, member) in state
                .members
                .iter()
                .filter(|(_, own)| own.access.contains_key(env))
            {
                // A file that was merged has the keys of both.
                let is_from =
                    |own: &Member| own.key == member.key && [0, own.file].contains(&member.file);
                let holds = [self.ours, self.theirs].iter().any(|side| {
                    let is_own = side.members.get(name).is_some_and(is_from);
                    let epoch = side.places.get(env).map(|place| place.epoch);
                    is_own && epoch == Some(place.epoch) && side.holds(name, env)
                });
                if !holds {
                    late.insert((name.clone(), *env));
                }
            }
        }
        state.late = late;
    }
}
