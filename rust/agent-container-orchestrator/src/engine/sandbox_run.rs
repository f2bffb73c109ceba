//! Runs a sandbox to its end and removes it, whatever happens.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bollard::container::LogOutput;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptions, KillContainerOptions,
    ListContainersOptionsBuilder, StartContainerOptions,
};
use futures_util::StreamExt;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::sync::{oneshot, watch};

use super::connect::{Connection, typed};
use super::gate::state_of;
use crate::error::{Code, EngineError};
use crate::sandbox::{LABEL_DEADLINE, LABEL_SANDBOX, Sandbox, sandbox_config};

/// How long after its time limit a sandbox may still be cleaned up by its owner.
const MARGIN: Duration = Duration::from_mins(1);
/// Bytes of output beyond the limit that are read and dropped before the sandbox is killed.
const MAX_DISCARDED: usize = 67_108_864;

/// What became of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub struct SandboxResult {
    /// Nothing if it had to be killed.
    pub exit_code: Option<i64>,
    /// The first bytes of its standard output, as text.
    pub stdout: String,
    /// The first bytes of its standard error, as text.
    pub stderr: String,
    /// There was more.
    pub stdout_truncated: bool,
    /// There was more.
    pub stderr_truncated: bool,
    /// The memory limit ended a process in it.
    pub oom_killed: bool,
    /// The time limit ended it.
    pub timed_out: bool,
    /// It was killed for far too much output.
    pub output_exceeded: bool,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
}

#[derive(PartialEq, Clone, Copy)]
enum Ending {
    Exit,
    Timeout,
    Output,
    Canceled,
}

/// Counts the sandboxes that are not removed yet.
#[derive(Debug, Clone)]
pub(super) struct Running(watch::Sender<usize>);

/// One of the count, until dropped.
struct Counted(watch::Sender<usize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Running {
    pub fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Wait until every sandbox is removed.
    pub async fn none(&self) {
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }

    fn count(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.0.clone())
    }
}

/// Create, start, read, and remove. A task of its own sees it through: if the caller goes away, the
/// sandbox is killed and removed.
pub(super) async fn run(
    connection: Connection,
    sandbox: Sandbox,
    image_id: String,
    running: &Running,
) -> Result<SandboxResult, EngineError> {
    let (guard, canceled) = oneshot::channel::<()>();
    let counted = running.count();
    let task = tokio::spawn(async move {
        let _counted = counted;
        let expires = SystemTime::now() + Duration::from_nanos(sandbox.timeout_ns) + MARGIN;
        let expires = expires
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let body = typed(sandbox_config(&sandbox, &image_id, expires))?;
        let answer = connection
            .docker
            .create_container(None::<CreateContainerOptions>, body)
            .await;
        let id = connection.done("POST /containers/create", answer)?.id;
        let result = watched(&connection, &sandbox, &id, canceled).await;
        remove(&connection, &id).await;
        result
    });
    let result = task
        .await
        .unwrap_or_else(|error| Err(EngineError::new(Code::Engine, format!("sandbox: {error}"))));
    drop(guard);
    result
}

/// Remove a sandbox; try again for a while, for it must not stay.
async fn remove(connection: &Connection, id: &str) {
    for pause in [200, 500, 1000, 0] {
        if connection.discard(id).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// Remove sandboxes past their deadline: their owner died. How many.
pub(super) async fn sweep(connection: &Connection) -> Result<usize, EngineError> {
    let scope = HashMap::from([("label", vec![format!("{LABEL_SANDBOX}=1")])]);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&scope)
        .build();
    let answer = connection.docker.list_containers(Some(options)).await;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let mut swept = 0;
    for item in connection.done("GET /containers/json", answer)? {
        let deadline = item
            .labels
            .as_ref()
            .and_then(|labels| labels.get(LABEL_DEADLINE));
        let deadline: u64 = deadline.and_then(|text| text.parse().ok()).unwrap_or(0);
        if deadline < now {
            remove(connection, item.id.as_deref().unwrap_or_default()).await;
            swept += 1;
        }
    }
    Ok(swept)
}

async fn watched(
    connection: &Connection,
    sandbox: &Sandbox,
    id: &str,
    canceled: oneshot::Receiver<()>,
) -> Result<SandboxResult, EngineError> {
    let options = AttachContainerOptionsBuilder::default()
        .stream(true)
        .stdout(true)
        .stderr(true)
        .stdin(!sandbox.stdin.is_empty())
        .build();
    let answer = connection.docker.attach_container(id, Some(options)).await;
    let attached = connection.done("attach", answer)?;
    let (mut output, mut input) = (attached.output, attached.input);
    let answer = connection
        .docker
        .start_container(id, None::<StartContainerOptions>)
        .await;
    connection.done(&format!("POST /containers/{id}/start"), answer)?;
    let begun = Instant::now();
    let mut kept = Kept::new(usize::try_from(sandbox.output_limit).unwrap_or(usize::MAX));
    let stdin = sandbox.stdin.clone();
    let feed = async move {
        if !stdin.is_empty() {
            let _ = input.write_all(stdin.as_bytes()).await; // a reader that left is no error
            let _ = input.shutdown().await;
        }
        std::future::pending::<Ending>().await // keeps the input open until the end
    };
    let read = async {
        while let Some(Ok(frame)) = output.next().await {
            if kept.take(&frame) > MAX_DISCARDED {
                return Ok(Ending::Output);
            }
        }
        loop {
            let raw = connection.inspect(id).await?; // it may have closed its output early
            let running = raw
                .and_then(|raw| raw.state)
                .and_then(|state| state.running);
            if running != Some(true) {
                return Ok(Ending::Exit);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ending = tokio::select! {
        ending = read => ending?,
        ending = feed => ending,
        () = tokio::time::sleep(Duration::from_nanos(sandbox.timeout_ns)) => Ending::Timeout,
        _ = canceled => Ending::Canceled,
    };
    let duration = begun.elapsed();
    if ending != Ending::Exit {
        // An error means that it has ended by itself just now.
        let _ = connection
            .docker
            .kill_container(id, None::<KillContainerOptions>)
            .await;
    }
    let raw = connection.inspect(id).await?.unwrap_or_default();
    let oom_killed = raw.state.as_ref().and_then(|state| state.oom_killed) == Some(true);
    let (_, exit_code, _) = state_of(&raw);
    Ok(SandboxResult {
        exit_code: (ending == Ending::Exit).then_some(exit_code),
        stdout: String::from_utf8_lossy(&kept.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&kept.stderr).into_owned(),
        stdout_truncated: kept.stdout_dropped > 0,
        stderr_truncated: kept.stderr_dropped > 0,
        oom_killed,
        timed_out: ending == Ending::Timeout,
        output_exceeded: ending == Ending::Output,
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
    })
}

/// The first bytes of each stream, and how many came after them.
struct Kept {
    limit: usize,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    stdout_dropped: usize,
    stderr_dropped: usize,
}

impl Kept {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            stdout: Vec::new(),
            stderr: Vec::new(),
            stdout_dropped: 0,
            stderr_dropped: 0,
        }
    }

    /// Keep what fits; how much has been dropped so far.
    fn take(&mut self, frame: &LogOutput) -> usize {
        let (kept, dropped) = match frame {
            LogOutput::StdErr { .. } => (&mut self.stderr, &mut self.stderr_dropped),
            _ => (&mut self.stdout, &mut self.stdout_dropped),
        };
        let data = frame.as_ref();
        let room = data.len().min(self.limit - kept.len());
        kept.extend_from_slice(&data[..room]);
        *dropped += data.len() - room;
        self.stdout_dropped + self.stderr_dropped
    }
}
