//! API keys: read from a file, compared in constant time, never shown.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::{ConfigError, Listen, json_error};

/// Fewer characters than this can be guessed.
const MIN_LENGTH: usize = 16;

/// A bearer key. `Debug` doesn't show it.
#[derive(Clone)]
pub struct ApiKey(Arc<str>);

impl ApiKey {
    /// Takes a key: at least 16 printable ASCII characters, no spaces.
    ///
    /// # Errors
    /// When it is too short or holds other characters; the key itself isn't repeated.
    pub fn new(key: &str) -> Result<Self, ConfigError> {
        let place = "API key";
        let expected = "at least 16 printable ASCII characters without spaces";
        if key.len() < MIN_LENGTH {
            let what = format!("has {} characters", key.len());
            return Err(ConfigError::new(what, place, expected));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::new("holds other characters", place, expected));
        }
        Ok(Self(key.into()))
    }

    /// Reads the key from a file; white space around it is ignored.
    ///
    /// # Errors
    /// When the file can't be read or holds no proper key.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let place = format!("--api-key-file {}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::new(
                format!("cannot be read: {error}"),
                &place,
                "a readable file that holds one key",
            )
        })?;
        Self::new(text.trim()).map_err(|error| ConfigError { place, ..error })
    }

    /// Whether `given` is the key; takes the same time wherever they differ.
    pub fn matches(&self, given: &str) -> bool {
        let (key, given) = (self.0.as_bytes(), given.as_bytes());
        let mut difference = key.len() ^ given.len();
        for (index, byte) in given.iter().enumerate() {
            difference |= usize::from(byte ^ key[index % key.len()]);
        }
        std::hint::black_box(difference) == 0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// Refuses an address that other machines reach when there is no key to guard it.
///
/// # Errors
/// Names the flag, the address and what would be right.
pub fn ensure_guarded(listen: &Listen, key: Option<&ApiKey>) -> Result<(), ConfigError> {
    if listen.is_local() || key.is_some() {
        return Ok(());
    }
    Err(ConfigError::new(
        "other machines can reach this address and no key guards it",
        format!("--listen {listen}"),
        "a loopback address, or a key given by --api-key-file",
    ))
}

/// Wraps every route of `router`: without `Authorization: Bearer <key>` it answers 401.
/// With no key the router is returned as it is (see [`ensure_guarded`]).
pub fn require_bearer(router: Router, key: Option<ApiKey>) -> Router {
    match key {
        Some(key) => router.layer(from_fn_with_state(key, check)),
        None => router,
    }
}

async fn check(State(key): State<ApiKey>, request: Request, next: Next) -> Response {
    if bearer(request.headers()).is_some_and(|given| key.matches(given)) {
        return next.run(request).await;
    }
    let mut response = json_error(
        StatusCode::UNAUTHORIZED,
        "the API key is missing or wrong; send it as: Authorization: Bearer <key>",
    )
    .into_response();
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        header::HeaderValue::from_static("Bearer realm=\"agentcore\""),
    );
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| key.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    const KEY: &str = "0123456789abcdef";

    #[test]
    fn keys_are_judged_and_hidden() {
        assert_eq!(format!("{:?}", ApiKey::new(KEY).unwrap()), "ApiKey(…)");
        assert!(
            ApiKey::new("short")
                .unwrap_err()
                .to_string()
                .contains("has 5")
        );
        assert!(ApiKey::new("0123456789 abcdef").is_err());
        let key = ApiKey::new(KEY).unwrap();
        assert!(key.matches(KEY));
        for wrong in [
            "",
            "0123456789abcdeg",
            "0123456789abcde",
            "0123456789abcdef0",
        ] {
            assert!(!key.matches(wrong), "{wrong:?}");
        }
        // A key repeated twice walks the same bytes; the length tells them apart.
        assert!(!key.matches(&KEY.repeat(2)));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = ApiKey::from_file(Path::new("/nonexistent/key")).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("--api-key-file /nonexistent/key: cannot be read")
        );
    }

    #[test]
    fn an_open_address_needs_a_key() {
        let open: Listen = "0.0.0.0:1".parse().unwrap();
        let key = ApiKey::new(KEY).unwrap();
        assert!(ensure_guarded(&open, None).is_err());
        assert!(ensure_guarded(&open, Some(&key)).is_ok());
        assert!(ensure_guarded(&"127.0.0.1:1".parse().unwrap(), None).is_ok());
    }

    #[tokio::test]
    async fn routes_behind_a_key_want_it() {
        let inner = Router::new().route("/v1/x", get(|| async { "yes" }));
        let router = require_bearer(inner, Some(ApiKey::new(KEY).unwrap()));
        for (header, status) in [
            (None, 401),
            (Some("Bearer wrong-wrong-wrong".to_string()), 401),
            (Some(format!("Basic {KEY}")), 401),
            (Some(format!("Bearer {KEY}")), 200),
            (Some(format!("bearer  {KEY}")), 200),
        ] {
            let mut request = Request::builder().uri("/v1/x");
            if let Some(value) = &header {
                request = request.header("authorization", value);
            }
            let answer = router
                .clone()
                .oneshot(request.body(Body::empty()).unwrap())
                .await
                .unwrap();
            assert_eq!(answer.status(), status, "{header:?}");
            assert_eq!(
                answer.headers().contains_key("www-authenticate"),
                status == 401
            );
        }
    }
}
