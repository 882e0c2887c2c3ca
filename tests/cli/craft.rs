//! Files as an attacker, an old version or an accident would make them, through the library.
//!
//! What only an authority or a member could sign is signed with the sandbox's own keys.

use std::fs;

use repovault::crypto::{Identity, SigningKey};
use repovault::platform::Dir;
use repovault::vault::format::{environment_path, write_entry, write_environment, write_roster};
use repovault::vault::model::{Entry, Environment, Roster};
use repovault::vault::name::{EnvironmentName, SecretName};
use repovault::vault::store::Tree;
use repovault::vault::trust::{Presented, Vault};
use repovault::vault::unlock::Holder;

use crate::sandbox::Sandbox;

/// The identity that `init` made in the sandbox's HOME.
pub(crate) fn identity(sandbox: &Sandbox) -> Identity {
    let path = sandbox.home().join(".config/vault/identity.txt");
    let text = fs::read_to_string(path).unwrap();
    let line = text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    Identity::parse(line).unwrap()
}

/// The vault in the sandbox's repository, read and accepted.
pub(crate) fn vault(sandbox: &Sandbox) -> Vault {
    let dir = Dir::open(&sandbox.store("")).unwrap().unwrap();
    Presented::read(Tree::Working(dir)).unwrap().accept()
}

/// The authority's key, opened as the sandbox's admin.
pub(crate) fn authority(sandbox: &Sandbox) -> SigningKey {
    let (vault, identity) = (vault(sandbox), identity(sandbox));
    Holder::find(&vault, &identity).unwrap().authority().unwrap()
}

/// The admin's own signing key.
pub(crate) fn signing_key(sandbox: &Sandbox, environment: &str) -> SigningKey {
    let (vault, identity) = (vault(sandbox), identity(sandbox));
    let holder = Holder::find(&vault, &identity).unwrap();
    holder.signing_key(&environment.parse().unwrap()).unwrap()
}

/// Changes the roster and signs it with `key` (the authority's, or an attacker's).
pub(crate) fn resign_roster(sandbox: &Sandbox, key: &SigningKey, change: impl FnOnce(&mut Roster)) {
    let mut roster = vault(sandbox).roster().clone();
    change(&mut roster);
    fs::write(sandbox.store("members.toml"), write_roster(&roster, key)).unwrap();
}

/// Changes an environment's file and signs it with `key`; the roster is left alone.
pub(crate) fn resign_environment(
    sandbox: &Sandbox,
    environment: &str,
    key: &SigningKey,
    change: impl FnOnce(&mut Environment),
) {
    let vault = vault(sandbox);
    let name: EnvironmentName = environment.parse().unwrap();
    let mut content = vault.environment(&name).unwrap().content().clone();
    change(&mut content);
    let file = write_environment(&vault.roster().vault, &content, key);
    fs::write(sandbox.store(&environment_path(&name)), file).unwrap();
}

/// Changes an entry and signs it with `key`.
pub(crate) fn resign_entry(
    sandbox: &Sandbox,
    environment: &str,
    name: &str,
    key: &SigningKey,
    change: impl FnOnce(&mut Entry),
) {
    let vault = vault(sandbox);
    let environment: EnvironmentName = environment.parse().unwrap();
    let name: SecretName = name.parse().unwrap();
    let checked = vault.environment(&environment).unwrap();
    let mut entry = vault.entry(&checked, &name).unwrap().unwrap().content().clone();
    change(&mut entry);
    let commitment = checked.content().newest().commitment;
    let file = write_entry(&vault.roster().vault, &environment, &name, &commitment, &entry, key);
    fs::write(sandbox.store(&format!("{environment}/{name}.toml")), file).unwrap();
}
