//! Losing access: what is sealed and signed anew, what stays as it is, and what is told.

use std::fs;

use repovault::vault::model::{Access, Roster};

use crate::colleague::Colleague;
use crate::craft;
use crate::golden;
use crate::refusal::stocked;
use crate::sandbox::{Sandbox, changed};
use crate::terminal::Terminal;

fn roster(sandbox: &Sandbox) -> Roster {
    craft::vault(sandbox).roster().clone()
}

/// The stocked vault with bob, who joined properly with this access; all committed and pulled.
fn with_bob<'a>(sandbox: &'a Sandbox, access: &[&str]) -> Colleague<'a> {
    let bob = Colleague::clone_of(sandbox, "bob");
    let fingerprint = bob.join();
    bob.send();
    let access: Vec<&str> = access.iter().flat_map(|access| ["-e", access]).collect();
    let words = ["members", "add", "bob", "-q", "--fingerprint", &fingerprint];
    sandbox.quick(&[&words[..], &access].concat());
    sandbox.commit("bob is a member");
    bob.pull();
    bob
}

/// The files below `.vault` that a run changes.
fn touched(sandbox: &Sandbox, arguments: &[&str]) -> Vec<String> {
    let before = sandbox.files();
    sandbox.quick(arguments);
    let files = changed(&before, &sandbox.files());
    let own = files.iter().filter_map(|path| path.strip_prefix("repo/.vault/"));
    own.map(str::to_owned).collect()
}

const ALL_OF_PRODUCTION: [&str; 4] =
    ["members.toml", "production.toml", "production/DATABASE_URL.toml", "production/OTHER.toml"];

#[test]
fn who_leaves_is_locked_out_and_what_they_know_is_told_until_it_is_set_anew() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=write"]);
    bob.vault(&["set", "OTHER", "-e", "production", "-q"]).input("by bob").any_change().check();
    bob.send();
    sandbox.quick(&["ci", "add", "github", "-e", "production", "-q"]);
    sandbox.commit("a machine");
    let id = sandbox.id();
    sandbox
        .vault(&["members", "remove", "bob"])
        .prints(
            "bob may know DATABASE_URL in production: not changed since
bob may know OTHER in production: not changed since
",
        )
        .says(&format!(
            "removed the member bob
production has epoch 2: 2 entries sealed anew
these credentials still accept the files from before: github; make new ones, or set VAULT_ID={id}@6 \
             beside them
values that bob may know: 2; get new ones where they come from and set them (vault status tells \
             which are left)
next: commit .vault
"
        ))
        .any_change()
        .check();
    let now = roster(&sandbox);
    let former = &now.former[&"bob".parse().unwrap()];
    let lost = &former.lost[&"production".parse().unwrap()];
    assert_eq!((lost.epoch, &lost.names, former.signer.is_some()), (1, &None, true));
    assert_eq!((now.floor, now.revision), (6, 6));
    assert!(
        craft::body(&sandbox, "production/OTHER.toml")
            .contains("author = \"bob\"\nsigner = \"alice\"")
    );
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .prints(
            "development: 1 secret, epoch 1: holds
production: 2 secrets, epoch 2: holds
sealed anew: production/DATABASE_URL.toml (epoch 1 → 2)
sealed anew: production/OTHER.toml (epoch 1 → 2)
",
        )
        .check();
    sandbox.commit("bob has left");
    bob.pull();
    let said = "error: your key (age1[..]) belongs to no member of this vault
hint: use the key you joined with, or ask an admin to add you
";
    bob.vault(&["get", "OTHER", "-e", "production"]).fails(3).says(said).check();
    let open = |sandbox: &Sandbox| {
        let output = sandbox.vault(&["status"]).outcome().output;
        String::from_utf8(output).unwrap().matches("bob may know").count()
    };
    assert_eq!(open(&sandbox), 2);
    sandbox.set("production", "OTHER", b"new");
    assert_eq!(open(&sandbox), 1);
    let said = "error: bob is no longer a member\nhint: see who is: vault members list\n";
    sandbox.vault(&["members", "remove", "bob"]).fails(2).says(said).check();
    let said = "error: there is no member carol\nhint: see who is: vault members list\n";
    sandbox.vault(&["members", "remove", "carol"]).fails(2).says(said).check();
    sandbox.vault(&["members", "set", "carol", "--admin"]).fails(2).says(said).check();
}

