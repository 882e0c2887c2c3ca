//! What lies in the folder of the requests: what `verify` says of it, and what is no request.

use std::fs;
use std::os::unix::fs::symlink;

use repovault::crypto::SigningKey;
use repovault::vault::format::{read_request, write_request};
use repovault::vault::model::Request;

use crate::adding::SMALL_ORDER;
use crate::colleague::Colleague;
use crate::golden::read;
use crate::refusal::{found, stocked};
use crate::requests::{PATH, add};

#[test]
fn verify_tells_who_asks_to_join_and_what_is_no_request() {
    let sandbox = stocked();
    let holds = "development: 1 secret, epoch 1: holds\nproduction: 2 secrets, epoch 1: holds\n";
    let bob = Colleague::clone_of(&sandbox, "bob");
    let told = bob.join();
    bob.send();
    sandbox.vault(&["verify"]).prints(format!("{holds}bob asks to join\n")).check();
    sandbox
        .vault(&["verify", "--since", "HEAD~1"])
        .prints(format!("{holds}bob asks to join\n"))
        .check();

    let identity = sandbox.home().join(".config/vault/identity.txt");
    let told_by_reader = || read(&sandbox, &identity, &["--id", &sandbox.id()])["requests"].clone();
    assert_eq!(told_by_reader(), serde_json::json!({"bob.toml": told}));
    let file = fs::read_to_string(sandbox.store(PATH)).unwrap();
    let strange = |name: &str| sandbox.store(&format!("requests/{name}"));
    fs::write(strange(".hidden"), "").unwrap();
    fs::write(strange("README.md"), "").unwrap();
    fs::write(strange("carol.toml"), &file).unwrap();
    fs::write(sandbox.store(PATH), file.replace("format = 1", "format = 1 ")).unwrap();
    found(
        &sandbox,
        &[],
        3,
        &format!(
            "{holds}.vault/requests/README.md: is no request to join
.vault/requests/bob.toml: is not as vault writes it
.vault/requests/carol.toml: is the request of bob
"
        ),
    );
    let none = serde_json::json!({"README.md": null, "bob.toml": null, "carol.toml": null});
    assert_eq!(told_by_reader(), none);
}

#[test]
fn more_requests_than_anybody_makes_are_a_finding() {
    let sandbox = stocked();
    fs::create_dir(sandbox.store("requests")).unwrap();
    for number in 0..1001 {
        fs::write(sandbox.store(&format!("requests/a{number}.toml")), "").unwrap();
    }
    let holds = "development: 1 secret, epoch 1: holds\nproduction: 2 secrets, epoch 1: holds\n";
    found(&sandbox, &[], 1, &format!("{holds}.vault/requests: holds 1001 files\n"));
}

#[test]
fn a_request_that_is_no_regular_file_of_a_usual_size_is_refused() {
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
    let weak = || crafted(&|request| request.recipient = SMALL_ORDER.parse().unwrap());
    let cases: [(&dyn Fn(), &str); 7] = [
        (&link, "is not a regular file"),
        (&folder, "is not a regular file"),
        (&large, "is larger than 16 MiB"),
        (&crlf, "has CRLF line endings"),
        (&binary, "is not UTF-8 text"),
        (&longer, "is not as vault writes it"),
        (&weak, "is not as vault writes it"),
    ];
    for (make, reason) in cases {
        let _ = fs::remove_file(&path);
        make();
        let outcome = add(&sandbox, "bob", &told).outcome();
        let said = format!("error: .vault/requests/bob.toml: {reason}\nhint: ");
        assert!(outcome.status == 4 && outcome.said.starts_with(&said), "{}", outcome.said);
        let verified = sandbox.vault(&["verify"]).outcome();
        let output = String::from_utf8(verified.output).unwrap();
        assert!(output.contains(&format!(".vault/requests/bob.toml: {reason}\n")), "{output}");
        let _ = fs::remove_dir(&path);
    }
    // The folder, too.
    let requests = sandbox.store("requests");
    let moved = sandbox.home().join("moved");
    let _ = fs::remove_file(&path);
    fs::rename(&requests, &moved).unwrap();
    fs::write(moved.join("bob.toml"), &file).unwrap();
    symlink(&moved, &requests).unwrap();
    let outcome = add(&sandbox, "bob", &told).outcome();
    let said = "error: .vault/requests: is not a folder\n";
    assert!(outcome.status == 4 && outcome.said.starts_with(said), "{}", outcome.said);
    let outcome = sandbox.vault(&["verify"]).outcome();
    assert_eq!(outcome.status, 1);
    let carol = Colleague::clone_of(&sandbox, "carol");
    fs::remove_dir_all(carol.store("requests")).unwrap();
    symlink(&moved, carol.store("requests")).unwrap();
    let outcome = carol.vault(&["join", "--name", "carol"]).outcome();
    assert!(outcome.status == 4 && outcome.said.starts_with(said), "{}", outcome.said);
    assert!(!moved.join("carol.toml").exists() && !carol.key_file().exists());
}
