//! The command to run and its environment: a pure function of the caller's environment and options.

use std::collections::BTreeSet;
use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::fault::Fault;
use crate::secret::Secret;

/// Length of the longest `NAME=value` that Linux passes to a program, including its NUL
/// (`MAX_ARG_STRLEN`).
const LONGEST_VARIABLE: usize = 128 << 10;
/// The variables that most programs need. `--clean-env` leaves out all others.
const BASICS: [&str; 10] = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TZ", "TMPDIR", "PWD",
];

/// The caller's environment and options.
pub struct Request<'a> {
    /// The command and its arguments; not empty.
    pub arguments: Vec<OsString>,
    /// The caller's environment, in its order.
    pub parent: Vec<(OsString, OsString)>,
    /// Names and values to inject.
    pub values: Vec<(&'a str, &'a Secret)>,
    /// Names whose value in the caller's environment is kept.
    pub keep: Vec<String>,
    /// How much of the caller's environment is passed on.
    pub inherit: Inherit,
}

/// How much of the caller's environment the command gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherit {
    /// Everything except the variables of the key.
    Everything,
    /// The variables that most programs need, and the kept ones.
    Basics,
}

/// The command to run, with its environment. Holds plaintext, which is wiped on drop.
pub struct Plan {
    /// The command's name and its arguments.
    pub arguments: Vec<OsString>,
    environment: Vec<Secret>,
    /// Injected names that the caller's environment also had.
    pub shadowed: Vec<String>,
    search_path: OsString,
}

impl Plan {
    /// Makes the plan.
    ///
    /// # Errors
    /// Fails if a value cannot be passed to a process: it contains a NUL byte or is too long.
    pub fn new(request: Request<'_>) -> Result<Self, Fault> {
        let Request {
            arguments,
            parent,
            values,
            keep,
            inherit,
        } = request;
        let kept = |name: &OsStr| keep.iter().any(|keep| OsStr::new(keep) == name);
        let own: BTreeSet<&OsStr> = parent.iter().map(|(name, _)| name.as_os_str()).collect();
        let has = |name: &str| own.contains(OsStr::new(name));
        let injected: Vec<(&str, &Secret)> = values
            .into_iter()
            .filter(|(name, _)| !(kept(OsStr::new(name)) && has(name)))
            .collect();
        let replaced: BTreeSet<&OsStr> =
            injected.iter().map(|(name, _)| OsStr::new(name)).collect();
        let passes = |name: &OsStr| {
            !is_key(name)
                && (inherit == Inherit::Everything || is_basic(name) || kept(name))
                && !replaced.contains(name)
        };
        let shadowed = injected
            .iter()
            .filter(|(name, _)| has(name))
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let mut environment = Vec::with_capacity(parent.len() + injected.len());
        let mut search_path = OsString::from("/usr/local/bin:/bin:/usr/bin");
        for (name, value) in parent.iter().filter(|(name, _)| passes(name)) {
            environment.push(variable(name.as_bytes(), value.as_bytes()));
            if name == "PATH" {
                search_path.clone_from(value);
            }
        }
        for (name, value) in injected {
            check(name, value)?;
            environment.push(variable(name.as_bytes(), value.expose()));
            if name == "PATH" {
                OsStr::from_bytes(value.expose()).clone_into(&mut search_path);
            }
        }
        Ok(Self {
            arguments,
            environment,
            shadowed,
            search_path,
        })
    }

    /// Returns the environment in the form that `execve` takes.
    ///
    /// # Panics
    /// Never: the only NUL byte of a variable is the one at its end.
    #[must_use]
    pub fn environment(&self) -> Vec<&CStr> {
        self.environment
            .iter()
            .map(|variable| {
                CStr::from_bytes_with_nul(variable.expose()).expect("one NUL, at the end")
            })
            .collect()
    }

    /// Returns the name of the variable with the longest value, and that value's length in bytes.
    #[must_use]
    pub fn largest(&self) -> Option<(String, usize)> {
        let largest = self
            .environment
            .iter()
            .max_by_key(|variable| variable.len())?
            .expose();
        let end = largest.iter().position(|&byte| byte == b'=')?;
        let name = String::from_utf8_lossy(&largest[..end]).into_owned();
        Some((name, largest.len() - end - "=\0".len()))
    }

