//! Measures `vault exec` with masking: how much later a command starts, prints, and answers, and
//! how fast its output passes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::echo::{ECHO, EchoProcess};
use crate::log;
use crate::measure::{alternate, first_byte, piped, run};
use crate::store::{Caller, Store, first_character};
use crate::table;

/// The variable with the size of the log in MiB. The default is 1,024, as in the budget.
const SIZE: &str = "VAULT_BENCH_LOG_MIB";

/// Stores of 10, 100 and 1,000 secrets.
pub(crate) struct Stores<'a> {
    pub(crate) ten: &'a Store,
    pub(crate) hundred: &'a Store,
    pub(crate) thousand: &'a Store,
}

/// Measures everything that concerns the runner.
pub(crate) fn measure(stores: &Stores<'_>) -> anyhow::Result<()> {
    start(stores)?;
    first_output(stores)?;
    pipes(stores)?;
    keys(stores)?;
    throughput(stores)
}

/// Measures how much later a command starts if its output is masked.
fn start(stores: &Stores<'_>) -> anyhow::Result<()> {
    table::block("exec -- true, over exec --no-mask -- true", "+ ms");
    let stores = [
        (stores.ten, "10 secrets", "<= +1.5"),
        (stores.hundred, "100 secrets", "<= +1.5"),
        (stores.thousand, "1,000 secrets", ""),
    ];
    for (store, name, budget) in stores {
        let series = alternate(
            101,
            &mut [
                &mut |_| run(&mut store.bare(&["true"])),
                &mut |_| run(&mut exec(store, &["--no-mask"], &["true"])),
                &mut |_| run(&mut exec(store, &[], &["true"])),
            ],
        )?;
        table::base("true", &series[0]);
        table::over(
            &format!("{name}, --no-mask, over true"),
            &series[1],
            &series[0],
            "",
        );
        table::over(name, &series[2], &series[1], budget);
    }
    Ok(())
}

/// Measures the time from the start until the first byte of the output arrives.
fn first_output(stores: &Stores<'_>) -> anyhow::Result<()> {
    const PRINT: [&str; 2] = ["echo", "x"];
    let series = alternate(
        51,
        &mut [
            &mut |_| first_byte(&mut stores.ten.bare(&PRINT)),
            &mut |_| first_byte(&mut exec(stores.ten, &[], &PRINT)),
            &mut |_| first_byte(&mut exec(stores.hundred, &[], &PRINT)),
            &mut |_| first_byte(&mut exec(stores.thousand, &[], &PRINT)),
        ],
    )?;
    table::block("exec -- echo x, until the first byte", "+ ms");
    table::base("echo x", &series[0]);
    table::over("10 secrets", &series[1], &series[0], "");
    table::over("100 secrets", &series[2], &series[0], "<= 10 ms");
    table::over("1,000 secrets", &series[3], &series[0], "<= 120 ms");
    Ok(())
}

/// Measures the way of a line to the command and back. The line must not end like the beginning of
/// a secret: on a pipe, held bytes are never shown early, so the answer would not arrive.
fn pipes(stores: &Stores<'_>) -> anyhow::Result<()> {
    let mut bare = EchoProcess::over_pipes(stores.ten.bare(&ECHO))?;
    let mut ten = EchoProcess::over_pipes(exec(stores.ten, &[], &ECHO))?;
    let mut hundred = EchoProcess::over_pipes(exec(stores.hundred, &[], &ECHO))?;
    let line = b"2026-11-23 10:11:12 INFO 10.0.3.4 \"GET /healthz HTTP/1.1\" 200 2\n";
    let series = alternate(
        1001,
        &mut [
            &mut |_| bare.round_trip(line),
            &mut |_| ten.round_trip(line),
            &mut |_| hundred.round_trip(line),
        ],
    )?;
    table::fine("a line to cat and back, by pipes");
    table::fine_base("bare", &series[0]);
    table::fine_over("10 secrets", &series[1], &series[0]);
    table::fine_over("100 secrets", &series[2], &series[0]);
    Ok(())
}

/// Measures the time until a terminal shows a typed key.
fn keys(stores: &Stores<'_>) -> anyhow::Result<()> {
    let mut bare = EchoProcess::at_terminal(stores.ten.bare(&ECHO))?;
    let mut ten = EchoProcess::at_terminal(exec(stores.ten, &[], &ECHO))?;
    let mut hundred = EchoProcess::at_terminal(exec(stores.hundred, &[], &ECHO))?;
    let first = [first_character()];
    let series = alternate(
        1001,
        &mut [
            &mut |_| bare.round_trip(b" "),
            &mut |_| ten.round_trip(b" "),
            &mut |_| hundred.round_trip(b" "),
        ],
    )?;
    let begins = alternate(31, &mut [&mut |_| ten.round_trip(&first)])?;
    table::fine("a key at a terminal, until it shows");
    table::fine_base("bare", &series[0]);
    table::fine_over("10 secrets", &series[1], &series[0]);
    table::fine_over("100 secrets", &series[2], &series[0]);
    table::fine_over("10 secrets, one of which begins so", &begins[0], &series[0]);
    Ok(())
}

/// Measures how fast a large log passes.
fn throughput(stores: &Stores<'_>) -> anyhow::Result<()> {
    let size = std::env::var(SIZE).map_or(Ok(1024), |size| size.parse::<u64>())?;
    let log = Log::new(size << 20)?;
    let cat = ["cat", log.argument()?];
    let store = stores.ten;
    let series = alternate(
        5,
        &mut [
            &mut |_| piped(&mut store.bare(&cat), &mut store.bare(&["cat"])),
            &mut |_| run(&mut exec(stores.ten, &[], &cat)),
            &mut |_| run(&mut exec(stores.hundred, &[], &cat)),
            &mut |_| run(&mut exec(stores.thousand, &[], &cat)),
        ],
    )?;
    table::block(&format!("exec -- cat of {size} MiB of log"), "speed");
    table::base("cat FILE | cat", &series[0]);
    table::speed("10 secrets", &series[1], &series[0], ">= 0.6x");
    table::speed("100 secrets", &series[2], &series[0], ">= 0.4x");
    table::speed("1,000 secrets", &series[3], &series[0], "");
    table::peaks();
    table::peak("10 secrets, <= 16", &series[1]);
    table::peak("100 secrets, <= 32", &series[2]);
    table::peak("1,000 secrets", &series[3]);
    Ok(())
}

fn exec(store: &Store, options: &[&str], command: &[&str]) -> std::process::Command {
    store.command(
        Caller::Machine,
        &[&["exec"], options, &["--"], command].concat(),
    )
}

/// A log file, which is removed on drop.
struct Log(PathBuf);

impl Log {
    fn new(length: u64) -> anyhow::Result<Self> {
        let name = format!("bench-{}.log", std::process::id());
        let file = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        log::write(&file.0, length)?;
        Ok(file)
    }

    fn argument(&self) -> anyhow::Result<&str> {
        self.0
            .to_str()
            .ok_or_else(|| anyhow::anyhow!("the path is not UTF-8"))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
