//! A private key in any place that accepts text: no output shows a part of it.

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use crate::support::machine::all_is_wanted;
use crate::support::sandbox::{Outcome, Run, Sandbox};

/// A key that belongs to no member, and an invalid credential and PEM key.
const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const POST_QUANTUM: &str =
    "AGE-SECRET-KEY-PQ-1RW6N9DXC0J4LTKH5M3V8QE7GZPAS2UFYWR6N9DXC0J4LTKH5M3V8QE7GZP";
const PLUGIN: &str = "AGE-PLUGIN-YUBIKEY-1QGPZSYQVZ8YFXR2M6NDT3JCW5K4HL7E0AU9Q2S4D6F8G";
const CREDENTIAL: &str = "vaultci1_txvZ6j94BXUoQ3yRSXoQ3bB6sJXuOPCF8nq0HJG6ksTWUlbZYhBI6ThihMAlwvQkcy4c8xbp50mSyMCm01XIngAAAAAAAAABC2RldmVsb3BtZW50CnByb2R1Y3Rpb274eE_CJMsDpQ";
const PEM: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz
c2gtZWQyNTUxOQAAACDKq3y0
-----END OPENSSH PRIVATE KEY-----";

/// A key with the characters that its owner may have put around it.
fn spellings() -> Vec<String> {
    let mut spellings = Vec::new();
    for key in [IDENTITY, POST_QUANTUM, PLUGIN, CREDENTIAL, PEM] {
        spellings.extend([
            key.to_owned(),
            key.to_lowercase(),
            format!("\"{key}\""),
            format!(" {key}"),
            format!("# created today\n# public key: age1…\n{key}\n"),
            format!("/run/secrets/{key}/vault.toml"),
            format!("see {key} for more"),
            format!("KEY={key}"),
            format!("{}\n{}", &key[..50], &key[50..]),
            key.replace('-', "%2D").replace('\n', "%0A"),
            key.replace('\n', "\\n").replace("AGE-", "aGe-"),
        ]);
    }
    spellings
}

/// Every eight characters of the keys' secret parts, in lower case.
fn pieces() -> &'static HashSet<[u8; 8]> {
    static PIECES: LazyLock<HashSet<[u8; 8]>> = LazyLock::new(|| {
        let mut pieces = HashSet::new();
        for key in [IDENTITY, POST_QUANTUM, PLUGIN, CREDENTIAL, PEM] {
            let data = key
                .rsplit_once(['1', '_'])
                .filter(|_| key != CREDENTIAL && key != PEM);
            let data = data.map_or(&key[27..], |(_, data)| data).to_lowercase();
            for line in data.lines().filter(|line| !line.contains("end openssh")) {
                pieces.extend(
                    line.as_bytes()
                        .windows(8)
                        .map(|w| <[u8; 8]>::try_from(w).unwrap()),
                );
            }
        }
        pieces
    });
    &PIECES
}

/// Checks that no eight characters of a key's secret part are shown.
#[track_caller]
fn assert_hidden(outcome: &Outcome, place: &str) {
    let output = String::from_utf8_lossy(&outcome.output).to_lowercase();
    let shown = output + &outcome.said.to_lowercase();
    let found = shown
        .as_bytes()
        .windows(8)
        .find(|window| pieces().contains(*window));
    assert!(found.is_none(), "{place}: {shown}");
}

/// How many keys are tried in each place. Each run takes the next one in turn.
fn turns() -> usize {
    if all_is_wanted() { 3 } else { 1 }
}

#[track_caller]
fn assert_run_hides(run: &Run<'_>, place: &str) {
    let outcome = run.outcome();
    assert!(
        outcome.status != 101 && outcome.status != 134,
        "{place}: {}",
        outcome.said
    );
    assert_hidden(&outcome, place);
}