#[test]
fn only_what_somebody_could_read_is_sealed_anew() {
    let sandbox = stocked();
    with_bob(&sandbox, &["production=read"]);
    assert_eq!(touched(&sandbox, &["members", "remove", "bob"]), ALL_OF_PRODUCTION);
}

#[test]
fn whoever_may_no_longer_write_keeps_reading_and_their_entries_are_signed_anew() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=write"]);
    bob.vault(&["set", "OTHER", "-e", "production", "-q"]).input("by bob").any_change().check();
    bob.send();
    let sealed = craft::body(&sandbox, "production/OTHER.toml");
    let before = roster(&sandbox);
    sandbox
        .vault(&["members", "set", "bob", "-e", "production=read"])
        .says("bob has production=read\nproduction: 1 entry signed anew\nnext: commit .vault\n")
        .any_change()
        .check();
    let now = roster(&sandbox);
    assert!(now.floor == now.revision && now.revision == before.revision + 1);
    assert_eq!(now.environments, before.environments);
    let signed = sealed.replace("signer = \"bob\"", "signer = \"alice\"");
    assert_eq!(craft::body(&sandbox, "production/OTHER.toml"), signed);
    sandbox
        .vault(&["verify", "--since", "HEAD"])
        .prints(
            "development: 1 secret, epoch 1: holds
production: 2 secrets, epoch 1: holds
sealed anew: production/OTHER.toml (epoch 1 → 1)
",
        )
        .check();
    sandbox.commit("bob reads");
    bob.pull();
    bob.vault(&["get", "OTHER", "-e", "production"]).prints("by bob").any_change().check();
    let said = "error: bob may not write in production\nhint: ask an admin for write access\n";
    bob.vault(&["set", "OTHER", "-e", "production"]).input("x").fails(3).says(said).check();
    // What he signed before does not count any more, and he may be given it back.
    bob.vault(&["verify"]).prints("[..]holds\n[..]holds\n").check();
    sandbox.quick(&["members", "set", "bob", "-e", "production=write"]);
    sandbox.commit("bob writes");
    bob.pull();
    bob.vault(&["set", "OTHER", "-e", "production", "-q"]).input("again").any_change().check();
}

#[test]
fn more_access_touches_no_entry_and_raises_no_floor() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=OTHER"]);
    let set = |access: &[&str]| touched(&sandbox, &[&["members", "set", "bob"], access].concat());
    let more = ["-e", "production=DATABASE_URL,OTHER"];
    assert_eq!(set(&more), ["members.toml", "production.toml"]);
    assert_eq!(set(&["-e", "production=write"]), ["members.toml", "production.toml"]);
    assert_eq!(set(&["-e", "development=read"]), ["development.toml", "members.toml"]);
    assert_eq!(set(&["-e", "production=write", "-e", "development=read"]), Vec::<String>::new());
    assert_eq!(roster(&sandbox).floor, 1);
    sandbox.commit("more");
    bob.pull();
    bob.vault(&["get", "DATABASE_URL"]).prints("postgres://development").any_change().check();
    bob.vault(&["set", "OTHER", "-e", "production", "-q"]).input("x").any_change().check();
    sandbox
        .vault(&["members", "set", "bob", "-e", "development=read"])
        .says("unchanged: bob has development=read production=write\n")
        .check();
}

