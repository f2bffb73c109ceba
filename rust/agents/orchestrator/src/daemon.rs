//! The daemon: an admin server on TCP, the API on a Unix socket, and an eye on the engine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_container_orchestrator::Engine;
use agent_kit::{ConfigError, Context, Error, Latch, Listen, Shutdown};

use crate::api;
use crate::args::Args;
use crate::figures::Figures;

const PING_EVERY: Duration = Duration::from_secs(2);
const PING_DEADLINE: Duration = Duration::from_secs(5);
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Serves until it is told to stop.
pub async fn run(args: Args, cx: Context) -> Result<(), Error> {
    let engine = args
        .engine()
        .map_err(|error| ConfigError::new(error.to_string(), "orchestrator", ""))?;
    let engine = Arc::new(engine);
    let docker = cx.ready.latch("docker", "not asked yet");
    let figures = Figures::new(&cx.registry);
    if let Some(folder) = args.socket.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            let place = format!("--socket {}", args.socket.display());
            ConfigError::new(
                format!("its folder cannot be made: {error}"),
                place,
                "a folder that can be written",
            )
        })?;
    }
    let admin = agent_kit::bind(&args.listen).await?;
    let socket = agent_kit::bind(&Listen::Unix(args.socket.clone())).await?;
    let watch = tokio::spawn(watch(
        Arc::clone(&engine),
        docker,
        figures.clone(),
        cx.shutdown.clone(),
    ));
    let pages = agent_kit::admin_router(cx.info, cx.registry.clone(), cx.ready.clone());
    let routes = api::router(Arc::clone(&engine), figures);
    let (first, second) = tokio::join!(
        admin.serve(pages, cx.shutdown.clone()),
        socket.serve(routes, cx.shutdown.clone())
    );
    // Sandboxes whose callers were cut off are killed and removed before the end.
    let _ = tokio::time::timeout(PING_DEADLINE, engine.settled()).await;
    watch.abort();
    first.and(second)
}

/// Pings the engine for /readyz, and removes sandboxes that a killed process left behind.
async fn watch(engine: Arc<Engine>, docker: Latch, figures: Figures, shutdown: Shutdown) {
    let mut swept: Option<Instant> = None;
    loop {
        let reason = match tokio::time::timeout(PING_DEADLINE, engine.ping()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.message),
            Err(_) => Some("the engine does not answer a ping within 5 s".to_owned()),
        };
        figures.engine(reason.is_none());
        if let Some(reason) = reason {
            docker.close(reason);
        } else {
            docker.open();
            if swept.is_none_or(|last| last.elapsed() >= SWEEP_EVERY) {
                swept = Some(Instant::now());
                match engine.sweep().await {
                    Ok(0) => {}
                    Ok(count) => tracing::warn!(count, "removed abandoned sandboxes"),
                    Err(error) => tracing::warn!(%error, "cannot look for abandoned sandboxes"),
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PING_EVERY) => {}
            () = shutdown.wait() => return,
        }
    }
}
