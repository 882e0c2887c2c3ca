//! An opened vault and the key to it: found, read, judged, and remembered once all is verified.

use super::caller::{choose, member};
use super::caller_key::CallerKey;
use super::context::Context;
use super::environment_choice::environment_for_key;
use super::new_vault::{confirm_new_vault, untrusted};
use super::older_root::judge;
use crate::crypto::VaultId;
use crate::fault::Fault;
use crate::keys::Found;
use crate::platform::{Dir, ReadError};
use crate::vault::config::Config;
use crate::vault::format::ROOT_PATH;
use crate::vault::holder::Holder;
use crate::vault::model::Member;
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::store::{Place, STORE_FOLDER, Tree, Writer};
use crate::vault::trust::{Met, Pin, Standing, State, Trust, UnverifiedRoot, Vault};

/// A root that is not the one seen before at its revision.
pub(crate) const FORKED: &str = "the root is not the one seen before at this revision: \
     two branches changed it, and one of them is not merged here";

/// What to do if a credential knows more than the files: it was made on another branch.
pub(super) const NEWER: &str = "if the credential is newer than this checkout, it was made on a branch that is \
     not merged here, or not pushed: commit and push .vault where it was made";

/// An open vault with a key.
pub(crate) struct Session {
    pub(crate) place: Place,
    pub(crate) config: Config,
    pub(crate) vault: Vault,
    pub(crate) key: Found,
    pub(crate) standing: Standing,
    pub(super) trust: Trust,
    pub(super) entered: bool,
    /// The caller, as far as their file counts.
    pub(super) member: (MemberName, Member),
}

/// A vault that may be unconfirmed, with a key that may not belong to a member.
pub(crate) struct UnconfirmedSession {
    pub(crate) place: Place,
    pub(crate) config: Config,
    pub(crate) vault: Vault,
    pub(crate) key: Found,
    pub(crate) standing: Standing,
    trust: Trust,
}

impl UnconfirmedSession {
    /// Reads and judges the vault. Asks nothing.
    ///
    /// # Errors
    /// If the vault is not acceptable, or contradicts the caller's trust.
    pub(crate) fn open(
        context: &Context,
        place: Place,
        config: Config,
        key: Found,
    ) -> Result<Self, Fault> {
        let (trust, presented, standing) = presented(context, &place, &key)?;
        let vault = presented.into_vault()?;
        Ok(Self {
            place,
            config,
            vault,
            key,
            standing,
            trust,
        })
    }

    /// Chooses the environment if none is named.
    pub(crate) fn environment(&self, context: &Context) -> Result<EnvironmentName, Fault> {
        environment_for_key(context, &self.config, None, &self.key, &self.vault)
    }

    /// Continues as the member whose key it is.
    ///
    /// # Errors
    /// If the key belongs to no member.
    pub(crate) fn into_session(self) -> Result<Session, Fault> {
        let Self {
            place,
            config,
            vault,
            mut key,
            standing,
            mut trust,
        } = self;
        let entered = choose(&vault, &mut key, &mut trust)?;
        let member = member(&vault, &key, &trust)?;
        Ok(Session {
            place,
            config,
            vault,
            key,
            standing,
            trust,
            entered,
            member,
        })
    }
}

impl Session {
    /// Reads the key, then the root, and judges it. Asks at a terminal whether a vault that is
    /// new to the caller is the right one.
    pub(crate) fn open(context: &Context, mut key: CallerKey) -> Result<Self, Fault> {
        // A missing vault is reported before a key is asked for.
        let place = context.place_for_key(&mut key)?;
        let config = Context::config(&place)?;
        let found = key.needed(context)?;
        Self::open_with(context, place, config, found)
    }

    /// As [`Session::open`], with a key that was read before.
    pub(crate) fn open_with(
        context: &Context,
        place: Place,
        config: Config,
        key: Found,
    ) -> Result<Self, Fault> {
        let session = Self::open_after_keyless(context, place, config, key)?;
        if session.standing == Standing::Forked {
            context.console.warn(FORKED);
        }
        Ok(session)
    }

