//! Requests to join: the records that people who are not members yet ask for.
//!
//! A valid request proves only that the holder of its signing key wrote it, for this vault and this
//! name. Anyone can write one. Two people compare its fingerprint to find out whose it is.

use super::Vault;
use crate::crypto::{Fingerprint, VaultId};
use crate::fault::Fault;
use crate::vault::format::{
    REQUESTS, fingerprint, member_path, read_request, request_of, request_path,
};
use crate::vault::model::{Member, Request};
use crate::vault::name::MemberName;

/// The most files in the folder of the requests.
const MOST: usize = 1000;

impl Vault {
    /// The request of `name` to join this vault. Returns `None` if there is none.
    ///
    /// # Errors
    /// If the file is not as `vault join` writes it, is not signed by its own signer, or is for
    /// another vault or name.
    pub fn request(&self, name: &MemberName) -> Result<Option<Request>, Fault> {
        let path = request_path(name);
        let Some(folder) = self.tree().folder(REQUESTS)? else {
            return Ok(None);
        };
        let file = path.rsplit('/').next().unwrap_or_default();
        let Some(file) = folder.read(REQUESTS, file)? else {
            return Ok(None);
        };
        let signed = read_request(name, &file)?;
        let (request, vault) = (&signed.content, &self.root().vault);
        let refused = |reason: String| {
            Fault::refused_file(&path, reason).hint(format!(
                "ask for a new one: `rm .vault/{path}`, then `vault join --name NAME`"
            ))
        };
        if request.name != *name {
            return Err(refused(format!("is the request of {}", request.name)));
        }
        if request.vault != *vault {
            return Err(refused(format!(
                "asks to join another vault, {}",
                request.vault
            )));
        }
        if !signed.claim(request.signing.signer, vault, None).holds() {
            return Err(refused(
                "does not match the signature of its signer".to_owned(),
            ));
        }
        if !request.recipient.is_alone_in(&request.signing.seed) {
            return Err(refused(
                "has a signing key that is not sealed to its recipient alone".to_owned(),
            ));
        }
        Ok(Some(signed.content))
    }

    /// The names in all requests, sorted. For a file that cannot be a request, returns its file
    /// name.
    ///
    /// # Errors
    /// If the folder of the requests is not a folder, cannot be listed, or has too many files.
    pub fn requests(&self) -> Result<Vec<Result<MemberName, String>>, Fault> {
        let Some(folder) = self.tree().folder(REQUESTS)? else {
            return Ok(Vec::new());
        };
        let mut files = folder.names(REQUESTS)?;
        // Desktops create hidden files here, as in environments.
        files.retain(|file| !file.starts_with('.'));
        if files.len() > MOST {
            return Err(
                Fault::refused_file(REQUESTS, format!("holds {} files", files.len())).hint(
                    format!("see what does not belong there: `git status .vault/{REQUESTS}`"),
                ),
            );
        }
        let name = |file: String| {
            let name = file
                .strip_suffix(".toml")
                .and_then(|name| name.parse().ok());
            name.ok_or(file)
        };
        Ok(files.into_iter().map(name).collect())
    }
}

/// A request made with `vault join`, to be compared with the member's file.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// The name.
    pub name: MemberName,
    /// The fingerprint of the request.
    pub fingerprint: Fingerprint,
    /// The digest of the recipient that the member had then, if the request is for a new key. Until an
    /// admin has answered, the member still has it.
    pub replaces: Option<[u8; 32]>,
}

impl Asked {
    /// The request that is made in `vault` as it is now.
    ///
    /// # Errors
    /// If the file of the member with this name cannot be used.
    pub fn of(request: &Request, vault: &Vault) -> Result<Self, Fault> {
        let member = vault.counting(&request.name)?;
        Ok(Self {
            name: request.name.clone(),
            fingerprint: fingerprint(request),
            // If the recipient stays, an answer differs from the old file in the signing key alone.
            replaces: member
                .filter(|member| member.recipient != request.recipient)
                .map(|member| member.recipient.digest()),
        })
    }

    /// Whether it is the request with this fingerprint.
    #[must_use]
    pub fn is(&self, request: &Request) -> bool {
        self.name == request.name && self.fingerprint == fingerprint(request)
    }

    /// Checks that `member`, the caller, has the keys that they asked for.
    ///
    /// # Errors
    /// If they differ, because someone changed the request on its way to the admin.
    pub(super) fn check(
        &self,
        vault: &VaultId,
        name: &MemberName,
        member: &Member,
    ) -> Result<(), Fault> {
        if self.replaces == Some(member.recipient.digest()) {
            return Ok(());
        }
        let request = request_of(vault, name, member);
        if request.is_some_and(|request| fingerprint(&request) == self.fingerprint) {
            return Ok(());
        }
        let reason = format!("has other keys than {} asked for", self.name);
        Err(Fault::refused_file(&member_path(name), reason)
            .hint("someone changed your request on its way: tell the admins, and use nothing in this vault")
            .hint(
                "once they have removed this member, ask by another name: `vault join --name NAME`",
            ))
    }
}
