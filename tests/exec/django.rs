//! Django's commands: the server that reloads itself, the debug page, prompts, and a shell.

use std::fs::{self, File};
use std::time::SystemTime;

use rustix::process::Signal;

use crate::support::facts::wait_for;
use crate::support::running::Status::Code;
use crate::support::scene::{MASK, SECRET, Way, same};
use crate::support::site::{Site, edit};
use crate::support::terminal::Terminal;

#[test]
fn runserver_reloads_and_ends_on_one_ctrl_c() {
    let status = same(|way| {
        let site = Site::new();
        let words = [
            "python",
            "manage.py",
            "runserver",
            "--skip-checks",
            &site.address(),
        ];
        let mut terminal = Terminal::start(&site.launch(way, &words));
        terminal.sees("Quit the server with CONTROL-C.");
        site.shows("/", "version one");
        let urls = site.scene().sandbox().repo().join("urls.py");
        edit(&urls, "\"one\"", "\"two\"");
        // The server does not notice a change that comes before it has first looked at the file.
        wait_for("a reload", || {
            File::options()
                .write(true)
                .open(&urls)
                .unwrap()
                .set_modified(SystemTime::now())
                .unwrap();
            terminal
                .screen
                .text()
                .contains("urls.py changed, reloading.")
                .then_some(())
        });
        terminal.sees("urls.py changed, reloading.");
        terminal.sees("Quit the server with CONTROL-C.");
        site.shows("/", "version two");
        terminal.types("\x03");
        let (status, _) = terminal.ends();
        site.is_abandoned();
        status
    });
    assert_eq!(status, Code(0));
}

#[test]
fn server_log_and_debug_page_hide_the_secret() {
    let site = Site::new();
    let words = [
        "python",
        "manage.py",
        "runserver",
        "--noreload",
        &site.address(),
    ];
    let mut server = site
        .launch(Way::Masked, &words)
        .variable("PYTHONUNBUFFERED", "1")
        .start();
    server.output.sees("Starting development server");
    site.shows("/", "version one");
    // The page does not pass through a stream of the server, only through one of the program that
    // fetches it.
    let fetch = "
import os, sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1])
except urllib.error.HTTPError as error:
    sys.stdout.buffer.write(error.read())
";
    let url = format!("http://{}/fail", site.address());
    let [bare, masked] = [Way::Bare, Way::Masked].map(|way| {
        let end = site
            .launch(way, &["python", "-c", fetch, &url])
            .start()
            .end();
        assert_eq!((end.status, end.said.as_str()), (Code(0), ""));
        end.output
    });
    assert!(bare.contains(SECRET) && bare.contains("RuntimeError"));
    check(&masked);
    server.errors.sees("RuntimeError: could not connect to");
    server.signal(Signal::INT);
    let end = server.end();
    check(&end.said);
    site.is_abandoned();
}

/// Checks that a text that contained the secret still has everything else.
fn check(text: &str) {
    assert!(
        text.contains(&format!("postgres://shop:{MASK}@db/shop")),
        "{text}"
    );
    for part in [SECRET, "canary", "7hG+bird", "7hG%2Bbird", "bird value"] {
        assert!(!text.contains(part), "{part} in {text}");
    }
}

#[test]
fn debug_page_in_a_test_hides_the_secret() {
    let site = Site::new();
    let program = "
import django, os
os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'
django.setup()
from django.test import Client
answer = Client(raise_request_exception=False).get('/fail')
print(answer.status_code, answer.content.decode())
";
    let end = site
        .launch(Way::Masked, &["python", "-c", program])
        .start()
        .end();
    assert_eq!(end.status, Code(0), "{}", end.said);
    assert!(end.output.starts_with("500 "), "{}", end.output);
    check(&end.output);
    check(&end.said);
}

#[test]
fn createsuperuser_asks_and_shows_no_password() {
    let site = Site::new();
    let migrate = ["python", "manage.py", "migrate", "-v", "0"];
    let end = site.launch(Way::Masked, &migrate).start().end();
    assert_eq!(
        (end.status, end.output.as_str(), end.said.as_str()),
        (Code(0), "", "")
    );
    let database = site.scene().sandbox().repo().join("database.sqlite3");
    let migrated = site.scene().path("migrated");
    fs::copy(&database, &migrated).unwrap();
    let shown = same(|way| {
        fs::copy(&migrated, &database).unwrap();
        let words = ["python", "manage.py", "createsuperuser"];
        let mut terminal = Terminal::start(&site.launch(way, &words));
        terminal.sees("Username (leave blank to use");
        terminal.types("alice\n");
        terminal.sees("Email address: ");
        terminal.types("alice@example.com\n");
        for prompt in ["Password: ", "Password (again): "] {
            terminal.sees(prompt);
            terminal.types("hidden words 4 her\n");
        }
        terminal.sees("Superuser created successfully.");
        let ended = terminal.ends();
        assert!(!ended.1.contains("hidden words"), "{}", ended.1);
        let ask = "from django.contrib.auth.models import User; print(list(User.objects.all()))";
        let words = ["python", "manage.py", "shell", "-v", "0", "-c", ask];
        let end = site.launch(way, &words).start().end();
        assert_eq!(
            (end.output.as_str(), end.said.as_str()),
            ("[<User: alice>]\n", "")
        );
        ended
    });
    assert_eq!(shown.0, Code(0));
}

#[test]
fn manage_py_shell_works_and_hides_the_secret() {
    let site = Site::new();
    let words = ["python", "manage.py", "shell", "--interface", "python"];
    let mut terminal = Terminal::start(&site.launch(Way::Masked, &words));
    terminal.sees(">>> ");
    terminal.types("6 * 7\n");
    terminal.sees("42\r\n");
    terminal.types("import os; os.environ['SECRET']\n");
    terminal.sees(&format!("'{MASK}'\r\n"));
    terminal.types("raise ValueError(os.environ['SECRET'])\n");
    terminal.sees(&format!("ValueError: {MASK}\r\n"));
    // Ctrl-C ends the running statement, but not the shell.
    // Short sleeps, because Python looks for a signal only between them.
    terminal.types(
        "import time; print('wait' + 'ing', flush=True); [time.sleep(0.01) for _ in iter(int, 1)]\n",
    );
    terminal.sees("waiting\r\n");
    terminal.types("\x03");
    terminal.sees("KeyboardInterrupt\r\n");
    terminal.sees(">>> ");
    terminal.types("\x04");
    let (status, screen) = terminal.ends();
    assert_eq!(status, Code(0));
    assert!(!screen.contains("canary"), "{screen}");
}
