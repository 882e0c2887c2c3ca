//! Refusals of files that contain ciphertext or another format, each with the command that converts
//! the file.

use std::path::Path;

use anyhow::Context as _;

use crate::fault::Fault;
use crate::import::dotenv::Dotenv;
use crate::import::foreign::{self, Foreign};
use crate::import::yaml;
use crate::platform;
use crate::vault::name::EnvironmentName;

/// A program for jq that converts one object to dotenv. Values are in double quotes, in which only
/// backslashes, quotes, and carriage returns need an escape. It prints nothing if a value is not
/// text, a boolean, or a number that jq does not change.
const TO_DOTENV: &str = r#"[to_entries[] | .key as $k | .value | if type == "string" then . elif type == "boolean" or (type == "number" and fabs < 9007199254740992 and floor == .) then tojson else error($k + " is not text") end | gsub("(?<c>[\\\\\"])"; "\\" + .c) | gsub("\r"; "\\r") | $k + "=\"" + . + "\""][]"#;

/// The path in a hint, if the text came from standard input.
const UNNAMED: &str = "FILE";

/// The typed arguments, for hints that repeat them.
pub(super) struct Target<'a> {
    pub(super) path: &'a str,
    pub(super) environment: Option<&'a EnvironmentName>,
}

impl Target<'_> {
    /// Whether the text came from a file that stays.
    pub(super) fn is_file(&self) -> bool {
        self.path != "-" && platform::own_descriptor(Path::new(self.path)).is_none()
    }

    /// Refuses a file with a value that is ciphertext.
    pub(super) fn check_plain(&self, file: &Dotenv) -> anyhow::Result<()> {
        for assignment in &file.assignments {
            let found = foreign::assignment(&assignment.name, assignment.value.expose());
            if let Some(foreign) = found {
                let refusal = Err(self.refusal(foreign, b""));
                return refusal.with_context(|| format!("line {}", assignment.line));
            }
        }
        Ok(())
    }

    /// Refuses the file with a hint to the command that converts it.
    pub(super) fn refusal(&self, foreign: Foreign, text: &[u8]) -> Fault {
        let (shown, name) = (self.shown(), foreign.name());
        let fault = Fault::usage(match foreign {
            Foreign::Json | Foreign::Yaml | Foreign::KubernetesSecret | Foreign::Toml => {
                format!("{shown} is {name}, not a dotenv file; nothing was imported")
            }
            Foreign::Utf16 => format!("{shown} is {name}; nothing was imported"),
            _ => format!("{shown} is encrypted by {name}; nothing was imported"),
        });
        let word = self.word();
        let json = format!("| jq -r '{TO_DOTENV}' |");
        match foreign {
            Foreign::GitCrypt => fault.hint("unlock it and import it again: `git-crypt unlock`"),
            Foreign::AnsibleVault => {
                fault.hint(self.piped(&format!("ansible-vault view {word} |")))
            }
            Foreign::Age => fault.hint(self.piped(&format!("age --decrypt -i KEY {word} |"))),
            Foreign::Pgp => fault.hint(self.piped(&format!("gpg --decrypt {word} |"))),
            Foreign::OpenSsl | Foreign::DotenvVault | Foreign::Other => {
                let command = self.piped("COMMAND |");
                fault.hint(format!(
                    "decrypt it, then import what that prints: {command}"
                ))
            }
            Foreign::Sops => {
                fault.hint(self.piped(&format!("sops -d --output-type json {word} {json}")))
            }
            Foreign::Dotenvx => {
                fault.hint(self.piped(&format!("dotenvx decrypt --stdout -f {word} |")))
            }
            Foreign::Json => fault.hint(self.piped(&format!("jq -r '{TO_DOTENV}' {word} |"))),
            Foreign::Yaml => self.yaml(fault, ".", text),
            Foreign::KubernetesSecret => self.yaml(
                fault,
                "(.data // {} | map_values(@base64d)) + (.stringData // {})",
                text,
            ),
            Foreign::Toml => fault.hint("write it as lines of NAME=value, without sections"),
            Foreign::Utf16 => fault.hint(self.piped(&format!("iconv -f UTF-16 -t UTF-8 {word} |"))),
        }
    }

    fn yaml(&self, fault: Fault, part: &str, text: &[u8]) -> Fault {
        let word = self.word();
        let program = if part == "." {
            TO_DOTENV.to_owned()
        } else {
            format!("{part} | {TO_DOTENV}")
        };
        let fault = fault
            .hint(self.piped(&format!("yq . {word} | jq -r '{program}' |")))
            .hint(format!(
                "if your yq is the one written in Go: `yq -o=json . {word} | jq …`"
            ));
        let changing = std::str::from_utf8(text)
            .map(yaml::changing_numbers)
            .unwrap_or_default();
        if changing.is_empty() {
            return fault;
        }
        let lines: Vec<String> = changing.iter().map(ToString::to_string).collect();
        fault.hint(format!(
            "first quote the values that yq would spell in another way: line {}",
            lines.join(", ")
        ))
    }

    /// Returns the command `before`, followed by the import of its output.
    fn piped(&self, before: &str) -> String {
        let environment = self
            .environment
            .map(|name| format!(" -e {name}"))
            .unwrap_or_default();
        format!("`{before} vault import -{environment}`")
    }

    fn shown(&self) -> &str {
        if self.path == "-" {
            "standard input"
        } else {
            self.path
        }
    }

    /// Returns the path, quoted for a shell.
    fn word(&self) -> String {
        let path = if self.is_file() { self.path } else { UNNAMED };
        let is_plain = |c: char| c.is_alphanumeric() || "._/-+@%:,".contains(c);
        if path.chars().all(is_plain) && !path.starts_with('-') {
            return path.to_owned();
        }
        let path = if path.starts_with('-') {
            format!("./{path}")
        } else {
            path.to_owned()
        };
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
