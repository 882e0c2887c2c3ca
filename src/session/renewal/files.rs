//! The new files of a renewal: entries that are signed again, and entries that are sealed again.

use std::collections::BTreeMap;

use super::Renewed;
use super::plan::{Task, Work, portions};
use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::vault::holder::OpenedSigningKey;
use crate::vault::loss::Loss;
use crate::vault::model::{Environment, Membership};
use crate::vault::name::{EnvironmentName, SecretName};
use crate::vault::signing::{EntrySigner, RootSigner};
use crate::vault::store::{Batch, NewFile};
use crate::vault::trust::CheckedEntry;
use crate::vault::unlock::Unlocked;

/// What writing a task needs to know.
pub(super) struct Doing<'a> {
    pub(super) admin: &'a Admin<'a>,
    pub(super) root_signer: &'a RootSigner<'a>,
    pub(super) before: &'a Membership,
    pub(super) after: &'a Membership,
    /// The keys of the new epochs.
    pub(super) keys: &'a BTreeMap<EnvironmentName, Unlocked>,
    pub(super) signing_key: OpenedSigningKey,
}

/// Makes new files of some entries, which the given keys open.
type MakeFiles<'w> =
    dyn Fn(&EntrySigner<'_>, &[CheckedEntry], &Unlocked) -> Result<Vec<NewFile>, Fault> + 'w;

impl Doing<'_> {
    /// Adds all new files to `batch`, in the order in which they are moved to their places. With a new authority, under
    /// which no older file counts, the root comes last.
    pub(super) fn write(
        &mut self,
        tasks: &[Task],
        loss: &Loss,
        batch: &mut Batch<'_>,
        renewed: &mut Renewed,
    ) -> Result<(), Fault> {
        let is_same = self.after.root.vault == self.before.root.vault;
        if is_same {
            for task in tasks {
                self.sign(task, batch)?;
            }
        }
        batch.add(&self.member_files(loss, is_same))?;
        if !is_same {
            self.write_all(tasks, batch, renewed)?;
        }
        if self.after.root != self.before.root {
            let mut root = self.after.root.clone();
            root.revision += 1;
            batch.add(&[self.root_signer.sign_root(&root)])?;
        }
        if is_same {
            self.write_all(tasks, batch, renewed)?;
        }
        Ok(())
    }

    /// The files of the members who differ, each as its next revision: first of those who lose nothing.
    fn member_files(&self, loss: &Loss, is_same: bool) -> Vec<NewFile> {
        let (mut keeping, mut losing) = (Vec::new(), Vec::new());
        for (name, member) in &self.after.members {
            let old = self.before.members.get(name);
            if is_same && old == Some(member) {
                continue;
            }
            let mut member = member.clone();
            member.revision = old.map_or(1, |old| old.revision + 1);
            let file = self.root_signer.sign_member(name, &member);
            if loss.members.contains(name) {
                losing.push(file);
            } else {
                keeping.push(file);
            }
        }
        keeping.extend(losing);
        keeping
    }

    /// Signs the entries of those whose signatures will no longer count, as they are sealed now.
    fn sign(&mut self, task: &Task, batch: &mut Batch<'_>) -> Result<(), Fault> {
        let environment = &task.environment;
        self.each(
            task,
            &task.resigned,
            environment,
            batch,
            &|signer, entries, from| signer.sign_anew(entries, from),
        )
    }

    /// Seals the entries of all tasks.
    fn write_all(
        &mut self,
        tasks: &[Task],
        batch: &mut Batch<'_>,
        renewed: &mut Renewed,
    ) -> Result<(), Fault> {
        for task in tasks {
            let after = self.after;
            let environment = &after.root.environments[&task.environment.name];
            if task.work != Work::Sign {
                self.each(
                    task,
                    &task.names,
                    environment,
                    batch,
                    &|signer, entries, from| signer.seal_anew(entries, from),
                )?;
            }
            if !task.adopted.is_empty() {
                let from = self.old_keys(task)?;
                let signer = self.signer(environment, &from)?;
                batch.add(&signer.seal_anew(&task.adopted, &from)?)?;
            }
            renewed.add(task, environment.newest().number);
        }
        Ok(())
    }

    /// Makes new files of the entries `names` with `work`, and adds them to `batch`.
    fn each(
        &mut self,
        task: &Task,
        names: &[SecretName],
        environment: &Environment,
        batch: &mut Batch<'_>,
        work: &MakeFiles<'_>,
    ) -> Result<(), Fault> {
        if names.is_empty() {
            return Ok(());
        }
        let from = self.old_keys(task)?;
        let admin = self.admin;
        let vault = &admin.session.vault;
        let signer = self.signer(environment, &from)?;
        for names in portions(vault, &task.environment, names)? {
            let entries = vault.entries_named(&task.environment, names)?;
            if entries.len() != names.len() {
                let folder = environment.name.as_str();
                return Err(Fault::refused_file(
                    folder,
                    "an entry was removed while this command ran",
                ));
            }
            batch.add(&work(&signer, &entries, &from)?)?;
        }
        Ok(())
    }

    /// The keys that the entries of `task` are sealed with now.
    fn old_keys(&self, task: &Task) -> Result<Unlocked, Fault> {
        let newest = task.environment.newest().commitment;
        let own = (task.work == Work::Seal).then_some(newest);
        let holder = self.admin.session.holder();
        holder.unlock(&task.environment, task.epochs.iter().copied().chain(own))
    }

    fn signer<'s>(
        &'s mut self,
        environment: &'s Environment,
        from: &'s Unlocked,
    ) -> Result<EntrySigner<'s>, Fault> {
        let admin = self.admin;
        let holder = admin.session.holder();
        let name = admin.session.name();
        Ok(EntrySigner {
            vault: self.after.root.vault,
            environment,
            keys: self.keys.get(&environment.name).unwrap_or(from),
            name,
            key: self.signing_key.get(&holder, &environment.name)?,
        })
    }
}
