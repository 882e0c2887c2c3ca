//! Values as input: stored whole and as intended, or not at all.

use std::fs;

use snapbox::str;

use crate::support::sandbox::{Run, Sandbox};

const ENTRY: &str = "repo/.vault/development/KEY.toml";
const VALUE: &str = "the value from before";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", VALUE.as_bytes());
    sandbox
}

/// A shell command in place of `vault` and its arguments, which are `"$@"`.
fn under<'a>(run: Run<'a>, command: &str) -> Run<'a> {
    run.under(&["sh", "-c", command, "sh"])
}

#[test]
fn empty_input_is_refused_without_the_option() {
    let sandbox = sandbox();
    let empty = sandbox.home().join("empty");
    fs::write(&empty, "").unwrap();
    let said = "error: the value of KEY is empty; nothing was stored
hint: to store an empty value: `vault set KEY --empty`
";
    let newline = format!("dropped the newline at the end of KEY\n{said}");
    let pair = format!("dropped the carriage return and the newline at the end of KEY\n{said}");
    let shells = [
        ("false | \"$@\"", said),
        ("\"$@\" < /dev/null", said),
        ("\"$@\" <&-", said),
        ("echo | \"$@\"", &newline),
        ("printf '\\r\\n' | \"$@\"", &pair),
    ];
    for (shell, said) in shells {
        under(sandbox.vault(&["set", "KEY"]), shell)
            .fails(2)
            .says(said)
            .check();
    }
    let path = empty.to_str().unwrap();
    sandbox
        .vault(&["set", "KEY", "--file", path])
        .fails(2)
        .says(said)
        .check();
    sandbox
        .vault(&["set", "KEY", "--file", "/dev/stdin"])
        .fails(2)
        .says(said)
        .check();
    let both = ["set", "KEY", "-e", "development", "-e", "production"];
    sandbox.vault(&both).fails(2).says(said).check();
    assert_eq!(sandbox.get("development", "KEY"), VALUE.as_bytes());

    let said = str![[r#"
changed KEY in development (revision 2)
warning: the value of KEY is empty
"#]];
    let run = under(sandbox.vault(&["set", "KEY", "--empty"]), "false | \"$@\"");
    run.says(&said).changes(&[ENTRY]).check();
    sandbox.vault(&["get", "KEY"]).check();
    // The option allows an empty value, but does not require one.
    let run = sandbox
        .vault(&["set", "KEY", "--empty", "-q"])
        .input("full")
        .changes(&[ENTRY]);
    run.check();
    let run = sandbox
        .vault(&["set", "KEY", "--empty", "--file", path, "-q"])
        .changes(&[ENTRY]);
    run.check();
    sandbox.vault(&["get", "KEY"]).check();
}

#[test]
fn unreadable_input_is_refused() {
    let sandbox = sandbox();
    let said = str!["error: could not read the value: Is a directory[..]"];
    under(sandbox.vault(&["set", "KEY"]), "\"$@\" < .")
        .fails(1)
        .says(&said)
        .check();
    let said = str!["error: could not read -: Is a directory[..]"];
    under(sandbox.vault(&["import", "-"]), "\"$@\" < .")
        .fails(1)
        .says(&said)
        .check();
}

#[test]
fn key_and_value_from_one_input_are_refused() {
    let sandbox = sandbox();
    let identity = fs::read(sandbox.home().join(".config/vault/identity.txt")).unwrap();
    let value = str![[r#"
error: standard input contains the key, so it cannot contain the value
hint: pass the value in a file: `--file PATH`
"#]];
    let file = str!["error: standard input contains the key, so it cannot contain the file"];
    for source in [
        ["--key-file", "-"],
        ["--key-file", "/dev/stdin"],
        ["--key-fd", "0"],
    ] {
        let run = |rest: &[&str]| {
            sandbox
                .vault(&[&source[..], rest].concat())
                .input(&identity)
        };
        run(&["set", "KEY"]).fails(2).says(&value).check();
        run(&["set", "KEY", "--empty"])
            .fails(2)
            .says(&value)
            .check();
        run(&["set", "KEY", "--file", "/dev/stdin"])
            .fails(2)
            .says(&value)
            .check();
        run(&["set", "KEY", "--file", "-"])
            .fails(2)
            .says(&value)
            .check();
        run(&["import", "-"]).fails(2).says(&file).check();
        run(&["import", "/dev/stdin"]).fails(2).says(&file).check();
    }
    let run = sandbox.vault(&["set", "KEY"]).input(&identity);
    run.variable("VAULT_KEY_FILE", "/dev/stdin")
        .fails(2)
        .says(&value)
        .check();
}

#[test]
fn final_line_ending_is_dropped_and_oddities_get_a_note() {
    let sandbox = sandbox();
    let dropped = "dropped the newline at the end of KEY\n";
    let pair = "dropped the carriage return and the newline at the end of KEY\n";
    let returns = "warning: KEY has carriage returns, which are kept\n";
    let mark = "warning: KEY begins with a byte order mark, which is kept\n";
    let first = "warning: KEY begins with blanks, which are kept\n";
    let last = "warning: KEY ends with blanks, which are kept\n";
    let cases: [(&str, &str, String); 15] = [
        ("token\n", "token", dropped.into()),
        ("token\r\n", "token", pair.into()),
        ("token\r", "token\r", returns.into()),
        ("to\rken\n", "to\rken", format!("{dropped}{returns}")),
        ("a\r\nb\r\n", "a\r\nb\r\n", returns.into()),
        ("a\nb\n", "a\nb\n", String::new()),
        ("a\nb", "a\nb", String::new()),
        (
            "\u{feff}token\n",
            "\u{feff}token",
            format!("{dropped}{mark}"),
        ),
        (
            "\u{feff}a\r\nb\r\n",
            "\u{feff}a\r\nb\r\n",
            format!("{mark}{returns}"),
        ),
        (" token", " token", first.into()),
        ("token \r\n", "token ", format!("{pair}{last}")),
        ("token\u{a0}", "token\u{a0}", last.into()),
        ("\ntoken\n", "\ntoken\n", first.into()),
        ("token\n\n", "token\n\n", last.into()),
        (
            "\ttoken\t",
            "\ttoken\t",
            "warning: KEY begins and ends with blanks, which are kept\n".into(),
        ),
    ];
    let path = sandbox.home().join("value");
    for (input, stored, said) in cases {
        fs::write(&path, input).unwrap();
        let file = ["set", "KEY", "--file", path.to_str().unwrap()];
        for run in [
            sandbox.vault(&["set", "KEY"]).input(input),
            sandbox.vault(&file),
        ] {
            sandbox.set("development", "KEY", VALUE.as_bytes());
            let outcome = run.outcome();
            let (mentioned, end) = outcome.said.split_at(said.len());
            assert_eq!((mentioned, outcome.status), (said.as_str(), 0), "{input:?}");
            assert!(
                end.starts_with("changed KEY in development (revision "),
                "{end}"
            );
            assert_eq!(
                sandbox.get("development", "KEY"),
                stored.as_bytes(),
                "{input:?}"
            );
        }
    }
    let run = sandbox.vault(&["set", "KEY"]).input(b"\xff\xfet\0\r\0\n\0");
    let utf16 = "warning: KEY begins with the byte order mark of UTF-16, which few programs read\n";
    let said = format!("{utf16}{returns}changed KEY [..]\n");
    run.says(&said).changes(&[ENTRY]).check();
}

#[test]
fn final_newline_is_kept_with_the_option() {
    let sandbox = sandbox();
    for (input, said) in [
        ("token\n", ""),
        (
            "token\r\n",
            "warning: KEY has carriage returns, which are kept\n",
        ),
        ("\n", ""),
    ] {
        let run = sandbox
            .vault(&["set", "KEY", "--keep-newline"])
            .input(input);
        let said = format!("{said}changed KEY in development (revision [..])\n");
        run.says(&said).changes(&[ENTRY]).check();
        sandbox.vault(&["get", "KEY"]).prints(input).check();
    }
    let longest = format!("{}\n", "x".repeat((1 << 20) - 1));
    let run = sandbox
        .vault(&["set", "KEY", "--keep-newline", "-q"])
        .input(&longest);
    run.changes(&[ENTRY]).check();
    let run = sandbox
        .vault(&["set", "KEY", "--keep-newline", "-q"])
        .input(format!("x{longest}"));
    run.fails(2)
        .says(str![[r#"
error: the value of KEY has more than 1 MiB
hint: [..]
"#]])
        .check();
    for option in ["--generate", "--from=HEAD"] {
        let run = sandbox.vault(&["set", "KEY", option, "--keep-newline"]);
        assert_eq!(run.outcome().status, 2, "{option}");
    }
}

#[test]
fn ciphertext_as_a_value_gets_a_note() {
    let sandbox = sandbox();
    let dotenvx = format!("encrypted:{}", "BClgjk06".repeat(12));
    let cases: [(&[u8], &str); 4] = [
        (dotenvx.as_bytes(), "dotenvx"),
        (b"ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]", "sops"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n3132\n", "ansible-vault"),
        (b"\0GITCRYPT\0\x01\x02", "git-crypt"),
    ];
    for (value, tool) in cases {
        let said = format!(
            "warning: KEY is encrypted by {tool}; store the decrypted value\nchanged KEY [..]\n"
        );
        sandbox
            .vault(&["set", "KEY"])
            .input(value)
            .says(&said)
            .changes(&[ENTRY])
            .check();
    }
}

#[test]
fn key_command_does_not_read_the_input() {
    let sandbox = sandbox();
    let command = "sh -c 'cat \"$HOME/.config/vault/identity.txt\"; cat >&2'";
    let run = |arguments: &[&str], input: &str| {
        sandbox
            .vault(arguments)
            .variable("VAULT_KEY_COMMAND", command)
            .input(input)
    };
    run(&["exec", "-q", "--", "cat"], "one\ntwo\n")
        .prints("one\ntwo\n")
        .check();
    run(&["set", "KEY", "-q"], "piped")
        .changes(&[ENTRY])
        .check();
    assert_eq!(sandbox.get("development", "KEY"), b"piped");
    run(&["import", "-", "-q"], "KEY=imported")
        .changes(&[ENTRY])
        .check();
    assert_eq!(sandbox.get("development", "KEY"), b"imported");
}

#[test]
fn key_file_with_windows_line_endings_is_read() {
    let sandbox = sandbox();
    let identity = fs::read_to_string(sandbox.home().join(".config/vault/identity.txt")).unwrap();
    let path = sandbox.home().join("key.txt");
    let arguments = ["get", "KEY", "--key-file", path.to_str().unwrap()];
    fs::write(&path, format!("\u{feff}{}", identity.replace('\n', "\r\n"))).unwrap();
    let outcome = sandbox.vault(&arguments).outcome();
    assert_eq!(
        (outcome.status, outcome.output.as_slice()),
        (0, VALUE.as_bytes())
    );
    let utf16: Vec<u8> = format!("\u{feff}{identity}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(&path, utf16).unwrap();
    let outcome = sandbox.vault(&arguments).outcome();
    assert_eq!(outcome.status, 3);
    assert!(
        outcome.said.contains("is UTF-16 text; save it as UTF-8\n"),
        "{}",
        outcome.said
    );
}
