//! Attacks on joining by someone who can write to the repository without a key, by a former member,
//! and by a reader; and malformed requests.

use std::fs;
use std::os::unix::fs::symlink;

use repovault::crypto::{Identity, NativeKind, SigningKey};
use repovault::vault::format::{fingerprint, read_request, write_request};
use repovault::vault::model::{Access, Former, Request, Signing};
use repovault::vault::signing::seal_seed;
use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::craft::{self, Person};
use crate::support::golden::{copy_folder, read};
use crate::support::refusal::{compared, findings, found, held, section, stocked, table};
use crate::support::sandbox::{Run, Sandbox};

const PATH: &str = "requests/bob.toml";

/// Bob's request in the repository.
fn request(sandbox: &Sandbox) -> Request {
    let file = fs::read(sandbox.store(PATH)).unwrap();
    read_request(&"bob".parse().unwrap(), &file)
        .unwrap()
        .content
}

/// Replaces bob's request with another one, signed by `key`.
fn plant(sandbox: &Sandbox, request: &Request, key: &SigningKey) {
    fs::create_dir_all(sandbox.store("requests")).unwrap();
    let path = sandbox.store(&format!("requests/{}.toml", request.name));
    fs::write(path, write_request(request, key)).unwrap();
}

fn add<'a>(sandbox: &'a Sandbox, name: &str, fingerprint: &str) -> Run<'a> {
    let access = ["-e", "development=write", "--fingerprint", fingerprint];
    sandbox.vault(&[&["members", "add", name], &access[..]].concat())
}

const OTHER_FINGERPRINT: &str =
    "error: .vault/requests/bob.toml: has another fingerprint than the one bob gave you
hint: a typing error, an older request, or someone changed it: `git log -p -- .vault/requests`
hint: bob can print it again in the clone of the request: `vault join --name bob`
";

fn not_acceptable(reason: &str) -> String {
    format!(
        "error: .vault/requests/bob.toml: {reason}
hint: ask for a new one: `rm .vault/requests/bob.toml`, then `vault join --name NAME`
"
    )
}

