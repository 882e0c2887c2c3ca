//! Values: every byte through `set`, `get`, and `exec`, their sources, and their limits.

use std::fs;

use snapbox::str;

use crate::support::sandbox::Sandbox;

const LONGEST: usize = 1 << 20;
/// The longest `NAME=value` that Linux takes, its NUL included.
const LONGEST_VARIABLE: usize = 128 << 10;

fn entry(environment: &str, name: &str) -> String {
    format!("repo/.vault/{environment}/{name}.toml")
}

/// A command that prints the variable `NAME` and nothing else.
fn printing(name: &str) -> [String; 6] {
    let script = format!("printf %s \"${name}\"");
    ["exec", "--no-mask", "--", "sh", "-c", &script].map(str::to_owned)
}

#[test]
fn values_keep_every_byte_but_one_final_newline() {
    let sandbox = Sandbox::with_vault();
    // Notes about carriage returns are tested in tests/cli/values/input.rs.
    let every_byte: Vec<u8> = (1..=255).filter(|&byte| byte != b'\r').collect();
    let longest = vec![b'x'; LONGEST_VARIABLE - "LONGEST_VARIABLE=\0".len()];
    let cases: [(&str, &[u8], &[u8]); 13] = [
        ("EMPTY", b"", b""),
        ("LINE", b"a b\n", b"a b"),
        (
            "LINES",
            b"-----BEGIN\nx\n-----END\n",
            b"-----BEGIN\nx\n-----END\n",
        ),
        ("LINES_OPEN", b"a\nb", b"a\nb"),
        ("QUOTES", b"it's \"so\" `so`", b"it's \"so\" `so`"),
        (
            "DOLLARS",
            b"$HOME ${PATH} $$ $(id) %s",
            b"$HOME ${PATH} $$ $(id) %s",
        ),
        ("BACKSLASHES", b"\\n \\\\ \\x00 \\", b"\\n \\\\ \\x00 \\"),
        ("SPACES", b"a \t b", b"a \t b"),
        ("EQUALS", b"=a=b=", b"=a=b="),
        ("ESCAPES", b"\x1b[31mred\x07", b"\x1b[31mred\x07"),
        ("NOT_UTF8", b"\xfe\xfd\xc3(", b"\xfe\xfd\xc3("),
        ("EVERY_BYTE", &every_byte, &every_byte),
        ("LONGEST_VARIABLE", &longest, &longest),
    ];
    for (name, input, stored) in cases {
        let mut said = Vec::new();
        if input.len() > stored.len() {
            said.push(format!("dropped the newline at the end of {name}\n"));
        }
        said.push(format!("set {name} in development (revision 1)\n"));
        if stored.is_empty() {
            said.push(format!("warning: the value of {name} is empty\n"));
        }
        let run = sandbox
            .vault(&["set", name, "--empty"])
            .input(input)
            .says(said.concat());
        run.changes(&[&entry("development", name)]).check();
        sandbox.vault(&["get", name]).prints(stored).check();
        sandbox.vault(&printing(name)).prints(stored).check();
    }
}

