//! Measures how fast `vault` is, beside the budgets: `cargo bench --bench vault`.
//!
//! With the argument `start`, `masking`, `members`, or `store`, it measures that part only.
//!
//! It prints a table, but never fails, because the machine may be busy. A person compares the
//! figures with the budgets. Every row is next to the row that it is compared with, measured in the
//! same run.

mod echo;
mod log;
mod measure;
mod members;
mod merge;
mod runner;
mod store;
mod table;

use std::cell::RefCell;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use measure::{Cost, Series, alternate, run};
use runner::Stores;
use store::{Caller, Store, Values, name};

const MANY: usize = 10_000;

fn main() -> anyhow::Result<()> {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let wants = |part: &str| asked.is_empty() || asked.iter().any(|word| word == part);
    table::heading(store::binary())?;
    let hundred = Store::new(100)?;
    let thousand = Store::new(1000)?;
    let ten = Store::new(10)?;
    if wants("start") {
        start(&[
            (&Store::new(1)?, "1 secret", ""),
            (&ten, "10 secrets", "<= +2"),
            (&hundred, "100 secrets", "<= +4"),
            (&thousand, "1,000 secrets", "<= +16"),
        ])?;
        kinds(&Store::classic(10)?, &ten)?;
    }
    if wants("masking") {
        runner::measure(&Stores {
            ten: &ten,
            hundred: &hundred,
            thousand: &thousand,
        })?;
    }
    if wants("members") {
        members::measure()?;
        merge::measure()?;
    }
    if wants("store") {
        let many = Store::new(MANY)?;
        one_secret(&ten, &thousand, &many)?;
        whole(&many)?;
        bulk(&many)?;
        memory(&ten, &thousand, &many)?;
    }
    Ok(())
}

/// Measures how much later a command starts than without `vault`.
fn start(stores: &[(&Store, &str, &str)]) -> anyhow::Result<()> {
    const EXEC: [&str; 4] = ["exec", "--no-mask", "--", "true"];
    table::block("exec --no-mask -- true, over bare true", "+ ms");
    for (store, name, budget) in stores {
        let series = alternate(
            101,
            &mut [
                &mut |_| run(&mut store.bare(&["true"])),
                &mut |_| run(&mut store.command(Caller::Machine, &EXEC)),
                &mut |_| run(&mut store.command(Caller::Person, &EXEC)),
            ],
        )?;
        table::base("true", &series[0]);
        table::over(
            &format!("{name}, VAULT_KEY"),
            &series[1],
            &series[0],
            budget,
        );
        table::over(
            &format!("{name}, identity.txt"),
            &series[2],
            &series[0],
            budget,
        );
    }
    Ok(())
}

/// Measures how much later a command starts with a post-quantum key than with X25519 alone.
fn kinds(classic: &Store, hybrid: &Store) -> anyhow::Result<()> {
    const EXEC: [&str; 4] = ["exec", "--no-mask", "--", "true"];
    table::block("exec --no-mask -- true, post-quantum over X25519", "+ ms");
    for (caller, name) in [
        (Caller::Machine, "10 secrets, VAULT_KEY"),
        (Caller::Person, "10 secrets, identity.txt"),
    ] {
        let series = alternate(
            101,
            &mut [
                &mut |_| run(&mut classic.command(caller, &EXEC)),
                &mut |_| run(&mut hybrid.command(caller, &EXEC)),
            ],
        )?;
        table::base("X25519", &series[0]);
        table::over(name, &series[1], &series[0], "<= +0.5");
    }
    Ok(())
}

/// Measures commands that concern one or two secrets, in stores of all sizes.
fn one_secret(ten: &Store, thousand: &Store, many: &Store) -> anyhow::Result<()> {
    let stores = [(ten, "10"), (thousand, "1,000"), (many, "10,000")];
    let set = |store: &Store, name: &str, round: usize| {
        let file = store.file("value", &format!("value {round}"))?;
        run(&mut store.command(Caller::Person, &["set", name, "--file", &file]))
    };
    let names = format!("{},{}", name(3), name(7));
    let only = ["exec", "--only", &names, "--no-mask", "--", "true"];
    compare("get, in a store of", "<= 1.3x", stores, &|store, _| {
        run(&mut store.command(Caller::Person, &["get", &name(5)]))
    })?;
    compare("exec --only A,B, in a store of", "", stores, &|store, _| {
        run(&mut store.command(Caller::Machine, &only))
    })?;
    compare(
        "set of an existing name, in a store of",
        "<= 1.3x",
        stores,
        &|store, round| set(store, &name(5), round),
    )?;
    compare(
        "set of a new name, in a store of",
        "",
        stores,
        &|store, round| set(store, &format!("NEW_{round}"), round),
    )
}

type Work<'a> = &'a dyn Fn(&Store, usize) -> anyhow::Result<Cost>;

