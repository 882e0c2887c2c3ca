//! Input of any size and form is refused before its author can cause much work: sizes, ids, and
//! signatures are checked before text is parsed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use repovault::crypto::{Framed, SigningKey, Tag, VaultId, base64_encode};
use repovault::vault::model::{Access, LARGEST_NUMBER};
use repovault::vault::name::SecretName;
use snapbox::str;

use crate::support::craft;
use crate::support::refusal::{findings, found, held, stocked};
use crate::support::sandbox::Sandbox;

const REQUEST: &str = ".vault/requests/eve.toml";

/// An invalid request with exactly this number of bytes.
fn request(sandbox: &Sandbox, size: usize) {
    fs::create_dir_all(sandbox.store("requests")).unwrap();
    let signature = format!("signature = \"b64:{}\"\n", base64_encode(&[0; 64]));
    let head = "# x\nformat = 1\nx = [";
    let filling = "1".repeat(size - head.len() - signature.len() - 2);
    fs::write(
        sandbox.repo().join(REQUEST),
        format!("{head}{filling}]\n{signature}"),
    )
    .unwrap();
}

#[test]
fn request_above_16_kib_is_refused_by_its_size() {
    let sandbox = stocked();
    for (size, reason) in [
        (16 << 10, "is not in the form vault writes"),
        ((16 << 10) + 1, "is larger than 16 KiB"),
        (15 << 20, "is larger than 16 KiB"),
    ] {
        request(&sandbox, size);
        let line = findings(&[&format!("{REQUEST}: {reason}")]);
        found(&sandbox, &[], 1, &(held(1, 2) + &line));
        let said = format!("error: {REQUEST}: {reason}\nhint: [..]\n");
        let add = ["members", "add", "eve", "-e", "production=read"];
        sandbox.vault(&add).fails(4).says(&said).check();
    }
    // The older side is read with the same limits.
    sandbox.commit("a large request");
    fs::remove_file(sandbox.repo().join(REQUEST)).unwrap();
    let outcome = sandbox.vault(&["verify", "--since", "HEAD"]).outcome();
    let printed = String::from_utf8(outcome.output).unwrap();
    assert!(
        printed.contains(&format!("other change: {REQUEST} was removed")),
        "{printed}"
    );
}

#[test]
fn oversized_files_are_refused_by_their_size() {
    for (path, size, most) in [
        ("production/OTHER.toml", (2 << 20) + 1, "2 MiB"),
        ("members/alice.toml", (1 << 20) + 1, "1 MiB"),
        ("root.toml", (16 << 20) + 1, "16 MiB"),
    ] {
        let sandbox = stocked();
        fs::write(sandbox.store(path), vec![b'x'; size]).unwrap();
        let said = format!("error: .vault/{path}: is larger than {most}\nhint: [..]\n");
        let exec = ["exec", "-e", "production", "--", "touch", "started"];
        sandbox.vault(&exec).fails(122).says(&said).check();
    }
}

/// Signs text that is not even TOML as the root of a new vault, with this many bytes of it.
fn strangers_root(sandbox: &Sandbox, size: usize) -> VaultId {
    let key = SigningKey::generate();
    let id = VaultId::new(key.public());
    let filling = "[[[[ not TOML\n".repeat(size / 14);
    let body = format!("# x\nformat = 1\nvault = \"bech32:{id}\"\n{filling}");
    let message = Framed::new("vault/v1/root")
        .part(id.as_bytes())
        .part(b"root.toml")
        .part(body.as_bytes())
        .into_bytes();
    let signature = base64_encode(&key.sign(&message).to_bytes());
    fs::write(
        sandbox.store("root.toml"),
        format!("{body}signature = \"b64:{signature}\"\n"),
    )
    .unwrap();
    id
}

