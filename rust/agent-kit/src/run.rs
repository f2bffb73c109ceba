//! From arguments to exit status: what each `main` would otherwise repeat.

use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::{Error, LogArgs, Ready, ServiceInfo, SharedRegistry, Shutdown, new_registry};

/// Exit status of a wrong flag or configuration (`EX_USAGE` of sysexits.h).
pub const EXIT_USAGE: u8 = 64;

/// What a daemon's body is given; the fields are cheap to clone.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who the daemon is.
    pub info: ServiceInfo,
    /// Its readiness; drained as soon as the shutdown is told.
    pub ready: Ready,
    /// Told by SIGTERM or SIGINT.
    pub shutdown: Shutdown,
    /// Its own metrics, `agentcore_service_info` and the process's figures already in it.
    pub registry: SharedRegistry,
}

/// Parses the command line. A wrong one prints clap's message (flag, value, what would be right)
/// and ends the process with status 64; `--help` and `--version` end it with 0.
pub fn parse<A: Parser>() -> A {
    match parse_from(std::env::args_os()) {
        Ok(args) => args,
        Err((message, status)) => {
            if status == 0 {
                print!("{message}");
            } else {
                eprint!("{message}");
            }
            std::process::exit(i32::from(status))
        }
    }
}

/// [`parse`] without its effects: the message to print and the exit status.
pub fn parse_from<A: Parser>(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<A, (String, u8)> {
    A::try_parse_from(args).map_err(|error| {
        let status = match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => 0,
            _ => EXIT_USAGE,
        };
        (error.render().to_string(), status)
    })
}

/// Runs a daemon's body on a tokio runtime, with log, signals and readiness in place.
///
/// Exit status: 0 when the body ends well, 64 for [`Error::Config`], 1 for any other error; the
/// error is logged. Work that is still running when the body has ended is given one second.
pub fn run<F, Fut>(info: ServiceInfo, log: &LogArgs, body: F) -> ExitCode
where
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = Result<(), Error>>,
{
    crate::log::init(log);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start the runtime");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        let shutdown = crate::shutdown_signal()
            .map_err(|error| Error::Failed(format!("cannot handle signals: {error}")))?;
        let ready = Ready::new();
        tokio::spawn({
            let (ready, shutdown) = (ready.clone(), shutdown.clone());
            async move {
                shutdown.wait().await;
                ready.drain();
            }
        });
        body(Context {
            info,
            ready,
            shutdown,
            registry: new_registry(info),
        })
        .await
    });
    // Blocking work that hangs (a dead mount) must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match outcome {
        Ok(()) => {
            tracing::info!(service = info.name, "ended");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(service = info.name, "{error}");
            match error {
                Error::Config(_) => ExitCode::from(EXIT_USAGE),
                Error::Bind { .. } | Error::Failed(_) => ExitCode::FAILURE,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    #[command(name = "x", version = "0.1.0")]
    struct Args {
        #[arg(long, default_value = "127.0.0.1:9100")]
        listen: crate::Listen,
        #[command(flatten)]
        log: LogArgs,
    }

    #[test]
    fn a_wrong_flag_is_64_and_named() {
        let (message, status) = parse_from::<Args>(["x", "--listen", "nowhere"]).unwrap_err();
        assert_eq!(status, EXIT_USAGE);
        for part in ["--listen", "'nowhere'", "expected HOST:PORT"] {
            assert!(message.contains(part), "{message}");
        }
        let (message, status) = parse_from::<Args>(["x", "--log.format", "xml"]).unwrap_err();
        assert_eq!(status, EXIT_USAGE);
        assert!(message.contains("text, json"), "{message}");
        assert_eq!(
            parse_from::<Args>(["x", "--nope"]).unwrap_err().1,
            EXIT_USAGE
        );
    }

    #[test]
    fn help_and_version_are_0() {
        assert_eq!(
            parse_from::<Args>(["x", "--version"]).unwrap_err(),
            ("x 0.1.0\n".into(), 0)
        );
        assert_eq!(parse_from::<Args>(["x", "--help"]).unwrap_err().1, 0);
        let args = parse_from::<Args>(["x", "--listen", "unix:/run/a"]).unwrap();
        assert_eq!(args.listen.to_string(), "unix:/run/a");
        assert_eq!(args.log.format, crate::LogFormat::Text);
    }
}
