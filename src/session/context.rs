//! What every command works with: the command line's global options, the caller's environment,
//! the key's sources, a way to speak.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::caller::is_member;
use super::caller_key::CallerKey;
use super::console::Console;
use crate::crypto::Recipient;
use crate::fault::Fault;
use crate::keys::{DefaultKey, Found, Keyring, Sources, is_key, misplaced};
use crate::platform::{self, Hardened};
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
}

impl Context {
    /// A variable of the caller; an empty one counts as absent.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        let found = self.environ.iter().find(|(own, _)| own == name);
        found
            .map(|(_, value)| value.as_os_str())
            .filter(|value| !value.is_empty())
    }

    /// A variable that must be text.
    pub(crate) fn text_variable(&self, name: &str) -> Result<Option<&str>, Fault> {
        let value = self.variable(name).map(|value| {
            value
                .to_str()
                .ok_or_else(|| Fault::usage(format!("{name} is not UTF-8 text")))
        });
        value.transpose()
    }

    /// The caller's key, unread; `variable` is the value of `VAULT_KEY`.
    pub(crate) fn caller_key(
        &self,
        key_file: Option<OsString>,
        key_fd: Option<i32>,
        variable: Option<Secret>,
    ) -> CallerKey {
        CallerKey::Unread(Sources {
            key_file,
            key_fd,
            variable_file: self.variable("VAULT_KEY_FILE").map(OsStr::to_owned),
            variable,
            command: self.variable("VAULT_KEY_COMMAND").map(OsStr::to_owned),
            identity: self.identity_path(),
            keyring: self.keyring(),
            ssh: self.ssh_key(),
        })
    }

    /// The settings that say whether there is a keyring.
    pub(crate) fn keyring(&self) -> Keyring {
        let has_display = ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| self.variable(name).is_some());
        Keyring {
            is_ci: self.variable("CI").is_some(),
            bus: self
                .variable("DBUS_SESSION_BUS_ADDRESS")
                .map(OsStr::to_owned),
            runtime_folder: self.variable("XDG_RUNTIME_DIR").map(PathBuf::from),
            has_display: has_display || !platform::HAS_SESSION_BUS,
        }
    }

    /// What to do without a key.
    pub(crate) fn no_key(&self) -> Fault {
        let fault = Fault::locked("locked: no key was found");
        let fault = match self.identity_path() {
            Some(path) => fault.hint(format!("on your own machine the key is {}", path.display())),
            None => fault.hint("HOME is not set, so no key file can be found"),
        };
        fault.hint("in CI, store what `vault ci add` printed as the secret VAULT_KEY")
    }

    /// `$XDG_CONFIG_HOME/vault/identity.txt`.
    pub(crate) fn identity_path(&self) -> Option<PathBuf> {
        Some(
            self.home_folder("XDG_CONFIG_HOME", ".config")?
                .join("vault/identity.txt"),
        )
    }

    /// `~/.ssh/id_ed25519`, for the vault that a command without a key would find.
    fn ssh_key(&self) -> Option<DefaultKey> {
        let home = self.home()?;
        let (path, folder) = (home.join(".ssh/id_ed25519"), self.folder.clone());
        let named = self
            .named_folder()
            .map(|(_, named)| self.folder.join(named));
        let is_member = move |recipient: &Recipient| {
            let place = match &named {
                Some(named) => Some(Place::new(named.clone())),
                None => store::nearest(&folder, Some(&home)).map(Nearest::place),
            };
            place.is_some_and(|place| is_member(&place, recipient))
        };
        Some(DefaultKey {
            path,
            is_member: Box::new(is_member),
        })
    }

    /// `$XDG_STATE_HOME/vault`.
    pub(crate) fn state_folder(&self) -> Option<PathBuf> {
        Some(
            self.home_folder("XDG_STATE_HOME", ".local/state")?
                .join("vault"),
        )
    }

    /// XDG base directory specification: a relative path counts as unset.
    fn home_folder(&self, variable: &str, default: &str) -> Option<PathBuf> {
        let absolute = |value: &OsStr| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
        let own = self.variable(variable).and_then(absolute);
        own.or_else(|| Some(self.home()?.join(default)))
    }

    /// `HOME`.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.variable("HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    }

    /// The vault that is meant: named by `--vault` or `VAULT_DIR`, else the nearest. One that belongs
    /// to another user counts only if `VAULT_ID` or a machine's credential says which vault is meant.
    pub(crate) fn place(&self, key: &mut CallerKey) -> Result<Place, Fault> {
        self.place_by(|| key.look_for_machines(self.console))
    }

    /// Finds the same vault for a command that needs the key anyway: a credential may come from any
    /// source.
    pub(crate) fn place_for_key(&self, key: &mut CallerKey) -> Result<Place, Fault> {
        self.place_by(|| key.look(self.console))
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

    fn place_by<'a>(
        &self,
        key: impl FnOnce() -> Result<Option<&'a Found>, Fault>,
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

    /// Whether `VAULT_ID` or the credential that `key` reads is a pin.
    fn says_which_vault<'a>(
        &self,
        key: impl FnOnce() -> Result<Option<&'a Found>, Fault>,
    ) -> Result<bool, Fault> {
        Ok(self.pin()?.is_some() || key()?.is_some_and(|found| found.credential.is_some()))
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
        Some(Err(Fault::usage(format!(
            "no vault.toml in {}",
            place.folder().display()
        ))
        .hint("name the folder that holds vault.toml")))
    }

    /// The folder of `--vault` or `VAULT_DIR`, whether or not there is a vault in it.
    pub(crate) fn named_path(&self) -> Result<Option<PathBuf>, Fault> {
        let Some((option, folder)) = self.named_folder() else {
            return Ok(None);
        };
        if is_key(&folder.to_string_lossy()) {
            return Err(misplaced(option, "a path"));
        }
        Ok(Some(self.folder.join(folder)))
    }

    /// What names the folder of the vault, if anything does, and that folder.
    pub(crate) fn named_folder(&self) -> Option<(&'static str, &OsStr)> {
        let option = self
            .named_vault
            .as_deref()
            .map(|folder| ("--vault", folder.as_os_str()));
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
                    .hint("write it as `VAULT_ID=vault1…`, or `VAULT_ID=vault1…@TAG`")
            })
        })
        .transpose()
    }

    /// `vault.toml`.
    pub(crate) fn config(place: &Place) -> Result<Config, Fault> {
        Config::read(&place.config())
    }
}
