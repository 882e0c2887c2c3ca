//! A vault whose command receives a secret as a file in memory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::sandbox::Sandbox;

pub(crate) const KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\nBCIEIPq3mZx81vTrEqY5\n-----END PRIVATE KEY-----\n";

/// A vault with a secret as a file, and a folder in memory for this test only.
pub(crate) fn sandbox() -> (Sandbox, Shared) {
    let sandbox = Sandbox::with_vault();
    let config = sandbox.repo().join("vault.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(config, format!("{text}\n[secrets.TLS_KEY]\nfile = true\n")).unwrap();
    sandbox.set("development", "TLS_KEY", KEY);
    sandbox.set("development", "TOKEN", b"vQ7x-Zp2mK9rT4wL");
    let name = sandbox
        .root()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let folder = Path::new("/dev/shm").join(format!("test-{name}"));
    fs::create_dir(&folder).unwrap();
    (sandbox, Shared(folder))
}

/// A folder that is removed at the end of the test.
pub(crate) struct Shared(pub(crate) PathBuf);

impl Shared {
    pub(crate) fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub(crate) fn is_empty(&self) -> bool {
        fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