#[test]
fn less_here_and_more_there_in_one_step() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=read"]);
    sandbox
        .vault(&["members", "set", "bob", "-e", "production=none", "-e", "development=write"])
        .prints("bob may know DATABASE_URL in production: not changed since\nbob may know OTHER in production: not changed since\n")
        .says("bob has development=write
production has epoch 2: 2 entries sealed anew
values that bob may know: 2; get new ones where they come from and set them (vault status tells which are left)
next: commit .vault
")
        .any_change()
        .check();
    sandbox.vault(&["verify"]).prints("[..]holds\n[..]holds\n").check();
    sandbox.commit("another job");
    bob.pull();
    bob.vault(&["set", "OWN", "-q"]).input("own").any_change().check();
    let said = "error: production is locked: bob has access to development\nhint: [..]\n";
    bob.vault(&["get", "OTHER", "-e", "production"]).fails(3).says(said).check();
}

/// The second reader shows that the keys of the other names are not there.
#[test]
fn a_shorter_list_of_names_is_a_new_epoch_and_the_name_that_went_is_lost() {
    let sandbox = stocked();
    let machine = sandbox.credential("bot", &["-e", "production", "--only", "DATABASE_URL,OTHER"]);
    let files = touched(&sandbox, &["members", "set", "bot", "-e", "production=OTHER"]);
    assert_eq!(files, ALL_OF_PRODUCTION);
    let file = sandbox.home().join("credential");
    fs::write(&file, machine).unwrap();
    let read = golden::read(&sandbox, &file, &[]);
    assert_eq!(golden::names(&read["values"]["production"]), ["OTHER"]);
    assert_eq!(golden::names(&read["closed"]["production"]), ["DATABASE_URL"]);
    let now = roster(&sandbox);
    let lost = &now.members[&"bot".parse().unwrap()].lost[&"production".parse().unwrap()];
    let names: Vec<String> = lost.names.iter().flatten().map(ToString::to_string).collect();
    assert_eq!((lost.epoch, names), (1, vec!["DATABASE_URL".to_owned()]));
    // Nothing of the older epoch stays sealed to it.
    let vault = craft::vault(&sandbox);
    let environment = vault.environment(&"production".parse().unwrap()).unwrap();
    let sealed = |number| {
        let epoch = environment.content().epoch(number).unwrap();
        epoch.sealed.keys().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        (sealed(2), sealed(1)),
        (vec!["alice".into(), "bot".into()], vec!["alice".to_owned()])
    );
}

#[test]
fn the_last_admin_cannot_leave_and_nobody_takes_anything_from_themselves() {
    let sandbox = stocked();
    let alone = "error: alice is the only admin, and cannot lose anything
hint: make somebody else an admin, who then does this: vault members set NAME --admin
";
    let own: [&[&str]; 5] = [
        &["members", "remove", "alice", "--yes"],
        &["members", "set", "alice", "--no-admin", "--yes"],
        &["members", "set", "alice", "-e", "production=none"],
        &["members", "set", "alice", "-e", "production=read"],
        &["members", "set", "alice", "-e", "production=OTHER"],
    ];
    for arguments in own {
        sandbox.vault(arguments).fails(2).says(alone).check();
    }
    with_bob(&sandbox, &["production=write"]);
    sandbox.vault(own[0]).fails(2).says(alone).check();
    sandbox
        .vault(&["members", "set", "bob", "--admin"])
        .says("the admin bob has production=write\nnext: commit .vault\n")
        .changes(&[&state(&sandbox), "repo/.vault/members.toml"])
        .check();
    let said =
        "error: alice cannot take anything from alice\nhint: another admin has to do it: bob\n";
    for arguments in own {
        sandbox.vault(arguments).fails(2).says(said).check();
    }
}

/// Alice's state, as a path in the sandbox.
fn state(sandbox: &Sandbox) -> String {
    let mut files = fs::read_dir(sandbox.home().join(".local/state/vault")).unwrap();
    let file = files.next().unwrap().unwrap().file_name().into_string().unwrap();
    format!("home/.local/state/vault/{file}")
}

