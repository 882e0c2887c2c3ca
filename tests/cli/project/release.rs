//! The parts of `.ci/release` that can be checked without a build; `.ci/run` runs everything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::shop::{ROOT, text};

const VAULT: &str = env!("CARGO_BIN_EXE_vault");

/// Whether `.ci/release check` accepts the file, and its output.
fn check(file: &Path) -> (bool, String) {
    let output = Command::new(format!("{ROOT}/.ci/release"))
        .arg("check")
        .arg(file)
        .output();
    let output = output.unwrap();
    (output.status.success(), text(&output))
}

#[test]
fn dynamic_large_or_path_leaking_binary_is_not_released() {
    if cfg!(not(target_os = "linux")) {
        return;
    }
    // The binary under test is dynamic, like any binary that an ordinary compiler builds.
    let (fine, said) = check(Path::new(VAULT));
    assert!(
        !fine && said.contains("needs a loader, so it is not static"),
        "{said}"
    );
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("release-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let compiled = |name: &str, source: &str, options: &[&str]| {
        let (code, program) = (folder.join(format!("{name}.c")), folder.join(name));
        fs::write(&code, source).unwrap();
        let output = Command::new("cc")
            .args(options)
            .arg("-o")
            .args([&program, &code])
            .output();
        let output = output.expect("Rust needs cc to link");
        let hint = "on Debian: apt-get install gcc libc6-dev";
        assert!(
            output.status.success(),
            "cc cannot link statically; {hint}\n{}",
            text(&output)
        );
        program
    };
    let main = "int main(void) { return 0; }\n";
    let (fine, said) = check(&compiled("symbols", main, &["-static"]));
    assert!(!fine && said.contains("is not stripped"), "{said}");
    let large = format!("char filled[9000000] = {{1}}; {main}");
    let (fine, said) = check(&compiled("large", &large, &["-static", "-s"]));
    assert!(!fine && said.contains("the limit is 8000000"), "{said}");
    let path = format!("const char *volatile path = \"{ROOT}/src/main.rs\"; {main}");
    let (fine, said) = check(&compiled("path", &path, &["-static", "-s"]));
    assert!(
        !fine && said.contains("holds paths of this machine"),
        "{said}"
    );
    // This file passes all those checks, but it is not vault.
    let (fine, said) = check(&compiled("other", main, &["-static", "-s"]));
    assert!(!fine && said.contains("does not work"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}
