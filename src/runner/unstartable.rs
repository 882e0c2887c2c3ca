//! Files that exist but cannot be executed: a folder, a script without a first line or a
//! permission, a program for another machine.
//!
//! Looks at the first bytes of the file, and shows only the path of an interpreter.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::platform;

/// Why a program does not start, and hints.
pub(super) type Explained = (String, Vec<String>);

/// The file that a command's name means. Hints show the name as it was typed, because the folders
/// in `PATH` may come from the vault.
pub(super) struct Program {
    name: String,
    path: PathBuf,
    metadata: Metadata,
}

/// Length of the examined start of a file. The kernel does not read a longer first line either.
const START_LENGTH: u64 = 256;

impl Program {
    /// Returns the first of `candidates` that exists. `name` is the name as typed. A folder counts
    /// only if the name is a path.
    pub(super) fn find(name: &OsStr, candidates: &[OsString]) -> Option<Self> {
        let is_path = name.as_encoded_bytes().contains(&b'/');
        candidates.iter().find_map(|path| {
            let metadata = fs::metadata(path)
                .ok()
                .filter(|found| is_path || !found.is_dir())?;
            Some(Self {
                name: quoted(&name.to_string_lossy()),
                path: path.into(),
                metadata,
            })
        })
    }

    pub(super) fn is_folder(&self) -> bool {
        self.metadata.is_dir()
    }

    /// Explains a missing interpreter or loader.
    pub(super) fn without_interpreter(&self) -> Explained {
        let start = self.start();
        let Some(line) = first_line(&start) else {
            return (
                "cannot be executed: its loader is missing".to_owned(),
                vec![format!(
                    "it may be built for another system or C library; to see for which: `file {}`",
                    self.name
                )],
            );
        };
        if line.ends_with(b"\r") {
            return self.with_carriage_return();
        }
        let interpreter: Vec<u8> = line
            .iter()
            .copied()
            .take_while(|byte| !byte.is_ascii_whitespace())
            .collect();
        let interpreter = String::from_utf8_lossy(&interpreter)
            .escape_debug()
            .to_string();
        (
            format!("cannot be executed: its interpreter {interpreter} is missing"),
            vec![format!(
                "install it, or change the first line of {}",
                self.name
            )],
        )
    }

    /// Explains why the kernel refused this file.
    pub(super) fn refused(&self, number: i32) -> Explained {
        let error = io::Error::from_raw_os_error(number);
        let path = &self.name;
        match error.kind() {
            io::ErrorKind::PermissionDenied if self.is_folder() => (
                "is a folder".to_owned(),
                vec![
                    "name a program in it".to_owned(),
                    "to run a command there: `vault exec -- sh -c 'cd FOLDER && COMMAND'`".into(),
                ],
            ),
            io::ErrorKind::PermissionDenied if self.metadata.permissions().mode() & 0o111 == 0 => {
                let mut hints = vec![format!("make it executable: `chmod +x {path}`")];
                hints.extend(self.through_interpreter());
                ("permission denied".to_owned(), hints)
            }
            io::ErrorKind::PermissionDenied => {
                let mut hints =
                    vec!["its folder or file system may not allow executing files".to_owned()];
                hints.extend(self.through_interpreter());
                ("permission denied".to_owned(), hints)
            }
            _ if platform::is_unknown_format(number) => self.of_unknown_format(),
            _ => (format!("cannot be executed: {error}"), Vec::new()),
        }
    }

    /// Explains a file whose format the kernel does not know.
    fn of_unknown_format(&self) -> Explained {
        let start = self.start();
        let path = &self.name;
        let cannot = |reason: &str| format!("cannot be executed: {reason}");
        if start.is_empty() {
            return (cannot("the file is empty"), Vec::new());
        }
        if start.starts_with("\u{feff}#!".as_bytes()) {
            return (
                cannot("a byte order mark comes before its first line"),
                vec![format!(
                    "remove it: `sed -i '1s/^\\xEF\\xBB\\xBF//' {path}`"
                )],
            );
        }
        let magics: [&[u8]; 6] = [
            b"\x7fELF",
            b"MZ",
            b"\xfe\xed\xfa\xce",
            b"\xfe\xed\xfa\xcf",
            b"\xcf\xfa\xed\xfe",
            b"\xca\xfe\xba\xbe",
        ];
        if magics.iter().any(|magic| start.starts_with(magic)) {
            return (
                cannot("it was built for another system or processor"),
                vec![format!("to see for which: `file {path}`")],
            );
        }
        if first_line(&start).is_some_and(|line| line.ends_with(b"\r")) {
            return self.with_carriage_return();
        }
        let mut hints = vec!["a script needs a first line such as #!/bin/sh".to_owned()];
        hints.extend(self.through_interpreter());
        (cannot("its first line does not name an interpreter"), hints)
    }

    fn with_carriage_return(&self) -> Explained {
        (
            "cannot be executed: its first line ends with a carriage return, as on Windows".into(),
            vec![
                format!("remove them: `sed -i 's/\\r$//' {}`", self.name),
                "to keep git from adding them: `*.sh text eol=lf` in .gitattributes".to_owned(),
            ],
        )
    }

    /// Suggests naming the interpreter, which needs no permission to execute the file.
    fn through_interpreter(&self) -> Option<String> {
        let start = self.start();
        if start.contains(&0) {
            return None;
        }
        let extension = self.path.extension().map(OsStr::as_encoded_bytes);
        let named = first_line(&start).and_then(interpreter);
        let program = match (named, extension) {
            (Some(named), _) => *INTERPRETERS
                .iter()
                .find(|known| known.as_bytes() == named)?,
            (None, Some(b"py")) => "python3",
            (None, Some(b"js" | b"mjs" | b"cjs")) => "node",
            (None, Some(b"rb")) => "ruby",
            (None, Some(b"pl")) => "perl",
            (None, Some(b"php")) => "php",
            (None, Some(b"bash")) => "bash",
            (None, None | Some(b"sh")) => "sh",
            (None, Some(_)) => return None,
        };
        Some(format!(
            "or name its interpreter: `vault exec -- {program} {}`",
            self.name
        ))
    }

    fn start(&self) -> Vec<u8> {
        let mut start = Vec::new();
        // Opening a pipe or a device could block forever.
        if self.metadata.is_file()
            && let Ok(file) = File::open(&self.path)
        {
            let _ = file.take(START_LENGTH).read_to_end(&mut start);
        }
        start
    }
}

/// Returns the rest of a first line that begins with `#!`, without leading blanks, with its `\r`.
fn first_line(start: &[u8]) -> Option<&[u8]> {
    let line = start
        .strip_prefix(b"#!")?
        .split(|&byte| byte == b'\n')
        .next()?;
    Some(line.trim_ascii_start())
}

/// Returns the program that a first line names, directly or as an argument of `env`.
fn interpreter(line: &[u8]) -> Option<&[u8]> {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let program = words.next()?.rsplit(|&byte| byte == b'/').next()?;
    if program == b"env" {
        return words.find(|word| !word.starts_with(b"-"));
    }
    Some(program)
}

/// Interpreters that run a script given as their first argument.
const INTERPRETERS: [&str; 12] = [
    "bash", "dash", "fish", "ksh", "node", "perl", "php", "python", "python3", "ruby", "sh", "zsh",
];

/// Quotes `name` so that a shell reads it as one word.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "./_+-".contains(c);
    if name.chars().all(is_plain) {
        return name.to_owned();
    }
    format!(
        "'{}'",
        name.escape_debug().to_string().replace("\\'", "'\\''")
    )
}
