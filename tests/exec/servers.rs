//! gunicorn and celery: servers that are controlled by signals.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::facts::{children, wait_for, wait_for_file, wait_until_gone};
use crate::support::machine::all_is_wanted;
use crate::support::running::Running;
use crate::support::running::Status::Code;
use crate::support::scene::{Way, same};
use crate::support::site::Site;
use crate::support::terminal::Terminal;

/// Waits until the process has `count` children, and returns them.
#[track_caller]
fn workers(master: Pid, count: usize) -> Vec<Pid> {
    wait_for(&format!("{count} workers"), || {
        Some(children(master)).filter(|workers| workers.len() == count)
    })
}

fn gunicorn(site: &Site, way: Way) -> (Running, Pid) {
    let pid_file = site.scene().path("gunicorn.pid");
    let _ = fs::remove_file(&pid_file);
    let address = site.address();
    let pid_path = pid_file.display().to_string();
    let words = [
        "gunicorn",
        "--no-control-socket",
        "-b",
        &address,
        "-w",
        "1",
        "--pid",
        &pid_path,
        "wsgi",
    ];
    let mut running = site.launch(way, &words).start();
    running.errors.sees("Listening at");
    let master = crate::support::facts::pid_in(&pid_file);
    (running, master)
}

#[test]
fn gunicorn_obeys_hup_ttin_ttou_and_term() {
    if !all_is_wanted() {
        return;
    }
    let ended = same(|way| {
        let site = Site::new();
        let (mut running, master) = gunicorn(&site, way);
        site.shows("/", "version one");
        let before = workers(master, 1);
        running.signal(Signal::TTIN);
        running.errors.sees("Handling signal: ttin");
        workers(master, 2);
        running.signal(Signal::TTOU);
        running.errors.sees("Handling signal: ttou");
        workers(master, 1);
        running.signal(Signal::HUP);
        running.errors.sees("Handling signal: hup");
        for worker in before {
            wait_until_gone(worker);
        }
        site.shows("/", "version one");
        running.signal(Signal::TERM);
        running.errors.sees("Handling signal: term");
        let end = running.end();
        site.is_abandoned();
        let shown = if way == Way::Masked {
            "***"
        } else {
            crate::support::scene::SECRET
        };
        assert!(
            end.output.starts_with(&format!("serving with {shown}\n")),
            "{}",
            end.output
        );
        end.status
    });
    assert_eq!(ended, Code(0));
}

#[test]
fn gunicorn_replaces_itself_on_usr2() {
    if !all_is_wanted() {
        return;
    }
    let ended = same(|way| {
        let site = Site::new();
        let (mut running, master) = gunicorn(&site, way);
        site.shows("/", "version one");
        running.signal(Signal::USR2);
        let new = crate::support::facts::pid_in(&site.scene().path("gunicorn.pid.2"));
        running.errors.sees("Listening at");
        workers(new, 1);
        // The old server ends, and so does `vault`, which waited for it. The new server continues.
        running.signal(Signal::TERM);
        let status = running.status();
        wait_until_gone(master);
        site.shows("/", "version one");
        kill_process(new, Signal::TERM).unwrap();
        wait_until_gone(new);
        site.is_abandoned();
        status
    });
    assert_eq!(ended, Code(0));
}

#[test]
fn celery_finishes_its_task_on_term() {
    if !all_is_wanted() {
        return;
    }
    let words = [
        "celery",
        "-A",
        "work",
        "worker",
        "--pool=prefork",
        "-c",
        "1",
        "-l",
        "INFO",
        "--without-mingle",
        "--without-gossip",
    ];
    let ended = same(|way| {
        let site = Site::new();
        let path = |name| site.scene().path(name);
        let mut running = site.launch(way, &words).start();
        let send = ["celery", "-A", "work", "call", "work.wait"];
        assert_eq!(site.launch(way, &send).start().end().status, Code(0));
        wait_for_file(&path("started"));
        running.signal(Signal::TERM);
        running.output.sees("Warm shutdown (MainProcess)");
        assert!(!path("finished").exists());
        site.scene().write("go", "");
        let end = running.end();
        assert_eq!(wait_for_file(&path("finished")), "finished\n");
        let text = end.output + &end.said;
        assert_eq!(
            text.contains("working with ***\n"),
            way == Way::Masked,
            "{text}"
        );
        assert_eq!(text.contains("canary"), way != Way::Masked, "{text}");
        end.status
    });
    assert_eq!(ended, Code(0));
}

#[test]
fn celery_shuts_down_warmly_on_one_ctrl_c() {
    if !all_is_wanted() {
        return;
    }
    let words = [
        "celery",
        "-A",
        "work",
        "worker",
        "--pool=solo",
        "-l",
        "INFO",
        "--without-mingle",
        "--without-gossip",
    ];
    same(|way| {
        let site = Site::new();
        let mut terminal = Terminal::start(&site.launch(way, &words));
        terminal.sees(" ready.");
        terminal.types("\x03");
        let (status, screen) = terminal.ends();
        assert!(screen.contains("Warm shutdown"), "{screen}");
        assert!(!screen.contains("Cold shutdown"), "{screen}");
        status
    });
}
