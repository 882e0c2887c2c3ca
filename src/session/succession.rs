//! A vault that takes the place of another one, because it has a new authority and so a new id.
//!
//! The ids that the caller trusts decide how far an interrupted change came: the new vault counts
//! from the moment at which its id is recorded, and until then the old one is put back.

use super::admin::Admin;
use super::caller_key::CallerKey;
use super::context::Context;
use super::new_vault::untrusted;
use super::open::{Session, folder, met, trust};
use crate::crypto::{SigningKey, VaultId};
use crate::fault::Fault;
use crate::vault::format::ROOT_PATH;
use crate::vault::signing::RootSigner;
use crate::vault::store::{Tree, Writer};
use crate::vault::trust::{Pin, Standing, Trust, UnverifiedRoot};

/// What became of a change that was interrupted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Nothing was.
    Nothing,
    /// It is as if the command had never run.
    PutBack,
    /// Only its traces were left to be removed.
    Completed,
}

impl Session {
    /// Continues with the vault `id`, which the caller has just written, and records it.
    pub(super) fn succeed(&mut self, tree: Tree, id: VaultId) -> Result<(), Fault> {
        let presented = UnverifiedRoot::read(tree)?;
        if presented.id() != id {
            return Err(Fault::refused_file(
                ROOT_PATH,
                "was replaced while this command ran",
            ));
        }
        let vault = presented.into_vault()?;
        let latest = vault.root().latest();
        self.vault = vault;
        let now = met(&self.vault, &self.place);
        self.trust.pins = vec![Pin {
            vault: id,
            tag: latest,
        }];
        self.trust
            .states
            .iter_mut()
            .try_for_each(|state| state.record(&now))
    }
}

impl Admin<'_> {
    /// Continues with the vault that `key` signs and that was just put in the place of this one.
    /// Puts the old one back if the new one is refused or cannot be remembered.
    pub(super) fn succeed(&mut self, key: SigningKey) -> Result<(), Fault> {
        let id = RootSigner::new(&key).id();
        let tree = self.writer.tree()?;
        if let Err(fault) = self.session.succeed(tree, id) {
            self.writer.put_back()?;
            return Err(fault);
        }
        self.key = key;
        self.writer.forget_before()
    }
}

/// Ends what an interrupted change of the authority has left, one way or the other.
///
/// # Errors
/// When neither the vault in place nor the one that waits is trusted.
pub(crate) fn settle(context: &Context, key: &mut CallerKey) -> Result<Settled, Fault> {
    let place = context.place_for_key(key)?;
    let writer = Writer::lock(&place, &|| {
        context
            .console
            .note("waiting for another vault to finish writing…");
    })?;
    let Some(before) = writer.replaced_vault()? else {
        return Ok(Settled::Nothing);
    };
    if before.names()?.is_empty() {
        writer.forget_before()?;
        return Ok(Settled::Nothing);
    }
    let found = key.look(context.console)?.ok_or_else(|| context.no_key())?;
    let trust = trust(context, found)?;
    let before = UnverifiedRoot::read(before).map_err(|_| stranger())?;
    // Under the same hash the one in place has not been replaced yet.
    let now = UnverifiedRoot::read(writer.tree()?)?;
    if now.id() == before.id() && now.sha256() != before.sha256() {
        return Err(stranger());
    }
    let here = folder(&place);
    if now.id() != before.id() && is_trusted(&now, &trust, &here).is_ok() {
        writer.forget_before()?;
        return Ok(Settled::Completed);
    }
    is_trusted(&before, &trust, &here)?;
    writer.put_back()?;
    Ok(Settled::PutBack)
}

fn stranger() -> Fault {
    Fault::refused_file("tmp/before", "does not belong to the vault in place")
        .hint("if the files in .vault are the right ones: `rm -r .vault/tmp/before`")
}

fn is_trusted(vault: &UnverifiedRoot, trust: &Trust, folder: &str) -> Result<(), Fault> {
    match vault.judge(trust, folder)? {
        Standing::Unknown => Err(untrusted(&vault.id())),
        Standing::Trusted | Standing::Forked => Ok(()),
    }
}
