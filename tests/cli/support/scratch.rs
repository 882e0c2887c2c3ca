//! The folder for sandboxes. The tests create and remove many thousands of small files, which on a
//! disk takes longer than `vault` itself. So the sandboxes are in memory if the machine has room
//! there, except with `VAULT_TESTS=all`, because a repository is usually on a disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::support::machine::all_is_wanted;

const DISK: &str = env!("CARGO_TARGET_TMPDIR");
const MEMORY: &str = "/dev/shm";
/// More than all tests use at the same time, in bytes and in files.
#[cfg(target_os = "linux")]
const ROOM: (u64, u64) = (1 << 30, 100_000);

/// Creates the folder for a sandbox of this process.
pub(crate) fn new_folder(number: usize) -> PathBuf {
    let folder = place().join(format!("vault-sandbox-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    // Others may write to the folder in memory, so this one must not exist.
    fs::create_dir(&folder).unwrap();
    folder
}

fn place() -> &'static Path {
    static PLACE: OnceLock<&Path> = OnceLock::new();
    PLACE.get_or_init(|| {
        let in_memory = !all_is_wanted() && has_room(Path::new(MEMORY));
        let place = Path::new(if in_memory { MEMORY } else { DISK });
        remove_abandoned(place);
        place
    })
}

/// Whether files can be written and programs started there, and everything fits.
#[cfg(target_os = "linux")]
fn has_room(folder: &Path) -> bool {
    use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};

    let (bytes, files) = ROOM;
    statvfs(folder).is_ok_and(|found| {
        !found.f_flag.contains(StatVfsMountFlags::NOEXEC)
            && found.f_bavail.saturating_mul(found.f_frsize) >= bytes
            && found.f_favail >= files
    }) && access(folder, Access::WRITE_OK).is_ok()
}

/// Other systems have no such folder.
#[cfg(not(target_os = "linux"))]
fn has_room(_: &Path) -> bool {
    false
}

/// Removes the sandboxes of failed tests in earlier runs. They stay until then, to be inspected.
fn remove_abandoned(place: &Path) {
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| {
            let (process, _) = name.strip_prefix("vault-sandbox-")?.split_once('-')?;
            process.parse::<u32>().ok()
        });
        if process.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