/// Every command with its options that take a value, as the command line defines them.
fn commands(sandbox: &Sandbox) -> Vec<(Vec<String>, Vec<String>)> {
    let script = sandbox.quick(&["completions", "fish"]);
    let mut commands: Vec<(Vec<String>, Vec<String>)> = vec![(Vec::new(), Vec::new())];
    for line in script.lines() {
        let Some(rest) = line.strip_prefix("complete -c vault -n \"") else {
            continue;
        };
        let (condition, rest) = rest.split_once('"').unwrap();
        let names = condition.replace("__fish_vault_needs_command", "");
        let names = names
            .split(" and not ")
            .next()
            .unwrap()
            .replace("; and", "");
        let path: Vec<String> = names
            .split_whitespace()
            .filter(|word| !word.starts_with("__fish") && *word != "not" && *word != ";")
            .map(|word| word.trim_end_matches(';').to_owned())
            .collect();
        if let Some((_, name)) = rest.split_once(" -f -a \"") {
            let name = name.split('"').next().unwrap().to_owned();
            if path.last() != Some(&"help".to_owned()) {
                commands.push(([path.clone(), vec![name]].concat(), Vec::new()));
            }
        }
        let option = rest
            .split(" -l ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        if let Some(option) = option.filter(|_| rest.contains(" -r")) {
            let found = commands.iter_mut().find(|(command, _)| *command == path);
            found
                .unwrap_or_else(|| panic!("{path:?}"))
                .1
                .push(format!("--{option}"));
        }
    }
    let options: usize = commands.iter().map(|(_, options)| options.len()).sum();
    assert!(
        commands.len() > 25 && options > 80,
        "the definition was understood: {commands:?}"
    );
    commands
}

#[test]
fn key_in_any_argument_is_not_shown() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "A", b"value-of-a");
    let spellings = spellings();
    let mut turn = spellings.iter().cycle();
    let mut form = Some(0..3).filter(|_| !all_is_wanted()).map(Iterator::cycle);
    for (command, options) in commands(&sandbox) {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        for _ in 0..turns() {
            let [first, second] = [turn.next().unwrap(), turn.next().unwrap()];
            for words in [&[first.as_str()][..], &[first, second], &["--", first]] {
                let words = [&command[..], words].concat();
                assert_run_hides(&sandbox.vault(&words), &format!("{words:?}"));
            }
        }
        for option in &options {
            for _ in 0..turns() {
                let key = turn.next().unwrap();
                let joined = format!("{option}={key}");
                let forms = [&[option.as_str(), key][..], &[&joined], &["A", option, key]];
                let only = form.as_mut().and_then(Iterator::next);
                for words in only.map_or(&forms[..], |form| &forms[form..=form]) {
                    let words = [&command[..], words].concat();
                    assert_run_hides(&sandbox.vault(&words), &format!("{words:?}"));
                }
            }
        }
        let unknown = format!("--{}", turn.next().unwrap());
        let words = [&command[..], &[&unknown]].concat();
        assert_run_hides(&sandbox.vault(&words), &format!("{words:?}"));
    }
}

#[test]
fn value_in_any_wrong_argument_is_not_repeated() {
    const VALUE: &str = "Hunter2!typed";
    // A missing path or revision is shown, so that it can be corrected.
    const NAMED: [&str; 5] = ["--vault", "--key-file", "--file", "--since", "--from"];
    let sandbox = Sandbox::with_vault();
    let joined = format!("--password={VALUE}");
    let option = format!("--{VALUE}");
    let mut turn = 0;
    for (command, options) in commands(&sandbox) {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let mut lines = vec![
            vec!["--password".to_owned(), VALUE.to_owned()],
            vec![joined.clone()],
            vec![option.clone()],
            vec![
                "x".to_owned(),
                "x".to_owned(),
                VALUE.to_owned(),
                VALUE.to_owned(),
            ],
        ];
        if command.last() != Some(&"import") {
            lines.push(vec![VALUE.to_owned()]);
        }
        for option in options
            .iter()
            .filter(|option| !NAMED.contains(&option.as_str()))
        {
            let forms = [
                vec![option.clone(), VALUE.to_owned()],
                vec![format!("{option}={VALUE}")],
            ];
            turn += 1;
            let is_turn = |at: &usize| all_is_wanted() || at % 2 == turn % 2;
            let chosen = (0..forms.len()).filter(is_turn);
            lines.extend(chosen.map(|at| forms[at].clone()));
        }
        for line in lines {
            let words = command.iter().map(|word| (*word).to_owned()).chain(line);
            let words: Vec<String> = words.collect();
            let outcome = sandbox.vault(&words).outcome();
            assert!(
                outcome.status > 0 && outcome.status < 126,
                "{words:?}: {}",
                outcome.said
            );
            let shown = String::from_utf8_lossy(&outcome.output) + outcome.said.as_str();
            assert!(
                !shown.to_lowercase().contains("hunter2"),
                "{words:?}: {shown}"
            );
        }
    }
}

