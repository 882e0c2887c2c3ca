//! A private key or a value that is pasted into one place of a command line that is right
//! otherwise, or into a file: neither output, error, nor JSON shows it. The command lines come from
//! the help, so that a new command or option is covered.

use std::fs;
use std::iter;

use crate::support::refusal::stocked;
use crate::support::sandbox::{Run, Sandbox};
use crate::support::transcript::snapshots;

const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
/// The example of age's own documents.
const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const VALUE: &str = "Hunter2!typed";

/// Places whose text is shown, so that it can be corrected: paths, revisions, and the program to
/// start. A key is hidden there, too.
const SHOWN: [&str; 6] = ["--", "--file", "--key-file", "--vault", "REV", "FILE"];

/// Options that have a meaning only together with others.
const COMPANIONS: [(&str, &[&str]); 5] = [
    ("--adopt", &["--finish"]),
    ("--fingerprint", &["--recipient", RECIPIENT]),
    ("--give-back", &["vault1x@y"]),
    ("--keep", &["--only", "DATABASE_URL"]),
    (
        "--recipient",
        &["--fingerprint", "qqqqqqqqqqqqqqqqqqqqqqqqqq"],
    ),
];

/// One argument in the help.
#[derive(Debug)]
struct Place {
    /// The option before it, or `--`; empty for an argument without one.
    option: String,
    /// Its name between `<` and `>`.
    name: String,
    is_required: bool,
    /// Whether the value follows the option after `=`.
    is_attached: bool,
}

impl Place {
    fn words(&self, value: &str) -> Vec<String> {
        match self.option.as_str() {
            "" => vec![value.to_owned()],
            option if self.is_attached => vec![format!("{option}={value}")],
            option => vec![option.to_owned(), value.to_owned()],
        }
    }

    /// Whether its text is shown if it is not a key.
    fn is_shown(&self) -> bool {
        SHOWN.contains(&self.option.as_str()) || SHOWN.contains(&self.name.as_str())
    }
}

fn bare(word: &str) -> String {
    word.trim_end_matches("...")
        .trim_matches(['<', '>', '[', ']'])
        .to_owned()
}

/// The places in one help text: those of the usage line in their order, then the other options.
fn places(help: &str) -> (Vec<String>, Vec<Place>) {
    let usage = help
        .lines()
        .find_map(|line| line.strip_prefix("Usage: vault "));
    let (command, rest) = usage.unwrap().split_once("[OPTIONS]").unwrap();
    let command = command.split_whitespace().map(str::to_owned).collect();
    let mut places: Vec<Place> = Vec::new();
    let mut option = String::new();
    for word in rest.split_whitespace() {
        if word.starts_with('-') {
            word.clone_into(&mut option);
            continue;
        }
        places.push(Place {
            option: std::mem::take(&mut option),
            name: bare(word),
            is_required: !word.starts_with('['),
            is_attached: false,
        });
    }
    let options = help
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with('-'));
    for line in options {
        let line = line.split_once(", ").map_or(line, |(_, long)| long);
        let (name, value) = line.split_once('<').unwrap_or((line, ""));
        let option = name.trim_end_matches("[=").trim().to_owned();
        let is_known = places.iter().any(|place| place.option == option);
        if !value.is_empty() && option.starts_with("--") && !option.contains(' ') && !is_known {
            places.push(Place {
                is_attached: name.ends_with("[="),
                name: value.split('>').next().unwrap().to_owned(),
                option,
                is_required: false,
            });
        }
    }
    (command, places)
}

