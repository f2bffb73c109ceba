//! The routes every daemon has: `/metrics`, `/healthz`, `/readyz`, and a small page that links them.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::{Ready, SharedRegistry, metrics_response, render};

/// What `implementation` says on every route and metric of a Rust daemon.
pub const IMPLEMENTATION: &str = "native";

/// Who a daemon is; used by `/readyz`, the log and `agentcore_service_info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceInfo {
    /// The service's name, for example `monitor-agent`.
    pub name: &'static str,
    /// Its version, `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
}

/// `/healthz`, `/readyz` and `/`; for a daemon that answers `/metrics` in its own way.
///
/// `/healthz` is 200 while the process answers at all. `/readyz` is 200 or 503 with
/// `{"status","service","implementation","version","reason"}`.
pub fn health_router(info: ServiceInfo, ready: Ready) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || async move { readyz(info, &ready) }))
        .route("/", get(move || async move { landing(info) }))
}

/// [`health_router`] and `/metrics` from the registry.
pub fn admin_router(info: ServiceInfo, registry: SharedRegistry, ready: Ready) -> Router {
    let metrics = move || async move { metrics_response(render(&registry)) };
    health_router(info, ready).route("/metrics", get(metrics))
}

/// An error answer every API route shares: `{"error": "…"}`.
pub fn json_error(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

fn readyz(info: ServiceInfo, ready: &Ready) -> Response {
    let (code, status, reason) = match ready.check() {
        Ok(()) => (StatusCode::OK, "ready", String::new()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, "not_ready", reason),
    };
    let body = json!({
        "status": status,
        "service": info.name,
        "implementation": IMPLEMENTATION,
        "version": info.version,
        "reason": reason,
    });
    (code, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn landing(info: ServiceInfo) -> Html<String> {
    Html(format!(
        "<!doctype html><title>{name}</title><h1>{name} {version}</h1>\
         <p><a href=\"/metrics\">metrics</a> <a href=\"/healthz\">health</a> \
         <a href=\"/readyz\">readiness</a></p>\n",
        name = info.name,
        version = info.version,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    const INFO: ServiceInfo = ServiceInfo {
        name: "test-agent",
        version: "0.1.0",
    };

    async fn fetch(router: &Router, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readyz_follows_the_latches() {
        let ready = Ready::new();
        let latch = ready.latch("docker", "not connected yet");
        let router = admin_router(INFO, crate::new_registry(INFO), ready);
        assert_eq!(fetch(&router, "/healthz").await, (200, "ok\n".into()));
        let (status, body) = fetch(&router, "/readyz").await;
        assert_eq!(status, 503);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            body,
            json!({"status": "not_ready", "service": "test-agent", "implementation": "native",
                   "version": "0.1.0", "reason": "docker: not connected yet"})
        );
        latch.open();
        let (status, body) = fetch(&router, "/readyz").await;
        assert_eq!(status, 200);
        assert!(body.contains(r#""status":"ready""#));
    }

    #[tokio::test]
    async fn metrics_say_who_answers() {
        let router = admin_router(INFO, crate::new_registry(INFO), Ready::new());
        let (status, body) = fetch(&router, "/metrics").await;
        assert_eq!(status, 200);
        assert!(body.contains(
            "\nagentcore_service_info{service=\"test-agent\",implementation=\"native\",version=\"0.1.0\"} 1\n"
        ), "{body}");
        assert!(body.contains("\nprocess_resident_memory_bytes "), "{body}");
        assert!(!body.contains("# EOF"));
    }
}
