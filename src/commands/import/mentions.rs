//! What a value of a dotenv file may not be: what its author meant. Names are told, never values.

use crate::import::dotenv::{Assignment, Dotenv};
use crate::session::console::Console;

/// Whether a value is worth a mention.
type Wanted = fn(&[u8]) -> bool;

const MENTIONED: [(Wanted, &str); 4] = [
    (is_one_line_pem, r"one line with \n in it instead of newlines (put it in double quotes)"),
    (has_reference, "${…} is kept as it is written, not replaced by a value"),
    (has_carriage_return, "carriage returns are kept"),
    (<[u8]>::is_empty, "the value is empty"),
];

/// Says which values are stored as they are written, though another reader would change them.
pub(super) fn tell(console: Console, file: &Dotenv) {
    for (wanted, text) in MENTIONED {
        let found = file.assignments.iter().filter(|it| wanted(it.value.expose()));
        let names: Vec<&str> = found.map(name).collect();
        if !names.is_empty() {
            console.warn(format!("{text}: {}", names.join(", ")));
        }
    }
}

fn name(assignment: &Assignment) -> &str {
    &assignment.name
}

/// `sops -d --output-type dotenv` writes newlines so.
fn is_one_line_pem(value: &[u8]) -> bool {
    value.trim_ascii_start().starts_with(b"-----BEGIN ")
        && !value.trim_ascii_end().contains(&b'\n')
        && contains(value, br"\n")
}

fn has_reference(value: &[u8]) -> bool {
    let start = value.windows(2).position(|pair| pair == b"${");
    start.is_some_and(|start| value[start..].contains(&b'}'))
}

fn has_carriage_return(value: &[u8]) -> bool {
    value.contains(&b'\r')
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}
