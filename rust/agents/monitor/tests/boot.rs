//! The binary itself: boots, is scraped, drains, refuses.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use agent_testkit::monitor_host;

/// A running daemon; killed when the test ends, however it ends.
struct Daemon {
    child: Child,
    address: String,
    log: BufReader<std::process::ChildStderr>,
}

impl Daemon {
    fn start(tree: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_monitor-agent"));
        command.args(["--listen", "127.0.0.1:0", "--log.format", "json"]);
        for (flag, folder) in [
            ("--path.procfs", "proc"),
            ("--path.sysfs", "sys"),
            ("--path.rootfs", "root"),
            ("--collector.textfile.directory", "textfile"),
        ] {
            command.arg(flag).arg(tree.join(folder));
        }
        Self::spawn(command.args(more))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let event: serde_json::Value = serde_json::from_str(&line).expect(&line);
        assert_eq!(event["message"], "listening");
        let address = event["address"].as_str().unwrap().to_string();
        Self {
            child,
            address,
            log,
        }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer[9..12].parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, body.to_string())
    }

    /// SIGTERM; the exit status and the rest of the log.
    fn stop(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        (status.code(), rest)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn boots_is_scraped_and_drains() {
    let daemon = Daemon::start(&monitor_host("debian12"), &[]);
    let (status, page) = daemon.get("/metrics");
    assert_eq!(status, 200);
    for line in [
        "node_load1 2.94",
        "node_textfile_scrape_error 1",
        "agentcore_release_info{release=\"0.1.0-01234567\",flavor=\"native\"} 1",
        "agentcore_monitor_scrapes_total 1",
        "# TYPE agentcore_monitor_scrapes_total counter",
        concat!(
            "agentcore_service_info{service=\"monitor-agent\",implementation=\"native\",version=\"",
            env!("CARGO_PKG_VERSION"),
            "\"} 1"
        ),
    ] {
        assert!(page.lines().any(|one| one == line), "{line}\n{page}");
    }
    assert!(!page.contains("# EOF"));
    let (status, body) = daemon.get("/readyz");
    assert_eq!(status, 200);
    assert!(body.contains("\"status\":\"ready\"") && body.contains("\"monitor-agent\""));
    assert_eq!(daemon.get("/healthz"), (200, "ok\n".into()));
    assert_eq!(daemon.get("/metrics").0, 200);
    let (_, page) = daemon.get("/metrics?collect[]=loadavg&collect%5B%5D=time");
    assert!(page.contains("node_load1 ") && !page.contains("node_memory"));
    let (status, body) = daemon.get("/metrics?collect[]=nothing");
    assert_eq!(status, 400);
    assert!(body.contains("there is no collector"), "{body}");
    let (status, _) = daemon.get("/metrics?collect[]=cpu&exclude[]=cpu");
    assert_eq!(status, 400);
    let probe = |path: &str| {
        Command::new(env!("CARGO_BIN_EXE_monitor-agent"))
            .args(["probe", &format!("http://{}{path}", daemon.address)])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .code()
    };
    assert_eq!(probe("/readyz"), Some(0));
    assert_eq!(probe("/nothing"), Some(1));
    let begin = Instant::now();
    let (code, log) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert!(log.contains("\"signal\":\"SIGTERM\""), "{log}");
    // What is wrong with the tree was logged once, not at each of the scrapes.
    assert_eq!(log.matches("steals.prom").count(), 1, "{log}");
    assert!(!log.contains("recovered"), "{log}");
}

#[test]
fn bad_flags_exit_64_before_anything_listens() {
    for (args, parts) in [
        (
            &["--listen", "127.0.0.1:99999"][..],
            &["--listen", "127.0.0.1:99999", "0 to 65535"][..],
        ),
        (
            &["--log.format", "xml"],
            &["--log.format", "xml", "text, json"],
        ),
        (
            &["--path.procfs", "/nonexistent"],
            &["--path.procfs /nonexistent", "expected a mounted tree"],
        ),
        (
            &["--path.procfs", "/tmp"],
            &["--path.procfs /tmp", "there is no file stat", "/host/proc"],
        ),
        (&["--web.listen"], &["--web.listen"]),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_monitor-agent"))
            .args(args)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{args:?}: {errors}");
        for part in parts {
            assert!(errors.contains(part), "{args:?}: {errors}");
        }
    }
}

#[test]
fn a_taken_port_exits_1_and_names_it() {
    let daemon = Daemon::start(&monitor_host("debian12"), &[]);
    let output = Command::new(env!("CARGO_BIN_EXE_monitor-agent"))
        .args(["--listen", &daemon.address])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains(&format!("cannot listen on {}", daemon.address)),
        "{errors}"
    );
}

/// A real FUSE mount whose server never answers, in a mount namespace of its own. Where the machine
/// doesn't allow that (no root, no /dev/fuse), the statter's own test stands for it.
#[test]
fn a_hung_mount_does_not_hold_the_scrape() {
    let folder = tempfile::tempdir().unwrap();
    let point = folder.path().join("root/hung");
    fs::create_dir_all(&point).unwrap();
    fs::create_dir_all(folder.path().join("proc/1")).unwrap();
    fs::write(folder.path().join("proc/stat"), "").unwrap();
    fs::write(
        folder.path().join("proc/1/mountinfo"),
        "27 1 254:0 / / rw - ext4 /dev/vda rw\n28 27 0:99 / /hung rw - fuse.hung hung rw\n",
    )
    .unwrap();
    let script = "exec 7<>/dev/fuse && mount -i -t fuse -o \
                  fd=7,rootmode=40000,user_id=0,group_id=0 hung \"$1\" && shift && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, "sh"]).arg(&point);
    let allowed = command
        .arg("true")
        .output()
        .is_ok_and(|done| done.status.success());
    if !allowed {
        eprintln!("skipped: this machine doesn't allow a FUSE mount in a namespace");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, "sh"]).arg(&point);
    command.arg(env!("CARGO_BIN_EXE_monitor-agent"));
    command.args(["--listen", "127.0.0.1:0", "--log.format", "json"]);
    command.arg("--path.procfs").arg(folder.path().join("proc"));
    command.arg("--path.rootfs").arg(folder.path().join("root"));
    let daemon = Daemon::spawn(&mut command);
    for limit in [5.0, 0.5] {
        // The first scrape waits out its budget, the next ones know.
        let begin = Instant::now();
        let (status, page) = daemon.get("/metrics?collect[]=filesystem");
        assert_eq!(status, 200);
        assert!(
            begin.elapsed().as_secs_f64() < limit,
            "{:?}",
            begin.elapsed()
        );
        let error = "node_filesystem_device_error{device=\"hung\",device_error=\"does not answer\",\
                     fstype=\"fuse.hung\",mountpoint=\"/hung\"} 1";
        assert!(page.contains(error), "{page}");
        let size = "node_filesystem_size_bytes{device=\"/dev/vda\"";
        assert!(page.contains(size), "{page}");
        assert_eq!(daemon.get("/healthz").0, 200);
    }
}