#[test]
fn value_with_a_nul_byte_is_stored_and_refused_by_exec() {
    let sandbox = Sandbox::with_vault();
    let long = vec![b'x'; LONGEST_VARIABLE - "LONG=".len()];
    let longest = vec![b'y'; LONGEST];
    let nul = "contains a NUL byte, so it cannot be a variable\nhint: leave it out with `--only`, or print it with `vault get";
    let cases: [(&str, &[u8], String); 4] = [
        ("MIDDLE", b"a\0b", format!("{nul} MIDDLE`\n")),
        ("END", b"a\0", format!("{nul} END`\n")),
        (
            "LONG",
            &long,
            "is too long for a variable: 131067 bytes\nhint: [..]128 KiB[..]\n".into(),
        ),
        (
            "LONGEST",
            &longest,
            "is too long for a variable: 1048576 bytes\nhint: [..]\n".into(),
        ),
    ];
    for (name, value, said) in cases {
        sandbox.set("development", name, value);
        sandbox.vault(&["get", name]).prints(value).check();
        let arguments = ["exec", "--no-mask", "--only", name, "--", "touch", "ran"];
        sandbox
            .vault(&arguments)
            .fails(123)
            .says(format!("error: {name} {said}"))
            .check();
    }
    // If all readable values are injected, one such value is enough; a command without it runs.
    sandbox.set("development", "SMALL", b"small");
    let run = sandbox.vault(&["exec", "--no-mask", "--", "touch", "ran"]);
    run.fails(123)
        .says(str![[r#"
error: END contains a NUL byte[..]
hint: [..]
"#]])
        .check();
    let arguments = [
        "exec",
        "--no-mask",
        "--only",
        "SMALL",
        "--",
        "printenv",
        "SMALL",
    ];
    sandbox.vault(&arguments).prints("small\n").check();
}

#[test]
fn value_above_one_mebibyte_is_refused() {
    let sandbox = Sandbox::with_vault();
    let file = sandbox.home().join("value");
    let mut bytes = vec![b'x'; LONGEST];
    bytes.push(b'\n');
    let run = sandbox.vault(&["set", "LINE", "-q"]).input(&bytes);
    run.changes(&[&entry("development", "LINE")]).check();
    sandbox
        .vault(&["get", "LINE"])
        .prints(&bytes[..LONGEST])
        .check();
    for more in [1, 2, 5000] {
        let bytes = vec![b'x'; LONGEST + more];
        fs::write(&file, &bytes).unwrap();
        let said = str![[r#"
error: the value of BIG has more than 1 MiB
hint: [..]
"#]];
        sandbox
            .vault(&["set", "BIG"])
            .input(&bytes)
            .fails(2)
            .says(&said)
            .check();
        let path = file.to_str().unwrap();
        sandbox
            .vault(&["set", "BIG", "--file", path])
            .fails(2)
            .says(&said)
            .check();
    }
}

#[test]
fn values_too_large_together_are_refused_with_the_largest() {
    let sandbox = Sandbox::with_vault();
    for number in 0..6 {
        sandbox.set(
            "development",
            &format!("LARGE_{number}"),
            &vec![b'x'; 100_000 + number],
        );
    }
    // The kernel allows a quarter of the stack's limit.
    let small_stack = ["sh", "-c", "ulimit -s 2048 && exec \"$@\"", "sh"];
    sandbox
        .vault(&["exec", "--no-mask", "--", "touch", "ran"])
        .under(&small_stack)
        .fails(123)
        .says(
            str![[r#"
error: touch: arguments and environment are too large for the kernel; the largest variable is LARGE_5 with 100005 bytes
hint: inject fewer secrets: `--only A,B` or `--step STEP`
"#]],
        )
        .check();
    let arguments = [
        "exec",
        "--no-mask",
        "--only",
        "LARGE_0,LARGE_1",
        "--",
        "true",
    ];
    sandbox.vault(&arguments).under(&small_stack).check();
}

#[test]
fn value_is_read_from_a_file() {
    let sandbox = Sandbox::with_vault();
    let home = sandbox.home();
    fs::write(home.join("key.pem"), "-----BEGIN\nabc\n-----END\n").unwrap();
    fs::write(home.join("token"), "abc\n").unwrap();
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let run = sandbox.vault(&["set", "PEM", "--file", &path("key.pem")]);
    let changes = [entry("development", "PEM")];
    run.says(str!["set PEM in development (revision 1)"])
        .changes(&[&changes[0]])
        .check();
    sandbox
        .vault(&["get", "PEM"])
        .prints("-----BEGIN\nabc\n-----END\n")
        .check();
    let token = path("token");
    let arguments = [
        "set",
        "TOKEN",
        "-e",
        "development",
        "-e",
        "production",
        "--file",
        &token,
    ];
    sandbox
        .vault(&arguments)
        .says(str![[r#"
dropped the newline at the end of TOKEN
set TOKEN in development (revision 1)
set TOKEN in production (revision 1)
"#]])
        .changes(&[
            &entry("development", "TOKEN"),
            &entry("production", "TOKEN"),
        ])
        .check();
    let missing = path("missing");
    let cases = [
        (missing.as_str(), "No such file or directory[..]"),
        (".", "Is a directory[..]"),
    ];
    for (path, reason) in cases {
        let said = format!("error: could not read {path}: {reason}\n");
        sandbox
            .vault(&["set", "TOKEN", "--file", path])
            .fails(1)
            .says(&said)
            .check();
    }
}

#[test]
fn value_on_the_command_line_is_refused() {
    let sandbox = Sandbox::with_vault();
    let hint = "hint: type it at a prompt: `vault set TOKEN`\nhint: or pipe it: `vault set TOKEN < FILE`\n";
    let error = "error: a value never comes from the command line, where others can see it\n";
    for arguments in [&["set", "TOKEN=hunter2"][..], &["set", "TOKEN", "hunter2"]] {
        sandbox
            .vault(arguments)
            .fails(2)
            .says(format!("{error}{hint}"))
            .check();
    }
    // A possible name may still be a value if no value is prompted for.
    let said = format!("{error}{hint}hint: for several names, use a terminal or `--generate`\n");
    sandbox
        .vault(&["set", "TOKEN", "HUNTER2"])
        .fails(2)
        .says(&said)
        .check();
}

#[test]
fn generated_values_match_their_kind_and_differ() {
    let sandbox = Sandbox::with_vault();
    let config = "default = \"development\"
[secrets.DJANGO_SECRET_KEY]
generate = \"django\"
[secrets.LONG]
generate = \"hex\"
min_length = 100
";
    fs::write(sandbox.repo().join("vault.toml"), config).unwrap();
    let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let safe = format!("{letters}-_");
    let cases = [
        ("PLAIN", "--generate", 43, letters),
        ("DJANGO_SECRET_KEY", "--generate", 50, &safe),
        ("DJANGO", "--generate=django", 50, &safe),
        ("DIGITS", "--generate=hex", 64, "0123456789abcdef"),
        ("URL", "--generate=base64url", 43, &safe),
        ("LONG", "--generate", 100, "0123456789abcdef"),
    ];
    for (name, generate, length, alphabet) in cases {
        let environments = ["development", "production"];
        let changes = environments.map(|environment| entry(environment, name));
        sandbox
            .vault(&[
                "set",
                name,
                generate,
                "-e",
                "development",
                "-e",
                "production",
            ])
            .says(format!(
                "set {name} in development (revision 1)\nset {name} in production (revision 1)\n"
            ))
            .changes(&[&changes[0], &changes[1]])
            .check();
        let [one, two] = environments.map(|environment| sandbox.get(environment, name));
        assert_ne!(one, two, "{name}");
        for value in [one, two] {
            assert_eq!(value.len(), length, "{name}");
            assert!(
                value.iter().all(|byte| alphabet.as_bytes().contains(byte)),
                "{name}"
            );
        }
    }
    let said = str![[r#"
error: unknown kind of value
hint: use one of django, alphanumeric, hex, base64url
"#]];
    sandbox
        .vault(&["set", "PLAIN", "--generate=uuid"])
        .fails(2)
        .says(&said)
        .check();
}

#[test]
fn value_below_the_minimum_length_is_refused() {
    let sandbox = Sandbox::with_vault();
    fs::write(
        sandbox.repo().join("vault.toml"),
        "[secrets.KEY]\nmin_length = 5\n",
    )
    .unwrap();
    let said = str![[r#"
error: KEY has 4 bytes, but vault.toml requires 5
hint: use a longer value, or change `min_length`
"#]];
    let run = sandbox
        .vault(&["set", "KEY", "-e", "production", "-q"])
        .input("1234\n");
    run.fails(2).says(&said).check();
    let run = sandbox
        .vault(&["set", "KEY", "-e", "production", "-q"])
        .input("12345");
    run.changes(&[&entry("production", "KEY")]).check();
}

#[test]
fn restored_value_from_git_gets_a_new_revision() {
    let sandbox = Sandbox::with_vault();
    for value in ["first", "second"] {
        sandbox.set("development", "KEY", value.as_bytes());
        sandbox.commit(value);
    }
    sandbox.quick(&["remove", "KEY", "-q"]);
    sandbox.commit("removed");
    let changes = [entry("development", "KEY")];
    let cases = [
        ("HEAD~2", "first", "set", 4),
        ("HEAD~1", "second", "changed", 5),
    ];
    for (revision, value, verb, number) in cases {
        let said = format!("{verb} KEY in development (revision {number})\n");
        let run = sandbox
            .vault(&["set", "KEY", "--from", revision])
            .says(&said);
        run.changes(&[&changes[0]]).check();
        sandbox.vault(&["get", "KEY"]).prints(value).check();
    }
    let said = "unchanged: KEY in development already has this value\n";
    sandbox
        .vault(&["set", "KEY", "--from", "HEAD~1"])
        .says(said)
        .check();
    let cases = [
        ("KEY", "HEAD", 2, "development has no KEY at HEAD"),
        ("OTHER", "HEAD~1", 2, "development has no OTHER at HEAD~1"),
        (
            "KEY",
            "nowhere",
            4,
            "git does not know the revision nowhere here",
        ),
        (
            "KEY",
            "--all",
            4,
            "git does not know the revision --all here",
        ),
    ];
    for (name, revision, status, said) in cases {
        let from = format!("--from={revision}");
        let outcome = sandbox.vault(&["set", name, &from]).outcome();
        let first = outcome.said.lines().next().unwrap_or_default();
        assert_eq!(
            (outcome.status, first),
            (status, format!("error: {said}").as_str())
        );
    }
}
