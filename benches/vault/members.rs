//! What many members cost: the start of a command, adding a member, setting a secret, and removing a
//! member, each beside a vault with few.

use std::fs;

use anyhow::Context as _;
use repovault::crypto::{Identity, NativeKind, SigningKey};
use repovault::platform::Dir;
use repovault::vault::format::write_member;
use repovault::vault::holder::Holder;
use repovault::vault::model::{Access, Member};
use repovault::vault::name::{EnvironmentName, MemberName};
use repovault::vault::signing::RootSigner;
use repovault::vault::store::Tree;
use repovault::vault::trust::UnverifiedRoot;

use crate::measure::{Cost, alternate, run};
use crate::store::{Caller, Store, name};
use crate::table;

const EXEC: [&str; 4] = ["exec", "--no-mask", "--", "true"];

/// A store with this many members who can read its environment.
fn with_members(secrets: usize, members: usize) -> anyhow::Result<Store> {
    let store = Store::new(secrets)?;
    let text = fs::read_to_string(store.identity())?;
    let line = text
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"));
    let identity = line.and_then(Identity::parse).context("an identity")?;
    let dir = Dir::open(&store.vault())
        .ok()
        .flatten()
        .context("a vault")?;
    let vault = UnverifiedRoot::read(Tree::Working(dir))?.into_vault()?;
    let own = vault.member_with(&identity.recipient())?;
    let (own, member) = own.context("a member")?;
    let holder = Holder::new(&vault, &own, &member, &identity);
    let place: EnvironmentName = "production".parse()?;
    let environment = vault.environment(&place)?;
    let keys = holder.unlock(environment, [environment.newest().commitment])?;
    let authority: SigningKey = holder.authority()?;
    let signer = RootSigner::new(&authority);
    for number in 0..members {
        let name: MemberName = format!("reader-{number:04}").parse()?;
        let mut member = Member::new(Identity::generate(NativeKind::Hybrid).recipient());
        member.access.insert(place.clone(), Access::Read);
        signer.seal_to(&mut member, &place, keys.data_key(environment.newest())?);
        let file = write_member(&vault.root().vault, &name, &member, &authority);
        fs::write(store.vault().join(format!("members/{name}.toml")), file)?;
    }
    Ok(store)
}

pub(crate) fn measure() -> anyhow::Result<()> {
    let few = with_members(10, 0)?;
    let some = with_members(10, 20)?;
    let many = with_members(10, 2000 - 8)?;
    // Every newest epoch is sealed to all of them, and the root says so.
    for store in [&few, &some, &many] {
        run(&mut store.command(Caller::Person, &["rotate", "-e", "production"]))?;
    }
    start(&few, &some, &many)?;
    set(&few, &some, &many)?;
    change(&few, &many)?;
    long_history()?;
    many_entries()
}

fn start(few: &Store, some: &Store, many: &Store) -> anyhow::Result<()> {
    let series = alternate(
        51,
        &mut [
            &mut |_| run(&mut few.command(Caller::Machine, &EXEC)),
            &mut |_| run(&mut some.command(Caller::Machine, &EXEC)),
            &mut |_| run(&mut many.command(Caller::Machine, &EXEC)),
        ],
    )?;
    table::block("exec --no-mask -- true, 10 secrets, members:", "+ ms");
    table::base("2", &series[0]);
    table::over("22", &series[1], &series[0], "<= +0.2");
    table::over("2,000", &series[2], &series[0], "<= +2");
    Ok(())
}

fn set(few: &Store, some: &Store, many: &Store) -> anyhow::Result<()> {
    let set = |store: &Store, round: usize| {
        let file = store.file("value", &format!("value {round}"))?;
        run(&mut store.command(Caller::Person, &["set", &name(5), "--file", &file]))
    };
    let series = alternate(
        31,
        &mut [
            &mut |round| set(few, round),
            &mut |round| set(some, round),
            &mut |round| set(many, round),
        ],
    )?;
    table::block("set of an existing name, members:", "+ ms");
    table::base("2", &series[0]);
    table::over("22", &series[1], &series[0], "<= +1");
    table::over("2,000", &series[2], &series[0], "<= +60");
    Ok(())
}

fn add(store: &Store, round: usize) -> anyhow::Result<Cost> {
    let recipient = Identity::generate(NativeKind::Hybrid)
        .recipient()
        .to_string();
    let name = format!("new-{round}");
    let words = ["members", "add", &name, "--recipient", &recipient];
    let access = ["-e", "production=read"];
    run(&mut store.command(Caller::Person, &[&words[..], &access].concat()))
}

fn remove(store: &Store, round: usize) -> anyhow::Result<Cost> {
    let name = format!("new-{round}");
    run(&mut store.command(Caller::Person, &["members", "remove", &name]))
}

/// Adding a member searches the commits of the clone for an earlier owner of the name.
fn long_history() -> anyhow::Result<()> {
    let (short, long) = (Store::new(10)?, Store::new(10)?);
    short.commit(1)?;
    long.commit(10_000)?;
    let series = alternate(
        11,
        &mut [&mut |round| add(&short, round), &mut |round| {
            add(&long, round)
        }],
    )?;
    table::block("members add, commits in the clone:", "+ ms");
    table::base("1", &series[0]);
    table::over("10,000", &series[1], &series[0], "<= 150 in all");
    Ok(())
}

fn many_entries() -> anyhow::Result<()> {
    let (few, many) = (Store::new(10)?, Store::new(10_000)?);
    for round in 0..3 {
        add(&few, round)?;
        add(&many, round)?;
    }
    let series = alternate(
        3,
        &mut [&mut |round| remove(&few, round), &mut |round| {
            remove(&many, round)
        }],
    )?;
    table::block("members remove, entries:", "+ ms");
    table::base("10", &series[0]);
    table::over("10,000", &series[1], &series[0], "<= 5000 in all");
    Ok(())
}

fn change(few: &Store, many: &Store) -> anyhow::Result<()> {
    let series = alternate(
        5,
        &mut [&mut |round| add(few, round), &mut |round| add(many, round)],
    )?;
    table::block("members add, members:", "+ ms");
    table::base("2", &series[0]);
    table::over("2,000", &series[1], &series[0], "<= +60");
    let series = alternate(
        5,
        &mut [&mut |round| remove(few, round), &mut |round| {
            remove(many, round)
        }],
    )?;
    table::block("members remove, members:", "+ ms");
    table::base("2", &series[0]);
    table::over("2,000", &series[1], &series[0], "");
    Ok(())
}