/// A good value for a place. A new kind of place needs one here.
fn sample(sandbox: &Sandbox, command: &[String], place: &Place) -> String {
    let command = command.join(" ");
    let text = match (command.as_str(), place.option.as_str(), place.name.as_str()) {
        (_, "--key-file", _) => ".config/vault/identity.txt",
        (_, "--environment", "NAME") | ("environments remove", "", _) => "production",
        (_, "--give-back", _) | ("members add" | "members remove" | "members set", "", _) => "bob",
        ("ci add", "", _) => "github",
        ("environments add", "", _) => "staging",
        (_, _, "NAME" | "A,B") => "DATABASE_URL",
        (_, _, "COMMAND" | "ARG") => "true",
        (_, _, "DIR") => ".",
        (_, _, "ENVIRONMENT") => "development",
        (_, _, "ENVIRONMENT=ACCESS") => "production=read",
        (_, _, "FILE" | "PATH") => "app.env",
        (_, _, "FINGERPRINT") => "qqqqqqqqqqqqqqqqqqqqqqqqqq",
        (_, _, "FORMAT") => "text",
        (_, _, "ID") => return sandbox.id(),
        (_, _, "KIND") => "hex",
        (_, _, "MEMBER") => "bob",
        (_, _, "MEMBER=ACCESS") => "alice=read",
        (_, _, "MEMBER:ENVIRONMENT/NAME") => "alice:production/OTHER",
        (_, _, "N") => "0",
        (_, _, "NAME=SIDE") => "DATABASE_URL=ours",
        (_, _, "PLACE") => "protected",
        (_, _, "RECIPIENT") => RECIPIENT,
        (_, _, "REV") => "HEAD",
        (_, _, "SHELL") => "bash",
        (_, _, "STEP") => "deploy",
        (_, _, "WHAT") => "fail",
        (_, _, "WHEN") => "never",
        _ => panic!("{place:?} of {command} has no sample"),
    };
    text.to_owned()
}

/// The texts to type in a place, with `pasted` as all or as a part of them.
fn pasted_into(place: &Place, sample: &str, pasted: &str) -> Vec<String> {
    let mut texts = vec![pasted.to_owned()];
    if let Some((left, right)) = sample.split_once('=') {
        texts.extend([format!("{left}={pasted}"), format!("{pasted}={right}")]);
    }
    match place.name.as_str() {
        "A,B" | "ENVIRONMENT=ACCESS" => texts.push(format!("{sample},{pasted}")),
        "ID" => texts.push(format!("{sample}@{pasted}")),
        _ => {}
    }
    texts
}

/// The command lines with `pasted` in one place, and whether that place is shown.
fn lines(sandbox: &Sandbox, help: &str, pasted: &str) -> Vec<(Vec<String>, bool)> {
    let (command, places) = places(help);
    let mut lines = Vec::new();
    for (at, planted) in places.iter().enumerate() {
        for text in pasted_into(planted, &sample(sandbox, &command, planted), pasted) {
            let companions = COMPANIONS
                .iter()
                .filter(|(option, _)| *option == planted.option);
            let companions = companions.flat_map(|(_, words)| words.iter().copied());
            let mut line: Vec<String> = command.clone();
            line.extend(companions.map(str::to_owned));
            if !planted.is_required && !planted.option.is_empty() {
                line.extend(planted.words(&text));
            }
            for (other, place) in places.iter().enumerate() {
                if other == at && (place.is_required || place.option.is_empty()) {
                    line.extend(place.words(&text));
                } else if place.is_required {
                    line.extend(place.words(&sample(sandbox, &command, place)));
                }
            }
            lines.push((line, planted.is_shown()));
        }
    }
    lines
}

/// Runs the command, and checks that it does not show what was pasted, and does not panic.
#[track_caller]
fn assert_hides(run: &Run<'_>, pasted: &str, place: &str) {
    let outcome = run.outcome();
    let shown = String::from_utf8_lossy(&outcome.output) + outcome.said.as_str();
    // The last part is enough to find a key with a bad end, and a name that begins with it.
    let part = &pasted[pasted.len() / 2..].to_lowercase();
    let is_hidden = !shown.to_lowercase().contains(part);
    assert!(
        is_hidden && ![101, 134].contains(&outcome.status),
        "{place}: {shown}"
    );
}

/// A vault with a file that can be imported.
fn vault() -> Sandbox {
    let sandbox = stocked();
    fs::write(sandbox.repo().join("app.env"), "B=1\n").unwrap();
    let toml = "default = \"development\"\n[steps.deploy]\nnames = [\"DATABASE_URL\"]\n";
    fs::write(sandbox.repo().join("vault.toml"), toml).unwrap();
    sandbox
}

