//! A parent process that stays keeps no key in memory. Root searches its memory for the keys.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;

use repovault::crypto::{DataKey, Identity, NativeKind, SshKey, base64_decode};
use repovault::secret::{Key, Secret};
use rustix::process::{Pid, geteuid};
use sha2::{Digest, Sha512};
use sha3::Shake256;
use sha3::digest::{ExtendableOutput, Update, XofReader};

use crate::support::facts::{children, wait_for, wait_for_file};
use crate::support::keyring::{Session, has_keyring};
use crate::support::machine::{has, left_out};
use crate::support::running::Status::Code;
use crate::support::scene::{Launch, SECRET, Scene, Way};
use crate::support::terminal::Terminal;

const WAITING: &str = "echo ready >$SCENE/seen; read go";

/// The name and the bytes of a key that must not be in memory.
type Needle = (&'static str, Vec<u8>);

fn identity_path(scene: &Scene) -> String {
    scene
        .sandbox()
        .home()
        .join(".config/vault/identity.txt")
        .display()
        .to_string()
}

fn identity(scene: &Scene) -> String {
    fs::read_to_string(identity_path(scene))
        .unwrap()
        .lines()
        .last()
        .unwrap()
        .to_owned()
}

/// Returns the identity in each form, and the keys that are sealed to it.
fn needles(scene: &Scene, identity: &Identity) -> Vec<Needle> {
    let (kind, raw) = identity.to_key();
    let mut derived = Vec::new();
    let mut scalar = *raw.expose();
    if kind == NativeKind::Hybrid {
        let mut stream = Shake256::default().chain(raw.expose()).finalize_xof();
        for name in ["d of ML-KEM", "z of ML-KEM", "the scalar"] {
            stream.read(&mut scalar);
            derived.push((name, scalar.to_vec()));
        }
    }
    let mut clamped = scalar;
    clamped[0] &= 0xf8;
    clamped[31] = clamped[31] & 0x7f | 0x40;
    let mut needles = vec![
        ("the identity", raw.expose().to_vec()),
        ("the clamped identity", clamped.to_vec()),
        (
            "the text of the identity",
            identity.to_text().expose().to_vec(),
        ),
    ];
    needles.extend(derived);
    needles.extend(sealed_needles(scene, identity));
    needles
}

/// Returns the keys that are sealed to the identity in development, and the keys derived from them.
fn sealed_needles(scene: &Scene, identity: &Identity) -> Vec<Needle> {
    let mut needles = Vec::new();
    let files = fs::read_dir(scene.sandbox().store("members")).unwrap();
    let text: String = files
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let texts = text.split('"').filter_map(|text| text.strip_prefix("b64:"));
    for sealed in texts.filter_map(base64_decode) {
        let Ok(payload) = identity.unseal(&sealed) else {
            continue;
        };
        // The last part of the payload is a key.
        let key = &payload.expose()[payload.len() - 32..];
        needles.push(("a sealed key", key.to_vec()));
        let vault = scene.sandbox().id().parse().unwrap();
        let data_key = DataKey::new(Key::from_slice(key).unwrap(), &vault, "development");
        needles.extend(
            data_key
                .parts()
                .map(|part| ("a part of the data key", part.to_vec())),
        );
        needles.push((
            "the key of a name",
            data_key.entry_key("SECRET").expose().to_vec(),
        ));
    }
    assert!(!needles.is_empty(), "nothing is sealed to it");
    needles
}

/// Returns each readable part of a process's memory.
fn memory(pid: Pid) -> Vec<Vec<u8>> {
    let pid = pid.as_raw_nonzero();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let read = |line: &str| {
        let mut fields = line.split_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let is_readable = fields.next()?.starts_with('r');
        let start = u64::from_str_radix(start, 16).ok()?;
        let end = u64::from_str_radix(end, 16).ok()?;
        let mut bytes = vec![0; usize::try_from(end - start).ok()?];
        (is_readable && memory.read_exact_at(&mut bytes, start).is_ok()).then_some(bytes)
    };
    maps.lines().filter_map(read).collect()
}

fn holds(memory: &[Vec<u8>], needle: &[u8]) -> bool {
    memory
        .iter()
        .any(|part| memchr::memmem::find(part, needle).is_some())
}

/// Searches the memory of `vault` and of its monitor while the command waits.
fn check(vault: Pid, needles: &[Needle], what: &str) {
    let ours = env!("CARGO_BIN_EXE_vault").as_bytes();
    let is_ours = |pid: &Pid| {
        let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
        line.is_ok_and(|line| line.starts_with(ours))
    };
    let monitors = children(vault).into_iter().filter(is_ours);
    for pid in [vault].into_iter().chain(monitors) {
        let memory = memory(pid);
        let size: usize = memory.iter().map(Vec::len).sum();
        assert!(size > 1 << 20, "{what}: {size} bytes of memory");
        // The masked secret must be in memory, which shows that the search works.
        assert!(pid != vault || holds(&memory, SECRET.as_bytes()), "{what}");
        for (name, needle) in needles {
            assert!(
                !holds(&memory, needle),
                "{what}: {name} in the memory of {pid:?}"
            );
        }
    }
}

/// Starts the command, and searches while it waits for a line.
fn check_run(scene: &Scene, launch: &Launch, needles: &[Needle], what: &str) {
    let _ = fs::remove_file(scene.path("seen"));
    let mut running = launch.start();
    wait_for_file(&scene.path("seen"));
    check(running.pid(), needles, what);
    running.write(b"\n");
    let end = running.end();
    assert_eq!((end.status, end.said.as_str()), (Code(0), ""), "{what}");
}

/// Returns whether this process can read the memory of `vault`.
fn can_look() -> bool {
    let can = geteuid().is_root();
    if !can {
        left_out("only root can look into a vault");
    }
    can
}

#[test]
fn parent_memory_holds_no_key_from_any_source() {
    if !can_look() {
        return;
    }
    let scene = Scene::new();
    let (path, text) = (identity_path(&scene), identity(&scene));
    let needles = needles(&scene, &Identity::parse(&text).unwrap());
    let launch = || scene.shell(Way::Masked, WAITING);
    let command = format!("cat '{path}'");
    let check = |launch: Launch, what| check_run(&scene, &launch, &needles, what);
    check(launch(), "identity.txt");
    check(launch().variable("VAULT_KEY", &text), "VAULT_KEY");
    check(launch().variable("VAULT_KEY_FILE", &path), "VAULT_KEY_FILE");
    check(
        launch().variable("VAULT_KEY_COMMAND", &command),
        "VAULT_KEY_COMMAND",
    );
    check(launch().options(&["--key-file", &path]), "--key-file");
    let by = format!("exec \"$@\" 5<'{path}'");
    check(launch().options(&["--key-fd", "5"]).by(&by), "--key-fd");
    let waiting = "echo ready >$SCENE/seen; while ! test -e $SCENE/go; do sleep 0.01; done";
    let input = scene
        .shell(Way::Masked, waiting)
        .options(&["--key-file", "-"]);
    let _ = fs::remove_file(scene.path("seen"));
    let mut running = input.start();
    running.write(text.as_bytes());
    running.close_input();
    wait_for_file(&scene.path("seen"));
    self::check(running.pid(), &needles, "standard input");
    scene.write("go", "");
    assert_eq!(running.end().status, Code(0));
}

#[test]
fn parent_memory_holds_no_key_from_the_keyring() {
    if !can_look() || !has_keyring() {
        return;
    }
    let scene = Scene::new();
    let (path, text) = (identity_path(&scene), identity(&scene));
    let needles = needles(&scene, &Identity::parse(&text).unwrap());
    let session = Session::start(scene.sandbox());
    session.store(&fs::read(&path).unwrap());
    fs::remove_file(&path).unwrap();
    let launch = scene
        .shell(Way::Masked, WAITING)
        .variable("DBUS_SESSION_BUS_ADDRESS", &session.address);
    check_run(&scene, &launch, &needles, "the keyring");
}

#[test]
fn parent_memory_holds_no_key_from_other_environments() {
    if !geteuid().is_root() {
        return;
    }
    let scene = Scene::new();
    let text = identity(&scene);
    let needles = needles(&scene, &Identity::parse(&text).unwrap());
    let launch = || {
        scene
            .shell(Way::Masked, WAITING)
            .variable("VAULT_KEY", &text)
    };
    // The key is in a second variable too.
    check_run(
        &scene,
        &launch().variable("DEPLOY_KEY", &text),
        &needles,
        "a copy",
    );
    // A shell above has the key, and vault inspects that shell.
    let _ = fs::remove_file(scene.path("seen"));
    let mut running = launch().by("\"$@\"; exit $?").start();
    wait_for_file(&scene.path("seen"));
    let vault = wait_for("vault", || children(running.pid()).first().copied());
    check(vault, &needles, "a key above");
    running.write(b"\n");
    let end = running.end();
    assert_eq!(end.status, Code(0));
    assert!(
        end.said.contains("VAULT_KEY in the environment of sh"),
        "{}",
        end.said
    );
}

#[test]
fn parent_memory_holds_no_credential() {
    if !can_look() {
        return;
    }
    let scene = Scene::new();
    for (name, kind, options) in [
        ("whole", NativeKind::Hybrid, &[][..]),
        ("limited", NativeKind::Hybrid, &["--only", "SECRET"]),
        ("classic", NativeKind::Classic, &["--classic"]),
    ] {
        let options = &[&["-e", "development"], options].concat();
        let text = scene.sandbox().credential(name, options);
        let bytes = text.strip_prefix("vaultci1_").unwrap();
        let decoded = repovault::crypto::base64url_decode(bytes).unwrap();
        let identity = Identity::from_key(kind, &Key::from_slice(&decoded[..32]).unwrap());
        let mut needles = needles(&scene, &identity);
        needles.push(("the credential", bytes.as_bytes().to_vec()));
        let launch = scene
            .shell(Way::Masked, WAITING)
            .variable("VAULT_KEY", &text);
        check_run(&scene, &launch, &needles, name);
        let path = scene.write("credential", &text).display().to_string();
        let launch = scene
            .shell(Way::Masked, WAITING)
            .variable("VAULT_KEY_FILE", &path);
        check_run(&scene, &launch, &needles, name);
    }
}

#[test]
fn parent_and_monitor_memory_hold_no_key() {
    if !can_look() {
        return;
    }
    let scene = Scene::new();
    let text = identity(&scene);
    let needles = needles(&scene, &Identity::parse(&text).unwrap());
    let launch = scene
        .shell(Way::Masked, WAITING)
        .variable("VAULT_KEY", &text);
    let mut terminal = Terminal::start(&launch);
    wait_for_file(&scene.path("seen"));
    assert!(!children(terminal.pid()).is_empty());
    check(terminal.pid(), &needles, "terminal");
    terminal.types("\n");
    assert_eq!(terminal.ends().0, Code(0));
}

#[test]
fn parent_memory_holds_no_key_and_no_passphrase() {
    if !can_look() {
        return;
    }
    let scene = Scene::new();
    let passphrase = "correct horse battery";
    let path = identity_path(&scene);
    let text = fs::read(&path).unwrap();
    let identity = identity(&scene);
    let sealed = repovault::crypto::protect(&Secret::new(text), passphrase);
    fs::write(&path, sealed).unwrap();
    fs::rename(&path, path.replace(".txt", ".age")).unwrap();
    let mut needles = needles(&scene, &Identity::parse(&identity).unwrap());
    needles.push(("the passphrase", passphrase.as_bytes().to_vec()));
    let mut terminal = Terminal::start(&scene.shell(Way::Masked, WAITING));
    terminal.sees("passphrase of ");
    terminal.types(&format!("{passphrase}\n"));
    wait_for_file(&scene.path("seen"));
    check(terminal.pid(), &needles, "identity.age");
    terminal.types("\n");
    assert_eq!(terminal.ends().0, Code(0));
}

#[test]
fn parent_memory_holds_no_ssh_key() {
    if !can_look() || !has("ssh-keygen", "openssh-client") {
        return;
    }
    let scene = Scene::new();
    let passphrase = "correct horse battery";
    let path = scene.path("ssh").display().to_string();
    let keygen = |words: &[&str]| {
        let output = Command::new("ssh-keygen").args(words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &path]);
    let text = fs::read_to_string(&path).unwrap();
    let key = SshKey::parse(text.as_bytes()).unwrap();
    let recipient = key.recipient().to_string();
    let add = ["members", "add", "ssh", "-q", "-e", "development=read"];
    let add = [&add[..], &["--recipient", &recipient]].concat();
    scene.sandbox().quick(&add);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('-')).collect();
    let bytes = base64_decode(lines.concat().trim_end_matches('=')).unwrap();
    // The length of the private key, and then its seed.
    let at = memchr::memmem::find(&bytes, &[0, 0, 0, 64]).unwrap() + 4;
    let seed = &bytes[at..at + 32];
    let digest = Sha512::digest(seed);
    let mut clamped = digest[..32].to_vec();
    clamped[0] &= 0xf8;
    clamped[31] = clamped[31] & 0x7f | 0x40;
    let mut needles = sealed_needles(&scene, &key.open("").unwrap());
    needles.extend([
        ("the seed", seed.to_vec()),
        ("the scalar", digest[..32].to_vec()),
        ("the clamped scalar", clamped),
        ("a line of the file", lines[2].as_bytes().to_vec()),
        ("the passphrase", passphrase.as_bytes().to_vec()),
    ]);
    let id = scene.sandbox().id();
    let launch = || {
        let launch = scene.shell(Way::Masked, WAITING).variable("VAULT_ID", &id);
        launch.options(&["--key-file", &path])
    };
    check_run(&scene, &launch(), &needles, "an SSH key");
    keygen(&["-q", "-p", "-a", "1", "-N", passphrase, "-f", &path]);
    let _ = fs::remove_file(scene.path("seen"));
    let mut terminal = Terminal::start(&launch());
    terminal.sees("passphrase of ");
    terminal.types(&format!("{passphrase}\n"));
    wait_for_file(&scene.path("seen"));
    check(terminal.pid(), &needles, "a protected SSH key");
    terminal.types("\n");
    assert_eq!(terminal.ends().0, Code(0));
}