/// Handing over: bob becomes an admin and removes alice, who knows the authority.
#[test]
fn who_was_an_admin_leaves_a_vault_with_a_new_id_that_they_cannot_sign_for() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=write", "development=write"]);
    let credential = sandbox.credential("github", &["-e", "production"]);
    sandbox.quick(&["members", "set", "bob", "--admin"]);
    sandbox.commit("bob takes over");
    bob.pull();
    let (old, authority) = (sandbox.id(), craft::authority(&sandbox));
    let question = "error: alice knows the authority. The vault gets a new one and a new id, which everybody has to trust anew, and every credential has to be made again. Go on? nobody can be asked here
hint: say yes beforehand: --yes
";
    bob.vault(&["members", "remove", "alice"]).fails(2).says(question).check();
    let mut terminal = Terminal::start(bob.vault(&["members", "remove", "alice"]));
    terminal.sees("Go on? [y/N] ");
    terminal.types("y\n");
    let screen = terminal.ends(0);
    for line in [
        "removed the member alice\n",
        "development has epoch 2: 1 entry sealed anew\n",
        "production has epoch 2: 2 entries sealed anew\n",
        "the vault has a new id: vault1",
        &format!("until now it was {old}\n"),
        "these credentials are of no use any more: github; ",
        "alice may know OTHER in production: not changed since\n",
    ] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
    bob.send();
    let new = sandbox.id();
    assert_ne!(old, new);
    bob.vault(&["get", "OTHER", "-e", "production"]).prints("other").check();
    bob.vault(&["verify"]).prints("[..]holds\n[..]holds\n").check();
    let other = format!(
        "error: .vault/members.toml: is of another vault: trusted is {old}, here is {new}\n"
    );
    let get = ["get", "OTHER", "-e", "production"];
    let said = format!(
        "{other}hint: [..]\nhint: only if a colleague confirms the new id by another way: vault trust {new}\n"
    );
    sandbox.vault(&get).fails(4).says(&said).check();
    let said = format!("{other}hint: [..]\nhint: [..]\n");
    sandbox.vault(&get).variable("VAULT_KEY", &credential).fails(4).says(&said).check();
    sandbox
        .vault(&get)
        .variable("VAULT_ID", &new)
        .fails(3)
        .says("error: your key (age1[..]) belongs to no member of this vault\nhint: [..]\n")
        .check();
    // She still knows the old authority. Nobody who trusts the new id believes it.
    craft::resign_roster(&sandbox, &authority, |roster| roster.revision += 1);
    let said =
        "error: .vault/members.toml: is not as the authority of this vault signed it\nhint: [..]\n";
    sandbox.vault(&get).variable("VAULT_ID", &new).fails(4).says(said).check();
    sandbox.git(&["checkout", "--quiet", "HEAD~", "--", ".vault"]);
    sandbox.commit("alice puts her vault back");
    bob.pull();
    let said = format!(
        "error: .vault/members.toml: is of another vault: trusted is {new}, here is {old}\nhint: [..]\nhint: [..]\n"
    );
    bob.vault(&get).fails(4).says(&said).check();
}

#[test]
fn an_admin_no_more_keeps_reading_and_writing_under_the_new_id() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=write"]);
    sandbox.quick(&["members", "set", "bob", "--admin"]);
    let old = sandbox.id();
    sandbox.quick(&["members", "set", "bob", "--no-admin", "--yes"]);
    let new = sandbox.id();
    assert_ne!(old, new);
    sandbox.commit("bob is no admin");
    bob.pull();
    bob.vault(&["trust", &new]).says("trusted: vault1[..]\n").any_change().check();
    bob.vault(&["set", "OTHER", "-e", "production", "-q"]).input("x").any_change().check();
    let said = "error: bob is no admin of this vault\nhint: ask an admin: alice\n";
    bob.vault(&["rotate", "-e", "production"]).fails(3).says(said).check();
    sandbox.vault(&["verify"]).prints("[..]holds\n[..]holds\n").check();
}

