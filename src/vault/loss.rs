//! What a change of the roster takes, and from whom.
//!
//! Whatever somebody could read, sign or decide stays in git history together with the keys to it,
//! so it is not enough to strike them off a list: what is taken here names what must be sealed and
//! signed anew. Pure: compares two rosters and knows no keys.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Access, Environment, Former, Lost, Member, Roster};
use super::name::{EnvironmentName, MemberName, SecretName};
use crate::crypto::PublicKey;

/// What the members of one roster can no longer do in the next.
#[derive(Default)]
pub struct Loss {
    /// Who loses anything.
    pub members: BTreeSet<MemberName>,
    /// Where somebody can no longer read what they could: a new epoch is due there.
    pub readable: BTreeSet<EnvironmentName>,
    /// Whose signatures no longer count, and where: these entries must be signed anew.
    pub signatures: BTreeMap<EnvironmentName, BTreeSet<MemberName>>,
    /// Whether somebody who could open the authority no longer may: there must be a new one.
    pub authority: bool,
}

impl Loss {
    /// What is taken where `after` takes the place of `before`.
    #[must_use]
    pub fn between(before: &Roster, after: &Roster) -> Self {
        let mut loss = Self::default();
        for (name, member) in &before.members {
            // Whoever has another recipient is somebody else: the old identity may be in any hands.
            let same = after
                .members
                .get(name)
                .filter(|new| new.recipient == member.recipient);
            if member.is_admin() && !same.is_some_and(Member::is_admin) {
                loss.authority = true;
                loss.members.insert(name.clone());
            }
            for environment in after.environments.keys() {
                if loses(member, same, environment) {
                    loss.readable.insert(environment.clone());
                    loss.members.insert(name.clone());
                }
                let signer = member.signer_in(environment);
                let now = after
                    .members
                    .get(name)
                    .and_then(|new| new.signer_in(environment));
                if signer.is_some() && signer != now {
                    loss.signatures
                        .entry(environment.clone())
                        .or_default()
                        .insert(name.clone());
                    loss.members.insert(name.clone());
                }
            }
        }
        loss
    }
}

/// Whether a member, who is now `after`, can no longer read something in `environment`.
fn loses(before: &Member, after: Option<&Member>, environment: &EnvironmentName) -> bool {
    let now = after.and_then(|after| after.access.get(environment));
    Access::loses(before.access.get(environment), now)
}

impl Roster {
    /// Strikes `name` off the list of members; the name stays among the former.
    pub fn dismiss(&mut self, name: &MemberName) {
        if let Some(member) = self.members.remove(name) {
            let signer = member.signing.map(|signing| signing.signer);
            let former = Former {
                recipient: member.recipient,
                signer,
                lost: member.lost,
            };
            self.former.insert(name.clone(), former);
        }
    }

    /// Keeps the key that `name` has now among the former members, before another one takes its
    /// place: whoever holds it may be anybody, and knows what it opened.
    pub fn retire_key(&mut self, name: &MemberName) {
        if let Some(member) = self.members.get(name) {
            let signer = member.signing.as_ref().map(|signing| signing.signer);
            let recipient = member.recipient.clone();
            let former = Former {
                recipient,
                signer,
                lost: BTreeMap::new(),
            };
            let mut revision = self.revision;
            let mut old = name.until(revision);
            while self.members.contains_key(&old) || self.former.contains_key(&old) {
                revision += 1;
                old = name.until(revision);
            }
            self.former.insert(old, former);
        }
    }

    /// The key with which `name` signed and no longer does; several, where keys were replaced.
    pub(super) fn former_signers(&self, name: &MemberName) -> impl Iterator<Item = PublicKey> {
        let is_own = move |former: &MemberName| former == name || former.is_of(name);
        let former = self.former.iter().filter(move |(former, _)| is_own(former));
        former.filter_map(|(_, former)| former.signer)
    }

