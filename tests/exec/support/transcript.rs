//! The output of a pipe or terminal, which can be read while more arrives.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use crate::support::facts::LIMIT;

pub(crate) struct Transcript {
    shared: Arc<(Mutex<State>, Condvar)>,
    seen: usize,
}

struct State {
    bytes: Vec<u8>,
    ended: bool,
}

impl Transcript {
    /// Reads `source` to its end, or until its terminal is gone.
    pub(crate) fn of(mut source: impl Read + Send + 'static) -> Self {
        let state = State {
            bytes: Vec::new(),
            ended: false,
        };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        let writer = Arc::clone(&shared);
        thread::spawn(move || {
            let mut chunk = vec![0; 1 << 16];
            loop {
                let count = source.read(&mut chunk).unwrap_or(0);
                let mut state = writer.0.lock().unwrap();
                state.bytes.extend(&chunk[..count]);
                state.ended = count == 0;
                writer.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { shared, seen: 0 }
    }

    /// Waits for `text`, after the text that was waited for before.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) {
        let seen = self.seen;
        let found = self.wait(|state| find(&state.bytes[seen..], text.as_bytes()));
        let Some(at) = found else {
            panic!("{text:?} never came, but:\n{}", self.text());
        };
        self.seen += at + text.len();
    }

    /// Waits for the end, and returns the whole output.
    #[track_caller]
    pub(crate) fn all(&self) -> Vec<u8> {
        let ended = self.wait(|state| state.ended.then_some(()));
        assert!(ended.is_some(), "the stream stays open:\n{}", self.text());
        self.lock().bytes.clone()
    }

    /// Returns the output so far, with the line ends of a terminal as newlines.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock().bytes).replace("\r\n", "\n")
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }

    /// Waits until `fact` returns something. Returns `None` if it can no longer do so.
    fn wait<T>(&self, fact: impl Fn(&State) -> Option<T>) -> Option<T> {
        let start = Instant::now();
        let mut state = self.lock();
        loop {
            if let Some(found) = fact(&state) {
                return Some(found);
            }
            let left = LIMIT.checked_sub(start.elapsed())?;
            if state.ended {
                return None;
            }
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}
