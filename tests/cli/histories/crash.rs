//! Loss of power between two writes of a command. The kernel reports the order in which the command
//! moves files to their places; a number of these moves is made, and the others are not.

use std::collections::BTreeMap;
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use super::changes::Change;
use super::model::State;
use super::world::World;

type Files = BTreeMap<String, Vec<u8>>;

/// The folders of the store that files are moved to.
struct Watch {
    descriptor: OwnedFd,
    folders: BTreeMap<i32, String>,
}

impl Watch {
    fn new(store: &Path) -> Self {
        let descriptor = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        let mut folders = BTreeMap::new();
        let flags = WatchFlags::MOVED_TO | WatchFlags::DELETE;
        for folder in ["", "members", "development", "production", "staging"] {
            let path = store.join(folder);
            if path.is_dir() {
                let watch = inotify::add_watch(&descriptor, &path, flags).unwrap();
                folders.insert(watch, folder.to_owned());
            }
        }
        Self {
            descriptor,
            folders,
        }
    }

    /// The files that were moved to their places or deleted, in order.
    fn paths(&self) -> Vec<String> {
        let mut buffer = vec![MaybeUninit::uninit(); 1 << 16];
        let mut reader = inotify::Reader::new(&self.descriptor, &mut buffer);
        let mut paths = Vec::new();
        while let Ok(event) = reader.next() {
            let name = event
                .file_name()
                .map(|name| name.to_str().unwrap().to_owned());
            let folder = self.folders.get(&event.wd());
            if let (Some(name), Some(folder)) = (name, folder)
                && !event.events().contains(ReadFlags::ISDIR)
            {
                paths.push(Path::new(folder).join(name).display().to_string());
            }
        }
        paths
    }
}

fn read(store: &Path) -> Files {
    let mut files = Files::new();
    for folder in [
        "",
        "members",
        "requests",
        "development",
        "production",
        "staging",
    ] {
        let Ok(found) = fs::read_dir(store.join(folder)) else {
            continue;
        };
        for file in found
            .map(|file| file.unwrap().path())
            .filter(|path| path.is_file())
        {
            let name = file.strip_prefix(store).unwrap().display().to_string();
            files.insert(name, fs::read(file).unwrap());
        }
    }
    files
}

/// Makes the file at `path` as it is in `files`.
fn put(store: &Path, files: &Files, path: &str) {
    let place = store.join(path);
    match files.get(path) {
        Some(bytes) => {
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, bytes).unwrap();
        }
        None => drop(fs::remove_file(place)),
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    if from.exists() {
        let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
        assert!(copied.unwrap().success());
    }
}

impl World {
    /// Runs `change` until a random write, after which the power is lost; then someone finishes it.
    pub(super) fn interrupt(&mut self, before: &State, change: &Change) {
        let store = self.sandbox.store("");
        let key = before.members[&change.by].key;
        let memory = self.people[key].state(&self.sandbox, &self.branch);
        let kept: PathBuf = self.sandbox.root().join("kept");
        copy(&memory, &kept);
        let old = read(&store);
        let watch = Watch::new(&store);
        self.run_well(before, &change.by, &change.words, &change.input);
        let (moved, new) = (watch.paths(), read(&store));
        // A file that is written twice has had another content in between.
        let is_twice = |path: &String| moved.iter().filter(|other| *other == path).count() > 1;
        let known = moved.iter().position(is_twice).unwrap_or(moved.len());
        let count = self.random.below(u64::try_from(known + 1).unwrap());
        let count = usize::try_from(count).unwrap();
        for path in old.keys().chain(new.keys()) {
            put(&store, &old, path);
        }
        for path in &moved[..count] {
            put(&store, &new, path);
        }
        copy(&kept, &memory);
        self.log.push(format!(
            "  power is lost after {:?} of {moved:?}",
            &moved[..count]
        ));
        self.check_keepers(before, change);
        let is_switched = moved[..count].iter().any(|path| path == "root.toml");
        self.finish(before, change, is_switched);
    }

    /// Whoever has access before and after reads everything in between.
    fn check_keepers(&mut self, before: &State, change: &Change) {
        if change.words[0] == "environments" {
            return;
        }
        let members = before.members.iter();
        let pairs: Vec<_> = members
            .flat_map(|(name, member)| {
                member
                    .access
                    .iter()
                    .map(move |(env, access)| (name, env, access))
            })
            .filter(|(name, env, access)| {
                let is_same = change.after.members.get(*name).map(|own| own.key)
                    == Some(before.members[*name].key);
                is_same && change.after.access(name, env) == Some(access)
            })
            .map(|(name, env, _)| (name.clone(), *env))
            .collect();
        // Read as in a clone of one's own: what is undone later was not seen by anyone.
        if let Some((name, env)) = self.random.one(&pairs) {
            let branch = std::mem::replace(&mut self.branch, "nowhere".to_owned());
            self.check_reader(before, &name, env);
            self.branch = branch;
        }
    }

    /// The same admin types the command again, or it is undone first.
    fn finish(&mut self, before: &State, change: &Change, is_switched: bool) {
        if self.random.once_in(4) {
            self.git(&["checkout", "--quiet", "--", "."]);
            self.git(&["clean", "--quiet", "-fd", "-e", "/.vault/requests"]);
            self.log.push("  undone".to_owned());
            self.run_again(before, change, false);
        } else {
            self.run_again(before, change, is_switched);
        }
        let line = ["rotate", "--finish", "-q"].map(str::to_owned);
        self.run_well(before, &change.by, &line, "");
    }

    fn run_again(&mut self, before: &State, change: &Change, is_switched: bool) {
        let outcome = self.run(before, &change.by, &change.words, &change.input);
        let is_done = is_switched && [2, 4].contains(&outcome.status);
        if outcome.status != 0 && !is_done {
            self.fail(&format!(
                "the interrupted command fails again:\n{}",
                outcome.said
            ));
        }
        if is_done {
            self.log
                .push(format!("  (it was complete: {})", outcome.said));
        }
    }
}