    /// Writes down what everybody in `before` could read in `environment` and no longer can.
    pub fn record_lost(&mut self, before: &Self, environment: &Environment) {
        for (name, member) in &before.members {
            let place = &environment.name;
            let same = self
                .members
                .get(name)
                .filter(|new| new.recipient == member.recipient);
            let sealed = environment
                .epochs
                .iter()
                .find(|epoch| epoch.sealed.contains_key(name));
            let Some(epoch) = sealed.filter(|_| loses(member, same, place)) else {
                continue;
            };
            let now = same.and_then(|same| same.access.get(place));
            let lost = Lost {
                epoch: epoch.number,
                names: taken(&member.access[place], now),
            };
            let known = if same.is_some() {
                self.members.get_mut(name).map(|member| &mut member.lost)
            } else {
                let mut former = self.former.values_mut();
                former
                    .find(|key| key.recipient == member.recipient)
                    .map(|key| &mut key.lost)
            };
            if let Some(known) = known {
                let lost = known
                    .get(place)
                    .map_or(lost.clone(), |earlier| both(earlier, &lost));
                known.insert(place.clone(), lost);
            }
        }
    }

    /// Who may still be sealed to in the older epochs of `environment`: those of `before` who have
    /// lost nothing there.
    #[must_use]
    pub fn keepers(&self, before: &Self, environment: &EnvironmentName) -> BTreeSet<MemberName> {
        let keeper = |(name, member): (&MemberName, &Member)| {
            let same = self
                .members
                .get(name)
                .filter(|new| new.recipient == member.recipient);
            let had = member.access.contains_key(environment);
            (had && !loses(member, same, environment)).then(|| name.clone())
        };
        before.members.iter().filter_map(keeper).collect()
    }
}

/// The names that were taken; nothing where it was all of them.
fn taken(before: &Access, now: Option<&Access>) -> Option<BTreeSet<SecretName>> {
    match (before, now) {
        (Access::Names(before), Some(Access::Names(now))) => Some(before - now),
        (Access::Names(before), _) => Some(before.clone()),
        (Access::Write | Access::Read, _) => None,
    }
}

