//! The search: first it indexes all values in use, then it compares each value that someone who lost
//! access could read.

use std::collections::BTreeMap;

use super::{Exposure, ExposureReport, ExposureSource};
use crate::crypto::Tagger;
use crate::fault::{Fault, plural};
use crate::mask::policy::verdict;
use crate::mask::{Masking, Verdict};
use crate::secret::Secret;
use crate::session::read;
use crate::vault::holder::Holder;
use crate::vault::model::{Entry, Environment, Lost, Member};
use crate::vault::name::{EnvironmentName, MemberName, SecretName};
use crate::vault::trust::{CheckedEntry, Vault};

/// How many values are open at a time.
pub(super) const TOGETHER: usize = 1000;

/// The place of a value, and the epoch that sealed it there first.
pub(super) struct SourceValue {
    pub(super) source: ExposureSource,
    pub(super) origin: u64,
}

impl SourceValue {
    pub(super) fn new(environment: &EnvironmentName, name: &SecretName, entry: &Entry) -> Self {
        let (environment, name) = (environment.clone(), name.clone());
        let source = ExposureSource {
            environment,
            name,
            revision: entry.revision,
        };
        Self {
            source,
            origin: entry.origin,
        }
    }
}

/// Equal for equal values, from which no value can be derived.
type Tag = [u8; 32];

pub(super) struct Search<'a> {
    vault: &'a Vault,
    members: &'a BTreeMap<MemberName, Member>,
    losses: Vec<(&'a MemberName, &'a EnvironmentName, &'a Lost)>,
    tagger: Tagger,
    /// The places in which each value is in use.
    current: BTreeMap<Tag, Vec<(EnvironmentName, SecretName)>>,
    exposures: BTreeMap<(MemberName, EnvironmentName, SecretName), Option<ExposureSource>>,
    gaps: Vec<String>,
}

impl<'a> Search<'a> {
    pub(super) fn new(vault: &'a Vault) -> Result<Self, Fault> {
        let losses = vault
            .root()
            .losses()
            .flat_map(|(member, lost)| lost.iter().map(move |(name, lost)| (member, name, lost)));
        Ok(Self {
            members: &vault.members()?.counting,
            vault,
            losses: losses.collect(),
            tagger: Tagger::new(),
            current: BTreeMap::new(),
            exposures: BTreeMap::new(),
            gaps: Vec::new(),
        })
    }

    /// Whether anyone lost access.
    pub(super) fn has_work(&self) -> bool {
        !self.losses.is_empty()
    }

    /// Whether anyone could read a value of this name, in any epoch.
    pub(super) fn was_name_readable(
        &self,
        environment: &EnvironmentName,
        name: &SecretName,
    ) -> bool {
        self.losses.iter().any(|(_, lost_in, lost)| {
            *lost_in == environment && lost.names.as_ref().is_none_or(|names| names.contains(name))
        })
    }

    /// Whether anyone could read this value.
    pub(super) fn was_readable(&self, value: &SourceValue) -> bool {
        self.readers(value).next().is_some()
    }

    /// Adds a reason why there may be more.
    pub(super) fn add_gap(&mut self, line: impl Into<String>) {
        self.gaps.push(line.into());
    }

    /// Looks at all entries in use, and at the values that `holder` can open.
    pub(super) fn index_current_values(
        &mut self,
        holder: Option<&Holder<'_>>,
    ) -> Result<(), Fault> {
        let mut copied = Vec::new();
        for name in self.vault.root().environments.keys() {
            let environment = self.vault.environment(name)?;
            let entries = self.valid_entries(environment)?;
            for entry in &entries {
                self.add_unchanged(&SourceValue::new(name, entry.name(), entry.content()));
            }
            if let Some(holder) = holder {
                self.open(holder, environment, entries, &mut copied)?;
            }
        }
        for (value, tag) in copied {
            self.propagate(&value, &tag);
        }
        Ok(())
    }

    /// Adds a value of the past: who could read it there knows it wherever it is in use.
    pub(super) fn compare(&mut self, value: &SourceValue, content: &Secret) {
        if let Some(tag) = self.tag(content) {
            self.propagate(value, &tag);
        }
    }

    pub(super) fn finish(self) -> ExposureReport {
        let exposures = self
            .exposures
            .into_iter()
            .map(|((member, environment, name), source)| Exposure {
                member,
                environment,
                name,
                source,
            })
            .collect();
        ExposureReport {
            exposures,
            gaps: self.gaps,
        }
    }

