//! The log of a busy Django shop: requests, queries, identifiers, and some tracebacks. It is the
//! same in every run, but rarely repeats itself.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

const PATHS: [&str; 8] = [
    "/accounts/login/?next=/checkout/",
    "/api/v1/orders/",
    "/static/js/app.3f2a91c07b.bundle.js",
    "/checkout/payment/",
    "/healthz",
    "/admin/shop/product/4711/change/",
    "/media/products/large/kettle.webp",
    "/search/?q=blue+kettle&page=3",
];
const LOGGERS: [&str; 4] = [
    "django.request",
    "shop.payments",
    "shop.tasks.mail",
    "django.server",
];
const STATUSES: [&str; 6] = ["200", "200", "200", "302", "404", "500"];
const LEVELS: [&str; 5] = ["INFO", "DEBUG", "WARNING", "INFO", "ERROR"];

/// A repeatable source of numbers.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        words[usize::try_from(self.below(words.len() as u64)).unwrap_or_default()]
    }
}

/// Writes at least `length` bytes of log to a new file at `path`, and ends with a whole entry.
pub(crate) fn write(path: &Path, length: u64) -> anyhow::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 16, File::create_new(path)?);
    let mut random = Random(0x0010_9f11e);
    let mut entry = String::new();
    let mut written = 0;
    while written < length {
        entry.clear();
        describe(&mut random, &mut entry)?;
        file.write_all(entry.as_bytes())?;
        written += entry.len() as u64;
    }
    Ok(file.flush()?)
}

/// Writes an entry, of one line or several.
fn describe(random: &mut Random, out: &mut String) -> fmt::Result {
    let (second, milli) = (random.below(86_400), random.below(1000));
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(
        out,
        "2026-11-{:02} {hour:02}:{minute:02}:{second:02},{milli:03} ",
        1 + random.below(30)
    )?;
    let (logger, level) = (random.one_of(&LOGGERS), random.one_of(&LEVELS));
    match random.below(32) {
        0 => traceback(random, out),
        1..=9 => writeln!(
            out,
            "DEBUG django.db.backends (0.{:03}) SELECT \"shop_order\".\"id\", \"shop_order\".\"total\", \
             \"shop_order\".\"created\" FROM \"shop_order\" WHERE (\"shop_order\".\"customer_id\" = {} AND \
             \"shop_order\".\"state\" = 'paid') ORDER BY \"shop_order\".\"created\" DESC LIMIT {}; alias=default",
            random.below(200),
            random.below(900_000),
            10 + random.below(90),
        ),
        10..=14 => writeln!(
            out,
            "{level} {logger} [request={:08x}-{:04x}-4{:03x}] etag=\"{:016x}\" session={:x}{:x} user={}",
            random.below(1 << 32),
            random.below(1 << 16),
            random.below(1 << 12),
            random.next(),
            random.next(),
            random.next(),
            random.below(40_000),
        ),
        _ => writeln!(
            out,
            "{level} {logger} 10.0.{}.{} \"GET {} HTTP/1.1\" {} {} \"Mozilla/5.0 (X11; Linux x86_64)\" {}ms",
            random.below(256),
            random.below(256),
            random.one_of(&PATHS),
            random.one_of(&STATUSES),
            random.below(90_000),
            random.below(2500),
        ),
    }
}

fn traceback(random: &mut Random, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "ERROR django.request Internal Server Error: {}",
        random.one_of(&PATHS)
    )?;
    out.push_str("Traceback (most recent call last):\n");
    for _ in 0..3 + random.below(9) {
        writeln!(
            out,
            "  File \"/srv/shop/lib/python3.13/site-packages/django/core/handlers/base.py\", line {}, in \
             get_response\n    response = wrapped_callback(request, *callback_args, **callback_kwargs)",
            random.below(900),
        )?;
    }
    writeln!(
        out,
        "shop.errors.PaymentFailed: provider said {}",
        400 + random.below(200)
    )
}
