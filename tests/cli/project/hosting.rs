//! The examples for Docker and systemd. Neither an engine nor a service manager is available, so
//! their lines run one after another in folders that represent an image and a machine.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::machine::has;
use crate::support::pipeline::yaml;
use crate::support::python::programs;
use crate::support::shop::{Machine, ROOT, Shop, replace, sha256, text};

const VAULT: &str = env!("CARGO_BIN_EXE_vault");

fn example(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join("examples").join(path)).unwrap()
}

/// The instructions of the Dockerfile, one per line: the name and the rest.
fn instructions(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, rest) = line.split_once(' ').unwrap();
            (
                name.to_owned(),
                rest.split_whitespace().collect::<Vec<_>>().join(" "),
            )
        })
        .collect()
}

/// The words of `["a", "b"]`.
fn words(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap()
}

fn listed(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

struct Image {
    machine: Machine,
    entrypoint: Vec<String>,
    command: Vec<String>,
}

impl Image {
    /// Builds the image with the production credential as the build's secret.
    fn build(shop: &Shop) -> Self {
        let mut image = Self {
            machine: shop.machine("image", "main"),
            entrypoint: Vec::new(),
            command: Vec::new(),
        };
        // The clone is the context of the build; the image starts empty.
        let context = image.machine.folder.join("context");
        fs::rename(image.machine.project(), &context).unwrap();
        let dockerfile = fs::read_to_string(context.join("Dockerfile")).unwrap();
        for (name, rest) in instructions(&dockerfile) {
            match name.as_str() {
                "FROM" => assert_eq!(rest, "python:3.13-slim"),
                "WORKDIR" => {
                    assert_eq!(rest, "/srv/shop");
                    fs::create_dir(image.machine.project()).unwrap();
                }
                "ADD" => image.add(&rest),
                "COPY" => image.copy(&context, &rest),
                "RUN" => image.run(shop, &rest),
                "ENV" => assert_eq!(rest, "VAULT_KEY_FILE=/run/secrets/vault_key"),
                "ENTRYPOINT" => image.entrypoint = words(&rest),
                "CMD" => image.command = words(&rest),
                "USER" => assert_eq!(rest, "shop"),
                "EXPOSE" => {}
                _ => panic!("{name} {rest}"),
            }
        }
        image
    }

    fn add(&mut self, rest: &str) {
        let checksum = format!("--checksum=sha256:{} https://", sha256(VAULT));
        assert!(
            rest.contains(&checksum) && rest.ends_with(" /usr/local/bin/vault"),
            "{rest}"
        );
        self.machine.install_vault();
    }

    fn copy(&self, context: &Path, rest: &str) {
        let names = match rest {
            ". ." => {
                let ignore = fs::read_to_string(context.join(".dockerignore")).unwrap();
                assert!(
                    ignore.lines().any(|line| line == "*"),
                    "all but what is named"
                );
                let names = ignore.lines().filter_map(|line| line.strip_prefix('!'));
                names.map(str::to_owned).collect()
            }
            _ => vec![rest.strip_suffix(" ./").unwrap().to_owned()],
        };
        for name in names {
            let copied = Command::new("cp")
                .arg("-R")
                .args([context.join(name), self.machine.project()])
                .status()
                .unwrap();
            assert!(copied.success(), "{rest}");
        }
    }

    fn run(&self, shop: &Shop, rest: &str) {
        // The only line that would change the machine that runs the tests.
        if rest == "useradd --system --user-group shop && chmod -R a+rX . && chown shop:shop data" {
            assert!(self.machine.project().join("data").is_dir());
            return;
        }
        let mount = "--mount=type=secret,id=vault_key,required=true ";
        let line = rest.strip_prefix(mount);
        if line.is_some() {
            self.mount(&shop.production);
        }
        let line = self.placed(line.unwrap_or(rest));
        let output = self.machine.command(&["sh", "-c", &line]).output().unwrap();
        assert!(output.status.success(), "{line}: {}", text(&output));
        shop.shows_no_value(&text(&output));
        let _ = fs::remove_file(self.secret());
    }

    fn secret(&self) -> std::path::PathBuf {
        self.machine.folder.join("vault_key")
    }

    fn mount(&self, key: &str) {
        fs::write(self.secret(), key).unwrap();
    }

    /// `line` with the paths that represent those in the image.
    fn placed(&self, line: &str) -> String {
        line.replace("/run/secrets/vault_key", self.secret().to_str().unwrap())
    }

    /// Starts a container: the entrypoint, then the command, with the secret mounted.
    fn container(&self, entrypoint: &[String], command: &[String]) -> Command {
        let words: Vec<&str> = entrypoint
            .iter()
            .chain(command)
            .map(String::as_str)
            .collect();
        let mut command = self.machine.command(&[&["env"], &words[..]].concat());
        command.env("VAULT_KEY_FILE", self.secret());
        command
    }
}

/// The server after it has printed its address, and its output until then.
fn listening(mut command: Command) -> (Child, BufReader<std::process::ChildStderr>, String) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("Listening at: ") || !said.ends_with('\n') {
        assert!(reader.read_line(&mut said).unwrap() > 0, "{said}");
    }
    (child, reader, said)
}