/// The variables that the key sources use, and those that every program has.
fn variables() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = [
        "HOME",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_RUNTIME_DIR",
        "PATH",
        "EDITOR",
        "USER",
    ]
    .map(str::to_owned)
    .into();
    names.extend(["LOGNAME", "CI", "NO_COLOR", "TERM", "TMPDIR", "GIT_DIR"].map(str::to_owned));
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
            names.extend(
                words
                    .filter(|word| word.starts_with("VAULT_"))
                    .map(str::to_owned),
            );
        }
    }
    assert!(names.len() > 16, "{names:?}");
    names
}

const COMMANDS: [&[&str]; 14] = [
    &["get", "A"],
    &["list"],
    &["status", "--json"],
    &["doctor"],
    &["doctor", "--json"],
    &["verify"],
    &["verify", "--json", "--since", "HEAD"],
    &["exec", "--report-leaks", "--", "printenv", "A"],
    &["exec", "--if-locked", "placeholder", "--", "true"],
    &["key", "show"],
    &["members", "list"],
    &["join"],
    &["init"],
    &["set", "B", "-e", "production"],
];

/// The commands to run in one place: all of them with `VAULT_TESTS=all`, and otherwise every third,
/// so that three places in a row see each of them.
fn some_of_the_commands(place: usize) -> impl Iterator<Item = &'static [&'static str]> {
    let step = if all_is_wanted() { 1 } else { 3 };
    COMMANDS.into_iter().skip(place % step).step_by(step)
}

#[test]
fn key_in_any_variable_is_not_shown() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "A", b"value-of-a");
    let spellings = spellings();
    let mut turn = spellings.iter().cycle();
    for (number, name) in variables().into_iter().enumerate() {
        for command in some_of_the_commands(number) {
            let key = turn.next().unwrap();
            let run = sandbox.vault(command).variable(&name, key);
            assert_run_hides(&run, &format!("{name}={key}: {command:?}"));
        }
    }
}

#[test]
fn key_in_any_file_or_its_name_is_not_shown() {
    let keys = if all_is_wanted() {
        &[IDENTITY, CREDENTIAL, PEM][..]
    } else {
        &[IDENTITY]
    };
    for &key in keys {
        let line = key.replace('\n', " ");
        let folder = &line[..line.len().min(250)];
        let sandbox = Sandbox::with_vault();
        sandbox.set("development", "A", b"value-of-a");
        sandbox.commit("before");
        let places = Cell::new(0);
        let run_all = |place: &str| {
            places.set(places.get() + 1);
            for command in some_of_the_commands(places.get()) {
                assert_run_hides(&sandbox.vault(command), &format!("{place}: {command:?}"));
            }
        };
        let strangers = ["", "development/", "requests/"]
            .map(|parent| sandbox.store(&format!("{parent}{folder}")));
        fs::create_dir_all(sandbox.store("requests")).unwrap();
        for path in &strangers {
            fs::write(path, key).unwrap();
        }
        run_all("a file below .vault");
        sandbox.commit("with strangers");
        run_all("a committed file below .vault");
        for path in &strangers {
            fs::remove_file(path).unwrap();
        }

        for text in [
            format!("\"{line}\" = 1\n"),
            format!("default = \"{line}\"\n"),
            format!("[environments.\"{line}\"]\n"),
            format!("[steps.a]\nnames = [\"{line}\"]\n"),
            format!("[secrets.A]\ngenerate = \"{line}\"\nrequired = [\"{line}\"]\n"),
            format!("[secrets.A]\nmask = \"{line}\"\n"),
            format!("[environments.development.variables]\nB = \"${{{line}}}\"\n"),
            key.to_owned(),
        ] {
            fs::write(sandbox.repo().join("vault.toml"), text).unwrap();
            run_all("vault.toml");
        }
        fs::write(
            sandbox.repo().join("vault.toml"),
            "default = \"development\"\n",
        )
        .unwrap();

        for text in [
            format!("C={line}\n{line}\n"),
            format!("{line}=1\n"),
            format!("'{key}"),
        ] {
            let run = sandbox.vault(&["import", "-"]).input(&text);
            assert_run_hides(&run, "a dotenv file");
        }
        for path in ["root.toml", "members/alice.toml", "development/A.toml"] {
            let genuine = fs::read(sandbox.store(path)).unwrap();
            let text = String::from_utf8(genuine.clone()).unwrap();
            for text in [
                format!("{key}\n{text}"),
                text.replace("alice", &line),
                key.to_owned(),
            ] {
                fs::write(sandbox.store(path), text).unwrap();
                run_all(path);
            }
            fs::write(sandbox.store(path), genuine).unwrap();
        }
        let branch = format!("b{line}").replace(' ', "-");
        sandbox.git(&["branch", &branch]);
        assert_run_hides(&sandbox.vault(&["verify", "--since", &branch]), "a branch");

        let around = sandbox.repo().join(folder);
        fs::create_dir(&around).unwrap();
        for command in COMMANDS {
            assert_run_hides(
                &sandbox.vault(command).folder(&around),
                "the current folder",
            );
        }
        let own = sandbox.vault(&["init", "--name", "alice"]).folder(&around);
        assert_run_hides(&own, "the folder of a new vault");
        assert_run_hides(
            &sandbox.vault(&["doctor"]).folder(&around),
            "the folder of a vault",
        );
    }
}