/// Its content is not read, so it cannot cause any work.
#[test]
fn root_of_another_vault_is_refused_before_parsing() {
    let sandbox = stocked();
    let own = sandbox.id();
    let credential = sandbox.credential("github", &["-e", "production"]);
    let other = strangers_root(&sandbox, 14);
    let reason =
        format!(".vault/root.toml: belongs to a different vault: expected {own}, found {other}");
    let exec = ["exec", "-e", "production", "--", "touch", "started"];
    sandbox
        .vault(&exec)
        .fails(122)
        .says(format!("error: {reason}\nhint: [..]\nhint: [..]\n"))
        .check();
    for variable in ["VAULT_ID", "VAULT_KEY"] {
        let value = if variable == "VAULT_ID" {
            &own
        } else {
            &credential
        };
        let outcome = sandbox.vault(&exec).variable(variable, value).outcome();
        assert_eq!(outcome.status, 122, "{}", outcome.said);
        assert!(outcome.said.contains(&reason), "{}", outcome.said);
    }
    for command in [
        &["list"][..],
        &["get", "OTHER"],
        &["set", "OTHER"],
        &["ci", "add", "x", "-e", "production"],
    ] {
        let outcome = sandbox.vault(command).outcome();
        assert_eq!(outcome.status, 4, "{}", outcome.said);
        assert!(outcome.said.contains(&reason), "{}", outcome.said);
    }
    let verify = sandbox
        .vault(&["verify", "--id", &own])
        .without("HOME")
        .fails(1);
    verify
        .prints(format!("findings:\n  {reason}\n"))
        .says(str!["error: verification failed: 1 finding"])
        .check();
}

#[test]
fn untrusted_root_is_not_parsed() {
    let sandbox = stocked();
    strangers_root(&sandbox, 14);
    fs::remove_dir_all(sandbox.home().join(".local/state")).unwrap();
    let outcome = sandbox
        .vault(&["exec", "-e", "production", "--", "touch", "started"])
        .outcome();
    assert_eq!(outcome.status, 121, "{}", outcome.said);
    assert!(
        outcome
            .said
            .starts_with("error: the id of this vault has not been confirmed"),
        "{}",
        outcome.said
    );
}

/// The root has the largest size that is read: it costs no more than a hash, on every path.
#[test]
fn strangers_root_of_16_mib_costs_a_hash() {
    let sandbox = stocked();
    let own = sandbox.id();
    strangers_root(&sandbox, (16 << 20) - 300);
    let size = fs::metadata(sandbox.store("root.toml")).unwrap().len();
    assert!((16 << 20) - 300 < size && size <= 16 << 20, "{size}");
    for (pinned, status) in [(None, 4), (Some(&own), 4)] {
        let mut run = sandbox.vault(&["get", "OTHER", "-e", "production"]);
        if let Some(id) = pinned {
            run = run.without("HOME").variable("VAULT_ID", id);
            let key = sandbox.home().join(".config/vault/identity.txt");
            run = run.variable("VAULT_KEY_FILE", key.to_str().unwrap());
        }
        let start = std::time::Instant::now();
        let limited = ["bash", "-c", "ulimit -v 300000; exec \"$@\"", "bash"];
        let outcome = run.under(&limited).outcome();
        assert_eq!(outcome.status, status, "{}", outcome.said);
        assert!(
            outcome.said.contains("belongs to a different vault"),
            "{}",
            outcome.said
        );
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }
    // Its own id does not help it.
    fs::remove_dir_all(sandbox.home().join(".local/state")).unwrap();
    let outcome = sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .outcome();
    assert_eq!(outcome.status, 3, "{}", outcome.said);
}

