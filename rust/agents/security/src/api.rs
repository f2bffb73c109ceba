//! The API: findings, an audit now, a scan of the scope.

use std::sync::Arc;

use agent_kit::json_error;
use agent_security_tools::Error;
use agent_security_tools::audit::sarif;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::auditor::{self, Auditor};
use crate::scanner::{self, MAX_TARGETS, Request, Scanner};

/// Longest body of a request, in bytes.
const MAX_BODY: usize = 512 * 1024;

#[derive(Deserialize)]
struct Form {
    format: Option<String>,
}

/// The routes under `/v1/`.
pub fn router(auditor: Arc<Auditor>, scanner: Arc<Scanner>) -> Router {
    let audits = Router::new()
        .route("/v1/findings", get(findings))
        .route("/v1/audits", post(audit))
        .with_state(auditor);
    let scans = Router::new()
        .route("/v1/scans", post(scan))
        .with_state(scanner);
    audits.merge(scans).layer(DefaultBodyLimit::max(MAX_BODY))
}

fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn findings(State(auditor): State<Arc<Auditor>>, Query(form): Query<Form>) -> Response {
    let Some(report) = auditor.last() else {
        return json_error(
            StatusCode::SERVICE_UNAVAILABLE,
            "the first audit has not finished",
        );
    };
    match form.format.as_deref() {
        None | Some("json") => json(report.to_json()),
        Some("sarif") => json(sarif::sarif(&report)),
        Some(other) => {
            let text = format!("format: there is no \"{other}\"; expected json or sarif");
            json_error(StatusCode::BAD_REQUEST, &text)
        }
    }
}

async fn audit(State(auditor): State<Arc<Auditor>>) -> Response {
    match auditor.audit().await {
        Ok(report) => json(report.to_json()),
        Err(auditor::Refusal::Busy) => json_error(StatusCode::CONFLICT, "an audit is running"),
        Err(auditor::Refusal::Failed(cause)) => {
            json_error(StatusCode::INTERNAL_SERVER_ERROR, &cause)
        }
    }
}

async fn scan(State(scanner): State<Arc<Scanner>>, body: Bytes) -> Response {
    let request = if body.is_empty() {
        Ok(Request::default())
    } else {
        parse(&body)
    };
    let request = match request {
        Ok(request) => request,
        Err(text) => return json_error(StatusCode::BAD_REQUEST, &text),
    };
    match scanner.scan(request).await {
        Ok(report) => match serde_json::to_string(&report) {
            Ok(text) => json(text),
            Err(error) => json_error(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        },
        Err(scanner::Refusal::Busy) => json_error(StatusCode::CONFLICT, "a scan is running"),
        Err(scanner::Refusal::NoScope) => json_error(
            StatusCode::CONFLICT,
            "no scope file was given (--scope-file), so nothing may be scanned",
        ),
        Err(scanner::Refusal::Refused(error @ Error::OutOfScope { .. })) => {
            json_error(StatusCode::FORBIDDEN, &error.to_string())
        }
        Err(scanner::Refusal::Refused(error)) => {
            json_error(StatusCode::BAD_REQUEST, &error.to_string())
        }
        Err(scanner::Refusal::Failed(cause)) => {
            json_error(StatusCode::INTERNAL_SERVER_ERROR, &cause)
        }
    }
}

fn parse(body: &[u8]) -> Result<Request, String> {
    let request: Request = serde_json::from_slice(body).map_err(|_| {
        "body: not a scan; expected {\"targets\": [addresses or names], \"ports\": [1 to 65535]}"
            .to_string()
    })?;
    let targets = request.targets.as_ref().map_or(0, Vec::len);
    if targets > MAX_TARGETS {
        return Err(format!(
            "targets: {targets} of them; expected at most {MAX_TARGETS}"
        ));
    }
    Ok(request)
}