/// The attacker can sign a request that contains any part of bob's with a key of their own.
#[test]
fn request_with_swapped_keys_is_refused() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let told = bob.join();
    bob.send();
    let genuine = request(&sandbox);
    let file = fs::read(sandbox.store(PATH)).unwrap();
    let mallory = Person::new();
    let recipient = mallory.identity.recipient();
    let signing = |recipient| {
        let signer = mallory.key.public();
        Signing {
            signer,
            seed: seal_seed(&mallory.key, recipient),
        }
    };
    let all = Request {
        recipient: recipient.clone(),
        signing: signing(&recipient),
        ..genuine.clone()
    };
    let signer = Request {
        signing: signing(&genuine.recipient),
        ..genuine.clone()
    };
    let seed = Signing {
        signer: mallory.key.public(),
        seed: genuine.signing.seed.clone(),
    };
    let only_signer = Request {
        signing: seed,
        ..genuine.clone()
    };
    for request in [&all, &signer, &only_signer] {
        plant(&sandbox, request, &mallory.key);
        add(&sandbox, "bob", &told)
            .fails(4)
            .says(OTHER_FINGERPRINT)
            .check();
    }
    // Without bob's signing key, nothing else in the request can be changed.
    let swapped = Request {
        recipient,
        ..genuine.clone()
    };
    plant(&sandbox, &swapped, &mallory.key);
    let said = not_acceptable("does not match the signature of its signer");
    add(&sandbox, "bob", &told).fails(4).says(&said).check();
    let seed = Signing {
        seed: seal_seed(&mallory.key, &genuine.recipient),
        ..genuine.signing.clone()
    };
    plant(
        &sandbox,
        &Request {
            signing: seed,
            ..genuine
        },
        &mallory.key,
    );
    add(&sandbox, "bob", &told).fails(4).says(&said).check();
    fs::write(sandbox.store(PATH), file).unwrap();
    add(&sandbox, "bob", &told)
        .says(str![[r#"
added bob: development=write
next: commit .vault
"#]])
        .any_change()
        .check();
}

#[test]
fn request_of_another_vault_or_name_is_refused() {
    let (sandbox, other) = (stocked(), stocked());
    let bob = Colleague::clone_of(&other, "bob");
    let told = bob.join();
    fs::create_dir_all(sandbox.store("requests")).unwrap();
    fs::copy(bob.store(PATH), sandbox.store(PATH)).unwrap();
    let said = not_acceptable(&format!("asks to join another vault, {}", other.id()));
    add(&sandbox, "bob", &told).fails(4).says(&said).check();

    let bob = Colleague::clone_of(&sandbox, "bob");
    let told = bob.join();
    fs::copy(bob.store(PATH), sandbox.store("requests/carol.toml")).unwrap();
    let said = str![[r#"
error: .vault/requests/carol.toml: is the request of bob
hint: ask for a new one: `rm .vault/requests/carol.toml`, then `vault join --name NAME`
"#]];
    add(&sandbox, "carol", &told).fails(4).says(&said).check();
}

/// Someone shows bob a vault of their own in place of alice's before bob joins.
#[test]
fn request_to_a_planted_vault_adds_no_one_to_the_true_one() {
    let (sandbox, planted) = (stocked(), stocked());
    let bob = Colleague::clone_of(&sandbox, "bob");
    fs::remove_dir_all(bob.store("")).unwrap();
    copy_folder(&planted.store(""), &bob.store(""));
    let asked = bob.vault(&["join", "--name", "bob", "-q"]).outcome();
    let told = String::from_utf8(asked.output).unwrap().trim().to_owned();
    fs::create_dir_all(sandbox.store("requests")).unwrap();
    fs::copy(bob.store(PATH), sandbox.store(PATH)).unwrap();
    let said = not_acceptable(&format!("asks to join another vault, {}", planted.id()));
    add(&sandbox, "bob", &told).fails(4).says(&said).check();
    // Bob trusts neither of them.
    let untrusted = str![[r#"
error: the id of this vault has not been confirmed yet
hint: [..]
hint: [..]
"#]];
    bob.vault(&["get", "DATABASE_URL"])
        .fails(3)
        .says(&untrusted)
        .check();
    fs::remove_dir_all(bob.store("")).unwrap();
    copy_folder(&sandbox.store(""), &bob.store(""));
    bob.vault(&["get", "DATABASE_URL"])
        .fails(3)
        .says(&untrusted)
        .check();
    fs::remove_file(bob.store(PATH)).unwrap();
    let told = bob.join();
    fs::copy(bob.store(PATH), sandbox.store(PATH)).unwrap();
    sandbox.quick(&[
        "members",
        "add",
        "bob",
        "-e",
        "development=read",
        "--fingerprint",
        &told,
    ]);
}

#[test]
fn request_with_a_used_name_or_recipient_is_refused() {
    let sandbox = stocked();
    let mallory = Person::new();
    let vault = craft::vault(&sandbox).root().vault;
    let member = mallory.member();
    let ask = |name: &str| Request {
        name: name.parse().unwrap(),
        vault,
        recipient: member.recipient.clone(),
        signing: member.signing.clone().unwrap(),
    };
    // The name of a member, and the name of a former member.
    craft::resign_root(&sandbox, &craft::authority(&sandbox), |root| {
        root.former
            .insert("gone".parse().unwrap(), Former::default());
    });
    let sandboxed = |name: &str| {
        add(&sandbox, name, &fingerprint(&ask(name)).to_string())
            .without("HOME")
            .variable("VAULT_ID", &sandbox.id())
            .variable(
                "VAULT_KEY_FILE",
                sandbox
                    .home()
                    .join(".config/vault/identity.txt")
                    .to_str()
                    .unwrap(),
            )
    };
    for name in ["alice", "gone"] {
        plant(&sandbox, &ask(name), &mallory.key);
        let said = format!(
            "error: the name {name} has been used; names are never reused\nhint: choose another name\n"
        );
        sandboxed(name).fails(2).says(&said).check();
        fs::remove_file(sandbox.store(&format!("requests/{name}.toml"))).unwrap();
    }
    // A member's recipient, which everyone can read, under another name.
    let alice = craft::identity(&sandbox).recipient();
    let twin = Request {
        recipient: alice,
        ..ask("twin")
    };
    plant(&sandbox, &twin, &mallory.key);
    let said = str![[r#"
error: this recipient is already a member: alice
hint: change their access: `vault members set alice -e ENV=…`
"#]];
    let told = fingerprint(&twin).to_string();
    let run = add(&sandbox, "twin", &told)
        .without("HOME")
        .variable("VAULT_ID", &sandbox.id());
    let key = sandbox.home().join(".config/vault/identity.txt");
    run.variable("VAULT_KEY_FILE", key.to_str().unwrap())
        .fails(2)
        .says(&said)
        .check();
}

#[test]
fn request_of_a_former_member_is_refused() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let told = bob.join();
    bob.send();
    let old = fs::read(sandbox.store(PATH)).unwrap();
    sandbox.quick(&[
        "members",
        "add",
        "bob",
        "-e",
        "development=write",
        "--fingerprint",
        &told,
    ]);
    sandbox.quick(&["members", "remove", "bob"]);
    fs::write(sandbox.store(PATH), old).unwrap();
    let said = str![[r#"
error: the name bob has been used; names are never reused
hint: choose another name
"#]];
    add(&sandbox, "bob", &told).fails(2).says(&said).check();
    found(
        &sandbox,
        &[],
        1,
        &(table(&[
            ["development", "1", "2", "alice", "ok"],
            ["production", "2", "2", "alice", "ok"],
        ]) + &findings(&[
            ".vault/requests/bob.toml: the name has been used; names are never reused",
        ])),
    );
}

/// An admin who did not compare the fingerprint has added someone else's keys under bob's name.
#[test]
fn member_with_other_keys_than_requested_is_refused() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let told = bob.join();
    bob.send();
    let genuine = request(&sandbox);
    let mallory = Person::new();
    let recipient = mallory.identity.recipient();
    let signing = |recipient| {
        let signer = mallory.key.public();
        Signing {
            signer,
            seed: seal_seed(&mallory.key, recipient),
        }
    };
    let requests = [
        Request {
            recipient: recipient.clone(),
            signing: signing(&recipient),
            ..genuine.clone()
        },
        // Anyone who knows the seed could forge bob's entries.
        Request {
            signing: signing(&genuine.recipient),
            ..genuine.clone()
        },
        // Bob's own keys, but under another name.
        Request {
            name: "rob".parse().unwrap(),
            signing: signing(&genuine.recipient),
            ..genuine
        },
    ];
    let said = |name: &str| {
        format!(
            "error: .vault/members/{name}.toml: has other keys than bob asked for
hint: someone changed your request on its way: tell the admins, and use nothing in this vault
hint: once they have removed this member, ask by another name: `vault join --name NAME`
"
        )
    };
    for request in requests {
        plant(&sandbox, &request, &mallory.key);
        let name = request.name.as_str();
        let fooled = fingerprint(&request).to_string();
        add(&sandbox, name, &fooled)
            .says(format!(
                "added {name}: development=write\nnext: commit .vault\n"
            ))
            .any_change()
            .check();
        bob_refuses(&sandbox, &bob, &said(name));
        put_back(&sandbox);
    }
    // A different recipient alone counts as other keys too.
    let recipient = Colleague::key_file(&bob);
    let public = fs::read_to_string(recipient).unwrap();
    let public = public
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "))
        .unwrap()
        .to_owned();
    sandbox.quick(&[
        "members",
        "add",
        "rob",
        "--recipient",
        &public,
        "-e",
        "development=read",
    ]);
    bob_refuses(&sandbox, &bob, &said("rob"));
    put_back(&sandbox);

    add(&sandbox, "bob", &told)
        .says(str![[r#"
added bob: development=write
next: commit .vault
"#]])
        .any_change()
        .check();
    sandbox.commit("bob");
    bob.pull();
    bob.vault(&["get", "DATABASE_URL"])
        .prints("postgres://development")
        .any_change()
        .check();
    bob.vault(&["get", "DATABASE_URL"])
        .prints("postgres://development")
        .check();
}

/// Puts back the committed vault, and removes what alice has seen, so that the next case starts like
/// the first.
fn put_back(sandbox: &Sandbox) {
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", ".vault"]);
    sandbox.git(&["clean", "--quiet", "--force", ".vault"]);
    let state = sandbox.home().join(".local/state/vault");
    fs::remove_dir_all(state).unwrap();
    sandbox.quick(&["trust", &sandbox.id()]);
}

fn bob_refuses(sandbox: &Sandbox, bob: &Colleague<'_>, said: &str) {
    let copy = bob.home().join("copy");
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir(&copy).unwrap();
    copy_folder(&sandbox.repo(), &copy);
    let commands: [&[&str]; 6] = [
        &["get", "DATABASE_URL"],
        &["set", "DATABASE_URL"],
        &["remove", "DATABASE_URL"],
        &["list"],
        &["members", "list"],
        &["join", "--name", "other"],
    ];
    for command in commands {
        let run = bob.vault(command).folder(&copy).input("value");
        run.fails(4).says(said).check();
        let run = bob.vault(command).folder(&copy).input("value");
        run.variable("VAULT_ID", &sandbox.id())
            .fails(4)
            .says(said)
            .check();
    }
    let exec = bob.vault(&["exec", "--", "touch", "started"]).folder(&copy);
    exec.fails(122).says(said).check();
}

#[test]
fn reader_cannot_add_members() {
    let sandbox = stocked();
    let reader = craft::enroll(&sandbox, "reader", &[("production", Access::Read)]);
    let genuine = fs::read(sandbox.store("members/reader.toml")).unwrap();
    craft::resign_member(&sandbox, "reader", &reader.key, |own| {
        own.access
            .insert("production".parse().unwrap(), Access::Write);
        own.authority = Some(own.signing.as_ref().unwrap().seed.clone());
    });
    let listed = sandbox.quick(&["members", "list"]);
    assert!(!listed.contains("reader"), "{listed}");
    // It stops no one else.
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
    let reason =
        ".vault/members/reader.toml: does not match the signature of the authority of this vault";
    let output = sandbox.vault(&["verify"]).outcome().output;
    let output = String::from_utf8(output).unwrap();
    assert!(output.contains(reason), "{output}");
    fs::write(sandbox.store("members/reader.toml"), genuine).unwrap();
    // Nor with a request in the reader's own name or another one, with a known fingerprint.
    let own = reader.member();
    let ask = |name: &str, identity: &Identity| Request {
        name: name.parse().unwrap(),
        vault: craft::vault(&sandbox).root().vault,
        recipient: identity.recipient(),
        signing: own.signing.clone().unwrap(),
    };
    let key = reader.key_file(&sandbox);
    for (name, identity) in [
        ("reader", &reader.identity),
        ("second", &Identity::generate(NativeKind::Hybrid)),
    ] {
        let request = ask(name, identity);
        plant(&sandbox, &request, &reader.key);
        let said = str![[r#"
error: reader is not an admin of this vault
hint: ask an admin: alice
"#]];
        add(&sandbox, name, &fingerprint(&request).to_string())
            .variable("VAULT_KEY_FILE", key.to_str().unwrap())
            .variable("VAULT_ID", &sandbox.id())
            .variable("HOME", "/nowhere")
            .fails(3)
            .says(&said)
            .check();
    }
}

#[test]
fn verify_reports_requests_and_other_files_among_them() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let told = bob.join();
    bob.send();
    let asks = section(
        "needs attention",
        &["bob wants to join with recipient age1[..]"],
    );
    sandbox
        .vault(&["verify"])
        .prints(held(1, 2) + &asks)
        .check();
    let output = compared("HEAD~1") + &held(1, 2) + &asks;
    sandbox
        .vault(&["verify", "--since", "HEAD~1"])
        .prints(output)
        .check();

    let identity = sandbox.home().join(".config/vault/identity.txt");
    let told_by_reader = || read(&sandbox, &identity, &["--id", &sandbox.id()])["requests"].clone();
    assert_eq!(told_by_reader(), serde_json::json!({"bob.toml": told}));
    let file = fs::read_to_string(sandbox.store(PATH)).unwrap();
    let strange = |name: &str| sandbox.store(&format!("requests/{name}"));
    fs::write(strange(".hidden"), "").unwrap();
    fs::write(strange("README.md"), "").unwrap();
    fs::write(strange("carol.toml"), &file).unwrap();
    fs::write(
        sandbox.store(PATH),
        file.replace("format = 1", "format = 1 "),
    )
    .unwrap();
    found(
        &sandbox,
        &[],
        3,
        &(held(1, 2)
            + &findings(&[
                ".vault/requests/README.md: is not a request to join",
                ".vault/requests/bob.toml: is not in the form vault writes",
                ".vault/requests/carol.toml: is the request of bob",
            ])),
    );
    let none = serde_json::json!({"README.md": null, "bob.toml": null, "carol.toml": null});
    assert_eq!(told_by_reader(), none);
}

#[test]
fn over_1000_requests_are_a_finding() {
    let sandbox = stocked();
    fs::create_dir(sandbox.store("requests")).unwrap();
    for number in 0..1001 {
        fs::write(sandbox.store(&format!("requests/a{number}.toml")), "").unwrap();
    }
    let many = findings(&[".vault/requests: holds 1001 files"]);
    found(&sandbox, &[], 1, &(held(1, 2) + &many));
}

#[test]
fn request_of_another_file_type_or_size_is_refused() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let told = bob.join();
    bob.send();
    let path = sandbox.store(PATH);
    let file = fs::read_to_string(&path).unwrap();
    let outside = sandbox.home().join("outside.toml");
    fs::write(&outside, &file).unwrap();
    let link = || symlink(&outside, &path).unwrap();
    let folder = || fs::create_dir(&path).unwrap();
    let large = || fs::write(&path, vec![b'#'; (16 << 20) + 1]).unwrap();
    let crlf = || fs::write(&path, file.replace('\n', "\r\n")).unwrap();
    let binary = || fs::write(&path, [0xff]).unwrap();
    let crafted = |change: &dyn Fn(&mut Request)| {
        let name = "bob".parse().unwrap();
        let mut request = read_request(&name, file.as_bytes()).unwrap().content;
        change(&mut request);
        fs::write(&path, write_request(&request, &SigningKey::generate())).unwrap();
    };
    let longer = || crafted(&|request| request.signing.seed = vec![0; 4097]);
    let cases: [(&dyn Fn(), &str); 6] = [
        (&link, "is not a regular file"),
        (&folder, "is not a regular file"),
        (&large, "is larger than 16 KiB"),
        (&crlf, "has CRLF line endings"),
        (&binary, "is not UTF-8 text"),
        (&longer, "is not in the form vault writes"),
    ];
    for (make, reason) in cases {
        let _ = fs::remove_file(&path);
        make();
        let outcome = add(&sandbox, "bob", &told).outcome();
        let said = format!("error: .vault/requests/bob.toml: {reason}\nhint: ");
        assert!(
            outcome.status == 4 && outcome.said.starts_with(&said),
            "{}",
            outcome.said
        );
        let verified = sandbox.vault(&["verify"]).outcome();
        let output = String::from_utf8(verified.output).unwrap();
        assert!(
            output.contains(&format!(".vault/requests/bob.toml: {reason}\n")),
            "{output}"
        );
        let _ = fs::remove_dir(&path);
    }
    // The same applies to the folder.
    let requests = sandbox.store("requests");
    let moved = sandbox.home().join("moved");
    let _ = fs::remove_file(&path);
    fs::rename(&requests, &moved).unwrap();
    fs::write(moved.join("bob.toml"), &file).unwrap();
    symlink(&moved, &requests).unwrap();
    let outcome = add(&sandbox, "bob", &told).outcome();
    let said = "error: .vault/requests: is not a folder\n";
    assert!(
        outcome.status == 4 && outcome.said.starts_with(said),
        "{}",
        outcome.said
    );
    let outcome = sandbox.vault(&["verify"]).outcome();
    assert_eq!(outcome.status, 1);
    let carol = Colleague::clone_of(&sandbox, "carol");
    fs::remove_dir_all(carol.store("requests")).unwrap();
    symlink(&moved, carol.store("requests")).unwrap();
    let outcome = carol.vault(&["join", "--name", "carol"]).outcome();
    assert!(
        outcome.status == 4 && outcome.said.starts_with(said),
        "{}",
        outcome.said
    );
    assert!(!moved.join("carol.toml").exists() && !carol.key_file().exists());
}
