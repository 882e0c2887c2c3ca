//! The project of `examples/django` in a sandbox, with its vault, and the machines that run
//! pipelines: each with a clone, an empty HOME, the Python packages of the project, and no network.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};

use crate::support::python::programs;
use crate::support::sandbox::Sandbox;

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const VAULT: &str = env!("CARGO_BIN_EXE_vault");

/// Replaces the network: only the address of the binary responds, and only to a request that allows
/// nothing but https and fails on errors.
const CURL: &str = r#"#!/bin/sh
case "$*" in *"--fail "*"--proto =https "*"--output "*) ;; *) exit 2 ;; esac
while [ $# -gt 1 ]; do [ "$1" != --output ] || file=$2; shift; done
[ "$1" = https://downloads.example.com/vault-0.1.0-linux-x86_64 ] || exit 22
cp "$BINARY" "$file"
"#;

pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    pub(crate) development: String,
    pub(crate) production: String,
    /// The values that no log may contain.
    pub(crate) values: Vec<String>,
}

impl Shop {
    /// The project with the files of `examples/NAME`, committed.
    pub(crate) fn with(example: &str) -> Self {
        let sandbox = Sandbox::with_vault();
        copy(&Path::new(ROOT).join("examples/django"), &sandbox.repo());
        copy(
            &Path::new(ROOT).join("examples").join(example),
            &sandbox.repo(),
        );
        let tools = sandbox.root().join("tools");
        fs::create_dir(&tools).unwrap();
        executable(&tools.join("curl"), CURL);
        replace(
            &sandbox.repo().join("ci/install-vault"),
            &format!("sha256={}", "0".repeat(64)),
            &format!("sha256={}", published().1),
        );
        sandbox.quick(&[
            "set",
            "DJANGO_SECRET_KEY",
            "EMAIL_HOST_PASSWORD",
            "--generate",
        ]);
        let both = [
            "set",
            "DJANGO_SECRET_KEY",
            "EMAIL_HOST_PASSWORD",
            "--generate",
        ];
        sandbox.quick(&[&both[..], &["-e", "production"]].concat());
        sandbox.quick(&["set", "DEPLOY_TOKEN", "--generate", "-e", "production"]);
        let development = sandbox.credential("ci-development", &["-e", "development"]);
        let production = sandbox.credential("ci-production", &["-e", "production"]);
        let mut values = vec![development.clone(), production.clone()];
        for (environment, name) in [
            ("development", "DJANGO_SECRET_KEY"),
            ("development", "EMAIL_HOST_PASSWORD"),
            ("production", "DJANGO_SECRET_KEY"),
            ("production", "EMAIL_HOST_PASSWORD"),
            ("production", "DEPLOY_TOKEN"),
        ] {
            values.push(String::from_utf8(sandbox.get(environment, name)).unwrap());
        }
        sandbox.commit("The shop");
        Self {
            sandbox,
            development,
            production,
            values,
        }
    }

    /// A separate machine with the committed files of `branch`.
    pub(crate) fn machine(&self, name: &str, branch: &str) -> Machine {
        let folder = self.sandbox.root().join("machines").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("home")).unwrap();
        let project = folder.join("project").display().to_string();
        let from = self.sandbox.repo().display().to_string();
        self.sandbox.git(&[
            "clone",
            "--quiet",
            "--no-local",
            "--branch",
            branch,
            &from,
            &project,
        ]);
        let tools = self.sandbox.root().join("tools").display().to_string();
        let path = [tools, programs().to_owned(), std::env::var("PATH").unwrap()].join(":");
        let variables = [
            ("HOME", folder.join("home").display().to_string()),
            ("PATH", path),
            ("BINARY", published().0.clone()),
            ("CI", "true".to_owned()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            // A test must not download missing files.
            ("PIP_NO_INDEX", "1".to_owned()),
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1".to_owned()),
            ("PIP_ROOT_USER_ACTION", "ignore".to_owned()),
            ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        Machine {
            folder,
            variables: variables.into(),
        }
    }

    /// Checks that the output contains no value.
    #[track_caller]
    pub(crate) fn shows_no_value(&self, log: &str) {
        for value in &self.values {
            assert!(!log.contains(value.as_str()), "a value is in:\n{log}");
        }
    }

    /// Replaces the shop's servers with local ones, before the next commit. Returns their
    /// addresses.
    pub(crate) fn servers(&self) -> JoinHandle<String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let config = self.sandbox.repo().join("vault.toml");
        replace(&config, "https://deploy.example.com", &own);
        self.sandbox.commit("The servers are here");
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&stream);
            let (mut request, mut length) = (String::new(), 0);
            while !request.ends_with("\r\n\r\n") {
                assert!(reader.read_line(&mut request).unwrap() > 0, "{request}");
                let line = request.lines().last().unwrap().to_lowercase();
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            (&stream)
                .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
                .unwrap();
            request + &String::from_utf8(body).unwrap()
        })
    }
}

pub(crate) struct Machine {
    pub(crate) folder: PathBuf,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Machine {
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// A command in the project, with only the machine's variables in its environment.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.project());
        command.env_clear().envs(&self.variables);
        command
    }

    /// Installs `vault` in a program folder, as an image or an administrator would.
    pub(crate) fn install_vault(&mut self) {
        let bin = self.folder.join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(VAULT, bin.join("vault")).unwrap();
        let path = format!("{}:{}", bin.display(), self.variables["PATH"]);
        self.variables.insert("PATH".to_owned(), path);
    }
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Both streams of an output as text.
pub(crate) fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// The published binary, which each machine of a pipeline downloads, and its SHA-256. It is
/// stripped, once per process.
fn published() -> &'static (String, String) {
    static PUBLISHED: OnceLock<(String, String)> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let new = folder.join(format!("published-{}", std::process::id()));
        let strip = Command::new("strip")
            .args([Path::new("-o"), &new, Path::new(VAULT)])
            .status()
            .unwrap();
        assert!(strip.success(), "strip is part of binutils");
        let path = folder.join("published").display().to_string();
        fs::rename(new, &path).unwrap();
        let sum = sha256(&path);
        (path, sum)
    })
}

pub(crate) fn sha256(path: &str) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

/// Replaces text that must exist.
#[track_caller]
pub(crate) fn replace(path: &Path, old: &str, new: &str) {
    let before = fs::read_to_string(path).unwrap();
    assert!(before.contains(old), "{} has no {old}", path.display());
    fs::write(path, before.replace(old, new)).unwrap();
}

/// The files below `from`, except those that runs create.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let name = entry.file_name();
        if ["__pycache__", "data", "static", ".ruff_cache"]
            .iter()
            .any(|left| name == *left)
        {
            continue;
        }
        if path.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
