//! A desktop session with a real keyring: `gnome-keyring-daemon` on a D-Bus of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::support::machine::has;
use crate::support::sandbox::{Run, Sandbox};

/// Starts the keyring, unlocked and with a collection, prints the address of the bus, and waits until
/// standard input ends.
const SESSION: &str = "\
printf password | gnome-keyring-daemon --daemonize --unlock --components=secrets > /dev/null
read_default() {
    dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
        org.freedesktop.Secret.Service.ReadAlias string:default
}
count=0
until read_default | grep -q collection; do
    count=$((count + 1))
    [ \"$count\" -lt 600 ] || exit 1
    sleep 0.05
done
echo \"$DBUS_SESSION_BUS_ADDRESS\"
exec cat > /dev/null";
/// The same without a keyring.
const BUS: &str = "echo \"$DBUS_SESSION_BUS_ADDRESS\"; exec cat > /dev/null";
/// A bus that starts no service.
const CONFIG: &str = "\
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>
<policy context='default'><allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/>
<allow own='*'/>
</policy></busconfig>";

/// Whether the programs are here.
#[track_caller]
pub(crate) fn has_keyring() -> bool {
    has("dbus-run-session", "dbus-daemon")
        && has("dbus-send", "dbus-bin")
        && has("gnome-keyring-daemon", "gnome-keyring")
        && has("secret-tool", "libsecret-tools")
}

/// The running session. It ends when this is dropped, and also if the tests are killed.
pub(crate) struct Session {
    child: Child,
    pub(crate) address: String,
    folder: PathBuf,
}

impl Session {
    /// A session with an unlocked, empty keyring.
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        Self::running(sandbox, SESSION)
    }

    /// A session without a keyring.
    pub(crate) fn without_keyring(sandbox: &Sandbox) -> Self {
        Self::running(sandbox, BUS)
    }

    fn running(sandbox: &Sandbox, script: &str) -> Self {
        let folder = sandbox.root().join("session");
        fs::create_dir_all(&folder).unwrap();
        let config = folder.join("bus.conf");
        fs::write(&config, CONFIG).unwrap();
        let mut command = Command::new("dbus-run-session");
        command.arg(format!("--config-file={}", config.display()));
        let mut child = command
            .args(["--", "sh", "-c", script])
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", &folder)
            .env("XDG_RUNTIME_DIR", &folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut address).unwrap();
        assert!(address.starts_with("unix:path="), "{address}");
        Self {
            child,
            address: address.trim().to_owned(),
            folder,
        }
    }

    /// A run in this session.
    pub(crate) fn run<'a>(&self, run: Run<'a>) -> Run<'a> {
        run.variable("DBUS_SESSION_BUS_ADDRESS", &self.address)
    }

    /// Locks the keyring. No one can unlock it, because no window can appear.
    pub(crate) fn lock(&self) {
        self.tool(
            &[
                "dbus-send",
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
                "/org/freedesktop/secrets",
                "org.freedesktop.Secret.Service.Lock",
                "array:objpath:/org/freedesktop/secrets/collection/login",
            ],
            b"",
        );
    }

    /// Makes vault's entry, or replaces it.
    pub(crate) fn store(&self, content: &[u8]) {
        let words = "secret-tool store --label=other service repovault username identity";
        self.tool(&words.split(' ').collect::<Vec<_>>(), content);
    }

    /// Makes a second entry that looks like vault's.
    pub(crate) fn store_another(&self, content: &[u8]) {
        let words = "secret-tool store --label=another service repovault username identity other 1";
        self.tool(&words.split(' ').collect::<Vec<_>>(), content);
    }

    /// Returns the content of vault's entry, which is empty if it does not exist.
    pub(crate) fn entry(&self) -> Vec<u8> {
        let words = "secret-tool lookup service repovault username identity";
        self.tool(&words.split(' ').collect::<Vec<_>>(), b"")
    }

    /// Removes vault's entry.
    pub(crate) fn clear(&self) {
        let words = "secret-tool clear service repovault username identity";
        self.tool(&words.split(' ').collect::<Vec<_>>(), b"");
    }

    fn tool(&self, words: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", &self.folder)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().stdout
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
