//! What every command works with: the command line's global options, the caller's environment,
//! the key's sources, a way to speak.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::console::Console;
use crate::fault::Fault;
use crate::keys::{self, Found, Sources, is_key, misplaced};
use crate::platform::Hardened;
use crate::secret::Secret;
use crate::vault::config::Config;
use crate::vault::store::{self, Nearest, Place};
use crate::vault::trust::Pin;

/// The world as the caller handed it over.
pub(crate) struct Context {
    pub(crate) console: Console,
    pub(crate) hardened: Hardened,
    /// The caller's environment, in its order. `VAULT_KEY` is empty in it.
    pub(crate) environ: Vec<(OsString, OsString)>,
    pub(crate) folder: PathBuf,
    pub(crate) named_vault: Option<PathBuf>,
    pub(crate) key_file: Option<OsString>,
    pub(crate) key_fd: Option<i32>,
    pub(crate) key_variable: Option<Secret>,
    pub(crate) key_read: KeyRead,
}

/// Whether the key was read before a command asked for it, to find out which vault is meant.
#[derive(Default)]
pub(crate) enum KeyRead {
    #[default]
    No,
    /// What was found then.
    Yes(Option<Box<Found>>),
}

impl Context {
    /// A variable of the caller; an empty one counts as absent.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        let found = self.environ.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_os_str()).filter(|value| !value.is_empty())
    }

    /// A variable that must be text.
    pub(crate) fn text_variable(&self, name: &str) -> Result<Option<&str>, Fault> {
        let value = self.variable(name).map(|value| {
            value.to_str().ok_or_else(|| Fault::usage(format!("{name} is not UTF-8 text")))
        });
        value.transpose()
    }

    /// Reads the key, once; a second call finds none.
    pub(crate) fn key(&mut self) -> Result<Option<Found>, Fault> {
        let sources = self.sources();
        self.key_from(sources)
    }

    /// As [`Context::key`], from the sources that ask nobody and are made for machines.
    pub(crate) fn machine_key(&mut self) -> Result<Option<Found>, Fault> {
        let sources = Sources { command: None, identity: None, ..self.sources() };
        self.key_from(sources)
    }

    fn key_from(&mut self, sources: Sources) -> Result<Option<Found>, Fault> {
        if let KeyRead::Yes(found) = &mut self.key_read {
            return Ok(found.take().map(|found| *found));
        }
        let found = keys::find(sources)?;
        if let Some(caution) = found.as_ref().and_then(|found| found.caution.as_ref()) {
            self.console.warn(caution);
        }
        Ok(found)
    }

    /// Everything that may hold the key, to be read once.
    pub(crate) fn sources(&mut self) -> Sources {
        Sources {
            key_file: self.key_file.take(),
            key_fd: self.key_fd.take(),
            variable_file: self.variable("VAULT_KEY_FILE").map(OsStr::to_owned),
            variable: self.key_variable.take(),
            command: self.variable("VAULT_KEY_COMMAND").map(OsStr::to_owned),
            identity: self.identity_path(),
        }
    }

    /// The key, or what to do without one.
    pub(crate) fn needed_key(&mut self) -> Result<Found, Fault> {
        self.key()?.ok_or_else(|| self.no_key())
    }

    /// What to do without a key.
    pub(crate) fn no_key(&self) -> Fault {
        let fault = Fault::locked("locked: there is no key");
        let fault = match self.identity_path() {
            Some(path) => fault.hint(format!("on your own machine the key is {}", path.display())),
            None => fault.hint("HOME is not set, so there is no key file"),
        };
        fault.hint("in CI, store what `vault ci add` printed as the secret VAULT_KEY")
    }

    /// `$XDG_CONFIG_HOME/vault/identity.txt`.
    pub(crate) fn identity_path(&self) -> Option<PathBuf> {
        Some(self.home_folder("XDG_CONFIG_HOME", ".config")?.join("vault/identity.txt"))
    }

    /// `$XDG_STATE_HOME/vault`.
    pub(crate) fn state_folder(&self) -> Option<PathBuf> {
        Some(self.home_folder("XDG_STATE_HOME", ".local/state")?.join("vault"))
    }

    /// XDG base directory specification: a relative path counts as unset.
    fn home_folder(&self, variable: &str, default: &str) -> Option<PathBuf> {
        let absolute = |value: &OsStr| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
        let own = self.variable(variable).and_then(absolute);
        own.or_else(|| Some(self.home()?.join(default)))
    }

    /// `HOME`.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// The vault that is meant: named by `--vault` or `VAULT_DIR`, else the nearest. One that belongs
    /// to another user counts only if `VAULT_ID` or a machine's credential says which vault is meant.
    pub(crate) fn place(&mut self) -> Result<Place, Fault> {
        self.place_by(Self::machine_key)
    }

    /// As [`Context::place`], for a command that needs the key anyway: a credential may come from any
    /// source.
    pub(crate) fn place_for_key(&mut self) -> Result<Place, Fault> {
        self.place_by(Self::key)
    }

    /// As [`Context::place`], for a command that was given the vault's id: whose it is does not matter.
    pub(crate) fn place_for_id(&self) -> Result<Place, Fault> {
        match self.named_place() {
            Some(place) => place,
            None => match store::nearest(&self.folder, self.home().as_deref()) {
                Some(Nearest::Own(place) | Nearest::Foreign(place)) => Ok(place),
                None => self.own_place(),
            },
        }
    }

    fn place_by(
        &mut self,
        key: fn(&mut Self) -> Result<Option<Found>, Fault>,
    ) -> Result<Place, Fault> {
        if let Some(place) = self.named_place() {
            return place;
        }
        match store::nearest(&self.folder, self.home().as_deref()) {
            Some(Nearest::Own(place)) => Ok(place),
            Some(Nearest::Foreign(place)) if self.says_which_vault(key)? => Ok(place),
            Some(Nearest::Foreign(_)) | None => self.own_place(),
        }
    }

    /// Whether `VAULT_ID` or a credential among the keys that `key` reads is a pin.
    fn says_which_vault(
        &mut self,
        key: fn(&mut Self) -> Result<Option<Found>, Fault>,
    ) -> Result<bool, Fault> {
        if self.pin()?.is_some() {
            return Ok(true);
        }
        let found = key(self)?;
        let is_pinned = found.as_ref().is_some_and(|found| found.credential.is_some());
        if found.is_some() {
            self.keep_key(found);
        }
        Ok(is_pinned)
    }

    /// Keeps a key that was read early for the command that asks for it.
    pub(crate) fn keep_key(&mut self, found: Option<Found>) {
        self.key_read = KeyRead::Yes(found.map(Box::new));
    }

    fn own_place(&self) -> Result<Place, Fault> {
        store::find(&self.folder, self.home().as_deref())
    }

    fn named_place(&self) -> Option<Result<Place, Fault>> {
        let place = match self.named_path().transpose()? {
            Ok(path) => Place::new(path),
            Err(fault) => return Some(Err(fault)),
        };
        if place.config().is_file() {
            return Some(Ok(place));
        }
        Some(Err(Fault::usage(format!("no vault.toml in {}", place.folder().display()))
            .hint("name the folder that holds vault.toml")))
    }

    /// The folder of `--vault` or `VAULT_DIR`, whether or not there is a vault in it.
    pub(crate) fn named_path(&self) -> Result<Option<PathBuf>, Fault> {
        let Some((option, folder)) = self.named_folder() else { return Ok(None) };
        if is_key(&folder.to_string_lossy()) {
            return Err(misplaced(option, "a path"));
        }
        Ok(Some(self.folder.join(folder)))
    }

    /// What names the folder of the vault, if anything does, and that folder.
    pub(crate) fn named_folder(&self) -> Option<(&'static str, &OsStr)> {
        let option = self.named_vault.as_deref().map(|folder| ("--vault", folder.as_os_str()));
        option.or_else(|| Some(("VAULT_DIR", self.variable("VAULT_DIR")?)))
    }

    /// `VAULT_ID`.
    pub(crate) fn pin(&self) -> Result<Option<Pin>, Fault> {
        let text = self.text_variable("VAULT_ID")?;
        text.map(|text| {
            if is_key(text) {
                return Err(misplaced("VAULT_ID", "the id of a vault"));
            }
            text.parse().map_err(|fault: Fault| {
                Fault::usage(format!("VAULT_ID: {fault:#}"))
                    .hint("VAULT_ID=vault1…, or VAULT_ID=vault1…@FLOOR")
            })
        })
        .transpose()
    }

    /// `vault.toml`.
    pub(crate) fn config(place: &Place) -> Result<Config, Fault> {
        Config::read(&place.config())
    }
}
