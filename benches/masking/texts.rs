//! The texts and needles of the benchmark, the same in every run.

/// A repeatable source of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn characters(&mut self, alphabet: &[u8], length: usize) -> Vec<u8> {
        (0..length)
            .map(|_| alphabet[self.below(alphabet.len())])
            .collect()
    }
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Returns usual secrets: `prefix`, followed by 16 to 40 letters and digits.
pub(crate) fn tokens(count: usize, prefix: &[u8]) -> Vec<Vec<u8>> {
    let mut random = Random(0x5eed);
    let mut token = || {
        let length = 16 + random.below(25);
        [prefix, &random.characters(&LETTERS[..62], length)].concat()
    };
    (0..count).map(|_| token()).collect()
}

/// Returns lines as a web application logs them.
pub(crate) fn log(length: usize) -> Vec<u8> {
    let mut random = Random(0x109);
    let paths = [
        "accounts/login",
        "api/v1/orders",
        "static/js/app.bundle.js",
        "checkout",
        "health",
    ];
    let levels = ["INFO", "DEBUG", "WARNING", "INFO", "ERROR"];
    let words = [
        "connection",
        "established",
        "request",
        "handled",
        "timeout",
        "while",
        "reading",
        "from",
        "cache",
        "user",
    ];
    let mut text = Vec::with_capacity(length + 200);
    while text.len() < length {
        let words: Vec<_> = (0..3 + random.below(6))
            .map(|_| words[random.below(10)])
            .collect();
        let line = format!(
            "2026-11-{:02}T{:02}:{:02}:{:02}.{:03}Z {} shop.{}: {} path=/{} status={} took={}ms id={:08x}\n",
            1 + random.below(30),
            random.below(24),
            random.below(60),
            random.below(60),
            random.below(1000),
            levels[random.below(5)],
            ["views", "models", "tasks"][random.below(3)],
            words.join(" "),
            paths[random.below(5)],
            200 + random.below(300),
            random.below(3000),
            random.below(1 << 30),
        );
        text.extend_from_slice(line.as_bytes());
    }
    text
}

/// Returns base64 in lines of 76 characters.
pub(crate) fn base64(length: usize) -> Vec<u8> {
    let mut random = Random(0x64);
    let mut text = Vec::with_capacity(length + 77);
    while text.len() < length {
        text.extend(random.characters(LETTERS, 76));
        text.push(b'\n');
    }
    text
}

/// Returns log lines with a needle in every 1,024 bytes.
pub(crate) fn with_hits(length: usize, needles: &[Vec<u8>]) -> Vec<u8> {
    let mut random = Random(0x417);
    let mut text = log(length);
    for place in text.chunks_exact_mut(1024) {
        let needle = &needles[random.below(needles.len())];
        let at = random.below(1024 - needle.len());
        place[at..at + needle.len()].copy_from_slice(needle);
    }
    text
}

/// Returns needles in random order, each with a wrong last byte.
pub(crate) fn near_misses(length: usize, needles: &[Vec<u8>]) -> Vec<u8> {
    let mut random = Random(0x3355);
    let mut text = Vec::with_capacity(length + 100);
    while text.len() < length {
        let needle = &needles[random.below(needles.len())];
        text.extend_from_slice(&needle[..needle.len() - 1]);
        text.extend_from_slice(b"! ");
    }
    text
}

/// The name, the needles, and the text of a case.
pub(crate) type Case = (&'static str, Vec<Vec<u8>>, Vec<u8>);

/// Returns needles and texts that make the search as slow as possible.
pub(crate) fn hostile(length: usize) -> Vec<Case> {
    let runs: Vec<_> = (12..1012).map(|length| vec![b'a'; length]).collect();
    let long = vec![[b"ab".repeat(2500), vec![b'c']].concat()];
    let tokens = tokens(100, b"");
    let misses = near_misses(length / 5, &tokens);
    let between = |gap: &[u8]| -> Vec<u8> {
        let with_gap = |byte: &u8| [&[*byte], gap].concat();
        misses.iter().flat_map(with_gap).take(length).collect()
    };
    let broken = |line: usize, byte| {
        let mut text = vec![b'a'; length];
        text.iter_mut()
            .step_by(line)
            .for_each(|place| *place = byte);
        text
    };
    vec![
        ("a run in runs", runs.clone(), vec![b'a'; length]),
        ("broken runs", runs.clone(), broken(11, b'b')),
        ("runs of 1,000", runs, broken(1000, b'b')),
        ("a long beginning", long, b"ab".repeat(length / 2)),
        ("misses, colors", tokens.clone(), between(b"\x1b[0m")),
        ("misses, breaks", tokens.clone(), between(b"\n")),
        ("only breaks", tokens.clone(), vec![b'\n'; length]),
        (
            "endless sequence",
            tokens,
            [b"\x1b]".to_vec(), vec![b'x'; length]].concat(),
        ),
    ]
}
