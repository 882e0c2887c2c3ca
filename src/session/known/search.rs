//! The search itself: first everything that is in use, then, one after the other, what those who
//! lost access could read.

use std::collections::BTreeMap;

use super::{Knowledge, Known, Was};
use crate::crypto::Tagger;
use crate::fault::Fault;
use crate::mask::policy::verdict;
use crate::mask::{Masking, Verdict};
use crate::secret::Secret;
use crate::session::read::sound_entries;
use crate::vault::model::{Access, Entry, Lost};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::trust::{CheckedEntry, CheckedEnvironment, Vault};
use crate::vault::unlock::Holder;

/// How many values are open at a time.
pub(super) const TOGETHER: usize = 1000;

/// A value's place, and the epoch in which it was first sealed there.
pub(super) struct Source {
    pub(super) place: Was,
    pub(super) origin: u64,
}

impl Source {
    pub(super) fn new(environment: &EnvironmentName, name: &SecretName, entry: &Entry) -> Self {
        let (environment, name) = (environment.clone(), name.clone());
        let place = Was { environment, name, revision: entry.revision };
        Self { place, origin: entry.origin }
    }
}

/// Tells whether two values are the same, without keeping one.
type Tag = [u8; 32];

pub(super) struct Search<'a> {
    vault: &'a Vault,
    losses: Vec<(&'a MemberName, &'a EnvironmentName, &'a Lost)>,
    tagger: Tagger,
    /// Where each value is in use.
    live: BTreeMap<Tag, Vec<(EnvironmentName, SecretName)>>,
    known: BTreeMap<(MemberName, EnvironmentName, SecretName), Option<Was>>,
    gaps: Vec<String>,
}

impl<'a> Search<'a> {
    pub(super) fn new(vault: &'a Vault) -> Self {
        let roster = vault.roster();
        let members = roster.members.iter().map(|(name, member)| (name, &member.lost));
        let former = roster.former.iter().map(|(name, former)| (name, &former.lost));
        let losses = members
            .chain(former)
            .flat_map(|(member, lost)| lost.iter().map(move |(name, lost)| (member, name, lost)));
        Self {
            vault,
            losses: losses.collect(),
            tagger: Tagger::new(),
            live: BTreeMap::new(),
            known: BTreeMap::new(),
            gaps: Vec::new(),
        }
    }

    /// Whether anybody lost anything.
    pub(super) fn has_work(&self) -> bool {
        !self.losses.is_empty()
    }

    /// Whether somebody could read a value of this name, in whatever epoch.
    pub(super) fn concerns_name(&self, environment: &EnvironmentName, name: &SecretName) -> bool {
        self.losses.iter().any(|(_, lost_in, lost)| {
            *lost_in == environment && lost.names.as_ref().is_none_or(|names| names.contains(name))
        })
    }

    /// Whether somebody could read this value.
    pub(super) fn concerns(&self, source: &Source) -> bool {
        self.readers(source).next().is_some()
    }

    /// Says why there may be more.
    pub(super) fn gap(&mut self, line: impl Into<String>) {
        self.gaps.push(line.into());
    }

    /// Looks at all that is in use; at the values where `holder` can open them.
    pub(super) fn live(&mut self, holder: Option<&Holder<'_>>) -> Result<(), Fault> {
        let mut copied = Vec::new();
        for name in self.vault.roster().environments.keys() {
            let environment = self.vault.environment(name)?;
            let entries = self.sound(&environment)?;
            for entry in &entries {
                self.judge_origin(&Source::new(name, entry.name(), entry.content()));
            }
            if let Some(holder) = holder {
                self.open(holder, &environment, entries, &mut copied)?;
            }
        }
        for (source, tag) in copied {
            self.spread(&source, &tag);
        }
        Ok(())
    }

    /// Takes in that `source` has had `value`: whoever could read it there knows it everywhere.
    pub(super) fn compare(&mut self, source: &Source, value: &Secret) {
        if let Some(tag) = self.tag(value) {
            self.spread(source, &tag);
        }
    }

    pub(super) fn finish(self) -> Knowledge {
        let known = self.known.into_iter();
        let known = known.map(|((member, environment, name), was)| Known {
            member,
            environment,
            name,
            was,
        });
        Knowledge { known: known.collect(), gaps: self.gaps }
    }