    /// Returns the paths at which the program may be, in the order of `execvp`: the name itself if
    /// it contains a slash, otherwise the name in each folder of the command's own `PATH`.
    #[must_use]
    pub fn candidates(&self) -> Vec<OsString> {
        let name = self.arguments.first().filter(|name| !name.is_empty());
        let Some(name) = name else { return Vec::new() };
        if name.as_bytes().contains(&b'/') {
            return vec![name.clone()];
        }
        let folders = self.search_path.as_bytes().split(|&byte| byte == b':');
        folders
            .map(|folder| {
                let folder = if folder.is_empty() { &b"."[..] } else { folder };
                OsStr::from_bytes(&[folder, b"/", name.as_bytes()].concat()).to_owned()
            })
            .collect()
    }
}

fn check(name: &str, value: &Secret) -> Result<(), Fault> {
    if value.expose().contains(&0) {
        let message = format!("{name} contains a NUL byte, so it cannot be a variable");
        return Err(Fault::incomplete(message).hint(format!(
            "leave it out with `--only`, or print it with `vault get {name}`"
        )));
    }
    if name.len() + value.len() + 2 > LONGEST_VARIABLE {
        let message = format!("{name} is too long for a variable: {} bytes", value.len());
        return Err(Fault::incomplete(message)
            .hint("the kernel's limit is 128 KiB for a name and its value"));
    }
    Ok(())
}

/// Returns `NAME=value` with a NUL at the end.
fn variable(name: &[u8], value: &[u8]) -> Secret {
    let mut variable = Secret::with_capacity(name.len() + value.len() + 2);
    for part in [name, b"=", value, b"\0"] {
        variable.extend(part);
    }
    variable
}

fn is_key(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"VAULT_KEY")
}

fn is_basic(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"LC_") || BASICS.iter().any(|basic| OsStr::new(basic) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(parent: &[(&str, &str)], values: &[(&'static str, &str)]) -> Request<'static> {
        let pair = |(name, value): &(&str, &str)| (OsString::from(name), OsString::from(value));
        let secret = |(name, value): &(&'static str, &str)| {
            (
                *name,
                &*Box::leak(Box::new(Secret::new(value.as_bytes().to_vec()))),
            )
        };
        Request {
            arguments: vec!["true".into()],
            parent: parent.iter().map(pair).collect(),
            values: values.iter().map(secret).collect(),
            keep: Vec::new(),
            inherit: Inherit::Everything,
        }
    }

    fn environment(request: Request<'_>) -> Vec<String> {
        let plan = Plan::new(request).ok().unwrap();
        plan.environment()
            .iter()
            .map(|text| text.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn child_gets_no_key_and_the_values_of_the_vault() {
        let parent = [
            ("A", "1"),
            ("VAULT_KEY", ""),
            ("VAULT_KEY_FILE", "/k"),
            ("B", "2"),
        ];
        let plan = Plan::new(request(&parent, &[("B", "secret"), ("C", "")]))
            .ok()
            .unwrap();
        assert_eq!(plan.shadowed, ["B"]);
        assert_eq!(
            environment(request(&parent, &[("B", "secret"), ("C", "")])),
            ["A=1", "B=secret", "C="]
        );
    }

    #[test]
    fn kept_name_keeps_an_existing_value_of_the_caller() {
        let mut kept = request(&[("A", "mine")], &[("A", "vault"), ("B", "vault")]);
        kept.keep = vec!["A".to_owned(), "B".to_owned()];
        assert_eq!(environment(kept), ["A=mine", "B=vault"]);
    }

    #[test]
    fn clean_environment_has_basic_variables_and_secrets() {
        let mut clean = request(
            &[("PATH", "/bin"), ("LC_ALL", "C"), ("X", "1"), ("Y", "2")],
            &[("S", "s")],
        );
        clean.inherit = Inherit::Basics;
        clean.keep = vec!["Y".to_owned()];
        assert_eq!(environment(clean), ["PATH=/bin", "LC_ALL=C", "Y=2", "S=s"]);
    }

    #[test]
    fn value_impossible_in_a_variable_is_refused_by_name() {
        for value in ["a\0b", &"x".repeat(128 << 10)] {
            let fault = Plan::new(request(&[], &[("BIG", value)])).err().unwrap();
            assert!(fault.to_string().starts_with("BIG "), "{fault}");
        }
        assert!(Plan::new(request(&[], &[("BIG", &"x".repeat((128 << 10) - 5))])).is_ok());
    }

    #[test]
    fn program_is_searched_in_the_path_of_the_child() {
        let plan = Plan::new(request(&[("PATH", "/a::/b")], &[])).ok().unwrap();
        assert_eq!(plan.candidates(), ["/a/true", "./true", "/b/true"]);
    }
}
