//! `/metrics` with `node_exporter`'s `collect[]` and `exclude[]`, answered in time or not at all.

use std::sync::Arc;
use std::time::Duration;

use agent_kit::{Context, SharedRegistry, health_router, json_error, metrics_response, render};
use axum::Router;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;

use crate::scraper::Scraper;

/// Without a word from Prometheus; its own default is 10 s.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The daemon's routes.
pub fn router(cx: &Context, scraper: Arc<Scraper>) -> Router {
    let registry = cx.registry.clone();
    let metrics = move |query: Query<Vec<(String, String)>>, headers: HeaderMap| async move {
        metrics(scraper, registry, query.0, &headers).await
    };
    health_router(cx.info, cx.ready.clone()).route("/metrics", get(metrics))
}

async fn metrics(
    scraper: Arc<Scraper>,
    registry: SharedRegistry,
    query: Vec<(String, String)>,
    headers: &HeaderMap,
) -> Response {
    let values = |key: &str| -> Vec<String> {
        let pairs = query.iter().filter(|(name, _)| name == key);
        pairs.map(|(_, value)| value.clone()).collect()
    };
    let (only, exclude) = (values("collect[]"), values("exclude[]"));
    let limit = timeout(headers);
    let work = tokio::task::spawn_blocking(move || scraper.scrape(&only, &exclude));
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(Ok(mut text))) => {
            text.push_str(&render(&registry));
            metrics_response(text)
        }
        Ok(Ok(Err(wrong))) => json_error(StatusCode::BAD_REQUEST, &wrong.to_string()),
        Ok(Err(panic)) => {
            tracing::error!(%panic, "a scrape panicked");
            json_error(StatusCode::INTERNAL_SERVER_ERROR, "the scrape failed")
        }
        Err(_) => {
            let message = format!("the scrape took more than {} s", limit.as_secs_f64());
            json_error(StatusCode::SERVICE_UNAVAILABLE, &message)
        }
    }
}

/// What Prometheus says it will wait, less a tenth for the way back.
fn timeout(headers: &HeaderMap) -> Duration {
    headers
        .get("x-prometheus-scrape-timeout-seconds")
        .and_then(|value| value.to_str().ok()?.parse::<f64>().ok())
        .filter(|seconds| (0.1..=600.0).contains(seconds))
        .map_or(TIMEOUT, |seconds| Duration::from_secs_f64(seconds * 0.9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_is_prometheuss() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                "x-prometheus-scrape-timeout-seconds",
                value.parse().unwrap(),
            );
            timeout(&headers)
        };
        assert_eq!(with("10"), Duration::from_secs(9));
        for odd in ["", "NaN", "-1", "1e9", "x"] {
            assert_eq!(with(odd), TIMEOUT, "{odd}");
        }
        assert_eq!(timeout(&HeaderMap::new()), TIMEOUT);
    }
}
