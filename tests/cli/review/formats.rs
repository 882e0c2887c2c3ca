//! The output formats of `verify`, in particular with hostile names, and the report about
//! `vault.toml`.

use std::fs;

use serde_json::{Value, json};
use snapbox::str;

use crate::support::craft;
use crate::support::refusal::{compared, held, stocked};
use crate::support::review::reviewed;
use crate::support::sandbox::Sandbox;

/// A possible name of a branch, or of a file below `.vault`.
const HOSTILE: &str = "x|`<img/src=x>`%0A::error::@all";

fn printed(sandbox: &Sandbox, options: &[&str], status: i32) -> String {
    let arguments = [&["verify"], options].concat();
    let outcome = sandbox.vault(&arguments).without("HOME").outcome();
    assert_eq!(outcome.status, status, "{}", outcome.said);
    String::from_utf8(outcome.output).unwrap()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A vault with one change of each level.
fn eventful() -> Sandbox {
    let sandbox = stocked();
    sandbox.set("production", "DATABASE_URL", b"new");
    sandbox.quick(&["remove", "DATABASE_URL", "-e", "development"]);
    fs::remove_file(sandbox.store("production/OTHER.toml")).unwrap();
    let config = "default = \"development\"\n[steps.deploy]\nnames = [\"OTHER\"]\n";
    fs::write(sandbox.repo().join("vault.toml"), config).unwrap();
    sandbox
}

#[test]
fn json_is_one_object_with_a_stable_shape() {
    let sandbox = eventful();
    let commit = sandbox.git(&["rev-parse", "HEAD"]);
    let expected = json!({
        "vault": { "id": sandbox.id(), "revision": 1, "revocation": null },
        "version": 1,
        "since": { "revision": "HEAD", "name": "HEAD", "commit": commit.trim() },
        "valid": false,
        "environments": [
            { "environment": "development", "secrets": 0, "tombstones": 1, "epoch": 1,
              "signers": ["alice"], "valid": true },
            { "environment": "production", "secrets": 1, "tombstones": 0, "epoch": 1,
              "signers": ["alice"], "valid": true },
        ],
        "changes": [
            { "kind": "entry-removed", "file": ".vault/development/DATABASE_URL.toml",
              "environment": "development", "name": "DATABASE_URL", "from": 1, "to": 2,
              "author": "alice", "signer": "alice",
              "message": "removed: .vault/development/DATABASE_URL.toml (revision 1 → 2) by alice" },
            { "kind": "entry-set", "file": ".vault/production/DATABASE_URL.toml",
              "environment": "production", "name": "DATABASE_URL", "from": 1, "to": 2,
              "author": "alice", "signer": "alice",
              "message": "set: .vault/production/DATABASE_URL.toml (revision 1 → 2) by alice" },
        ],
        "notes": [],
        "attention": [
            { "kind": "step-names", "file": "vault.toml", "step": "deploy", "names": ["OTHER"],
              "message": "vault.toml: the step deploy lists more names: OTHER" },
        ],
        "findings": [
            { "kind": "entry-deleted", "file": ".vault/production/OTHER.toml",
              "environment": "production", "name": "OTHER", "from": 1,
              "message": "deleted: .vault/production/OTHER.toml (revision 1) was deleted without a tombstone" },
        ],
    });
    let text = printed(&sandbox, &["--since", "HEAD", "--json"], 1);
    assert_eq!(json_of(&text), expected);
    assert_eq!(text.lines().count(), 1);
    assert_eq!(
        text,
        printed(&sandbox, &["--since", "HEAD", "--format", "json"], 1)
    );
    sandbox
        .vault(&["verify", "--json", "--format", "text"])
        .fails(2)
        .says(str![[r#"{"error":{"file":null,"hints":["list its options: `vault verify --help`"],"kind":"usage","message":"--json cannot be used with --format <FORMAT>"},"version":1}"#]])
        .check();
}

#[test]
fn json_of_an_invalid_root_contains_the_finding() {
    let sandbox = stocked();
    fs::remove_file(sandbox.store("root.toml")).unwrap();
    let expected = json!({
        "version": 1, "vault": null, "since": null, "valid": false, "environments": [], "notes": [], "changes": [],
        "attention": [],
        "findings": [{ "kind": "refused", "file": ".vault/root.toml", "reason": "is missing",
                       "message": ".vault/root.toml: is missing" }],
    });
    assert_eq!(json_of(&printed(&sandbox, &["--json"], 1)), expected);
}

#[test]
fn markdown_has_a_heading_for_each_kind_of_change() {
    let sandbox = eventful();
    let text = printed(&sandbox, &["--since", "HEAD", "--format", "markdown"], 1);
    let commit = sandbox.git(&["rev-parse", "HEAD"]);
    let expected = format!(
        "## The vault is not valid: 1 finding

Vault `{}`, root revision 1, no revocation. Compared with `HEAD` (`HEAD = {}`).

| environment | secrets | epoch | signed by | result |
|---|---:|---:|---|---|
| `development` | 0 | 1 | `alice` | ok |
| `production` | 1 | 1 | `alice` | ok |

### Findings

- deleted: `.vault/production/OTHER.toml` (revision 1) was deleted without a tombstone

### Needs attention

- `vault.toml`: the step `deploy` lists more names: `OTHER`

### Changed

- removed: `.vault/development/DATABASE_URL.toml` (revision 1 → 2) by `alice`
- set: `.vault/production/DATABASE_URL.toml` (revision 1 → 2) by `alice`
",
        sandbox.id(),
        commit.trim()
    );
    assert_eq!(text, expected);
    sandbox.git(&["checkout", "--quiet", "HEAD", "--", "."]);
    let text = printed(&sandbox, &["--since", "HEAD", "--format", "markdown"], 0);
    assert!(
        text.starts_with("## The vault is valid\n\nVault `"),
        "{text}"
    );
    assert!(text.contains(" Nothing changed since `HEAD` (`"), "{text}");
}

#[test]
fn annotation_paths_start_at_the_repository_root() {
    let sandbox = eventful();
    let compared = |name: &str| {
        let commit = sandbox.git(&["rev-parse", "HEAD"]);
        format!("::notice title=vault verify::compared with {name} = {commit}")
    };
    let expected = compared("HEAD")
        + "::error file=.vault/production/OTHER.toml,title=vault verify::deleted: \
                    .vault/production/OTHER.toml (revision 1) was deleted without a tombstone
::warning file=vault.toml,title=vault verify::vault.toml: the step deploy lists more names: OTHER
";
    assert_eq!(
        printed(&sandbox, &["--since", "HEAD", "--format", "github"], 1),
        expected
    );
    let sandbox = Sandbox::empty();
    let api = sandbox.repo().join("services/a,b");
    fs::create_dir_all(&api).unwrap();
    sandbox
        .vault(&["init", "--name", "alice", "-q"])
        .folder(&api)
        .any_change()
        .check();
    let verify = || {
        sandbox
            .vault(&["verify", "--format", "github"])
            .folder(&api)
    };
    verify().check();
    fs::write(api.join(".vault/x"), "").unwrap();
    let expected = "::error file=services/a%2Cb/.vault/x,title=vault verify::.vault/x: belongs to \
                    nothing that the root lists\n";
    verify()
        .fails(1)
        .prints(expected)
        .says(str!["error: verification failed: 1 finding"])
        .check();
    fs::remove_file(api.join(".vault/x")).unwrap();
    // Git is asked about paths below the vault's folder, too.
    sandbox.commit("a vault");
    fs::write(api.join("vault.toml"), "").unwrap();
    let expected = str![[r#"
::notice title=vault verify::compared with HEAD = [..]
::warning file=services/a%2Cb/vault.toml,title=vault verify::vault.toml: the default environment changed: development → none
"#]];
    let verify = sandbox.vault(&["verify", "--since", "HEAD", "--format", "github"]);
    verify.folder(&api).prints(&expected).check();
}

/// A summary has a limit, and many changes must not push the findings out of it.
#[test]
fn markdown_lists_findings_first_and_is_limited() {
    let sandbox = stocked();
    let lines: Vec<String> = (0..501).map(|number| format!("A{number}=1\n")).collect();
    let import = sandbox.vault(&["import", "-", "-q"]).input(lines.concat());
    import.any_change().check();
    fs::remove_file(sandbox.store("production/OTHER.toml")).unwrap();
    let text = printed(&sandbox, &["--since", "HEAD", "--format", "markdown"], 1);
    let (before, after) = text.split_once("### Changed").unwrap();
    assert!(
        before.contains("- deleted: `.vault/production/OTHER.toml`"),
        "{text}"
    );
    assert_eq!(
        after
            .lines()
            .filter(|line| line.starts_with("- new: `"))
            .count(),
        500
    );
    assert!(
        after.ends_with("- … and 1 more: run the command yourself to see them\n"),
        "{text}"
    );
}

#[test]
fn hostile_names_are_escaped_in_every_format() {
    let sandbox = stocked();
    sandbox.git(&["branch", &HOSTILE.replace(':', "")]);
    let stranger = format!("{}\n::error::own line\u{202e}", HOSTILE.replace('/', ""));
    fs::write(sandbox.store(&stranger), "").unwrap();
    let branch = HOSTILE.replace(':', "");
    let options = |format| ["--since", &branch, "--format", format].map(str::to_owned);
    let shown = |format| {
        let options = options(format);
        printed(&sandbox, &options.each_ref().map(String::as_str), 1)
    };
    let name = ".vault/x|`<imgsrc=x>`%0A::error::@all\\n::error::own line\\u{202e}";
    let commit = sandbox.git(&["rev-parse", "HEAD"]);
    let full = format!("refs/heads/{branch} = {}", commit.trim());
    let compared = format!("compared with {full}\n\n");
    assert_eq!(
        shown("text"),
        format!(
            "{}{}\nfindings:\n  {name}: belongs to nothing that the root lists\n",
            compared,
            held(1, 2)
        )
    );
    let markdown = shown("markdown");
    assert!(
        markdown.contains(&format!(
            "- ``{name}``: belongs to nothing that the root lists\n"
        )),
        "{markdown}"
    );
    assert!(
        markdown.contains(&format!(" Compared with ``{branch}`` (`")),
        "{markdown}"
    );
    let escaped = name.replace('%', "%25");
    let file = escaped.replace(':', "%3A").replace(',', "%2C");
    let error = format!(
        "::error file={file},title=vault verify::{escaped}: belongs to nothing that the root lists\n"
    );
    let notice = format!("::notice title=vault verify::compared with {full}\n");
    assert_eq!(shown("github"), notice.replace('%', "%25") + &error);
    assert_eq!(json_of(&shown("json"))["findings"][0]["file"], json!(name));
}

const STRICT: &str = r#"default = "development"

[environments.base.variables]
HOST = "db"

[environments.production]
confirm = true
inherits = "base"

[environments.production.variables]
URL = "postgres://${OTHER}@db"

[secrets.OTHER]
required = true
min_length = 50
mask = "always"
file = true

[secrets.DATABASE_URL]
required = ["production"]

[steps.migrate]
names = ["OTHER"]
fail_on_leak = true
"#;

const LOOSE: &str = r#"default = "production"
allowed_names = ["LD_PRELOAD"]

[environments.base.variables]
HOST = "${DATABASE_URL|url}.evil.example"

[environments.production]
inherits = "base"

[environments.production.variables]
URL = "https://evil.example/${OTHER}"

[secrets.OTHER]
required = ["production"]
min_length = 1
mask = "never"

[steps.migrate]
names = ["OTHER", "DATABASE_URL"]

[steps.new]
names = ["HOST"]
"#;

#[test]
fn only_loosened_settings_are_reported() {
    let sandbox = stocked();
    let config = sandbox.repo().join("vault.toml");
    fs::write(&config, STRICT).unwrap();
    sandbox.commit("strict");
    fs::write(&config, LOOSE).unwrap();
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &[
            "vault.toml: the default environment changed: development → production",
            "vault.toml: LD_PRELOAD is allowed, although it changes what a command executes",
            "vault.toml: production no longer asks a person before a command gets its secrets",
            "vault.toml: the variable HOST of production is new or changed, and refers to DATABASE_URL",
            "vault.toml: the variable URL of production is new or changed, and refers to OTHER",
            "vault.toml: DATABASE_URL is no longer required in production",
            "vault.toml: OTHER is no longer masked in output",
            "vault.toml: OTHER is no longer required in development",
            "vault.toml: OTHER may be shorter (min_length 50 → 1)",
            "vault.toml: OTHER is passed as a variable, and no longer as a file in memory",
            "vault.toml: the step migrate lists more names: DATABASE_URL",
            "vault.toml: the step migrate no longer fails if its output contains a secret",
            "vault.toml: the step new lists more names: HOST",
        ],
        &[],
    );
    sandbox.commit("loose");
    fs::write(&config, STRICT.replace("development\"", "production\"")).unwrap();
    let left = [
        "vault.toml: the variable HOST of production has a new value",
        "vault.toml: the variable URL of production is new or changed, and refers to OTHER",
    ];
    reviewed(&sandbox, &held(1, 2), &[], &left, &[]);
}

/// Also if the root cannot be compared.
#[test]
fn loosened_settings_are_reported_despite_an_invalid_root() {
    let sandbox = stocked();
    craft::resign_root(&sandbox, &craft::Person::new().key, |root| {
        root.revision += 1;
    });
    let config = "default = \"development\"\n[steps.deploy]\nnames = [\"OTHER\"]\n";
    fs::write(sandbox.repo().join("vault.toml"), config).unwrap();
    let forged = ".vault/root.toml: does not match the signature of the authority of this vault";
    let asks = "vault.toml: the step deploy lists more names: OTHER";
    let output =
        compared("HEAD") + &format!("findings:\n  {forged}\n\nneeds attention:\n  {asks}\n");
    let verify = sandbox.vault(&["verify", "--since", "HEAD"]);
    verify
        .fails(1)
        .prints(output)
        .says(str!["error: verification failed: 1 finding"])
        .check();
}

/// Nothing of the file is quoted, because it may contain a pasted value.
#[test]
fn invalid_vault_toml_is_found_on_either_side() {
    let sandbox = stocked();
    let config = sandbox.repo().join("vault.toml");
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, "default = hunter2\n").unwrap();
    let reason = "not understood at line 1, column 11";
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &[],
        &[&format!("vault.toml: {reason}")],
    );
    sandbox.commit("broken");
    fs::write(&config, good).unwrap();
    reviewed(
        &sandbox,
        &held(1, 2),
        &[],
        &[],
        &[&format!("vault.toml: at HEAD: {reason}")],
    );
}
