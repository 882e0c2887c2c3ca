//! What a run costs: time, processor time, peak memory.

use std::io::{self, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// The cost of one run.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system together.
    pub(crate) cpu: Duration,
    /// The largest resident size, in KiB. The kernel counts what the process was before it became
    /// the program too, so it is never below the size of this benchmark.
    pub(crate) peak: u64,
}

/// Runs `command`, silent and without input, which must succeed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<Cost> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let child = command.spawn()?;
    let cost = end(&child)?;
    Ok(Cost { wall: start.elapsed(), ..cost })
}

/// As [`run`], but the time is that until the first byte of its output.
pub(crate) fn first_byte(command: &mut Command) -> anyhow::Result<Cost> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn()?;
    let mut output = child.stdout.take().context("a pipe was asked for")?;
    output.read_exact(&mut [0])?;
    let wall = start.elapsed();
    io::copy(&mut output, &mut io::sink())?;
    Ok(Cost { wall, ..end(&child)? })
}

/// Runs `first | second`, silent and without input.
pub(crate) fn piped(first: &mut Command, second: &mut Command) -> anyhow::Result<Cost> {
    first.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let start = Instant::now();
    let mut writer = first.spawn()?;
    let pipe = writer.stdout.take().context("a pipe was asked for")?;
    let reader = second.stdin(pipe).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // The pipe must have one reader, which is not us.
    second.stdin(Stdio::null());
    let (wrote, read) = (end(&writer)?, end(&reader)?);
    let (cpu, peak) = (wrote.cpu + read.cpu, wrote.peak.max(read.peak));
    Ok(Cost { wall: start.elapsed(), cpu, peak })
}

/// Waits for the child, which must succeed.
fn end(child: &Child) -> anyhow::Result<Cost> {
    let (status, usage) = wait(child.id())?;
    anyhow::ensure!(status == 0, "a run ended with wait status {status}");
    let time = |time: libc::timeval| {
        let micros = u64::try_from(time.tv_usec).unwrap_or_default();
        Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or_default())
            + Duration::from_micros(micros)
    };
    // macOS counts in bytes.
    let unit = if cfg!(target_os = "macos") { 1024 } else { 1 };
    let peak = u64::try_from(usage.ru_maxrss).unwrap_or_default() / unit;
    Ok(Cost { wall: Duration::ZERO, cpu: time(usage.ru_utime) + time(usage.ru_stime), peak })
}

#[expect(unsafe_code, reason = "the usage of one child is told by wait4 only")]
fn wait(child: u32) -> anyhow::Result<(i32, libc::rusage)> {
    let mut status = 0;
    // SAFETY: a zeroed `rusage` is a valid one.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both places are ours and live through the call; the child is ours and nobody else
    // waits for it.
    let waited = unsafe { libc::wait4(child.cast_signed(), &raw mut status, 0, &raw mut usage) };
    anyhow::ensure!(waited > 0, "could not wait for a run: {}", io::Error::last_os_error());
    Ok((status, usage))
}

/// The costs of one case, in the order of its runs.
pub(crate) struct Series(Vec<Cost>);

/// Median and minimum.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
}

impl Series {
    /// Wall time, in ms.
    pub(crate) fn wall(&self) -> Spread {
        spread(self.0.iter().map(|cost| milliseconds(cost.wall)))
    }

    /// Processor time, in ms.
    pub(crate) fn cpu(&self) -> Spread {
        spread(self.0.iter().map(|cost| milliseconds(cost.cpu)))
    }

    /// How many ms longer than `base`: the median over the pairs, and between the fastest runs.
    pub(crate) fn over(&self, base: &Self) -> Spread {
        let pairs = self.0.iter().zip(&base.0);
        let longer = pairs.map(|(own, base)| milliseconds(own.wall) - milliseconds(base.wall));
        Spread { least: self.wall().least - base.wall().least, ..spread(longer) }
    }

    /// How many times as long as `base`, likewise.
    pub(crate) fn times(&self, base: &Self) -> Spread {
        let pairs = self.0.iter().zip(&base.0);
        let times = pairs.map(|(own, base)| milliseconds(own.wall) / milliseconds(base.wall));
        Spread { least: self.wall().least / base.wall().least, ..spread(times) }
    }

    /// The peak memory of the median run, in MiB.
    pub(crate) fn peak(&self) -> f64 {
        let peaks = self.0.iter().map(|cost| u32::try_from(cost.peak).unwrap_or(u32::MAX));
        spread(peaks.map(|peak| f64::from(peak) / 1024.0)).median
    }
}

/// Runs each of `cases` once in every round, one after another, so that a noisy moment of the
/// machine meets all of them.
pub(crate) fn alternate(
    rounds: usize,
    cases: &mut [&mut dyn FnMut(usize) -> anyhow::Result<Cost>],
) -> anyhow::Result<Vec<Series>> {
    let mut series: Vec<Series> = cases.iter().map(|_| Series(Vec::new())).collect();
    for round in 0..rounds {
        for (case, series) in cases.iter_mut().zip(&mut series) {
            series.0.push(case(round)?);
        }
    }
    Ok(series)
}

fn spread(values: impl Iterator<Item = f64>) -> Spread {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    Spread { median: values[values.len() / 2], least: values[0] }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
