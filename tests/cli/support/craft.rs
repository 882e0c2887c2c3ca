//! Files as created by an attacker, an old version, or an accident, written through the library.
//!
//! Anything that needs the signature of the authority or a member is signed with the sandbox's own
//! keys.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use repovault::crypto::{DataKey, Framed, Identity, SigningKey, VaultId, base64_encode, sha256};
use repovault::platform::Dir;
use repovault::secret::Secret;
use repovault::vault::format::{
    ROSTER_PATH, environment_path, read_environment, read_roster, write_entry, write_environment,
    write_roster,
};
use repovault::vault::holder::Holder;
use repovault::vault::model::{Access, Entry, Environment, Epoch, Listed, Member, Roster, Signing};
use repovault::vault::name::{EnvironmentName, MemberName, SecretName};
use repovault::vault::signing::RootSigner;
use repovault::vault::store::Tree;
use repovault::vault::trust::{UnverifiedRoot, Vault};
use repovault::vault::unlock::data_key_payload;

use crate::support::sandbox::Sandbox;

/// The identity created by `init` in the sandbox's HOME.
pub(crate) fn identity(sandbox: &Sandbox) -> Identity {
    let path = sandbox.home().join(".config/vault/identity.txt");
    let text = fs::read_to_string(path).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"))
        .unwrap();
    Identity::parse(line).unwrap()
}

/// The vault in the sandbox's repository, parsed and verified.
pub(crate) fn vault(sandbox: &Sandbox) -> Vault {
    let dir = Dir::open(&sandbox.store("")).unwrap().unwrap();
    UnverifiedRoot::read(Tree::Working(dir))
        .unwrap()
        .into_vault()
        .unwrap()
}