    /// Returns the valid entries that have a value.
    fn valid_entries(&mut self, environment: &Environment) -> Result<Vec<CheckedEntry>, Fault> {
        let (mut entries, broken) = read::valid_entries(self.vault, environment)?;
        if !broken.is_empty() {
            let name = &environment.name;
            let count = plural(broken.len(), "invalid entry was", "invalid entries were");
            self.add_gap(format!("{name}: {count} left out"));
        }
        entries.retain(|entry| entry.content().sealed.is_some());
        Ok(entries)
    }

    fn add_unchanged(&mut self, value: &SourceValue) {
        let ExposureSource {
            environment, name, ..
        } = &value.source;
        let readers = self
            .readers(value)
            .filter(|member| !self.may_read(member, environment, name));
        let exposed_to: Vec<_> = readers.cloned().collect();
        let places = exposed_to
            .into_iter()
            .map(|member| (member, environment.clone(), name.clone()));
        self.exposures.extend(places.map(|place| (place, None)));
    }

    /// Tags the values of `entries`, and keeps the tags of those that anyone with lost access could
    /// read.
    fn open(
        &mut self,
        holder: &Holder<'_>,
        environment: &Environment,
        mut entries: Vec<CheckedEntry>,
        copied: &mut Vec<(SourceValue, Tag)>,
    ) -> Result<(), Fault> {
        let name = &environment.name;
        let all = entries.len();
        let access = holder.member().access.get(name);
        entries.retain(|entry| {
            holder.has_key(name, entry.commitment())
                && access.is_some_and(|access| access.reads(entry.name()))
        });
        if entries.len() < all {
            let closed = all - entries.len();
            let (values, them) = if closed == 1 {
                ("value was", "it")
            } else {
                ("values were", "them")
            };
            self.add_gap(format!(
                "{name}: {closed} current {values} not compared: you cannot decrypt {them}"
            ));
        }
        if entries.is_empty() {
            return Ok(());
        }
        let epochs = entries.iter().map(|entry| *entry.commitment());
        let keys = holder.unlock(environment, epochs)?;
        for some in entries.chunks(TOGETHER) {
            // None of them is a tombstone, so each has a value.
            for (entry, (_, value)) in some.iter().zip(keys.values(some)?) {
                let Some(tag) = self.tag(&value) else {
                    continue;
                };
                let place = (name.clone(), entry.name().clone());
                self.current.entry(tag).or_default().push(place);
                let known = SourceValue::new(name, entry.name(), entry.content());
                if self.was_readable(&known) {
                    copied.push((known, tag));
                }
            }
        }
        Ok(())
    }

    /// Returns the tag of a value without the space around it, or `None` if the value is so common that
    /// equality means nothing.
    fn tag(&self, value: &Secret) -> Option<Tag> {
        let tells = verdict(value, Masking::Automatic) == Verdict::Masked;
        tells.then(|| self.tagger.tag(value.expose().trim_ascii()))
    }

    fn propagate(&mut self, value: &SourceValue, tag: &Tag) {
        let Some(places) = self.current.get(tag) else {
            return;
        };
        let mut found = Vec::new();
        for member in self.readers(value) {
            for (environment, name) in places {
                if !self.may_read(member, environment, name) {
                    found.push((member.clone(), environment.clone(), name.clone()));
                }
            }
        }
        for place in found {
            let found = self
                .exposures
                .entry(place)
                .or_insert_with(|| Some(value.source.clone()));
            // The smallest place, so that the order of the search does not matter.
            if found.as_ref().is_some_and(|found| *found > value.source) {
                *found = Some(value.source.clone());
            }
        }
    }

    /// The members who lost access and could read `value` before.
    fn readers(&self, value: &SourceValue) -> impl Iterator<Item = &'a MemberName> {
        let ExposureSource {
            environment, name, ..
        } = &value.source;
        let could = move |(member, lost_in, lost): &(&'a MemberName, &EnvironmentName, &Lost)| {
            let covers = *lost_in == environment
                && value.origin <= lost.epoch
                && lost.names.as_ref().is_none_or(|names| names.contains(name));
            covers.then_some(*member)
        };
        self.losses.iter().filter_map(could)
    }

    /// Whether `member` may read `name` today, and so is not exposed to it.
    fn may_read(
        &self,
        member: &MemberName,
        environment: &EnvironmentName,
        name: &SecretName,
    ) -> bool {
        let member = self.members.get(member);
        let access = member.and_then(|member| member.access.get(environment));
        access.is_some_and(|access| access.reads(name))
    }
}
