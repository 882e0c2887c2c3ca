//! `tests/setup.sh`, the only way to set up the Python environment of the tests: in any order, in
//! parallel, and again after it was killed. Here it runs in a copy that requests no packages, so
//! without a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::machine::all_is_wanted;
use crate::support::python::python;
use crate::support::shop::{ROOT, text};

/// A folder with the script. It uses the Python of the tests, so no newer one is needed.
struct Copy(PathBuf);

impl Copy {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("setup-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for file in ["setup.sh", "setup.py"] {
            fs::copy(Path::new(ROOT).join("tests").join(file), folder.join(file)).unwrap();
        }
        fs::write(folder.join("requirements.txt"), "").unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn start(&self) -> Child {
        let mut command = self.command();
        command.stderr(Stdio::piped()).spawn().unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.path("setup.sh"));
        command.env("PYTHON", python());
        command
    }

    /// Whether the environment works.
    fn works(&self) -> bool {
        let status = Command::new(self.path(".venv/bin/python"))
            .args(["-c", "import pip"])
            .status();
        self.path(".venv/stamp").is_file() && status.is_ok_and(|status| status.success())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts the script several times at once. Exactly one of these processes makes the environment.
#[track_caller]
fn one_makes_it(copy: &Copy) {
    let children: Vec<Child> = (0..3).map(|_| copy.start()).collect();
    let outputs = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap());
    let said: Vec<String> = outputs
        .map(|output| {
            assert!(output.status.success(), "{}", text(&output));
            text(&output)
        })
        .collect();
    let makers = said
        .iter()
        .filter(|said| said.contains("making tests/.venv"))
        .count();
    assert_eq!(makers, 1, "{said:?}");
    assert!(copy.works());
}

#[test]
fn parallel_setup_creates_one_environment() {
    // The next test shows this too, after an incomplete environment.
    if !all_is_wanted() {
        return;
    }
    one_makes_it(&Copy::new());
}

#[test]
fn incomplete_environment_is_recreated_by_one_process() {
    let copy = Copy::new();
    let mut child = copy.start();
    // The environment is incomplete: its folder exists, but its stamp does not.
    while !copy.path(".venv").exists() {
        std::thread::yield_now();
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended without an environment"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!copy.path(".venv/stamp").exists());
    one_makes_it(&copy);
    // On another run, there is nothing to do.
    let output = copy.command().output().unwrap();
    assert_eq!(
        (output.status.code(), text(&output).as_str()),
        (Some(0), "")
    );
    if !all_is_wanted() {
        return;
    }
    // The same happens if other packages are requested.
    fs::write(copy.path("requirements.txt"), "# another one\n").unwrap();
    let output = copy.command().output().unwrap();
    assert!(
        text(&output).contains("making tests/.venv"),
        "{}",
        text(&output)
    );
    assert!(output.status.success() && copy.works(), "{}", text(&output));
}

#[test]
fn setup_failure_lists_packages_to_install() {
    let copy = Copy::new();
    let run = |python: &str| {
        let output = copy.command().env("PYTHON", python).output().unwrap();
        (output.status.code(), text(&output))
    };
    let said = "tests/setup.sh: python-nowhere is not installed\nhint: on Debian: apt-get install \
                python3 python3-venv; or name one with PYTHON=…\n";
    assert_eq!(run("python-nowhere"), (Some(1), said.to_owned()));
    if !all_is_wanted() {
        return;
    }
    fs::write(
        copy.path("requirements.txt"),
        "no-such-package @ file:///nowhere/at/all\n",
    )
    .unwrap();
    let (status, said) = run(python());
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("could not install tests/requirements.txt\nhint: "),
        "{said}"
    );
    assert!(!copy.path(".venv/stamp").exists());
}

#[test]
fn python_is_started_only_after_the_setup() {
    let mut folders = vec![
        Path::new(ROOT).join("tests"),
        Path::new(ROOT).join("benches"),
    ];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".venv") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let is_allowed = path.ends_with("python.rs") || path.ends_with("setup.rs");
                let text = fs::read_to_string(&path).unwrap();
                let direct = [
                    "tests/.venv",
                    ".venv/bin",
                    "Command::new(\"python",
                    "setup.sh",
                ];
                let found = direct.iter().find(|direct| text.contains(**direct));
                assert!(
                    is_allowed || found.is_none(),
                    "{}: {found:?}",
                    path.display()
                );
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 80);
}