    /// As [`Session::open_with`], for a command that opened the vault without a key first, and so has
    /// already warned of a root that is not the one seen before.
    pub(crate) fn open_after_keyless(
        context: &Context,
        place: Place,
        config: Config,
        mut key: Found,
    ) -> Result<Self, Fault> {
        let (mut trust, presented, mut standing) = presented(context, &place, &key)?;
        let mut entered = standing == Standing::Unknown;
        if entered {
            // A stranger's root is not parsed before its id is trusted.
            confirm_new_vault(context, &presented, &key)?;
            standing = Standing::Trusted;
        }
        let vault = presented.into_vault()?;
        entered |= choose(&vault, &mut key, &mut trust)?;
        let member = member(&vault, &key, &trust)?;
        Ok(Self {
            place,
            config,
            vault,
            key,
            standing,
            trust,
            entered,
            member,
        })
    }

    /// The caller as a member.
    pub(crate) fn holder(&self) -> Holder<'_> {
        let (name, member) = &self.member;
        Holder::new(&self.vault, name, member, &self.key.identity)
    }

    /// The caller's name.
    pub(crate) fn name(&self) -> &MemberName {
        &self.member.0
    }

    /// Reads the root again, now from `tree`, and judges it as before. It must still be the same
    /// vault, and no one who had lost access may have it again: values that were read from one must
    /// never be sealed into the other.
    pub(crate) fn read_again(&mut self, tree: Tree) -> Result<(), Fault> {
        let replaced = || {
            Fault::refused_file(
                ROOT_PATH,
                "was rolled back or replaced while this command ran",
            )
            .restore("")
        };
        let before = self.vault.root();
        let is_same = |id: &VaultId| {
            if *id == before.vault {
                Ok(())
            } else {
                Err(replaced())
            }
        };
        let presented = UnverifiedRoot::read_if(reject_interrupted(tree)?, is_same)?;
        let standing = presented.judge(&self.trust, &folder(&self.place));
        let vault = presented.into_vault()?;
        if !vault.root().lists(before.latest()) {
            return Err(replaced());
        }
        match standing? {
            Standing::Unknown if !self.entered => return Err(untrusted(&vault.root().vault)),
            standing => self.standing = standing,
        }
        self.vault = vault;
        // Someone who has just replaced their own key stays the member they were.
        if let Ok(member) = member(&self.vault, &self.key, &self.trust) {
            self.member = member;
        }
        Ok(())
    }

    /// Takes the right to write and reads the root again under it.
    pub(crate) fn lock(&mut self, context: &Context) -> Result<Writer, Fault> {
        let writer = Writer::lock(&self.place, &|| {
            context
                .console
                .note("waiting for another vault to finish writing…");
        })?;
        self.read_again(writer.tree()?)?;
        self.member = member(&self.vault, &self.key, &self.trust)?;
        Ok(writer)
    }

    /// Checks that no other root of this revision was seen before.
    ///
    /// # Errors
    /// If one was: it may have taken access that this one still shows.
    pub(crate) fn check_not_forked(&self) -> Result<(), Fault> {
        if self.standing != Standing::Forked {
            return Ok(());
        }
        Err(
            Fault::refused_file(ROOT_PATH, "is not the one seen before at this revision")
                .hint("two branches changed it: merge the other branch first"),
        )
    }

    /// Whether this is the id of the vault, or one that the caller trusted until this one, or another
    /// on the way to it, took its place.
    pub(crate) fn knows(&self, vault: &VaultId) -> bool {
        let now = self.vault.root().vault;
        *vault == now
            || self
                .trust
                .states
                .iter()
                .any(|state| state.became(vault, &now))
    }

    /// Chooses the environment: `-e`, `VAULT_ENVIRONMENT`, the credential's only one, or `default` in
    /// `vault.toml`.
    pub(crate) fn environment(
        &self,
        context: &Context,
        named: Option<&EnvironmentName>,
    ) -> Result<EnvironmentName, Fault> {
        environment_for_key(context, &self.config, named, &self.key, &self.vault)
    }

    /// Lets the record of another key of the caller know the vault, if the record of this one does.
    pub(crate) fn introduce(&self, state: &mut State) -> Result<(), Fault> {
        let vault = self.vault.root().vault;
        let mut states = self.trust.states.iter();
        if self.entered || states.any(|own| own.seen(&vault).is_some()) {
            return state.enter(&met(&self.vault, &self.place));
        }
        Ok(())
    }

    /// Keeps in mind what was seen, now that everything the command needs is verified. Machines
    /// with a pin keep nothing.
    pub(crate) fn remember(&mut self, context: &Context) -> Result<(), Fault> {
        let vault = self.vault.root().vault;
        let now = Met {
            member: Some(self.member.0.clone()),
            ..met(&self.vault, &self.place)
        };
        let entered = self.entered;
        for state in &mut self.trust.states {
            // No id becomes trusted by being met.
            let recorded = if entered || state.seen(&vault).is_some() {
                state.record(&now)
            } else {
                Ok(())
            };
            // Without a signing key, a member may still wait for the one that they asked for.
            let answered = |()| match &self.member.1.signing {
                Some(_) => state.answered(&vault),
                None => Ok(()),
            };
            match recorded.and_then(answered) {
                Err(fault) if entered => return Err(fault),
                Err(fault) => context.console.warn(fault),
                Ok(()) => {}
            }
        }
        Ok(())
    }
}