/// Sends a request like the proxy in front of it; returns the first and last line of the answer.
fn ask(mut stream: impl Read + Write) -> (String, String) {
    let request = "GET / HTTP/1.0\r\nHost: shop.example.com\r\nX-Forwarded-Proto: https\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (first, last) = (
        answer.lines().next().unwrap(),
        answer.lines().last().unwrap(),
    );
    (first.to_owned(), last.to_owned())
}

/// Ends the server like a service manager, and expects a clean exit.
fn end(shop: &Shop, mut child: Child, mut reader: BufReader<std::process::ChildStderr>) {
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let mut said = String::new();
    reader.read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert!(
        status.success() && said.contains("Shutting down"),
        "{status}: {said}"
    );
    shop.shows_no_value(&said);
}

#[test]
fn image_builds_and_serves_and_contains_no_value() {
    let shop = Shop::with("docker");
    let dockerfile = shop.sandbox.repo().join("Dockerfile");
    replace(&dockerfile, &"0".repeat(64), &sha256(VAULT));
    shop.sandbox.commit("The binary");
    let image = Image::build(&shop);
    let project = image.machine.project();
    assert!(project.join("static/admin/css/base.css").is_file());
    assert!(!project.join("ci").exists() && !project.join(".git").exists());
    for value in &shop.values {
        let pattern = image.machine.folder.join("pattern");
        fs::write(&pattern, value).unwrap();
        let found = Command::new("grep")
            .arg("-rlaFf")
            .args([&pattern, &project])
            .output()
            .unwrap();
        assert_eq!(text(&found), "", "a value is in the image");
    }
    let compose = yaml(&Path::new(ROOT).join("examples/docker/compose.yaml"));
    let migrate = &compose["services"]["migrate"];
    let migrate = (listed(&migrate["entrypoint"]), listed(&migrate["command"]));
    // Without the credential, nothing starts.
    let output = image.container(&migrate.0, &migrate.1).output().unwrap();
    assert_eq!(output.status.code(), Some(121), "{}", text(&output));
    image.mount(&shop.production);
    let output = image.container(&migrate.0, &migrate.1).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    shop.shows_no_value(&text(&output));
    let port = |word: &String| word.replace("0.0.0.0:8000", "127.0.0.1:0");
    let command: Vec<String> = image.command.iter().map(port).collect();
    let (child, reader, said) = listening(image.container(&image.entrypoint, &command));
    let address = said.rsplit("Listening at: http://").next().unwrap();
    let address = address.split_whitespace().next().unwrap();
    let (first, last) = ask(TcpStream::connect(address).unwrap());
    assert!(
        first.ends_with("200 OK") && last.starts_with("{\"visit\": 1, "),
        "{first}\n{last}"
    );
    end(&shop, child, reader);
}

