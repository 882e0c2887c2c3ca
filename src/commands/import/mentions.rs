//! Warnings about values of a dotenv file that their author may have meant otherwise. They show names,
//! never values.

use crate::import::dotenv::{Assignment, Dotenv};
use crate::session::console::Console;

/// Whether a value is worth a mention.
type Wanted = fn(&[u8]) -> bool;

const MENTIONED: [(Wanted, &str); 5] = [
    (
        is_one_line_pem,
        r"one line with \n in it instead of newlines (put it in double quotes)",
    ),
    (
        has_reference,
        "${…} is stored as written, without replacing it",
    ),
    (
        is_place,
        "the value is a reference to a secret, not the secret itself",
    ),
    (has_carriage_return, "carriage returns are kept"),
    (<[u8]>::is_empty, "the value is empty"),
];

/// Warns about values that are stored unchanged although other programs would change them.
pub(super) fn warn(console: Console, file: &Dotenv) {
    for (wanted, text) in MENTIONED {
        let found = file
            .assignments
            .iter()
            .filter(|it| wanted(it.value.expose()));
        let names: Vec<&str> = found.map(name).collect();
        if !names.is_empty() {
            console.warn(format!("{text}: {}", names.join(", ")));
        }
    }
}

fn name(assignment: &Assignment) -> &str {
    &assignment.name
}

/// Whether it is a PEM file in one line, as `sops -d --output-type dotenv` writes it.
fn is_one_line_pem(value: &[u8]) -> bool {
    value.trim_ascii_start().starts_with(b"-----BEGIN ")
        && !value.trim_ascii_end().contains(&b'\n')
        && contains(value, br"\n")
}

fn has_reference(value: &[u8]) -> bool {
    let start = value.windows(2).position(|pair| pair == b"${");
    start.is_some_and(|start| value[start..].contains(&b'}'))
}

/// Whether it is a reference that another tool replaces, such as `op run` of 1Password or `vals`.
fn is_place(value: &[u8]) -> bool {
    let starts: [&[u8]; 4] = [
        b"op://",
        b"ref+",
        b"arn:aws:secretsmanager:",
        b"arn:aws:ssm:",
    ];
    starts.iter().any(|start| value.starts_with(start))
}

fn has_carriage_return(value: &[u8]) -> bool {
    value.contains(&b'\r')
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}
