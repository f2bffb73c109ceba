//! Against the machine's engine: apply, gate, rollback, sandbox, removal. Skipped, with the reason
//! printed, where there is no engine or no static busybox to make an image of.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use agent_container_orchestrator::{
    Code, Engine, Node, Policy, Sandbox, Variables, parse_sandbox, parse_template,
};

const DOCKER: &str = "unix:///var/run/docker.sock";

fn prefix() -> String {
    format!("actest-{}-rs", std::process::id())
}

fn docker(args: &[&str]) -> String {
    let done = Command::new("docker")
        .args(args)
        .output()
        .expect("the docker command runs");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Removes everything under the prefix, also when a test fails.
struct Cleanup;

impl Drop for Cleanup {
    fn drop(&mut self) {
        let mine = format!("name={}", prefix());
        for (list, remove) in [
            (["ps", "-aqf", &mine], vec!["rm", "-fv"]),
            (["network", "lsf", &mine], vec!["network", "rm"]),
            (["volume", "lsf", &mine], vec!["volume", "rm", "-f"]),
        ] {
            let list: Vec<&str> = match list[1] {
                "lsf" => vec![list[0], "ls", "-qf", list[2]],
                _ => list.to_vec(),
            };
            for id in docker(&list).split_whitespace() {
                let mut args = remove.clone();
                args.push(id);
                docker(&args);
            }
        }
        docker(&["rmi", "-f", &format!("{}:1", prefix())]);
    }
}

/// A static busybox: the system's, or the one in Debian's package.
fn busybox(folder: &Path) -> Option<Vec<u8>> {
    if let Ok(found) = std::fs::read("/bin/busybox") {
        return Some(found);
    }
    let fetched = Command::new("apt-get")
        .args([
            "-o",
            "APT::Sandbox::User=root",
            "download",
            "busybox-static",
        ])
        .current_dir(folder)
        .stdout(Stdio::null())
        .status();
    fetched.ok().filter(std::process::ExitStatus::success)?;
    let unpack = "dpkg -x busybox-static*.deb root";
    Command::new("sh")
        .args(["-c", unpack])
        .current_dir(folder)
        .status()
        .ok()?;
    std::fs::read(folder.join("root/bin/busybox")).ok()
}

/// The image's name, or why there is none.
fn image(folder: &Path) -> Result<String, String> {
    let up = Command::new("docker").args(["version"]).output();
    if !up.is_ok_and(|done| done.status.success()) {
        return Err("no engine answers".to_owned());
    }
    let busybox = busybox(folder).ok_or("no static busybox, neither installed nor from apt")?;
    let root = folder.join("image");
    std::fs::create_dir_all(root.join("bin")).map_err(|error| error.to_string())?;
    std::fs::write(root.join("bin/busybox"), busybox).map_err(|error| error.to_string())?;
    let name = format!("{}:1", prefix());
    let make = format!(
        "chmod 755 bin bin/busybox; mkdir -m 755 tmp; for a in sh sleep true false echo; do \
         ln -s busybox bin/$a; done; tar -c . | docker import - {name}"
    );
    let done = Command::new("sh")
        .args(["-c", &make])
        .current_dir(&root)
        .output();
    match done {
        Ok(done) if done.status.success() => Ok(name),
        other => Err(format!("docker import: {other:?}")),
    }
}

fn sandbox(image: &str, line: &str, timeout: &str) -> Sandbox {
    let request =
        serde_json::json!({"image": image, "command": ["sh", "-c", line], "timeout": timeout});
    let node = Node::from_json(&request.to_string()).unwrap();
    parse_sandbox(&node, &Policy::default()).unwrap()
}

fn sandboxes(image: &str) -> String {
    let ancestor = format!("ancestor={image}");
    docker(&[
        "ps",
        "-aq",
        "--filter",
        "label=agentcore.sandbox=1",
        "--filter",
        &ancestor,
    ])
}

#[tokio::test]
async fn against_a_real_engine() {
    let folder = tempfile::tempdir().unwrap();
    let _cleanup = Cleanup;
    let image = match image(folder.path()) {
        Ok(image) => image,
        Err(reason) => {
            eprintln!("skipped: {reason}");
            return;
        }
    };
    let engine = Engine::new(DOCKER, folder.path().join("state"), Policy::default()).unwrap();
    project_lives(&engine, &image).await;
    sandbox_runs(&engine, &image).await;
}

async fn project_lives(engine: &Engine, image: &str) {
    let name = prefix();
    let project = |check: &str, level: &str| {
        let text = format!(
            "name: {name}\nservices:\n  a:\n    image: '{image}'\n    init: true\n    \
             command: [sh, -c, 'echo up; exec sleep 900']\n    environment: {{LEVEL: '{level}'}}\n    \
             healthcheck: {{test: '{check}', interval: 300ms, retries: 1}}\n    \
             x-health: {{hold: 100ms}}\n"
        );
        parse_template(&text, &Variables::new(), &Policy::default()).unwrap()
    };
    let (first, second) = (project("true", "1"), project("true", "2"));
    assert_eq!(engine.apply(&first).await.unwrap().changes, 1);
    assert_eq!(engine.apply(&first).await.unwrap().changes, 0);
    assert_eq!(engine.apply(&second).await.unwrap().changes, 1);
    let before = docker(&["inspect", "-f", "{{.Id}}", &format!("{name}-a")]);

    let failed = engine
        .apply(&project("echo bad; false", "3"))
        .await
        .unwrap_err();
    assert_eq!(failed.code, Code::GateFailed);
    assert_eq!(failed.details["log"], "up\n");
    assert_eq!(failed.details["health"][0]["output"], "bad\n");
    assert_eq!(failed.details["restored"][0], format!("{name}-a"));
    assert_eq!(
        docker(&["inspect", "-f", "{{.Id}}", &format!("{name}-a")]),
        before
    );

    assert_eq!(engine.rollback(&name).await.unwrap().changes, 1);
    assert_eq!(engine.plan(&first).await.unwrap().changes, 0);
    assert_eq!(
        engine.status(&name).await.unwrap()["services"][0]["state"],
        "running"
    );
    let removed = engine.remove(&name, true).await.unwrap();
    assert_eq!(removed["removed"]["containers"][0], format!("{name}-a"));
    assert_eq!(engine.status(&name).await.unwrap_err().code, Code::NotFound);
}

async fn sandbox_runs(engine: &Engine, image: &str) {
    let found = engine
        .sandbox(&sandbox(image, "echo out; echo err >&2; exit 3", "9s"))
        .await
        .unwrap();
    assert_eq!(
        (found.exit_code, &*found.stdout, &*found.stderr),
        (Some(3), "out\n", "err\n")
    );
    let found = engine
        .sandbox(&sandbox(image, "sleep 60", "500ms"))
        .await
        .unwrap();
    assert_eq!((found.exit_code, found.timed_out), (None, true));
    assert_eq!(sandboxes(image), "");

    // A caller that goes away: the sandbox is killed and removed all the same.
    let endless = sandbox(image, "sleep 60", "60s");
    let mut running = Box::pin(engine.sandbox(&endless));
    let begun = Instant::now();
    while sandboxes(image).is_empty() && begun.elapsed() < Duration::from_secs(20) {
        let _ = tokio::time::timeout(Duration::from_millis(100), &mut running).await;
    }
    assert_ne!(sandboxes(image), "");
    drop(running);
    tokio::time::timeout(Duration::from_secs(20), engine.settled())
        .await
        .unwrap();
    assert_eq!(sandboxes(image), "");
}

#[tokio::test]
async fn a_lost_engine_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix://{}/gone.sock", folder.path().display());
    let engine = Engine::new(&address, folder.path(), Policy::default()).unwrap();
    let error = engine.ping().await.unwrap_err();
    assert_eq!(error.code, Code::Unreachable);
    let expected = format!("no Docker engine answers at {address}: No such file or directory");
    assert_eq!(error.message, expected);
    assert!(Engine::new("tcp://x", folder.path(), Policy::default()).is_err());
}
