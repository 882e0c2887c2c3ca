//! The cost of a run: time, processor time, and peak memory.

use std::io::{self, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// The cost of one run.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time together.
    pub(crate) cpu: Duration,
    /// The largest resident size, in KiB. The kernel also counts the process before `exec`, so it
    /// is never below the size of this benchmark.
    pub(crate) peak: u64,
}

/// Runs `command` without input or output. It must succeed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<Cost> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = Instant::now();
    let child = command.spawn()?;
    let cost = end(&child)?;
    Ok(Cost {
        wall: start.elapsed(),
        ..cost
    })
}

/// Runs `command` as [`run`] does, but measures the time until the first byte of its output.
pub(crate) fn first_byte(command: &mut Command) -> anyhow::Result<Cost> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn()?;
    let mut output = child.stdout.take().context("stdout is a pipe")?;
    output.read_exact(&mut [0])?;
    let wall = start.elapsed();
    io::copy(&mut output, &mut io::sink())?;
    Ok(Cost {
        wall,
        ..end(&child)?
    })
}

/// Runs `first | second` without input or output.
pub(crate) fn piped(first: &mut Command, second: &mut Command) -> anyhow::Result<Cost> {
    first
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let start = Instant::now();
    let mut writer = first.spawn()?;
    let pipe = writer.stdout.take().context("stdout is a pipe")?;
    let reader = second
        .stdin(pipe)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Close our end of the pipe, so that `second` is its only reader.
    second.stdin(Stdio::null());
    let (wrote, read) = (end(&writer)?, end(&reader)?);
    let (cpu, peak) = (wrote.cpu + read.cpu, wrote.peak.max(read.peak));
    Ok(Cost {
        wall: start.elapsed(),
        cpu,
        peak,
    })
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
    Ok(Cost {
        wall: Duration::ZERO,
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak,
    })
}

#[expect(unsafe_code, reason = "only wait4 reports the usage of one child")]
fn wait(child: u32) -> anyhow::Result<(i32, libc::rusage)> {
    let mut status = 0;
    // SAFETY: a zeroed `rusage` is valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid for the whole call. The child is ours, and no one else waits
    // for it.
    let waited = unsafe { libc::wait4(child.cast_signed(), &raw mut status, 0, &raw mut usage) };
    anyhow::ensure!(
        waited > 0,
        "could not wait for a run: {}",
        io::Error::last_os_error()
    );
    Ok((status, usage))
}

/// The costs of one case, in the order of its runs.
pub(crate) struct Series(Vec<Cost>);

/// The median and the minimum.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
}

impl Series {
    /// Returns the wall time, in ms.
    pub(crate) fn wall(&self) -> Spread {
        spread(self.0.iter().map(|cost| milliseconds(cost.wall)))
    }

    /// Returns the processor time, in ms.
    pub(crate) fn cpu(&self) -> Spread {
        spread(self.0.iter().map(|cost| milliseconds(cost.cpu)))
    }

    /// Returns how many ms longer than `base` it took: the median over the pairs of runs, and the
    /// difference between the fastest runs.
    pub(crate) fn over(&self, base: &Self) -> Spread {
        let pairs = self.0.iter().zip(&base.0);
        let longer = pairs.map(|(own, base)| milliseconds(own.wall) - milliseconds(base.wall));
        Spread {
            least: self.wall().least - base.wall().least,
            ..spread(longer)
        }
    }

    /// Returns how many times as long as `base` it took, likewise.
    pub(crate) fn times(&self, base: &Self) -> Spread {
        let pairs = self.0.iter().zip(&base.0);
        let times = pairs.map(|(own, base)| milliseconds(own.wall) / milliseconds(base.wall));
        Spread {
            least: self.wall().least / base.wall().least,
            ..spread(times)
        }
    }

    /// Returns the median of the peak memory, in MiB.
    pub(crate) fn peak(&self) -> f64 {
        let peaks = self
            .0
            .iter()
            .map(|cost| u32::try_from(cost.peak).unwrap_or(u32::MAX));
        spread(peaks.map(|peak| f64::from(peak) / 1024.0)).median
    }
}

/// Runs each of `cases` once per round, so that a busy moment of the machine affects all of them.
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
    Spread {
        median: values[values.len() / 2],
        least: values[0],
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