#[test]
fn unsigned_member_file_is_refused_before_parsing() {
    let sandbox = stocked();
    let key = craft::Person::new().key;
    let path = "members/alice.toml";
    let file = craft::sign(&sandbox, path, b"# x\nformat = 1\n]]]] not TOML\n", &key);
    fs::write(sandbox.store(path), file).unwrap();
    let said = str![[r#"
error: .vault/members/alice.toml: does not match the signature of the authority of this vault
hint: [..]
"#]];
    sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .fails(4)
        .says(&said)
        .check();
}

/// Only its member is affected, and those who read what they signed.
#[test]
fn member_file_above_1_mib_affects_only_its_member() {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    fs::write(sandbox.store("members/bob.toml"), vec![b'x'; (1 << 20) + 1]).unwrap();
    let exec = [
        "exec",
        "-e",
        "production",
        "--no-mask",
        "--",
        "printenv",
        "OTHER",
    ];
    sandbox.vault(&exec).prints("other\n").check();
    sandbox.set("production", "OTHER", b"new");
    sandbox.quick(&["ci", "add", "github", "-e", "production"]);
    let line = ".vault/members/bob.toml: is larger than 1 MiB";
    found(&sandbox, &[], 1, &(held(1, 2) + &findings(&[line])));
}

/// The limit counts files, so they need no content.
#[test]
fn over_2_000_files_of_members_are_refused() {
    let sandbox = stocked();
    let fill = |count| {
        for number in 1..count {
            fs::write(sandbox.store(&format!("members/m{number}.toml")), "").unwrap();
        }
    };
    fill(2000);
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    // Hidden files of desktops do not count.
    fs::write(sandbox.store("members/.DS_Store"), "").unwrap();
    sandbox
        .vault(&["list", "-e", "production", "-q"])
        .prints("[..]\n[..]\n[..]\n")
        .check();
    sandbox
        .vault(&["ci", "add", "github", "-e", "production"])
        .fails(2)
        .says(str![
            "error: .vault/members would hold more than 2000 files"
        ])
        .check();
    fill(2001);
    let said = str![[r#"
error: .vault/members: holds 2001 files, the limit is 2000 members
hint: see what does not belong there: `git status .vault/members`
"#]];
    for command in [
        &["set", "OTHER", "-e", "production"][..],
        &["ci", "add", "github", "-e", "production"],
        &["members", "list"],
    ] {
        sandbox
            .vault(command)
            .input("new")
            .fails(4)
            .says(&said)
            .check();
    }
    // A member whose name is known needs no list.
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
}

/// A change whose files would be refused by every reader is not begun.
#[test]
fn file_too_large_to_read_is_not_written() {
    let sandbox = stocked();
    let names: BTreeSet<SecretName> = (0..1800)
        .map(|number| format!("{}_{number:04}", "N".repeat(190)).parse().unwrap())
        .collect();
    craft::enroll(&sandbox, "bob", &[("production", Access::Names(names))]);
    let size = fs::metadata(sandbox.store("members/bob.toml"))
        .unwrap()
        .len();
    assert!(size < 1 << 20, "{size}");
    sandbox.commit("a large file");
    sandbox
        .vault(&["environments", "add", "staging"])
        .says(str![
            "added the environment staging with access for alice (write)"
        ])
        .any_change()
        .check();
    // Both epochs are sealed to bob for a while.
    sandbox
        .vault(&["rotate", "-e", "production"])
        .fails(2)
        .says(str![
            "error: .vault/members/bob.toml would be larger than 1 MiB"
        ])
        .check();
    sandbox.quick(&["ci", "add", "github", "-e", "production"]);
    sandbox
        .vault(&["members", "remove", "github", "--yes"])
        .fails(2)
        .says(str![
            "error: .vault/members/bob.toml would be larger than 1 MiB"
        ])
        .check();
}

#[test]
fn root_too_large_to_read_is_not_written() {
    let sandbox = stocked();
    let limit = 16 << 20;
    let before = fs::metadata(sandbox.store("root.toml")).unwrap().len();
    // A revocation has 30 bytes, and the root here has none.
    let most = (limit - usize::try_from(before).unwrap()) / 30;
    craft::resign_root(&sandbox, &craft::authority(&sandbox), |root| {
        root.revision += 1;
        root.revocations = (0..most).map(|_| Tag::random()).collect();
    });
    let size = fs::metadata(sandbox.store("root.toml")).unwrap().len();
    let size = usize::try_from(size).unwrap();
    assert!((limit - 40..=limit).contains(&size), "{size}");
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    sandbox
        .vault(&["rotate", "-e", "production"])
        .fails(2)
        .says(str!["error: .vault/root.toml would be larger than 16 MiB"])
        .check();
}

#[test]
fn excessive_configuration_is_refused() {
    let sandbox = stocked();
    let config = sandbox.repo().join("vault.toml");
    let base = fs::read_to_string(&config).unwrap();
    let big = "[environments.production.variables]\nX = \"".to_owned();
    let deep = |open: &str, close: &str| format!("{}{close}", open.repeat(100_000));
    let exec = ["exec", "-e", "production", "--", "touch", "started"];
    for (text, message) in [
        (
            "#\n".repeat((1 << 19) + 1),
            "could not read [..]/vault.toml: it is not a regular file of at most 1 MiB",
        ),
        (
            "[secrets.NEW]\nmin_length = 4611686018427387904\n".to_owned(),
            "vault.toml: secrets.NEW: min_length is above 1048576",
        ),
        (
            "[secrets.NEW]\nmin_length = 1048577\n".to_owned(),
            "vault.toml: secrets.NEW: min_length is above 1048576",
        ),
        (format!("x = {}", deep("[", "")), "vault.toml: "),
        (format!("x = {}", deep("{a=", "")), "vault.toml: "),
        (format!("{} = 1", deep("a.", "a")), "vault.toml: "),
        (format!("[{}]", deep("a.", "a")), "vault.toml: "),
        (format!("[[{}]]", deep("a.", "a")), "vault.toml: "),
        (format!("{big}{}\"\n", "${OTHER}".repeat(100_000)), ""),
    ] {
        fs::write(&config, format!("{base}\n{text}")).unwrap();
        let outcome = sandbox.vault(&exec).outcome();
        assert!(
            [122, 123, 125].contains(&outcome.status),
            "{}: {}",
            outcome.status,
            outcome.said
        );
        let start = message.split("[..]").next().unwrap();
        assert!(
            outcome.said.starts_with(&format!("error: {start}")),
            "{}",
            outcome.said
        );
        assert!(!sandbox.repo().join("started").exists());
        let generate = ["set", "NEW", "--generate", "-e", "production"];
        let status = sandbox.vault(&generate).outcome().status;
        assert!(status < 5, "{status}");
    }
}

/// Many references to a long secret, and many variables with a few of them.
#[test]
fn templates_exhausting_memory_are_refused() {
    let sandbox = stocked();
    sandbox.set("production", "BIG", &vec![b'x'; 700_000]);
    let config = sandbox.repo().join("vault.toml");
    let base = fs::read_to_string(&config).unwrap();
    let table = "[environments.production.variables]\n";
    let one = format!("{table}X0 = \"{}\"\n", "${BIG}".repeat(20_000));
    let encoded = format!("{table}X0 = \"{}\"\n", "${BIG|url}".repeat(20_000));
    let lines = (0..20_000).map(|number| format!("X{number} = \"${{BIG}}\"\n"));
    let many = lines.collect::<Vec<String>>().concat();
    for text in [one, encoded, format!("{table}{many}")] {
        fs::write(&config, format!("{base}\n{text}")).unwrap();
        let limited = ["bash", "-c", "ulimit -v 2000000; exec \"$@\"", "bash"];
        let run = sandbox.vault(&["exec", "-e", "production", "--", "touch", "started"]);
        let outcome = run.under(&limited).outcome();
        assert_eq!(outcome.status, 123, "{}", outcome.said);
        assert!(
            outcome.said.contains("is too long for a variable"),
            "{}",
            outcome.said
        );
    }
}

#[test]
fn tag_of_a_pin_has_one_spelling() {
    let sandbox = stocked();
    sandbox.quick(&["rotate", "-e", "production"]);
    let (id, tag) = (
        sandbox.id(),
        craft::vault(&sandbox).root().latest().to_string(),
    );
    let pinned = format!("{id}@{tag}");
    let get = ["get", "OTHER", "-e", "production"];
    sandbox
        .vault(&get)
        .variable("VAULT_ID", &pinned)
        .prints("other")
        .check();
    let zeros = "A".repeat(22);
    for text in [
        "",
        "x",
        "1",
        &tag[1..],
        &format!("{tag}A"),
        &format!("{tag}=="),
        &format!("b64:{tag}"),
        &format!("{}B", &tag[..21]),
        &format!("{}*", &tag[..21]),
        &format!("@{tag}"),
        &format!("{tag}@{tag}"),
        &zeros,
    ] {
        let pin = format!("{id}@{text}");
        let outcome = sandbox
            .vault(&["get", "OTHER", "-e", "production"])
            .variable("VAULT_ID", &pin)
            .outcome();
        assert_eq!(outcome.status, 2, "{text}: {}", outcome.said);
        assert!(
            outcome.said.starts_with("error: VAULT_ID: not the "),
            "{}",
            outcome.said
        );
        let trust = sandbox.vault(&["trust", &pin]).outcome();
        assert_eq!(trust.status, 2, "{pin}: {}", trust.said);
    }
    let long = "vault1".repeat(10_000);
    let outcome = sandbox
        .vault(&["list"])
        .variable("VAULT_ID", &long)
        .outcome();
    assert_eq!(outcome.status, 2);
    assert!(outcome.said.len() < 1000);
}

#[test]
fn highest_revision_of_an_entry_is_not_exceeded() {
    let sandbox = stocked();
    let key = craft::signing_key(&sandbox, "production");
    craft::resign_entry(&sandbox, "production", "OTHER", &key, |entry| {
        entry.revision = LARGEST_NUMBER;
        entry.sealed = None;
    });
    let said = str![[r#"
error: OTHER has the last revision that there can be
hint: [..]
"#]];
    sandbox
        .vault(&["set", "OTHER", "-e", "production"])
        .input("new")
        .fails(4)
        .says(&said)
        .check();
    craft::resign_entry(&sandbox, "production", "OTHER", &key, |entry| {
        entry.revision = LARGEST_NUMBER + 1;
    });
    let said = str![[r#"
error: .vault/production/OTHER.toml: is not in the form vault writes
hint: [..]
"#]];
    sandbox
        .vault(&["set", "OTHER", "-e", "production"])
        .input("new")
        .fails(4)
        .says(&said)
        .check();
}

#[test]
fn highest_revision_of_a_root_is_not_exceeded() {
    for number in [LARGEST_NUMBER, LARGEST_NUMBER - 1] {
        let sandbox = stocked();
        craft::resign_root(&sandbox, &craft::authority(&sandbox), |root| {
            root.revision = number;
        });
        let said = str![[r#"
error: .vault/root.toml: has the last number that there can be
hint: [..]
"#]];
        for command in [
            &["ci", "add", "x", "-e", "production"][..],
            &["environments", "add", "staging"],
            &["environments", "remove", "production", "--yes"],
            &["rotate", "-e", "production"],
            &["rotate", "--authority", "--yes"],
        ] {
            sandbox.vault(command).fails(4).says(&said).check();
        }
    }
}

#[test]
fn damaged_state_of_any_size_is_refused() {
    let sandbox = stocked();
    let folder = sandbox.home().join(".local/state/vault");
    let file = fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let good = fs::read_to_string(&file).unwrap();
    let high = |number: &str| good.replace("revision = 1", &format!("revision = {number}"));
    assert_ne!(high("2"), good);
    let tagged = |tag: &str| good.replace("tags = []", &format!("tags = [\"{tag}\"]"));
    assert_ne!(tagged(""), good);
    for text in [
        format!("{good}{}", "#\n".repeat(3 << 20)),
        high("9007199254740992"),
        high("18446744073709551615"),
        high("-1"),
        tagged("x"),
        tagged(&"A".repeat(22)),
        format!("x = {}", "[".repeat(200_000)),
        format!("{}a = 1", "a.".repeat(200_000)),
    ] {
        fs::write(&file, text).unwrap();
        let path = Path::new("[..]").join(file.file_name().unwrap());
        let said = format!("error: {}: is damaged\nhint: [..]\n", path.display());
        sandbox
            .vault(&["get", "OTHER", "-e", "production"])
            .fails(4)
            .says(&said)
            .check();
    }
}