/// Reads the root and compares it with the caller's trust.
fn presented(
    context: &Context,
    place: &Place,
    key: &Found,
) -> Result<(Trust, UnverifiedRoot, Standing), Fault> {
    let trust = trust(context, key)?;
    let presented = UnverifiedRoot::read(tree(place)?)?;
    let credential = key.credential.as_ref().map(|own| own.tag);
    let standing = judge(&presented, &trust, place, credential);
    let standing = match credential {
        Some(_) => standing.map_err(|fault| fault.hint(NEWER)),
        None => standing,
    }?;
    Ok((trust, presented, standing))
}

/// The facts to remember about a vault in its place.
pub(crate) fn met(vault: &Vault, place: &Place) -> Met {
    Met::new(vault, folder(place))
}

/// The store as a tree to read.
pub(crate) fn tree(place: &Place) -> Result<Tree, Fault> {
    let path = place.store();
    match Dir::open(&path) {
        Ok(Some(dir)) => reject_interrupted(Tree::Working(dir)),
        Ok(None) => Err(Fault::refused(format!("there is no {}", path.display()))
            .hint("put it back: `git checkout -- .vault`; for a new vault: `vault init`")),
        Err(ReadError::Io(error)) => {
            Err(Fault::failed(format!("could not open {}", path.display())).because(error))
        }
        Err(_) => Err(Fault::refused(format!("{STORE_FOLDER} is not a folder"))
            .hint("remove it and put back the committed one: `git checkout -- .vault`")),
    }
}

/// Nothing is used of a vault in whose place another one is about to be put.
fn reject_interrupted(tree: Tree) -> Result<Tree, Fault> {
    if tree.has_interrupted_replacement()? {
        return Err(
            Fault::refused_file("", "getting a new authority was interrupted")
                .hint("take it back: `vault rotate --finish`"),
        );
    }
    Ok(tree)
}

/// The folder as the state names it.
pub(crate) fn folder(place: &Place) -> String {
    let folder = place.folder();
    let resolved = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    resolved.to_string_lossy().into_owned()
}

/// Everything the caller trusts: the credential, or the records of the caller's recipient, and
/// `VAULT_ID`.
pub(crate) fn trust(context: &Context, key: &Found) -> Result<Trust, Fault> {
    let mut trust = Trust {
        pins: context.pin()?.into_iter().collect(),
        states: Vec::new(),
    };
    match (&key.credential, context.state_folder()) {
        (Some(credential), _) => {
            trust.pins.push(Pin {
                vault: credential.vault,
                tag: credential.tag,
            });
        }
        (None, Some(state)) => {
            for identity in key.identities() {
                trust
                    .states
                    .push(State::load(&state, &identity.recipient())?);
            }
        }
        (None, None) => {}
    }
    Ok(trust)
}
