//! Names that programs read in two spellings, and names that redirect programs.

use std::fs;

use snapbox::str;

use crate::support::refusal::{held, stocked};
use crate::support::review::reviewed;
use crate::support::sandbox::Sandbox;

const PROXY: &str = "http://u:pass-one@p:3128";
const MENTIONED: &str = "decides which proxy sees the traffic of programs";

const INDEX: &str = "decides where packages, whose code is run, come from";
const SERVER: &str =
    "decides which server runs what programs ask for, or which helpers are started";

/// Prints all proxy variables in its environment.
const PRINT: &str = "env | grep -i '^[a-z]*_proxy=' | LC_ALL=C sort";

fn exec<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [&["exec", "--no-mask"], options, &["--", "sh", "-c", PRINT]].concat()
}

#[test]
fn import_accepts_both_spellings_with_one_value() {
    let sandbox = Sandbox::with_vault();
    let file = format!("http_proxy={PROXY}\nHTTP_PROXY={PROXY}\nTOKEN=value\n");
    let one = "http_proxy and HTTP_PROXY have the same value: stored as http_proxy\n";
    let run = sandbox.vault(&["import", "-"]).input(&file).any_change();
    let done = "imported into development: 2 set, 0 changed, 0 unchanged\n";
    run.says(format!("{one}http_proxy {MENTIONED}\n{done}"))
        .check();
    sandbox
        .vault(&exec(&[]))
        .prints(format!("HTTP_PROXY={PROXY}\nhttp_proxy={PROXY}\n"))
        .check();
    let again = sandbox.vault(&["import", "-"]).input(&file);
    again
        .says(format!(
            "{one}imported into development: 0 set, 0 changed, 2 unchanged\n"
        ))
        .check();
}

#[test]
fn import_keeps_the_existing_spelling() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "HTTP_PROXY", b"http://old");
    let file = format!("http_proxy={PROXY}\nHTTP_PROXY={PROXY}\n");
    let run = sandbox.vault(&["import", "-"]).input(&file).any_change();
    run.says(format!(
        "http_proxy and HTTP_PROXY have the same value: stored as HTTP_PROXY\n\
         HTTP_PROXY {MENTIONED}\n\
         imported into development: 0 set, 1 changed, 0 unchanged\n"
    ))
    .check();
    assert_eq!(sandbox.get("development", "HTTP_PROXY"), PROXY.as_bytes());
}

#[test]
fn import_refuses_spellings_with_different_values() {
    let sandbox = Sandbox::with_vault();
    for (one, other) in [("http_proxy", "HTTP_PROXY"), ("Token", "TOKEN")] {
        let file = format!("A=1\n{one}={PROXY}\n{other}={PROXY}x\n");
        let said = format!(
            "error: {one} and {other} differ only in case and have different values
hint: keep one of the two lines
"
        );
        sandbox
            .vault(&["import", "-"])
            .input(file)
            .fails(2)
            .says(&said)
            .check();
    }
}

#[test]
fn exec_sets_both_spellings_and_replaces_the_callers() {
    let sandbox = Sandbox::with_vault();
    for name in ["HTTPS_PROXY", "ftp_proxy", "ALL_PROXY", "no_proxy"] {
        sandbox.set("development", name, PROXY.as_bytes());
    }
    let config = "default = \"development\"\n[environments.development.variables]\n\
                  Http_Proxy = \"${FTP}\"\n"
        .replace("${FTP}", "http://plain");
    fs::write(sandbox.repo().join("vault.toml"), config).unwrap();
    let all = format!(
        "ALL_PROXY={PROXY}\nFTP_PROXY={PROXY}\nHTTPS_PROXY={PROXY}\nHTTP_PROXY=http://plain\n\
         Http_Proxy=http://plain\nNO_PROXY={PROXY}\nall_proxy={PROXY}\nftp_proxy={PROXY}\n\
         http_proxy=http://plain\nhttps_proxy={PROXY}\nno_proxy={PROXY}\n"
    );
    let run = sandbox
        .vault(&exec(&[]))
        .variable("https_proxy", "http://caller");
    let shadowed = str!["vault: overrides the caller's own values of https_proxy (`--keep`)"];
    run.prints(&all).says(&shadowed).check();
    let one = format!("HTTPS_PROXY={PROXY}\nhttps_proxy={PROXY}\n");
    sandbox
        .vault(&exec(&["--only", "HTTPS_PROXY"]))
        .prints(&one)
        .check();
    // Both are masked.
    let masked = ["exec", "--only", "HTTPS_PROXY", "--", "sh", "-c", PRINT];
    let outcome = sandbox.vault(&masked).outcome();
    assert_eq!(outcome.output, b"HTTPS_PROXY=***\nhttps_proxy=***\n");
}

