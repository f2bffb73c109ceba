//! The connection to one engine: a version agreed on, errors that say where.

use bollard::{ClientVersion, Docker};
use serde_json::{Value, json};

use crate::error::{Code, EngineError};

/// Docker engine 20.10.
const MIN_API: (usize, usize) = (1, 41);
/// The newest API this client was written against.
const MAX_API: (usize, usize) = (1, 47);
/// Seconds that one answer may take.
pub(super) const TIMEOUT_SECONDS: u64 = 60;

/// An engine that answered, and the API version agreed on.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub docker: Docker,
    pub engine: String,
    pub api: String,
    pub address: String,
}

/// Connect and agree on an API version.
///
/// bollard 0.21 sends unversioned requests, whatever version it was given (its issue 736), and an
/// unversioned request means the engine's newest API: so the version is put into each path here.
pub(super) async fn connect(address: &str) -> Result<Connection, EngineError> {
    let path = address.trim_start_matches("unix://");
    let fixed = ClientVersion {
        major_version: MAX_API.0,
        minor_version: MAX_API.1,
    };
    let bare = Docker::connect_with_unix(path, TIMEOUT_SECONDS, &fixed)
        .map_err(|error| unreachable(address, &error))?;
    let found = bare.version().await.map_err(|error| match error {
        bollard::errors::Error::DockerResponseServerError { .. } => {
            refused(address, "GET /version", error)
        }
        other => unreachable(address, &other),
    })?;
    let newest = pair(&found.api_version.unwrap_or_default())?;
    let oldest = pair(&found.min_api_version.unwrap_or_else(|| "1.12".to_owned()))?;
    let agreed = newest.min(MAX_API);
    if agreed < MIN_API || agreed < oldest {
        return Err(EngineError::new(
            Code::Unsupported,
            format!(
                "the engine at {address} speaks API {}.{} to {}.{}; expected one that speaks 1.41 to 1.47",
                oldest.0, oldest.1, newest.0, newest.1
            ),
        ));
    }
    let api = format!("{}.{}", agreed.0, agreed.1);
    let prefix = format!("/v{api}");
    let docker = bare.with_request_modifier(move |mut request| {
        let uri = request.uri();
        let parts = (uri.scheme_str(), uri.authority(), uri.path_and_query());
        if let (Some(scheme), Some(authority), Some(path)) = parts
            && let Ok(versioned) = format!("{scheme}://{authority}{prefix}{path}").parse()
        {
            *request.uri_mut() = versioned;
        }
        request
    });
    Ok(Connection {
        docker,
        engine: found.version.unwrap_or_default(),
        api,
        address: address.to_owned(),
    })
}

fn pair(version: &str) -> Result<(usize, usize), EngineError> {
    let numbers = version.split_once('.').map(|(a, b)| (a.parse(), b.parse()));
    match numbers {
        Some((Ok(major), Ok(minor))) => Ok((major, minor)),
        _ => Err(EngineError::new(
            Code::Unsupported,
            format!("the engine names its API '{version}'"),
        )),
    }
}

/// The deepest cause of an error: what the system said.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

fn unreachable(address: &str, error: &bollard::errors::Error) -> EngineError {
    let cause = match error {
        bollard::errors::Error::SocketNotFoundError(_) => "No such file or directory".to_owned(),
        bollard::errors::Error::RequestTimeoutError => "timed out".to_owned(),
        other => root_cause(other),
    };
    EngineError::new(
        Code::Unreachable,
        format!("no Docker engine answers at {address}: {cause}"),
    )
}

/// Say what the engine refused, or that it is gone.
pub(super) fn refused(address: &str, what: &str, error: bollard::errors::Error) -> EngineError {
    use bollard::errors::Error as E;
    match error {
        E::DockerResponseServerError {
            status_code,
            message,
        } => EngineError::new(
            if status_code == 404 {
                Code::NotFound
            } else {
                Code::Engine
            },
            format!("{what}: the engine answered {status_code}: {message}"),
        ),
        E::HyperResponseError { .. }
        | E::HyperLegacyError { .. }
        | E::IOError { .. }
        | E::RequestTimeoutError
        | E::SocketNotFoundError(_) => unreachable(address, &error),
        other => EngineError::new(Code::Engine, format!("{what}: {other}")),
    }
}

impl Connection {
    /// Turn an answer into ours.
    pub fn done<T>(
        &self,
        what: &str,
        answer: Result<T, bollard::errors::Error>,
    ) -> Result<T, EngineError> {
        answer.map_err(|error| refused(&self.address, what, error))
    }

    /// Turn an answer into ours; nothing where the engine has no such thing.
    pub fn found<T>(
        &self,
        what: &str,
        answer: Result<T, bollard::errors::Error>,
    ) -> Result<Option<T>, EngineError> {
        match self.done(what, answer) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.code == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The id of an image that the engine has.
    pub async fn image_id(&self, name: &str) -> Result<Option<String>, EngineError> {
        let what = format!("GET /images/{name}/json");
        let found = self.found(&what, self.docker.inspect_image(name).await)?;
        Ok(found.and_then(|image| image.id))
    }
}

/// The error for images that must be loaded first.
pub(super) fn missing_images(names: &[String]) -> EngineError {
    EngineError {
        code: Code::ImageMissing,
        message: format!(
            "the engine has no image {}; expected it to be loaded before",
            names.join(", ")
        ),
        details: json!({ "images": names }),
    }
}

/// Convert through JSON between our body and bollard's type.
pub(super) fn typed<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, EngineError> {
    serde_json::from_value(body)
        .map_err(|error| EngineError::new(Code::Engine, format!("request body: {error}")))
}