    /// Those entries with a value that are as they should be.
    fn sound(&mut self, environment: &CheckedEnvironment) -> Result<Vec<CheckedEntry>, Fault> {
        let (mut entries, broken) = sound_entries(self.vault, environment)?;
        if !broken.is_empty() {
            let (name, count) = (&environment.content().name, broken.len());
            self.gap(format!("{name}: {count} entries do not hold, so they were left out"));
        }
        entries.retain(|entry| entry.content().sealed.is_some());
        Ok(entries)
    }

    fn judge_origin(&mut self, source: &Source) {
        let Was { environment, name, .. } = &source.place;
        let readers =
            self.readers(source).filter(|member| !self.may_read(member, environment, name));
        let known: Vec<_> = readers.cloned().collect();
        let places = known.into_iter().map(|member| (member, environment.clone(), name.clone()));
        self.known.extend(places.map(|place| (place, None)));
    }

    /// Tags the values of `entries`, and keeps the tags of those that somebody could read.
    fn open(
        &mut self,
        holder: &Holder<'_>,
        environment: &CheckedEnvironment,
        mut entries: Vec<CheckedEntry>,
        copied: &mut Vec<(Source, Tag)>,
    ) -> Result<(), Fault> {
        let content = environment.content();
        let name = &content.name;
        let all = entries.len();
        let access = holder.member().access.get(name);
        entries.retain(|entry| {
            let epoch = content.epoch(entry.content().epoch);
            epoch.is_some_and(|epoch| epoch.sealed.contains_key(holder.name()))
                && access.is_some_and(|access| allows(access, entry.name()))
        });
        if entries.len() < all {
            let closed = all - entries.len();
            self.gap(format!(
                "{name}: {closed} values in use are closed to you, so were not compared"
            ));
        }
        if entries.is_empty() {
            return Ok(());
        }
        let keys = holder.unlock(environment, entries.iter().map(|entry| entry.content().epoch))?;
        for some in entries.chunks(TOGETHER) {
            // Without tombstones, so there is a value for each of them.
            for (entry, (_, value)) in some.iter().zip(keys.values(some)?) {
                let Some(tag) = self.tag(&value) else { continue };
                let place = (name.clone(), entry.name().clone());
                self.live.entry(tag).or_default().push(place);
                let source = Source::new(name, entry.name(), entry.content());
                if self.concerns(&source) {
                    copied.push((source, tag));
                }
            }
        }
        Ok(())
    }

    /// The tag of a value that is rare enough to mean something; white space around it does not.
    fn tag(&self, value: &Secret) -> Option<Tag> {
        let tells = verdict(value, Masking::Automatic) == Verdict::Masked;
        tells.then(|| self.tagger.tag(value.expose().trim_ascii()))
    }

    fn spread(&mut self, source: &Source, tag: &Tag) {
        let Some(places) = self.live.get(tag) else { return };
        let mut found = Vec::new();
        for member in self.readers(source) {
            for (environment, name) in places {
                if !self.may_read(member, environment, name) {
                    found.push((member.clone(), environment.clone(), name.clone()));
                }
            }
        }
        for place in found {
            let was = self.known.entry(place).or_insert_with(|| Some(source.place.clone()));
            // The same answer whatever the order of the search.
            if was.as_ref().is_some_and(|was| *was > source.place) {
                *was = Some(source.place.clone());
            }
        }
    }

    /// Who lost access and could read `source` before.
    fn readers(&self, source: &Source) -> impl Iterator<Item = &'a MemberName> {
        let Was { environment, name, .. } = &source.place;
        let could = move |(member, lost_in, lost): &(&'a MemberName, &EnvironmentName, &Lost)| {
            let covers = *lost_in == environment
                && source.origin <= lost.epoch
                && lost.names.as_ref().is_none_or(|names| names.contains(name));
            covers.then_some(*member)
        };
        self.losses.iter().filter_map(could)
    }

    /// Whether `member` may read `name` today, so that nobody minds.
    fn may_read(
        &self,
        member: &MemberName,
        environment: &EnvironmentName,
        name: &SecretName,
    ) -> bool {
        let member = self.vault.roster().members.get(member);
        let access = member.and_then(|member| member.access.get(environment));
        access.is_some_and(|access| allows(access, name))
    }
}

fn allows(access: &Access, name: &SecretName) -> bool {
    match access {
        Access::Write | Access::Read => true,
        Access::Names(names) => names.contains(name),
    }
}
