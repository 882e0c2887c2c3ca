//! The key stays with `vault`: the command does not get it, and cannot read it from its parent.

use std::fs;

use rustix::process::{Signal, kill_process};

use crate::support::facts::{children, wait_for, wait_for_file};
use crate::support::running::Status::Code;
use crate::support::scene::{Launch, Scene, Way};
use crate::support::terminal::Terminal;

const UNPRIVILEGED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/cli/support/unprivileged.py"
);

/// A program that tries every way that the kernel offers to inspect each process above it. It
/// writes the files that it could open into `seen`.
const SPY: &str = "
import os
scene, pid, found = os.environ['SCENE'], os.getppid(), []
while pid > 1 and len(found) < 99:
    with open('/proc/%d/stat' % pid) as file:
        name, fields = file.read().rsplit(') ', 1)
    if not name.endswith('(vault'):
        break
    for file in ['environ', 'mem', 'maps', 'auxv', 'fd', 'cwd', 'root', 'exe', 'map_files', 'stack']:
        path = '/proc/%d/%s' % (pid, file)
        try:
            if file == 'fd':
                # Whoever owns the process may list them.
                os.readlink(path + '/0')
            elif file == 'map_files':
                os.listdir(path)
            elif file in ['cwd', 'root', 'exe']:
                os.readlink(path)
            else:
                open(path, 'rb').read(1)
        except PermissionError:
            found.append('denied ' + file)
        else:
            found.append('opened ' + file)
    pid = int(fields.split()[1])
with open(scene + '/seen.new', 'w') as file:
    print(*found, sep='\\n', file=file)
os.rename(scene + '/seen.new', scene + '/seen')
";

fn key(scene: &Scene) -> String {
    let path = scene.sandbox().home().join(".config/vault/identity.txt");
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .last()
        .unwrap()
        .to_owned()
}

fn check_spied(scene: &Scene, processes: usize) {
    let seen = wait_for_file(&scene.path("seen"));
    assert!(!seen.contains("opened"), "{seen}");
    assert!(seen.lines().count() >= 10 * processes, "{seen}");
}

fn spying(scene: &Scene) -> Launch {
    let _ = fs::remove_file(scene.path("seen"));
    let launch = scene
        .python(Way::Masked, SPY)
        .variable("VAULT_KEY", &key(scene));
    launch.under(&["python", UNPRIVILEGED])
}

#[test]
fn command_cannot_inspect_its_parents() {
    let scene = Scene::new();
    let end = spying(&scene).start().end();
    assert_eq!((end.status, end.said.as_str()), (Code(0), ""));
    check_spied(&scene, 1);
    let (status, screen) = Terminal::start(&spying(&scene)).ends();
    assert_eq!((status, screen.as_str()), (Code(0), ""));
    // At a terminal there are two: the monitor, which leads the command's session, and its parent.
    check_spied(&scene, 2);
}

#[test]
fn key_is_in_no_process_and_no_variable() {
    let scene = Scene::new();
    let key = key(&scene);
    let path = scene
        .sandbox()
        .home()
        .join(".config/vault/identity.txt")
        .display()
        .to_string();
    let command = format!("cat '{path}'");
    let sources = [
        ("VAULT_KEY", &key),
        ("VAULT_KEY_FILE", &path),
        ("VAULT_KEY_COMMAND", &command),
    ];
    for (name, value) in sources {
        let _ = fs::remove_file(scene.path("seen"));
        let script = "env; echo ready >$SCENE/seen; read go";
        let launch = scene.shell(Way::Masked, script).variable(name, value);
        let mut running = launch.variable("VAULT_KEY_OF_LATER", "x").start();
        wait_for_file(&scene.path("seen"));
        let family = [vec![running.pid()], children(running.pid())].concat();
        assert_eq!(family.len(), 2);
        for pid in family {
            let pid = pid.as_raw_nonzero();
            for file in ["environ", "cmdline"] {
                let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
                let block = String::from_utf8_lossy(&bytes);
                assert!(!block.contains(&key[..20]), "{name} in {file}");
            }
        }
        running.write(b"\n");
        let end = running.end();
        let variables: Vec<&str> = end.output.lines().collect();
        assert!(variables.contains(&"SECRET=***"), "{variables:?}");
        assert!(!end.output.contains("VAULT_KEY"), "{variables:?}");
    }
}

#[test]
fn key_descriptor_is_closed() {
    let scene = Scene::new();
    let path = scene
        .sandbox()
        .home()
        .join(".config/vault/identity.txt")
        .display()
        .to_string();
    for options in [["--key-fd", "5"], ["--key-file", "-"]] {
        let by = if options[1] == "5" {
            format!("exec \"$@\" 5<{path}")
        } else {
            format!("exec \"$@\" <{path}")
        };
        let script = "(: <&5) 2>/dev/null && echo open; cat; cat /dev/stdin";
        let launch = scene.shell(Way::Masked, script).options(&options).by(&by);
        let end = launch.start().end();
        assert_eq!(
            (end.status, end.output.as_str()),
            (Code(0), ""),
            "{options:?} {}",
            end.said
        );
    }
}

#[test]
fn only_the_command_may_dump_its_memory() {
    let scene = Scene::new();
    let script = "grep '^Max core' /proc/self/limits; echo ready >$SCENE/seen; read go";
    let launch = scene.shell(Way::Masked, script);
    let mut running = launch.by("ulimit -S -c 99 && exec \"$@\"").start();
    wait_for_file(&scene.path("seen"));
    let pid = running.pid().as_raw_nonzero();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let command = wait_for("the command", || children(running.pid()).first().copied());
    kill_process(command, Signal::KILL).unwrap();
    assert_eq!(running.status(), crate::support::running::Status::Signal(9));
    let seen = String::from_utf8(running.output.all()).unwrap();
    assert!(!seen.contains(" 0 "), "{seen}");
}
