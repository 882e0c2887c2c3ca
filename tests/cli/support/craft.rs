//! Files as created by an attacker, an old version, or an accident, written through the library.
//!
//! Anything that needs the signature of the authority or a member is signed with the sandbox's own
//! keys.

use std::fs;
use std::path::PathBuf;

use repovault::crypto::{
    DataKey, Framed, Identity, NativeKind, SigningKey, VaultId, base64_encode,
};
use repovault::platform::Dir;
use repovault::secret::Secret;
use repovault::vault::format::{
    ROOT_PATH, member_file, member_path, parse_member, write_entry, write_member, write_root,
};
use repovault::vault::holder::Holder;
use repovault::vault::model::{Access, Entry, Member, Root, Signing};
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

/// What `work` makes of the sandbox's admin as a holder of keys.
pub(crate) fn as_admin<T>(sandbox: &Sandbox, work: impl FnOnce(&Vault, &Holder<'_>) -> T) -> T {
    let (vault, identity) = (vault(sandbox), identity(sandbox));
    let (name, member) = vault.member_with(&identity.recipient()).unwrap().unwrap();
    work(&vault, &Holder::new(&vault, &name, &member, &identity))
}

/// The authority's key, decrypted as the sandbox's admin.
pub(crate) fn authority(sandbox: &Sandbox) -> SigningKey {
    as_admin(sandbox, |_, holder| holder.authority().unwrap())
}

/// The admin's own signing key.
pub(crate) fn signing_key(sandbox: &Sandbox, environment: &str) -> SigningKey {
    let environment = environment.parse().unwrap();
    as_admin(sandbox, |_, holder| {
        holder.signing_key(&environment).unwrap()
    })
}

/// The file of a member as it is. Checks no signature.
pub(crate) fn member(sandbox: &Sandbox, name: &str) -> Member {
    let name: MemberName = name.parse().unwrap();
    let file = fs::read(sandbox.store(&member_path(&name))).unwrap();
    parse_member(&name, &member_file(&name, &file).unwrap()).unwrap()
}

/// Changes the root and signs it with `key` (the authority's, or an attacker's).
pub(crate) fn resign_root(sandbox: &Sandbox, key: &SigningKey, change: impl FnOnce(&mut Root)) {
    let mut root = vault(sandbox).root().clone();
    change(&mut root);
    fs::write(sandbox.store(ROOT_PATH), write_root(&root, key)).unwrap();
}

/// Changes the file of a member and signs it with `key`.
pub(crate) fn resign_member(
    sandbox: &Sandbox,
    name: &str,
    key: &SigningKey,
    change: impl FnOnce(&mut Member),
) {
    let mut member = member(sandbox, name);
    change(&mut member);
    put_member(sandbox, name, &member, key);
}

/// Writes the file of a member, signed with `key`.
pub(crate) fn put_member(sandbox: &Sandbox, name: &str, member: &Member, key: &SigningKey) {
    let name: MemberName = name.parse().unwrap();
    let file = write_member(&vault(sandbox).root().vault, &name, member, key);
    fs::write(sandbox.store(&member_path(&name)), file).unwrap();
}

/// Changes what is sealed of the newest data key of an environment to a member, as the authority
/// would.
pub(crate) fn change_sealed(
    sandbox: &Sandbox,
    name: &str,
    environment: &str,
    change: impl FnOnce(&mut Vec<u8>),
) {
    let place: EnvironmentName = environment.parse().unwrap();
    let newest = vault(sandbox)
        .environment(&place)
        .unwrap()
        .newest()
        .commitment;
    resign_member(sandbox, name, &authority(sandbox), |member| {
        let keys = member.sealed.get_mut(&place).unwrap();
        change(keys.get_mut(&newest).unwrap());
    });
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
        .entry(checked, &name)
        .unwrap()
        .unwrap()
        .content()
        .clone();
    change(&mut entry);
    let commitment = checked.newest().commitment;
    let file = write_entry(
        &vault.root().vault,
        &environment,
        &name,
        &commitment,
        &entry,
        key,
    );
    fs::write(sandbox.store(&format!("{environment}/{name}.toml")), file).unwrap();
}

/// Signs the whole vault with another authority, and every entry with another key of alice: the
/// result of a new authority, except for the values.
pub(crate) fn resign_everything(sandbox: &Sandbox, key: &SigningKey) {
    let old = vault(sandbox);
    let mut root = old.root().clone();
    root.vault = VaultId::new(key.public());
    let (name, alice): (MemberName, _) = ("alice".parse().unwrap(), SigningKey::generate());
    let me = identity(sandbox).recipient();
    let mut record = member(sandbox, "alice");
    record.authority = Some(me.seal(&seed(key)));
    record.signing = Some(Signing {
        signer: alice.public(),
        seed: me.seal(&seed(&alice)),
    });
    for (environment, content) in &mut root.environments {
        let entries = old.entries(old.environment(environment).unwrap()).unwrap();
        let data_key = DataKey::generate(&root.vault, environment.as_str());
        let commitment = data_key.commitment();
        content.epochs[0].commitment = commitment;
        let payload = data_key_payload(&root.vault, environment, &data_key);
        let sealed = [(commitment, me.seal(&payload))];
        record.sealed.insert(environment.clone(), sealed.into());
        for entry in entries {
            let (name, mut content) = entry.into_parts();
            content.sealed.as_mut().unwrap()[0] ^= 1;
            let file = write_entry(
                &root.vault,
                environment,
                &name,
                &commitment,
                &content,
                &alice,
            );
            fs::write(sandbox.store(&format!("{environment}/{name}.toml")), file).unwrap();
        }
    }
    fs::write(sandbox.store(ROOT_PATH), write_root(&root, key)).unwrap();
    let file = write_member(&root.vault, &name, &record, key);
    fs::write(sandbox.store(&member_path(&name)), file).unwrap();
}

/// The seed of a key, in the form in which it is sealed.
pub(crate) fn seed(key: &SigningKey) -> Secret {
    Secret::new(key.seed().expose().to_vec())
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
    let line = format!(
        "signature = \"b64:{}\"\n",
        base64_encode(&signature.to_bytes())
    );
    [body, line.as_bytes()].concat()
}

/// The message that the signature of a file with this body covers.
pub(crate) fn message(sandbox: &Sandbox, path: &str, body: &[u8]) -> Vec<u8> {
    let vault = vault(sandbox);
    let (label, commitment) = match path.split_once('/') {
        Some(("members", _)) => ("vault/v1/member", None),
        Some((environment, _)) => {
            let environment = vault.environment(&environment.parse().unwrap()).unwrap();
            ("vault/v1/entry", Some(environment.newest().commitment))
        }
        None => ("vault/v1/root", None),
    };
    let framed = Framed::new(label)
        .part(vault.root().vault.as_bytes())
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
            identity: Identity::generate(NativeKind::Hybrid),
            key: SigningKey::generate(),
        }
    }

    /// Their record as a member without access, but with a signing key.
    pub(crate) fn member(&self) -> Member {
        let recipient = self.identity.recipient();
        let seed = recipient.seal(&Secret::new(self.key.seed().expose().to_vec()));
        Member {
            signing: Some(Signing {
                signer: self.key.public(),
                seed,
            }),
            ..Member::new(recipient)
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
    let authority = authority(sandbox);
    let mut member = person.member();
    as_admin(sandbox, |vault, holder| {
        for (environment, access) in access {
            let environment: EnvironmentName = environment.parse().unwrap();
            let checked = vault.environment(&environment).unwrap();
            let newest = checked.newest();
            let keys = holder.unlock(checked, [newest.commitment]).unwrap();
            member.access.insert(environment.clone(), access.clone());
            let key = keys.data_key(newest).unwrap();
            RootSigner::new(&authority).seal_to(&mut member, &environment, key);
        }
    });
    put_member(sandbox, name, &member, &authority);
}