#[test]
fn requested_key_or_value_is_shown() {
    let sandbox = Sandbox::with_vault();
    for value in [
        IDENTITY,
        CREDENTIAL,
        PEM,
        "::set-env name=A::\r\x1b[2J ##[b]",
    ] {
        sandbox.set("development", "A", value.as_bytes());
        sandbox.vault(&["get", "A"]).prints(value).check();
    }
    assert!(
        sandbox
            .credential("github", &["-e", "production"])
            .starts_with("vaultci1_")
    );
}

#[test]
fn ci_runner_command_is_escaped_in_every_message() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "A", b"value-of-a");
    let names = [
        "##[set-output name=a;]b",
        "##vso[task.setvariable]c",
        "d\n::set-env name=e::f",
    ];
    for name in names {
        fs::write(sandbox.store(name), "").unwrap();
        fs::write(sandbox.store(&format!("development/{name}.toml")), "").unwrap();
    }
    let folder = sandbox.repo().join("x\n ::set-env name=g::h");
    fs::create_dir(&folder).unwrap();
    let dir = "no\r\n\t::add-path::i##vso[j]\x1b[2J";
    for command in COMMANDS {
        for (run, place) in [
            (sandbox.vault(command), "a file below .vault"),
            (sandbox.vault(command).folder(&folder), "the current folder"),
            (
                sandbox.vault(command).variable("VAULT_DIR", dir),
                "VAULT_DIR",
            ),
            (
                sandbox.vault(command).variable("VAULT_KEY_FILE", dir),
                "VAULT_KEY_FILE",
            ),
        ] {
            let outcome = run.outcome();
            for text in [
                String::from_utf8_lossy(&outcome.output),
                outcome.said.as_str().into(),
            ] {
                let is_command = |line: &str| {
                    line.trim_start().starts_with("::")
                        || line.contains("##[")
                        || line.contains("##vso[")
                };
                assert!(
                    !text.lines().any(is_command),
                    "{place}: {command:?}: {text}"
                );
                assert!(
                    !text.contains(['\r', '\x1b']),
                    "{place}: {command:?}: {text:?}"
                );
            }
        }
    }
    // Commands printed by vault itself stay unescaped, and contain no text of others.
    let verify = sandbox.vault(&["verify", "--format", "github"]).outcome();
    let output = String::from_utf8(verify.output).unwrap();
    assert!(
        output
            .lines()
            .all(|line| line.starts_with("::error file=.vault/")),
        "{output}"
    );
    assert!(
        output.lines().count() >= 4 && !output.contains("##"),
        "{output}"
    );
}