#[test]
fn a_lost_key_is_replaced_with_a_request_and_its_fingerprint() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["production=write"]);
    bob.vault(&["set", "OTHER", "-e", "production", "-q"]).input("by bob").any_change().check();
    bob.send();
    // His laptop is gone, and with it key and state.
    let stolen = fs::read(bob.key_file()).unwrap();
    fs::remove_dir_all(bob.home().join(".config")).unwrap();
    fs::remove_dir_all(bob.home().join(".local")).unwrap();
    let taken = "error: the name bob is taken, and never used twice\nhint: choose another name\n";
    bob.vault(&["join", "--name", "bob"]).fails(2).says(taken).check();
    bob.vault(&["join", "--name", "carol", "--new-key"])
        .fails(2)
        .says("error: there is no member carol\n")
        .check();
    let asked = bob.vault(&["join", "--name", "bob", "--new-key"]).outcome();
    let fingerprint = String::from_utf8(asked.output).unwrap().trim().to_owned();
    let line = asked.said.lines().find(|line| line.contains("members set")).unwrap();
    let recipient = line.rsplit(' ').next().unwrap();
    bob.send();
    let set = ["members", "set", "bob", "--recipient", recipient];
    let said = "error: whose request is it? bob knows its fingerprint\nhint: [..]\n";
    sandbox.vault(&set).fails(2).says(said).check();
    let wrong = [&set[..], &["--fingerprint", "qqqqqqqqqqqqqqqqqqqqqqqqqq"]].concat();
    sandbox
        .vault(&wrong)
        .fails(4)
        .says("error: [..]fingerprint[..]\nhint: [..]\nhint: [..]\n")
        .check();
    let files = touched(&sandbox, &[&set[..], &["--fingerprint", &fingerprint]].concat());
    assert_eq!(files, [&ALL_OF_PRODUCTION[..], &["requests/bob.toml"]].concat());
    sandbox.commit("bob has a new key");
    bob.pull();
    bob.vault(&["get", "OTHER", "-e", "production"]).prints("by bob").any_change().check();
    bob.vault(&["set", "OTHER", "-e", "production", "-q"]).input("again").any_change().check();
    sandbox.vault(&["verify"]).prints("[..]holds\n[..]holds\n").check();
    // Whoever has the laptop opens nothing, and what the old key could read is told.
    let key = sandbox.root().join("stolen");
    fs::write(&key, stolen).unwrap();
    let run = sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .variable("VAULT_KEY_FILE", key.to_str().unwrap());
    run.variable("VAULT_ID", &sandbox.id())
        .fails(3)
        .says("error: [..]belongs to no member[..]\nhint: [..]\n")
        .check();
    let status = String::from_utf8(sandbox.vault(&["status"]).outcome().output).unwrap();
    let known = "bob-until-3 may know OTHER in production: ";
    assert!(status.contains(known), "{status}");
}

#[test]
fn a_recipient_without_a_request_reads_and_does_not_write() {
    let sandbox = stocked();
    with_bob(&sandbox, &["production=write"]);
    let person = craft::Person::new();
    let recipient = person.identity.recipient().to_string();
    let set = ["members", "set", "bob", "--recipient", &recipient];
    let said = "error: bob would have no signing key, so cannot write in production
hint: bob asks for one with the new key: vault join --new-key --name bob
hint: to read only: vault members set bob -e production=read …
";
    sandbox.vault(&set).fails(2).says(said).check();
    let own = craft::identity(&sandbox).recipient().to_string();
    let said = "error: this is the recipient of alice already\n";
    sandbox.vault(&["members", "set", "bob", "--recipient", &own]).fails(2).says(said).check();
    let said = "error: not a recipient\nhint: [..]\n";
    sandbox.vault(&["members", "set", "bob", "--recipient", "age1x"]).fails(2).says(said).check();
    sandbox.quick(&[&set[..], &["-e", "production=read"]].concat());
    let key = person.key_file(&sandbox).display().to_string();
    let get = sandbox.vault(&["get", "OTHER", "-e", "production"]).variable("VAULT_KEY_FILE", &key);
    get.variable("VAULT_ID", &sandbox.id()).prints("other").any_change().check();
}

