//! Real sockets: what a daemon does when it starts, drains and finds its address taken.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use agent_kit::{Error, Listen, Ready, ServiceInfo, Shutdown, admin_router, bind, new_registry};
use axum::Router;
use axum::routing::get;

const INFO: ServiceInfo = ServiceInfo {
    name: "test-agent",
    version: "0.1.0",
};

fn router() -> Router {
    admin_router(INFO, new_registry(INFO), Ready::new())
}

async fn probe(target: String) -> Result<(), String> {
    tokio::task::spawn_blocking(move || agent_kit::probe(&target))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_tcp_and_refuses_a_taken_port() {
    let bound = bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = bound.address().clone();
    let shutdown = Shutdown::manual();
    let server = tokio::spawn(bound.serve(router(), shutdown.clone()));
    assert_eq!(probe(format!("http://{address}/readyz")).await, Ok(()));
    let reason = probe(format!("http://{address}/nothing"))
        .await
        .unwrap_err();
    assert!(reason.contains("404"), "{reason}");
    let error = bind(&address).await.unwrap_err();
    assert!(matches!(error, Error::Bind { .. }));
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot listen on {address}: ")),
        "{error}"
    );
    shutdown.trigger();
    server.await.unwrap().unwrap();
    assert!(probe(format!("http://{address}/readyz")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_has_its_mode_and_goes_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent.sock");
    let listen = Listen::Unix(path.clone());
    // A socket that a killed daemon left behind is replaced.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let bound = bind(&listen).await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let shutdown = Shutdown::manual();
    let server = tokio::spawn(bound.serve(router(), shutdown.clone()));
    assert_eq!(probe(format!("{listen}:/healthz")).await, Ok(()));
    assert!(bind(&listen).await.is_err(), "it is in use");
    shutdown.trigger();
    server.await.unwrap().unwrap();
    assert!(!path.exists());
    std::fs::write(&path, "precious").unwrap();
    let error = bind(&listen).await.unwrap_err().to_string();
    assert!(error.contains("not a socket"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_request_is_finished_before_the_end() {
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        "done"
    };
    let bound = bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = bound.address().clone();
    let shutdown = Shutdown::manual();
    let routes = Router::new().route("/slow", get(slow));
    let server = tokio::spawn(bound.serve(routes, shutdown.clone()));
    let request = tokio::spawn(probe(format!("http://{address}/slow")));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begin = Instant::now();
    shutdown.trigger();
    server.await.unwrap().unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert_eq!(request.await.unwrap(), Ok(()));
}