#[test]
fn keeping_one_spelling_keeps_both_of_the_caller() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "http_proxy", PROXY.as_bytes());
    for keep in ["http_proxy", "HTTP_PROXY"] {
        for clean in [&[][..], &["--clean-env"]] {
            let options = [&["--keep", keep], clean].concat();
            let run = sandbox
                .vault(&exec(&options))
                .variable("HTTP_PROXY", "http://caller");
            run.prints("HTTP_PROXY=http://caller\n").check();
            // For a caller without either spelling, nothing is kept.
            let both = format!("HTTP_PROXY={PROXY}\nhttp_proxy={PROXY}\n");
            sandbox.vault(&exec(&options)).prints(both).check();
        }
    }
}

#[test]
fn setting_redirecting_names_prints_a_note() {
    let sandbox = Sandbox::with_vault();
    let cases = [
        ("HTTPS_PROXY", MENTIONED),
        ("PIP_INDEX_URL", INDEX),
        (
            "SSL_CERT_FILE",
            "decides whose certificates programs believe",
        ),
        ("KUBECONFIG", SERVER),
        ("DOCKER_HOST", SERVER),
    ];
    for (name, mentioned) in cases {
        let words = ["set", name];
        let run = sandbox.vault(&words).input("value").any_change();
        run.says(format!(
            "{name} {mentioned}\nset {name} in development (revision 1)\n"
        ))
        .check();
        let said = format!("unchanged: {name} in development already has this value\n");
        sandbox.vault(&words).input("value").says(&said).check();
        let copy = ["copy", name, "--from", "development", "--to", "production"];
        let copied = format!("copied {name} from development to production (revision 1)\n");
        let run = sandbox.vault(&copy).any_change();
        run.says(format!("{name} {mentioned}\n{copied}")).check();
    }
    let file = "A=1\nHTTP_PROXY=http://p\nNO_PROXY=localhost\nUV_INDEX_URL=https://i\n";
    let run = sandbox.vault(&["import", "-"]).input(file).any_change();
    run.says(str![[r#"
UV_INDEX_URL decides where packages, whose code is run, come from
HTTP_PROXY, NO_PROXY decide which proxy sees the traffic of programs
imported into development: 4 set, 0 changed, 0 unchanged
"#]])
        .check();
    sandbox
        .vault(&["set", "ALL_PROXY", "-q"])
        .input("x")
        .any_change()
        .check();
}

#[test]
fn verify_reports_new_values_of_dangerous_names() {
    let sandbox = stocked();
    let config = sandbox.repo().join("vault.toml");
    let text = "allowed_names = [\"MAKEFLAGS\"]\ndefault = \"development\"\n";
    fs::write(&config, text).unwrap();
    sandbox.set("production", "MAKEFLAGS", b"-j4");
    sandbox.set("production", "PIP_INDEX_URL", b"https://index");
    sandbox.commit("names");
    sandbox.set("production", "HTTP_PROXY", b"http://p");
    sandbox.set("production", "PIP_INDEX_URL", b"https://other");
    sandbox.set("production", "MAKEFLAGS", b"--eval=x");
    let variables = "[environments.development.variables]\nKUBECONFIG = \"x\"\nEDITOR = \"x\"\n";
    fs::write(&config, text.to_owned() + variables).unwrap();
    let make = "a build takes it as options, or starts what it names";
    reviewed(
        &sandbox,
        &held(1, 5),
        &[
            "new: .vault/production/HTTP_PROXY.toml (revision 1) by alice",
            "set: .vault/production/MAKEFLAGS.toml (revision 1 → 2) by alice",
            "set: .vault/production/PIP_INDEX_URL.toml (revision 1 → 2) by alice",
        ],
        &[
            &format!(".vault/production/HTTP_PROXY.toml: HTTP_PROXY {MENTIONED}"),
            &format!(
                ".vault/production/MAKEFLAGS.toml: MAKEFLAGS is allowed in vault.toml: {make}"
            ),
            &format!(".vault/production/PIP_INDEX_URL.toml: PIP_INDEX_URL {INDEX}"),
            "vault.toml: the variable EDITOR of development is new",
            "vault.toml: the variable KUBECONFIG of development is new",
            "vault.toml: EDITOR is refused by exec: programs start what it names",
            &format!("vault.toml: KUBECONFIG {SERVER}"),
        ],
        &[],
    );
    // A name that is removed, or encrypted again with its old value, needs no note.
    sandbox.commit("reviewed");
    sandbox.quick(&["remove", "HTTP_PROXY", "-e", "production"]);
    fs::write(&config, text).unwrap();
    let outcome = sandbox.vault(&["verify", "--since", "HEAD"]).outcome();
    let output = String::from_utf8(outcome.output).unwrap();
    assert!(
        !output.contains("decides") && !output.contains("refused by"),
        "{output}"
    );
}
