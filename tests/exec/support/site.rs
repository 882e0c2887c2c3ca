//! A small project with the commands that people run: Django, pytest, celery, gunicorn, npm, and
//! make.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::support::facts::wait_for;
use crate::support::scene::{Launch, Scene, Way};

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exec/support/site");

/// A scene with the project in its repository.
pub(crate) struct Site {
    scene: Scene,
    address: SocketAddr,
}

impl Site {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(1);
        let scene = Scene::new();
        for entry in fs::read_dir(FILES).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), scene.sandbox().repo().join(entry.file_name())).unwrap();
            }
        }
        // Every address in 127.0.0.0/8 is this machine, so each process has its own free ports.
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from(([127, high | 1, low, 1], 8000 + number));
        Self { scene, address }
    }

    pub(crate) fn scene(&self) -> &Scene {
        &self.scene
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn launch(&self, way: Way, words: &[&str]) -> Launch {
        self.scene
            .launch(way, words)
            .variable("PYTHONDONTWRITEBYTECODE", "1")
    }

    /// Returns whether a server answers at the address.
    pub(crate) fn is_served(&self) -> bool {
        TcpStream::connect_timeout(&self.address, Duration::from_secs(5)).is_ok()
    }

    /// Returns the whole answer to a request, or `None` if no server answers.
    pub(crate) fn page(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: shop\r\n\r\n").ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Waits until the page has this text.
    #[track_caller]
    pub(crate) fn shows(&self, path: &str, text: &str) {
        wait_for(&format!("{text:?} on {path}"), || {
            self.page(path).filter(|page| page.contains(text))
        });
    }

    /// Waits until no server listens at the address.
    #[track_caller]
    pub(crate) fn is_abandoned(&self) {
        wait_for("an address that is free", || {
            (!self.is_served()).then_some(())
        });
    }
}

/// Changes the file as an editor would.
pub(crate) fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from));
    fs::write(path, text.replace(from, to)).unwrap();
}