/// Alice's laptop is gone; the recovery key comes out of the safe.
#[test]
fn the_recovery_member_replaces_the_only_persons_key() {
    let sandbox = Sandbox::empty();
    let recovery = sandbox.quick(&["init", "--name", "alice", "--recovery", "-q"]);
    sandbox.set("production", "KEY", b"value");
    sandbox.commit("a vault");
    let old = sandbox.id();
    let safe = sandbox.root().join("recovery");
    fs::write(&safe, recovery).unwrap();
    for folder in [".config", ".local"] {
        fs::remove_dir_all(sandbox.home().join(folder)).unwrap();
    }
    let asked = sandbox.vault(&["join", "--name", "alice", "--new-key"]).outcome();
    let fingerprint = String::from_utf8(asked.output).unwrap().trim().to_owned();
    let line = asked.said.lines().find(|line| line.contains("members set")).unwrap();
    let recipient = line.rsplit(' ').next().unwrap();
    let set = ["members", "set", "alice", "--recipient", recipient, "--fingerprint", &fingerprint];
    let safe = safe.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let run = sandbox.vault(arguments).variable("VAULT_KEY_FILE", safe);
        run.variable("VAULT_ID", &sandbox.id()).without("HOME")
    };
    run(&set)
        .fails(2)
        .says("error: alice knows the authority. [..]\nhint: say yes beforehand: --yes\n")
        .check();
    let done = run(&[&set[..], &["--yes"]].concat()).outcome();
    assert_eq!(done.status, 0, "{}", done.said);
    let new = sandbox.id();
    assert_ne!(old, new);
    sandbox.vault(&["trust", &new]).says("trusted: [..]\n").any_change().check();
    assert_eq!(sandbox.get("production", "KEY"), b"value");
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.vault(&["verify"]).prints("[..]holds\n[..]holds\n").check();
    assert_eq!(roster(&sandbox).members.len(), 2);
}

#[test]
fn a_machine_is_removed_like_anybody_else() {
    let sandbox = stocked();
    let credential = sandbox.credential("github", &["-e", "production"]);
    assert_eq!(touched(&sandbox, &["members", "remove", "github"]), ALL_OF_PRODUCTION);
    let get = sandbox.vault(&["get", "OTHER", "-e", "production"]);
    let said = "error: your key (age1[..]) belongs to no member of this vault\nhint: [..]\n";
    get.variable("VAULT_KEY", &credential).fails(3).says(said).check();
    let said = "error: the name github is taken, and never used twice\nhint: choose another name\n";
    sandbox.vault(&["ci", "add", "github", "-e", "production"]).fails(2).says(said).check();
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_asked() {
    let sandbox = stocked();
    craft::enrol(&sandbox, "bob", &[("production", Access::Read)]);
    let said =
        "error: there is no environment staging; there are: development, production\nhint: [..]\n";
    sandbox.vault(&["members", "set", "bob", "-e", "staging=read"]).fails(2).says(said).check();
    let said = "error: access to production is given twice\n";
    let twice = ["members", "set", "bob", "-e", "production=none", "-e", "production=read"];
    sandbox.vault(&twice).fails(2).says(said).check();
    let reader = sandbox.credential("github", &["-e", "production"]);
    let said = "error: github would have no signing key, so cannot write in production\nhint: [..]\nhint: [..]\n";
    sandbox
        .vault(&["members", "set", "github", "-e", "production=write"])
        .fails(2)
        .says(said)
        .check();
    let said = "error: github is no admin of this vault\nhint: ask an admin: alice\n";
    for arguments in [&["members", "remove", "bob"][..], &["members", "set", "bob", "--admin"]] {
        sandbox.vault(arguments).variable("VAULT_KEY", &reader).fails(3).says(said).check();
    }
}
