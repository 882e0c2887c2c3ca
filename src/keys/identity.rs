//! The file `identity.txt`, which only its owner may read.

use std::io;
use std::path::Path;

use super::LONGEST;
use crate::crypto::{Identity, Recipient};
use crate::fault::Fault;
use crate::platform::{self, FileAccess};
use crate::secret::Secret;

/// The text of the file. Returns `None` if it does not exist.
pub(super) fn read_identity_file(path: &Path) -> Result<Option<Secret>, Fault> {
    let mut file = match platform::private_file(path.as_os_str()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
        Err(error) => {
            let message = format!("your key file {} is refused", path.display());
            return Err(Fault::locked(message).because(error).hint(format!(
                "make it yours alone: `chmod 600 {}`",
                path.display()
            )));
        }
    };
    let text = Secret::read(&mut file, LONGEST);
    text.map(Some).map_err(|error| {
        Fault::locked(format!("could not read your key file {}", path.display())).because(error)
    })
}

/// Writes the file, readable by the owner alone. An existing file is never replaced.
pub(super) fn write(path: &Path, text: &Secret) -> Result<(), Fault> {
    let write = || {
        let parent = path.parent().unwrap_or(Path::new("/"));
        let folder = platform::private_dir(parent)?;
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        folder.create_whole(name, text.expose(), FileAccess::Private)
    };
    write().map_err(|error| {
        Fault::failed(format!("could not make your key file {}", path.display())).because(error)
    })
}

/// What `age-keygen` writes, so that age tools can use the file too.
pub(super) fn text(identity: &Identity, recipient: &Recipient) -> Secret {
    let mut text = Secret::with_capacity(4096);
    text.extend(format!("# made by vault\n# public key: {recipient}\n").as_bytes());
    text.extend(identity.to_text().expose());
    text.extend(b"\n");
    text
}