#[test]
fn container_gets_its_credential_only_as_a_mounted_secret() {
    let compose = yaml(&Path::new(ROOT).join("examples/docker/compose.yaml"));
    for (name, service) in compose["services"].as_object().unwrap() {
        assert_eq!(listed(&service["secrets"]), ["vault_key"], "{name}");
        assert!(
            service["environment"].is_null() && service["env_file"].is_null(),
            "{name}"
        );
        assert!(service["build"]["args"].is_null(), "{name}");
        // The folder in which the image is built, and the folder in which it is used.
        let is_built = service["build"]["secrets"] == serde_json::json!(["vault_key"]);
        assert!(is_built || service["pull_policy"] == "never", "{name}");
    }
    assert_eq!(
        compose["secrets"]["vault_key"],
        serde_json::json!({"environment": "VAULT_KEY"})
    );
    let after = &compose["services"]["web"]["depends_on"]["migrate"]["condition"];
    assert_eq!(after, "service_completed_successfully");
    let of_file = instructions(&example("docker/Dockerfile"));
    let has = |name: &str| of_file.iter().any(|(own, _)| own == name);
    assert!(
        !has("ARG") && !has("LABEL") && has("USER"),
        "arguments and labels stay in the image"
    );
    let variables: Vec<&String> = of_file
        .iter()
        .filter(|(name, _)| name == "ENV")
        .map(|(_, rest)| rest)
        .collect();
    assert_eq!(variables, ["VAULT_KEY_FILE=/run/secrets/vault_key"]);
}

/// The values of `key` in the unit.
fn unit(key: &str) -> Vec<String> {
    let text = example("systemd/shop.service");
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    lines.map(str::to_owned).collect()
}

#[test]
fn systemd_unit_migrates_serves_and_reloads() {
    let shop = Shop::with("systemd");
    let machine = shop.machine("host", "main");
    let credentials = machine.folder.join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(
        credentials.join("vault_key"),
        format!("{}\n", shop.production),
    )
    .unwrap();
    assert_eq!(unit("LoadCredential"), ["vault_key:/etc/shop/vault_key"]);
    let [variable] = &unit("Environment")[..] else {
        panic!("one variable")
    };
    let (name, path) = variable.split_once('=').unwrap();
    let path = path.replace("%d", credentials.to_str().unwrap());
    let socket = machine.folder.join("socket");
    let command = |line: &str| {
        let line = line
            .replace("/usr/local/bin/vault", VAULT)
            .replace("/srv/shop/venv/bin", programs())
            .replace("/run/shop/socket", socket.to_str().unwrap());
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = machine.command(&words);
        command.env(name, &path);
        command
    };
    let output = command(&unit("ExecStartPre")[0]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    shop.shows_no_value(&text(&output));
    let (child, mut reader, _) = listening(command(&unit("ExecStart")[0]));
    let (first, last) = ask(UnixStream::connect(&socket).unwrap());
    assert!(
        first.ends_with("200 OK") && last.starts_with("{\"visit\": 1, "),
        "{first}\n{last}"
    );
    let reload = unit("ExecReload")[0].replace("$MAINPID", &child.id().to_string());
    let words: Vec<&str> = reload.split(' ').collect();
    assert!(
        Command::new(words[0])
            .args(&words[1..])
            .status()
            .unwrap()
            .success()
    );
    let mut said = String::new();
    while !said.contains("Handling signal: hup") || !said.contains("Booting worker") {
        assert!(reader.read_line(&mut said).unwrap() > 0, "{said}");
    }
    let (first, last) = ask(UnixStream::connect(&socket).unwrap());
    assert!(
        first.ends_with("200 OK") && last.starts_with("{\"visit\": 2, "),
        "{first}\n{last}"
    );
    end(&shop, child, reader);
}

#[test]
fn systemd_accepts_the_unit_and_rates_it_as_sandboxed() {
    if !has("systemd-analyze", "systemd") {
        return;
    }
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("unit-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("shop.service");
    // It checks whether the programs exist.
    let text_of_unit = example("systemd/shop.service")
        .replace("/usr/local/bin/vault", VAULT)
        .replace("/srv/shop/venv/bin", programs());
    fs::write(&file, text_of_unit).unwrap();
    let verify: &[&str] = &["verify", "--man=no"];
    // In tenths, from 0 to 10; a unit without any of these settings has 9.6.
    let security = &["security", "--offline=yes", "--threshold=30", "--no-pager"];
    for words in [verify, security] {
        let output = Command::new("systemd-analyze")
            .args(words)
            .arg(&file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        if words == verify {
            assert!(!text(&output).contains("shop.service"), "{}", text(&output));
        }
    }
    fs::remove_dir_all(folder).unwrap();
}
