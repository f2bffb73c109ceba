//! The API on the Unix socket: JSON in, JSON out; the socket's mode says who may ask.
//!
//! | route | body or query | answer |
//! | --- | --- | --- |
//! | `POST /v1/plan`, `/v1/apply` | `{"template": text, "variables": {}}` | the plan |
//! | `POST /v1/rollback` | `{"project": name}` | the plan |
//! | `POST /v1/remove` | `{"project": name, "volumes": false}` | what was removed |
//! | `GET /v1/status` | `?project=name` | the containers |
//! | `POST /v1/sandbox` | a sandbox request | exit code and output |
//!
//! A failure is `{"error", "code", "problems", "details"}`.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use agent_container_orchestrator::{
    Code, Engine, EngineError, Node, TemplateError, check_project_name, parse_sandbox,
    parse_template,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::figures::Figures;

/// Bytes of a request's body.
const MAX_BODY: usize = 2 * 1024 * 1024;
/// More sandboxes at a time are refused.
const MAX_SANDBOXES: usize = 4;

#[derive(Clone)]
struct Api {
    engine: Arc<Engine>,
    figures: Figures,
    sandboxes: Arc<Semaphore>,
}

/// The routes.
pub fn router(engine: Arc<Engine>, figures: Figures) -> Router {
    let api = Api {
        engine,
        figures,
        sandboxes: Arc::new(Semaphore::new(MAX_SANDBOXES)),
    };
    Router::new()
        .route("/v1/plan", post(plan))
        .route("/v1/apply", post(apply))
        .route("/v1/rollback", post(rollback))
        .route("/v1/remove", post(remove))
        .route("/v1/status", get(status))
        .route("/v1/sandbox", post(sandbox))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(api)
}

/// Why a request failed.
enum Failure {
    /// The body is not what the route takes.
    Input(String),
    Template(TemplateError),
    Engine(EngineError),
    /// Too many sandboxes run.
    Full,
}

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Self {
        Self::Template(error)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl Failure {
    fn code(&self) -> &'static str {
        match self {
            Self::Input(_) => "input",
            Self::Template(_) => "template",
            Self::Engine(error) => error.code.as_str(),
            Self::Full => "too_many",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Input(_) => StatusCode::BAD_REQUEST,
            Self::Template(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Full => StatusCode::TOO_MANY_REQUESTS,
            Self::Engine(error) => match error.code {
                Code::NotFound => StatusCode::NOT_FOUND,
                Code::Busy => StatusCode::CONFLICT,
                Code::ImageMissing | Code::GateFailed => StatusCode::FAILED_DEPENDENCY,
                Code::Unreachable | Code::Unsupported => StatusCode::SERVICE_UNAVAILABLE,
                Code::State => StatusCode::INTERNAL_SERVER_ERROR,
                Code::Engine => StatusCode::BAD_GATEWAY,
            },
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, code) = (self.status(), self.code());
        let empty = json!({});
        let (message, problems, details) = match self {
            Self::Input(message) => (message, Vec::new(), empty),
            Self::Template(error) => (error.to_string(), error.problems, empty),
            Self::Engine(error) => (error.message, Vec::new(), error.details),
            Self::Full => {
                let message = format!("{MAX_SANDBOXES} sandboxes run; expected fewer at a time");
                (message, Vec::new(), empty)
            }
        };
        let body = json!({
            "error": message,
            "code": code,
            "problems": problems,
            "details": details,
        });
        (status, Json(body)).into_response()
    }
}

impl Api {
    /// Runs one operation on a task of its own, so that a client that goes away doesn't stop a
    /// change half-way, and counts it.
    async fn change(
        self,
        operation: &'static str,
        work: impl Future<Output = Result<Value, Failure>> + Send + 'static,
    ) -> Response {
        let begun = Instant::now();
        let figures = self.figures.clone();
        let task = tokio::spawn(async move {
            let result = work.await;
            let outcome = result.as_ref().map_or_else(Failure::code, |_| "ok");
            figures.ended(operation, outcome, begun.elapsed());
            tracing::info!(
                operation,
                outcome,
                ms = begun.elapsed().as_millis(),
                "operation ended"
            );
            result
        });
        match task.await {
            Ok(Ok(value)) => Json(value).into_response(),
            Ok(Err(failure)) => failure.into_response(),
            Err(error) => {
                tracing::error!(%error, operation, "the operation's task died");
                agent_kit::json_error(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal error; the service's log has the cause",
                )
            }
        }
    }
}

fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::Input(format!("request body: {error}; expected a JSON object")))
}

fn value<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateBody {
    template: String,
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectBody {
    project: String,
    #[serde(default)]
    volumes: bool,
}

async fn plan(State(api): State<Api>, bytes: Bytes) -> Response {
    let engine = Arc::clone(&api.engine);
    let work = async move {
        let asked: TemplateBody = body(&bytes)?;
        let project = parse_template(&asked.template, &asked.variables, engine.policy())?;
        Ok(value(&engine.plan(&project).await?))
    };
    api.change("plan", work).await
}

async fn apply(State(api): State<Api>, bytes: Bytes) -> Response {
    let engine = Arc::clone(&api.engine);
    let work = async move {
        let asked: TemplateBody = body(&bytes)?;
        let project = parse_template(&asked.template, &asked.variables, engine.policy())?;
        Ok(value(&engine.apply(&project).await?))
    };
    api.change("apply", work).await
}

async fn rollback(State(api): State<Api>, bytes: Bytes) -> Response {
    let engine = Arc::clone(&api.engine);
    let work = async move {
        let asked: ProjectBody = body(&bytes)?;
        check_project_name(&asked.project)?;
        Ok(value(&engine.rollback(&asked.project).await?))
    };
    api.change("rollback", work).await
}

async fn remove(State(api): State<Api>, bytes: Bytes) -> Response {
    let engine = Arc::clone(&api.engine);
    let work = async move {
        let asked: ProjectBody = body(&bytes)?;
        check_project_name(&asked.project)?;
        Ok(engine.remove(&asked.project, asked.volumes).await?)
    };
    api.change("remove", work).await
}

async fn status(State(api): State<Api>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let engine = Arc::clone(&api.engine);
    let work = async move {
        let project = query.get("project").cloned().unwrap_or_default();
        check_project_name(&project)?;
        Ok(engine.status(&project).await?)
    };
    api.change("status", work).await
}

/// Not on a task of its own: when the client goes away the sandbox is killed and removed.
async fn sandbox(State(api): State<Api>, bytes: Bytes) -> Response {
    let begun = Instant::now();
    let result = async {
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let node = Node::from_json(text).map_err(|error| {
            Failure::Input(format!("request body: {error}; expected a JSON object"))
        })?;
        let request = parse_sandbox(&node, api.engine.policy())?;
        let _slot = api.sandboxes.try_acquire().map_err(|_| Failure::Full)?;
        Ok(value(&api.engine.sandbox(&request).await?))
    }
    .await;
    let outcome = result.as_ref().map_or_else(Failure::code, |_| "ok");
    api.figures.ended("sandbox", outcome, begun.elapsed());
    result.map_or_else(IntoResponse::into_response, |value| {
        Json(value).into_response()
    })
}