/// Two losses in one environment as one, which never says less than the two.
fn both(earlier: &Lost, later: &Lost) -> Lost {
    let names = earlier.names.as_ref().zip(later.names.as_ref());
    Lost {
        epoch: earlier.epoch.max(later.epoch),
        names: names.map(|(earlier, later)| earlier | later),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Commitment, Identity, SigningKey, VaultId};
    use crate::vault::model::{Epoch, Listed, Signing};

    fn environment(name: &str) -> EnvironmentName {
        name.parse().unwrap()
    }

    fn bob() -> MemberName {
        "bob".parse().unwrap()
    }

    fn member(access: Option<Access>) -> Member {
        let signer = SigningKey::generate().public();
        Member {
            recipient: Identity::generate().recipient(),
            access: access
                .map(|access| (environment("production"), access))
                .into_iter()
                .collect(),
            signing: Some(Signing {
                signer,
                seed: Vec::new(),
            }),
            authority: None,
            credential_floor: None,
            lost: BTreeMap::new(),
        }
    }

    fn roster(bob: Member) -> Roster {
        let listed = Listed {
            revision: 1,
            sha256: [0; 32],
        };
        Roster {
            vault: VaultId::new(SigningKey::generate().public()),
            revision: 1,
            floor: 1,
            environments: BTreeMap::from([(environment("production"), listed)]),
            members: BTreeMap::from([(super::tests::bob(), bob)]),
            former: BTreeMap::new(),
        }
    }

    fn names(names: &[&str]) -> Access {
        Access::Names(names.iter().map(|name| name.parse().unwrap()).collect())
    }

    fn change(before: &Roster, change: impl FnOnce(&mut Member)) -> (Roster, Loss) {
        let mut after = before.clone();
        change(after.members.get_mut(&bob()).unwrap());
        let loss = Loss::between(before, &after);
        (after, loss)
    }

    #[test]
    fn shrinking_read_access_starts_a_new_epoch() {
        let (write, read) = (Some(Access::Write), Some(Access::Read));
        let (a, ab, bc) = (
            Some(names(&["A"])),
            Some(names(&["A", "B"])),
            Some(names(&["B", "C"])),
        );
        let table = [
            (None, &write, false),
            (write.clone(), &write, false),
            (write.clone(), &read, false),
            (read.clone(), &write, false),
            (write.clone(), &None, true),
            (read.clone(), &None, true),
            (read.clone(), &ab, true),
            (ab.clone(), &read, false),
            (ab.clone(), &a, true),
            (a.clone(), &ab, false),
            (ab.clone(), &bc, true),
            (ab.clone(), &None, true),
        ];
        for (before, now, expected) in table {
            let before = roster(member(before));
            let (_, loss) = change(&before, |bob| {
                bob.access = now
                    .iter()
                    .map(|now| (environment("production"), now.clone()))
                    .collect();
            });
            assert_eq!(!loss.readable.is_empty(), expected, "{before:?} {now:?}");
        }
    }

    #[test]
    fn new_recipient_loses_all_access_of_the_old_one() {
        let mut admin = member(Some(Access::Read));
        admin.authority = Some(Vec::new());
        let (_, loss) = change(&roster(admin), |bob| {
            bob.recipient = Identity::generate().recipient();
        });
        assert!(loss.authority && loss.readable.len() == 1 && loss.signatures.is_empty());
    }

    #[test]
    fn signatures_are_lost_with_write_access_or_the_key() {
        let before = roster(member(Some(Access::Write)));
        let (_, loss) = change(&before, |bob| {
            bob.access.insert(environment("production"), Access::Read);
        });
        assert!(loss.readable.is_empty() && loss.signatures.len() == 1 && !loss.authority);
        let (_, loss) = change(&before, |bob| bob.signing = member(None).signing);
        assert!(loss.readable.is_empty() && loss.signatures.len() == 1);
    }

    #[test]
    fn recorded_loss_is_the_newest_epoch_and_only_grows() {
        let epoch = |number, sealed: &[&str]| Epoch {
            number,
            commitment: Commitment([0; 32]),
            sealed: sealed
                .iter()
                .map(|name| (name.parse().unwrap(), Vec::new()))
                .collect(),
        };
        let epochs = vec![epoch(4, &[]), epoch(3, &["bob"]), epoch(1, &["bob"])];
        let content = Environment {
            name: environment("production"),
            revision: 1,
            epochs,
        };
        let lost = |roster: &Roster| {
            let lost = &roster.members[&bob()].lost[&environment("production")];
            (
                lost.epoch,
                lost.names
                    .as_ref()
                    .map(|names| names.iter().map(ToString::to_string).collect()),
            )
        };
        let before = roster(member(Some(names(&["A", "B"]))));
        let (mut after, _) = change(&before, |bob| {
            bob.access.insert(environment("production"), names(&["B"]));
        });
        after.record_lost(&before, &content);
        assert_eq!(lost(&after), (3, Some(vec!["A".to_owned()])));
        let before = after;
        let (mut after, _) = change(&before, |bob| bob.access.clear());
        after.record_lost(&before, &content);
        assert_eq!(
            lost(&after),
            (3, Some(vec!["A".to_owned(), "B".to_owned()]))
        );
        let mut before = after;
        let access = &mut before.members.get_mut(&bob()).unwrap().access;
        access.insert(environment("production"), Access::Read);
        let mut after = before.clone();
        after.dismiss(&bob());
        after.record_lost(&before, &content);
        let former = &after.former[&bob()].lost[&environment("production")];
        assert_eq!((former.epoch, &former.names), (3, &None));
        assert!(
            after
                .keepers(&before, &environment("production"))
                .is_empty()
        );
    }
}
