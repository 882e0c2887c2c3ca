//! Stores for the measurements: a folder with a vault of a given size, and two callers.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;

const BINARY: &str = env!("CARGO_BIN_EXE_vault");

/// A vault with one environment, its folder, and its callers. It is removed on drop.
pub(crate) struct Store {
    root: PathBuf,
    credential: String,
}

/// The caller of a command.
#[derive(Clone, Copy)]
pub(crate) enum Caller {
    /// A person, with `identity.txt` and a state folder.
    Person,
    /// A pipeline, with a credential in `VAULT_KEY` and an empty HOME.
    Machine,
}

/// The values in a dotenv file.
#[derive(Clone, Copy)]
pub(crate) enum Values {
    First,
    Second,
}

impl Store {
    /// Makes a store with the secrets `SECRET_00000` to `SECRET_{count - 1}`.
    pub(crate) fn new(count: usize) -> anyhow::Result<Self> {
        Self::with(count, &[])
    }

    /// The same with keys that are not post-quantum.
    pub(crate) fn classic(count: usize) -> anyhow::Result<Self> {
        Self::with(count, &["--classic"])
    }

    fn with(count: usize, kind: &[&str]) -> anyhow::Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bench-{}-{number}", std::process::id());
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&root);
        for folder in ["repo", "home", "nobody"] {
            fs::create_dir_all(root.join(folder))?;
        }
        let mut store = Self {
            root,
            credential: String::new(),
        };
        let init = ["init", "-e", "production", "--name", "bench"];
        store.quiet(&[&init[..], kind].concat())?;
        if count > 0 {
            let file = store.dotenv(count, Values::First)?;
            store.quiet(&["import", &file])?;
        }
        store.credential = store.machine(kind)?;
        Ok(store)
    }

    /// Adds a machine that can read, and returns its credential.
    fn machine(&self, kind: &[&str]) -> anyhow::Result<String> {
        let add = [&["ci", "add", "ci", "-e", "production"][..], kind].concat();
        let printed = self.command(Caller::Person, &add).output()?.stdout;
        Ok(String::from_utf8(printed)?.trim().to_owned())
    }

    /// Returns the command `vault` with these arguments, run by `caller` in the store's folder.
    pub(crate) fn command(&self, caller: Caller, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments);
        self.surround(&mut command, caller);
        command
    }

    /// Returns a command without `vault`, in the same surroundings.
    pub(crate) fn bare(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        self.surround(&mut command, Caller::Machine);
        command
    }

    fn surround(&self, command: &mut Command, caller: Caller) {
        command.current_dir(self.root.join("repo")).env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        // Otherwise macOS would use the keyring of the person who runs this.
        command.env("CI", "true");
        match caller {
            Caller::Person => command.env("HOME", self.root.join("home")),
            Caller::Machine => command
                .env("HOME", self.root.join("nobody"))
                .env("VAULT_KEY", &self.credential),
        };
    }

    /// Makes the folder a git repository with this many commits. The last one has all files.
    pub(crate) fn commit(&self, count: usize) -> anyhow::Result<()> {
        let git = |words: &[&str]| -> anyhow::Result<Command> {
            let settings = ["git", "-c", "user.name=b", "-c", "user.email=b@example.com"];
            Ok(self.bare(&[&settings[..], words].concat()))
        };
        anyhow::ensure!(
            git(&["init", "--quiet", "--initial-branch=main"])?
                .status()?
                .success()
        );
        let mut stream = String::new();
        for number in 1..count {
            writeln!(
                stream,
                "commit refs/heads/main\ncommitter b <b@example.com> {number} +0000\ndata 1\nc\n\
                 M 644 inline app.txt\ndata <<END\n{number}\nEND\n"
            )?;
        }
        let import = self.file("commits", &stream)?;
        let mut command = git(&["fast-import", "--quiet"])?;
        anyhow::ensure!(command.stdin(fs::File::open(import)?).status()?.success());
        anyhow::ensure!(git(&["add", "--all"])?.status()?.success());
        anyhow::ensure!(
            git(&["commit", "--quiet", "--message", "a vault"])?
                .status()?
                .success()
        );
        Ok(())
    }

    /// Returns the folder `.vault`.
    pub(crate) fn vault(&self) -> PathBuf {
        self.root.join("repo/.vault")
    }

    /// Returns the file with the person's identity.
    pub(crate) fn identity(&self) -> PathBuf {
        self.root.join("home/.config/vault/identity.txt")
    }

    /// Writes a dotenv file with the store's names, and returns its path.
    pub(crate) fn dotenv(&self, count: usize, values: Values) -> anyhow::Result<String> {
        let mut text = String::new();
        for number in 0..count {
            writeln!(text, "{}={}", name(number), value(number, values))?;
        }
        self.file("values.env", &text)
    }

    /// Writes a file next to the vault, and returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> anyhow::Result<String> {
        let path = self.root.join(name);
        fs::write(&path, text)?;
        path.into_os_string()
            .into_string()
            .ok()
            .context("the path is not UTF-8")
    }

    /// Returns the sizes of all entries.
    pub(crate) fn entry_sizes(&self) -> anyhow::Result<Vec<usize>> {
        let folder = fs::read_dir(self.root.join("repo/.vault/production"))?;
        folder
            .map(|entry| Ok(usize::try_from(entry?.metadata()?.len())?))
            .collect()
    }

    /// Makes an empty folder on the same file system.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        let path = self.root.join("plain");
        fs::create_dir(&path)?;
        Ok(path)
    }

    fn quiet(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let done = self
            .command(Caller::Person, arguments)
            .arg("--quiet")
            .output()?;
        let said = String::from_utf8_lossy(&done.stderr);
        anyhow::ensure!(done.status.success(), "vault {arguments:?}: {said}");
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Returns the path of the binary that is measured.
pub(crate) fn binary() -> &'static Path {
    Path::new(BINARY)
}

/// Returns the name of a secret.
pub(crate) fn name(number: usize) -> String {
    format!("SECRET_{number:05}")
}

/// Returns 40 letters and digits, as a usual secret has them.
fn value(number: usize, values: Values) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let salt: u128 = match values {
        Values::First => 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835,
        Values::Second => 0xd1b5_4a32_d192_ed03_aef1_7502_108e_f2d9,
    };
    let mut state = salt.wrapping_mul(number as u128 + 1);
    let character = |_| {
        state = state
            .wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
            .wrapping_add(1);
        let place = usize::try_from((state >> 96) % 62).unwrap_or_default();
        char::from(ALPHABET[place])
    };
    (0..40).map(character).collect()
}

/// Returns the first character of the first secret.
pub(crate) fn first_character() -> u8 {
    value(0, Values::First).as_bytes()[0]
}
