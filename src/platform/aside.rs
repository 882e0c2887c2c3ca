//! Work beside this process, with an answer that may never come.
//!
//! On Linux, it runs in a copy of this process: its threads, its connections, and the secrets that
//! libraries copy end with it, and a fork later on still finds one thread here. The frameworks of macOS
//! do not work in such a copy, so there it runs on a thread.

use std::fs::File;
use std::io;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

#[cfg(target_os = "linux")]
use super::child::{end_with_parent, fork, own_process, reap};
use super::streams::blocking_pipe;

/// Whether the keyring is reached through the bus of a desktop session.
pub const HAS_SESSION_BUS: bool = cfg!(target_os = "linux");

/// The running work. When this is dropped, nothing waits for it any longer.
pub struct Aside {
    answer: File,
    #[cfg(target_os = "linux")]
    child: rustix::process::Pid,
}

impl Aside {
    /// Starts `work`, which writes its answer to the file that it gets.
    ///
    /// Must be called while this process has only one thread, like [`super::fork`].
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn start(work: impl FnOnce(File) + Send + 'static) -> io::Result<Self> {
        let (answer, end) = blocking_pipe()?;
        let answer = File::from(answer);
        #[cfg(target_os = "linux")]
        {
            let parent = own_process();
            let child = fork(|| {
                end_with_parent(parent);
                work(File::from(end));
            })?;
            Ok(Self { answer, child })
        }
        #[cfg(not(target_os = "linux"))]
        {
            std::thread::Builder::new().spawn(move || work(File::from(end)))?;
            Ok(Self { answer })
        }
    }

    /// Reads some of the answer, waiting until `limit`. No bytes are its end.
    ///
    /// # Errors
    /// Returns `TimedOut` after `limit`, or the operating system's error.
    pub fn read(&mut self, buffer: &mut [u8], limit: Instant) -> io::Result<usize> {
        loop {
            let left = limit.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&self.answer, PollFlags::IN)], Some(&left)) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(rustix::io::read(&self.answer, buffer)?)
    }
}

#[cfg(target_os = "linux")]
impl Drop for Aside {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(self.child, rustix::process::Signal::KILL);
        reap(self.child);
    }
}