#[test]
fn key_or_value_in_a_complete_command_is_not_shown() {
    let (sandbox, empty) = (vault(), Sandbox::empty());
    let mut count = 0;
    for entry in fs::read_dir(snapshots().join("help")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let help = text.rsplit("$ vault ").next().unwrap();
        for pasted in [IDENTITY, VALUE] {
            let length = places(help).0.len();
            for (line, is_shown) in lines(&sandbox, help, pasted) {
                if is_shown && pasted == VALUE {
                    continue;
                }
                let mut json = line.clone();
                json.insert(length, "--json".to_owned());
                for words in [&line, &json] {
                    let place = if words[0] == "init" { &empty } else { &sandbox };
                    let run = place.vault(words).input(pasted);
                    assert_hides(&run, pasted, &format!("{words:?}"));
                    count += 1;
                }
            }
        }
    }
    assert!(count > 400, "the help was understood: {count}");
}

#[test]
fn value_in_a_wrong_file_or_variable_is_not_shown() {
    let sandbox = vault();
    let commands = [
        &["get", "DATABASE_URL"][..],
        &["status"],
        &["doctor"],
        &["verify"],
    ];
    let with_json = |words: &[&str], check: &dyn Fn(Run<'_>)| {
        check(sandbox.vault(words));
        check(sandbox.vault(&[words, &["--json"]].concat()));
    };
    let toml = sandbox.repo().join("vault.toml");
    let genuine = fs::read(&toml).unwrap();
    for text in [
        format!("DATABASE_URL = \"{VALUE}\"\n"),
        format!("DATABASE_URL = {VALUE}\n"),
        format!("{VALUE}\n"),
        format!("default = \"{VALUE}\"\n"),
        format!("default = \"{VALUE}\n"),
        format!("[secrets]\nDATABASE_URL = \"{VALUE}\"\n"),
        format!("[secrets.DATABASE_URL]\nvalue = \"{VALUE}\"\n"),
        format!("[secrets.DATABASE_URL]\ngenerate = \"{VALUE}\"\n"),
        format!("[secrets.DATABASE_URL]\nmin_length = \"{VALUE}\"\n"),
        format!("[environments.development]\nDATABASE_URL = \"{VALUE}\"\n"),
        format!("[environments.development]\ninherits = \"{VALUE}\"\n"),
        format!("[environments.development.variables]\nURL = \"${{{VALUE}}}\"\n"),
        format!("[steps.deploy]\nnames = [\"{VALUE}\"]\n"),
    ] {
        fs::write(&toml, &text).unwrap();
        for command in commands {
            with_json(command, &|run| assert_hides(&run, VALUE, &text));
        }
        let exec = sandbox.vault(&["exec", "--step", "deploy", "--", "true"]);
        assert_hides(&exec, VALUE, &text);
    }
    fs::write(&toml, genuine).unwrap();
    for name in [
        "VAULT_ENVIRONMENT",
        "VAULT_ID",
        "VAULT_KEY",
        "VAULT_KEY_COMMAND",
    ] {
        let value = match name {
            "VAULT_KEY_COMMAND" => &format!("echo '{VALUE}'"),
            _ => VALUE,
        };
        for command in commands {
            with_json(command, &|run| {
                assert_hides(&run.variable(name, value), VALUE, name);
            });
        }
    }
    let file = sandbox.repo().join("pasted");
    for text in [
        format!("{VALUE}\n"),
        format!("A='{VALUE}\n"),
        format!("A='b'{VALUE}\n"),
        format!("{VALUE}=b\n"),
        format!("A=b\nA={VALUE}\nexport {VALUE}\n"),
        format!("{{\"A\": \"{VALUE}\"}}"),
        format!("A: {VALUE}\n"),
        format!("A=${{{VALUE}}}\n"),
        format!("\0{VALUE}"),
    ] {
        fs::write(&file, &text).unwrap();
        for words in [
            &["import", "pasted"][..],
            &["get", "DATABASE_URL", "--key-file", "pasted"],
        ] {
            with_json(words, &|run| assert_hides(&run, VALUE, &text));
        }
        let read =
            iter::once(&["import", "-"][..])
                .chain([&["get", "DATABASE_URL", "--key-file", "-"][..]]);
        for words in read {
            with_json(words, &|run| assert_hides(&run.input(&text), VALUE, &text));
        }
    }
}
