//! The page of documentation that lists the families, kept equal to the table.

use std::fmt::Write;
use std::path::Path;

use super::family::all;
use super::redirect::REDIRECTS;

/// Where the generated part of the page begins.
const MARK: &str =
    "<!-- The rest of this page is written from the table in src/vault/families. -->\n";

/// `words` as a block of code, wrapped at 100 columns.
fn block(words: &str) -> String {
    let mut text = String::new();
    let mut line = String::from("   ");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > 100 {
            text = text + &line + "\n";
            line = String::from("   ");
        }
        line = line + " " + word;
    }
    text + &line + "\n"
}

fn rendered() -> String {
    let mut text = String::from("\n## Refused\n");
    for family in all() {
        let starred: Vec<String> = family
            .prefixes
            .split_whitespace()
            .map(|prefix| format!("{prefix}*"))
            .collect();
        write!(
            text,
            "\n### {}\n\nRefused because {}:\n\n",
            family.title, family.reason
        )
        .unwrap();
        text += &block(&[&starred.join(" "), family.names].join(" "));
        if !family.except.is_empty() {
            text += "\nAccepted exceptions:\n\n";
            text += &block(family.except);
        }
    }
    text += "\n## Accepted and mentioned\n";
    for redirect in &REDIRECTS {
        let (title, decides) = (redirect.title, redirect.decides);
        write!(
            text,
            "\n### {title}\n\nMentioned because such a name decides {decides}:\n\n"
        )
        .unwrap();
        text += &block(redirect.names);
    }
    text
}

/// With `ACCEPT=1` the page is written.
#[test]
fn docs_list_every_family_with_its_reason() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/names.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (written, _) = page.split_once(MARK).unwrap();
    let expected = [written, MARK, &rendered()].concat();
    if std::env::var_os("ACCEPT").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        page == expected,
        "docs/reference/names.md differs from the table: write it with ACCEPT=1"
    );
}
