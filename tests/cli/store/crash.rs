//! Killed writers and many parallel writers: values are old or new, never broken.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use snapbox::str;

use crate::support::machine::all_is_wanted;
use crate::support::random::Random;
use crate::support::sandbox::{Content, Sandbox};

/// How often each command is killed or may finish: with `VAULT_TESTS=all`, `set`, `copy`, and
/// `import` are killed 200 times in total.
fn times() -> u64 {
    if all_is_wanted() { 80 } else { 16 }
}

/// Everything that `vault` may have left in its temporary folder.
fn temporaries(sandbox: &Sandbox) -> usize {
    fs::read_dir(sandbox.store("tmp")).map_or(0, Iterator::count)
}

fn start(sandbox: &Sandbox, arguments: &[&str], input: &[u8]) -> Child {
    let mut command = sandbox.vault(arguments).command();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child
}

#[test]
fn many_parallel_writers_lose_nothing() {
    let count = if all_is_wanted() { 200 } else { 60 };
    let sandbox = Sandbox::with_vault();
    let mut children: Vec<Child> = (0..count)
        .map(|number| {
            let name = format!("SECRET_{number}");
            start(
                &sandbox,
                &["set", &name],
                format!("value {number}").as_bytes(),
            )
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let printed = sandbox.quick(&["exec", "--no-mask", "--", "env"]);
    for number in 0..count {
        assert!(
            printed.contains(&format!("SECRET_{number}=value {number}\n")),
            "{number}"
        );
    }
    assert_eq!(temporaries(&sandbox), 0);
    sandbox
        .vault(&["verify"])
        .prints(format!(
            "[..]RESULT\ndevelopment  {count:<3} [..]ok\n[..]ok\n"
        ))
        .check();
}

#[test]
fn parallel_writers_of_one_name_all_count() {
    let sandbox = Sandbox::with_vault();
    let mut children: Vec<Child> = (0..20)
        .map(|number| start(&sandbox, &["set", "KEY"], number.to_string().as_bytes()))
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let text = fs::read_to_string(sandbox.store("development/KEY.toml")).unwrap();
    assert!(text.contains("\nrevision = 20\n"), "{text}");
}

/// A command that changes values, and the values afterward.
struct Change {
    arguments: Vec<&'static str>,
    input: String,
    after: BTreeMap<&'static str, String>,
}

/// The values of an environment.
fn values(sandbox: &Sandbox, environment: &str) -> BTreeMap<String, String> {
    let printed = sandbox.quick(&["exec", "--no-mask", "-e", environment, "--", "env"]);
    let pairs = printed.lines().filter_map(|line| line.split_once('='));
    let own = pairs.filter(|(name, _)| name.starts_with("SECRET_"));
    own.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Starts the changes one after another and kills each at a random moment, within the time that the
/// last complete one took; every eighth may finish. The values must be old or new and valid, and no
/// plaintext may be found; the next writer must succeed.
fn kill_at_random_moments(
    sandbox: &Sandbox,
    environment: &str,
    seed: u64,
    change: &dyn Fn(u64) -> Change,
) {
    let (mut random, mut span, mut killed) = (Random(seed), Duration::ZERO, 0);
    for number in 0..times() {
        let Change {
            arguments,
            input,
            after,
        } = change(number);
        let before = values(sandbox, environment);
        let started = Instant::now();
        let mut child = start(sandbox, &arguments, input.as_bytes());
        if number % 8 == 0 {
            assert!(
                child.wait().unwrap().success(),
                "kill {number}, seed {seed}"
            );
            span = started.elapsed();
            assert_eq!(temporaries(sandbox), 0);
        } else {
            // The moment itself is under test, so no event can be awaited.
            thread::sleep(span.mul_f64(fraction(&mut random)));
            child.kill().unwrap();
            killed += u32::from(child.wait().unwrap().code().is_none());
        }
        let now = values(sandbox, environment);
        for (name, new) in &after {
            let (old, now) = (before.get(*name), now.get(*name));
            assert!(
                now == old || now == Some(new),
                "{name}: kill {number}, seed {seed}: {now:?}"
            );
        }
        sandbox
            .vault(&["verify"])
            .prints("[..]RESULT\n[..]ok\n[..]ok\n")
            .check();
        for (path, content) in sandbox.files() {
            let Content::File(bytes) = content else {
                continue;
            };
            assert!(
                !contains(&bytes, b"plain-"),
                "{path}: kill {number}, seed {seed}"
            );
        }
    }
    assert!(killed > 0, "none was killed in time");
}

fn fraction(random: &mut Random) -> f64 {
    f64::from(u16::try_from(random.below(1000)).unwrap()) / 1000.0
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn killed_set_leaves_the_old_or_new_value() {
    let sandbox = Sandbox::with_vault();
    kill_at_random_moments(&sandbox, "development", 1, &|number| {
        let value = format!("plain-{number}");
        Change {
            arguments: vec!["set", "SECRET_A"],
            input: value.clone(),
            after: BTreeMap::from([("SECRET_A", value)]),
        }
    });
}

#[test]
fn killed_copy_leaves_only_old_or_new_values() {
    let sandbox = Sandbox::with_vault();
    let names = ["SECRET_A", "SECRET_B"];
    kill_at_random_moments(&sandbox, "production", 2, &|number| {
        let value = |name: &str| format!("plain-{name}-{number}");
        for name in names {
            sandbox.set("development", name, value(name).as_bytes());
        }
        Change {
            arguments: vec![
                "copy",
                "SECRET_A",
                "SECRET_B",
                "--from",
                "development",
                "--to",
                "production",
            ],
            input: String::new(),
            after: names.map(|name| (name, value(name))).into(),
        }
    });
}

#[test]
fn killed_import_leaves_only_old_or_new_values() {
    let sandbox = Sandbox::with_vault();
    let names = ["SECRET_A", "SECRET_B", "SECRET_C", "SECRET_D"];
    kill_at_random_moments(&sandbox, "development", 3, &|number| {
        let value = |name: &str| format!("plain-{name}-{number}");
        Change {
            arguments: vec!["import", "-"],
            input: names
                .map(|name| format!("{name}={}\n", value(name)))
                .concat(),
            after: names.map(|name| (name, value(name))).into(),
        }
    });
}

#[test]
fn import_of_many_names_needs_few_descriptors() {
    let sandbox = Sandbox::with_vault();
    let lines: Vec<String> = (0..200)
        .map(|number| format!("SECRET_{number}={number}\n"))
        .collect();
    let run = sandbox
        .vault(&["import", "-"])
        .input(lines.concat())
        .any_change();
    run.under(&["sh", "-c", "ulimit -n 32 && exec \"$@\"", "sh"])
        .says(str![
            "imported into development: 200 set, 0 changed, 0 unchanged"
        ])
        .check();
    assert_eq!(
        (values(&sandbox, "development").len(), temporaries(&sandbox)),
        (200, 0)
    );
}

#[test]
fn next_change_removes_files_of_a_killed_writer() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    fs::create_dir_all(sandbox.store("tmp")).unwrap();
    // Vault does not create the others, so it must not remove them.
    for name in [
        "0123456789abcdef",
        "other",
        "0123456789ABCDEF",
        "0123456789abcdef.txt",
    ] {
        fs::write(sandbox.store("tmp").join(name), "half a fil").unwrap();
    }
    sandbox.vault(&["get", "KEY"]).prints("value").check();
    sandbox
        .vault(&["verify"])
        .prints("[..]RESULT\n[..]ok\n[..]ok\n")
        .check();
    let said = str![[r#"
error: key differs from KEY in case only
hint: [..]
"#]];
    sandbox
        .vault(&["set", "key"])
        .input("value")
        .fails(2)
        .says(&said)
        .check();
    let said = str!["changed KEY in development (revision 2)"];
    sandbox
        .vault(&["set", "KEY"])
        .input("other")
        .says(&said)
        .changes(&[
            "repo/.vault/development/KEY.toml",
            "repo/.vault/tmp/0123456789abcdef",
        ])
        .check();
}