#[test]
fn decrypting_thread_leaves_no_key_in_memory() {
    if !can_look() {
        return;
    }
    let scene = Scene::new();
    let names: Vec<String> = (0..100)
        .map(|number| format!("SECRET_{number}='{number} of many'\n"))
        .collect();
    let file = scene
        .write("many.env", &names.concat())
        .display()
        .to_string();
    scene.sandbox().quick(&["import", &file, "-q"]);
    let mut needles = needles(&scene, &Identity::parse(&identity(&scene)).unwrap());
    let sealed = needles
        .iter()
        .find(|(what, _)| *what == "a sealed key")
        .unwrap()
        .1
        .clone();
    let vault = scene.sandbox().id().parse().unwrap();
    let data_key = DataKey::new(Key::from_slice(&sealed).unwrap(), &vault, "development");
    needles.extend((0..100).map(|number| {
        let key = data_key.entry_key(&format!("SECRET_{number}"));
        ("the key of a name", key.expose().to_vec())
    }));
    check_run(&scene, &scene.shell(Way::Masked, WAITING), &needles, "many");
}

#[test]
fn key_memory_is_locked_if_allowed() {
    if !can_look() {
        return;
    }
    let scene = Scene::new();
    let locked = |launch: Launch| {
        let _ = fs::remove_file(scene.path("seen"));
        let mut running = launch.start();
        wait_for_file(&scene.path("seen"));
        let path = format!("/proc/{}/status", running.pid().as_raw_nonzero());
        let status = wait_for("its status", || fs::read_to_string(&path).ok());
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmLck:"))
            .unwrap();
        let size: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        running.write(b"\n");
        let end = running.end();
        assert_eq!((end.status, end.said.as_str()), (Code(0), ""));
        size
    };
    assert!(locked(scene.shell(Way::Masked, WAITING)) > 0);
    // If memory cannot be locked, the command still runs. Here not even root can lock it.
    let by = "ulimit -l 0; exec setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock \"$@\"";
    let not_allowed = scene.shell(Way::Masked, WAITING).by(by);
    assert_eq!(locked(not_allowed), 0);
}
