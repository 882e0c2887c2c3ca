//! Prints the table, row by row.
#![expect(
    clippy::print_stdout,
    reason = "the table is what a benchmark is run for"
)]

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use crate::measure::Series;

/// Prints the facts that the figures depend on: the binary and the machine.
pub(crate) fn heading(binary: &Path) -> anyhow::Result<()> {
    let cores = available_parallelism()?;
    println!(
        "vault {}; {cores} cores; {} {} {}; {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        fs::read_to_string("/proc/sys/kernel/osrelease")
            .unwrap_or_default()
            .trim(),
        std::env::consts::ARCH,
        processor().unwrap_or_default()
    );
    println!("Times in ms. Every round runs each row of a block once; differences and ratios are");
    println!("medians over the rounds, then those between the fastest runs.");
    let size = f64::from(u32::try_from(fs::metadata(binary)?.len())?) / 1e6;
    println!(
        "\n{:<44} {size:>8.2} {:>50}",
        "size of the binary, MB", "<= 8"
    );
    Ok(())
}

fn processor() -> Option<String> {
    let facts = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = facts.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(": ")?.1.to_owned())
}

/// Prints the heading of a block.
pub(crate) fn block(title: &str, difference: &str) {
    println!(
        "\n{title:<44} {:>8} {:>8} {:>8} {difference:>10} {:>8} {:>12}",
        "median", "min", "cpu", "(min)", "budget"
    );
}

/// Prints the row that the others of its block are compared with.
pub(crate) fn base(name: &str, own: &Series) {
    println!("{}", times(name, own));
}

/// Prints a row with its difference from the base, in ms.
pub(crate) fn over(name: &str, own: &Series, base: &Series, budget: &str) {
    let over = own.over(base);
    let start = times(name, own);
    println!(
        "{start} {:>+10.2} {:>+8.2} {budget:>12}",
        over.median, over.least
    );
}

/// Prints a row as a multiple of the base.
pub(crate) fn ratio(name: &str, own: &Series, base: &Series, budget: &str) {
    let ratio = own.times(base);
    let start = times(name, own);
    println!(
        "{start} {:>9.2}x {:>7.2}x {budget:>12}",
        ratio.median, ratio.least
    );
}

/// Prints a row with its speed as a multiple of the base's speed.
pub(crate) fn speed(name: &str, own: &Series, base: &Series, budget: &str) {
    let speed = base.times(own);
    let start = times(name, own);
    println!(
        "{start} {:>9.2}x {:>7.2}x {budget:>12}",
        speed.median, speed.least
    );
}

/// Prints the heading of a block of short times.
pub(crate) fn fine(title: &str) {
    println!(
        "\n{title:<44} {:>8} {:>8} {:>8} {:>10} {:>8}",
        "median", "min", "", "+ us", "(min)"
    );
}

/// Prints the row that the others of its block are compared with, in microseconds.
pub(crate) fn fine_base(name: &str, own: &Series) {
    println!("{}", fine_times(name, own));
}

/// Prints a row with its difference from the base, in microseconds.
pub(crate) fn fine_over(name: &str, own: &Series, base: &Series) {
    let over = own.over(base);
    let (median, least) = (over.median * 1000.0, over.least * 1000.0);
    println!(
        "{} {:>8} {median:>+10.0} {least:>+8.0}",
        fine_times(name, own),
        ""
    );
}

fn fine_times(name: &str, own: &Series) -> String {
    let wall = own.wall();
    format!(
        "  {name:<42} {:>8.0} {:>8.0}",
        wall.median * 1000.0,
        wall.least * 1000.0
    )
}

/// Prints the heading of the block of peak memory.
pub(crate) fn peaks() {
    println!("\n{:<44} {:>8}", "peak memory, MiB", "median");
}

/// Prints a row of peak memory.
pub(crate) fn peak(name: &str, own: &Series) {
    println!("  {name:<42} {:>8.1}", own.peak());
}

fn times(name: &str, own: &Series) -> String {
    let wall = own.wall();
    format!(
        "  {name:<42} {:>8.2} {:>8.2} {:>8.2}",
        wall.median,
        wall.least,
        own.cpu().median
    )
}