/// The authority's key, decrypted as the sandbox's admin.
pub(crate) fn authority(sandbox: &Sandbox) -> SigningKey {
    let (vault, identity) = (vault(sandbox), identity(sandbox));
    Holder::find(&vault, &identity)
        .unwrap()
        .authority()
        .unwrap()
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

/// Changes an environment's file and signs it with `key`; the roster stays the same.
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

/// Changes the newest epoch of an environment and signs its file and the roster, as the authority
/// would.
pub(crate) fn change_epoch(sandbox: &Sandbox, environment: &str, change: impl FnOnce(&mut Epoch)) {
    let key = authority(sandbox);
    resign_environment(sandbox, environment, &key, |content| {
        content.revision += 1;
        change(&mut content.epochs[0]);
    });
    list_environment(sandbox, environment, &key);
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
    let mut entry = vault
        .entry(&checked, &name)
        .unwrap()
        .unwrap()
        .content()
        .clone();
    change(&mut entry);
    let commitment = checked.content().newest().commitment;
    let file = write_entry(
        &vault.roster().vault,
        &environment,
        &name,
        &commitment,
        &entry,
        key,
    );
    fs::write(sandbox.store(&format!("{environment}/{name}.toml")), file).unwrap();
}

/// Removes everything that is sealed to non-members from an environment's newest epoch, and lists
/// the file: a loss without a rotation, which `vault` never writes.
pub(crate) fn unseal_to_strangers(sandbox: &Sandbox, environment: &str, key: &SigningKey) {
    let vault = vault(sandbox);
    let name: EnvironmentName = environment.parse().unwrap();
    let file = fs::read(sandbox.store(&environment_path(&name))).unwrap();
    let mut content = read_environment(&name, &file).unwrap().content;
    content.revision += 1;
    let members = &vault.roster().members;
    content.epochs[0]
        .sealed
        .retain(|member, _| members.contains_key(member));
    let file = write_environment(&vault.roster().vault, &content, key);
    fs::write(sandbox.store(&environment_path(&name)), file).unwrap();
    list_environment(sandbox, environment, key);
}

/// Signs the whole vault with another authority, and every entry with another key of alice: the
/// result of a new authority, except for the data keys.
pub(crate) fn resign_everything(sandbox: &Sandbox, key: &SigningKey) {
    let old = vault(sandbox);
    let mut roster = old.roster().clone();
    roster.vault = VaultId::new(key.public());
    let (name, alice): (MemberName, _) = ("alice".parse().unwrap(), SigningKey::generate());
    let me = identity(sandbox).recipient();
    let record = roster.members.get_mut(&name).unwrap();
    record.authority = Some(me.seal(&seed(key)));
    record.signing = Some(Signing {
        signer: alice.public(),
        seed: me.seal(&seed(&alice)),
    });
    for environment in old.roster().environments.keys() {
        let checked = old.environment(environment).unwrap();
        let mut content = checked.content().clone();
        let data_key = DataKey::generate(&roster.vault, environment.as_str());
        content.epochs[0].commitment = data_key.commitment();
        let payload = data_key_payload(&roster.vault, environment, 1, &data_key);
        content.epochs[0]
            .sealed
            .insert(name.clone(), me.seal(&payload));
        let file = write_environment(&roster.vault, &content, key);
        let listed = Listed {
            revision: content.revision,
            sha256: sha256(&file),
        };
        roster.environments.insert(environment.clone(), listed);
        fs::write(sandbox.store(&environment_path(environment)), file).unwrap();
        for entry in old.entries(&checked).unwrap() {
            let commitment = content.epochs[0].commitment;
            let (name, mut content) = (entry.name(), entry.content().clone());
            content.sealed.as_mut().unwrap()[0] ^= 1;
            let file = write_entry(
                &roster.vault,
                environment,
                name,
                &commitment,
                &content,
                &alice,
            );
            fs::write(sandbox.store(&format!("{environment}/{name}.toml")), file).unwrap();
        }
    }
    fs::write(sandbox.store(ROSTER_PATH), write_roster(&roster, key)).unwrap();
}

/// The seed of a key, in the form in which it is sealed.
pub(crate) fn seed(key: &SigningKey) -> Secret {
    Secret::new(key.seed().expose().to_vec())
}

/// Lists an environment's file in the roster in its current state, valid or not.
pub(crate) fn list_environment(sandbox: &Sandbox, environment: &str, key: &SigningKey) {
    let name: EnvironmentName = environment.parse().unwrap();
    let file = fs::read(sandbox.store(&environment_path(&name))).unwrap();
    let revision = read_environment(&name, &file).unwrap().content.revision;
    resign_roster(sandbox, key, |roster| {
        roster.revision += 1;
        roster.environments.insert(
            name,
            Listed {
                revision,
                sha256: sha256(&file),
            },
        );
    });
}

/// The environment files that a roster lists, with any signer.
pub(crate) fn listed(roster: &[u8]) -> BTreeMap<EnvironmentName, Listed> {
    read_roster(roster).unwrap().content.environments
}

/// The text of the file at `path` below `.vault` without its signature.
pub(crate) fn body(sandbox: &Sandbox, path: &str) -> String {
    let text = fs::read_to_string(sandbox.store(path)).unwrap();
    let signature = text.rfind("signature = ").unwrap();
    text[..signature].to_owned()
}

/// Signs `body`, which may differ from anything `vault` would write, as the file at `path` below
/// `.vault`.
pub(crate) fn sign(sandbox: &Sandbox, path: &str, body: &[u8], key: &SigningKey) -> Vec<u8> {
    let signature = key.sign(&message(sandbox, path, body));
    let line = format!("signature = \"{}\"\n", base64_encode(&signature.to_bytes()));
    [body, line.as_bytes()].concat()
}

/// The message that the signature of a file with this body covers.
pub(crate) fn message(sandbox: &Sandbox, path: &str, body: &[u8]) -> Vec<u8> {
    let vault = vault(sandbox);
    let (label, commitment) = match path.split_once('/') {
        Some((environment, _)) => {
            let checked = vault.environment(&environment.parse().unwrap()).unwrap();
            (
                "vault/v1/entry",
                Some(checked.content().newest().commitment),
            )
        }
        None if path == ROSTER_PATH => ("vault/v1/roster", None),
        None => ("vault/v1/environment", None),
    };
    let framed = Framed::new(label)
        .part(vault.roster().vault.as_bytes())
        .part(path.as_bytes());
    let framed = commitment
        .into_iter()
        .fold(framed, |framed, commitment| framed.part(&commitment.0));
    framed.part(body).into_bytes()
}

/// A person with their own keys.
pub(crate) struct Person {
    pub(crate) identity: Identity,
    pub(crate) key: SigningKey,
}

impl Person {
    pub(crate) fn new() -> Self {
        Self {
            identity: Identity::generate(),
            key: SigningKey::generate(),
        }
    }

    /// Their record as a member without access, but with a signing key.
    pub(crate) fn member(&self) -> Member {
        let recipient = self.identity.recipient();
        let seed = recipient.seal(&Secret::new(self.key.seed().expose().to_vec()));
        Member {
            recipient,
            access: BTreeMap::new(),
            signing: Some(Signing {
                signer: self.key.public(),
                seed,
            }),
            authority: None,
            credential_floor: None,
            lost: BTreeMap::new(),
        }
    }

    /// A file with their identity, outside the repository and HOME.
    pub(crate) fn key_file(&self, sandbox: &Sandbox) -> PathBuf {
        let path = sandbox.root().join("person.key");
        fs::write(&path, self.identity.to_text().expose()).unwrap();
        path
    }
}

/// Adds a new person as a member; see [`enroll_person`].
pub(crate) fn enroll(sandbox: &Sandbox, name: &str, access: &[(&str, Access)]) -> Person {
    let person = Person::new();
    enroll_person(sandbox, name, access, &person);
    person
}

/// Adds `person` as a member properly: the authority signs, and the data keys are sealed to them.
pub(crate) fn enroll_person(
    sandbox: &Sandbox,
    name: &str,
    access: &[(&str, Access)],
    person: &Person,
) {
    let (vault, admin, authority) = (vault(sandbox), identity(sandbox), authority(sandbox));
    let name: MemberName = name.parse().unwrap();
    let mut member = person.member();
    let mut roster = vault.roster().clone();
    for (environment, access) in access {
        let environment: EnvironmentName = environment.parse().unwrap();
        let checked = vault.environment(&environment).unwrap();
        let newest = checked.content().newest().number;
        let keys = Holder::find(&vault, &admin)
            .unwrap()
            .unlock(&checked, [newest])
            .unwrap();
        let (file, listed) = RootSigner::new(&authority).seal_to(
            checked.content(),
            keys.data_key(newest).unwrap(),
            [(&name, &member.recipient, access)],
        );
        fs::write(sandbox.store(&file.path), file.content).unwrap();
        member.access.insert(environment.clone(), access.clone());
        roster.environments.insert(environment, listed);
    }
    roster.members.insert(name, member);
    roster.revision += 1;
    fs::write(
        sandbox.store(ROSTER_PATH),
        write_roster(&roster, &authority),
    )
    .unwrap();
}