fn compare(
    title: &str,
    budget: &str,
    stores: [(&Store, &str); 3],
    work: Work<'_>,
) -> anyhow::Result<()> {
    let [(small, first), (middle, second), (large, third)] = stores;
    let series = alternate(
        51,
        &mut [
            &mut |round| work(small, round),
            &mut |round| work(middle, round),
            &mut |round| work(large, round),
        ],
    )?;
    table::block(title, "ratio");
    table::base(first, &series[0]);
    table::ratio(second, &series[1], &series[0], budget);
    table::ratio(third, &series[2], &series[0], budget);
    Ok(())
}

/// Measures commands that read and check the whole store.
fn whole(many: &Store) -> anyhow::Result<()> {
    let series = alternate(
        11,
        &mut [
            &mut |_| run(&mut many.command(Caller::Machine, &["list"])),
            &mut |_| run(&mut many.command(Caller::Machine, &["verify"])),
        ],
    )?;
    table::block("all of 10,000", "");
    table::base("list", &series[0]);
    table::base("verify", &series[1]);
    Ok(())
}

/// Measures commands that read, check, decrypt, encrypt, sign, and write many entries at once.
///
/// Every run has its own store, and no store is removed before the last run has ended. Otherwise, a
/// file system may be slow, because it reuses the inodes of files that were just removed.
fn bulk(many: &Store) -> anyhow::Result<()> {
    let sizes = many.entry_sizes()?;
    let used = RefCell::new(Vec::new());
    let import = |count, values| {
        let store = Store::new(count)?;
        let file = store.dotenv(MANY, values)?;
        rustix::fs::sync();
        let cost = run(&mut store.command(Caller::Person, &["import", &file]));
        used.borrow_mut().push(store);
        cost
    };
    let in_new_store = |arguments: &[&str]| {
        let store = Store::new(MANY)?;
        rustix::fs::sync();
        let cost = run(&mut store.command(Caller::Person, arguments));
        used.borrow_mut().push(store);
        cost
    };
    let series = alternate(
        5,
        &mut [
            &mut |_| {
                let store = Store::new(0)?;
                let cost = plain(&store.folder()?, &sizes);
                used.borrow_mut().push(store);
                cost
            },
            &mut |_| import(0, Values::First),
            &mut |_| in_new_store(&["rotate"]),
            &mut |_| in_new_store(&["members", "remove", "ci"]),
        ],
    )?;
    table::block("10,000 entries in one batch", "ratio");
    table::base("plain files of the same sizes, one sync", &series[0]);
    table::ratio("import of new names", &series[1], &series[0], "");
    table::ratio("rotation", &series[2], &series[0], "<= 5000 ms");
    table::ratio("removal of a member", &series[3], &series[0], "<= 5000 ms");
    Ok(())
}

fn plain(folder: &Path, sizes: &[usize]) -> anyhow::Result<Cost> {
    let content = vec![b'x'; sizes.iter().copied().max().unwrap_or_default()];
    rustix::fs::sync();
    let start = Instant::now();
    for (number, size) in sizes.iter().enumerate() {
        let mut file = fs::File::create_new(folder.join(name(number)))?;
        file.write_all(&content[..*size])?;
    }
    sync(&fs::File::open(folder)?)?;
    Ok(Cost {
        wall: start.elapsed(),
        cpu: Duration::ZERO,
        peak: 0,
    })
}

#[cfg(target_os = "linux")]
fn sync(folder: &fs::File) -> anyhow::Result<()> {
    Ok(rustix::fs::syncfs(folder)?)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
fn sync(_: &fs::File) -> anyhow::Result<()> {
    rustix::fs::sync();
    Ok(())
}

fn memory(ten: &Store, thousand: &Store, many: &Store) -> anyhow::Result<()> {
    let names = format!("{},{}", name(3), name(7));
    let only = ["exec", "--only", &names, "--no-mask", "--", "true"];
    let all = ["exec", "--no-mask", "--", "true"];
    let file = many.dotenv(MANY, Values::Second)?;
    let peak = |row: &str, store: &Store, arguments: &[&str]| {
        let series = alternate(
            3,
            &mut [&mut |_| run(&mut store.command(Caller::Person, arguments))],
        )?;
        table::peak(row, &series[0]);
        anyhow::Ok(())
    };
    table::peaks();
    let bare: Vec<Series> = alternate(3, &mut [&mut |_| run(&mut ten.bare(&["true"]))])?;
    table::peak("true (the least that can be measured)", &bare[0]);
    peak("exec --only A,B, store of 10", ten, &only)?;
    peak("exec --only A,B, store of 10,000", many, &only)?;
    peak("exec of 1,000", thousand, &all)?;
    peak("verify of 10,000", many, &["verify"])?;
    peak("import of 10,000", many, &["import", &file])?;
    peak("rotation of 10,000", many, &["rotate"])
}
