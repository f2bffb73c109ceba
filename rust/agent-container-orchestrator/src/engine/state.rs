//! What the orchestrator remembers of a project: the specification in force and the one before.
//!
//! One JSON file a project, replaced whole (write beside, flush, rename), mode 0600 because it
//! holds environment values. A lock file makes changes of one project exclusive between processes;
//! the Python implementation uses the same files and the same lock.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Code, EngineError};
use crate::model::Project;

const SCHEMA: u32 = 1;

/// A specification and the images that it ran on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Applied {
    pub project: Project,
    pub images: BTreeMap<String, String>,
}

/// What is kept of a project.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Record {
    #[serde(default)]
    schema: u32,
    pub current: Option<Applied>,
    pub previous: Option<Applied>,
}

/// The directory with the records; made on first use.
#[derive(Debug, Clone)]
pub(super) struct StateDir {
    pub path: PathBuf,
}

impl StateDir {
    /// Take the project's lock; it is held until the file is dropped.
    pub fn lock(&self, project: &str) -> Result<File, EngineError> {
        let open = || {
            std::fs::create_dir_all(&self.path)?;
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(self.path.join(format!("{project}.lock")))
        };
        let file = open().map_err(|error| self.failed("written", &error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(EngineError::new(
                Code::Busy,
                format!(
                    "another change of the project {project} is under way; expected one at a time"
                ),
            )),
            Err(TryLockError::Error(error)) => Err(self.failed("written", &error)),
        }
    }

    pub fn read(&self, project: &str) -> Result<Record, EngineError> {
        let file = self.path.join(format!("{project}.json"));
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Record::default()),
            Err(error) => return Err(self.failed("read", &error)),
        };
        let record: Record =
            serde_json::from_str(&text).map_err(|error| self.failed("read", &error))?;
        if record.schema != SCHEMA {
            let message = format!(
                "{}: an unknown form; expected schema {SCHEMA}",
                file.display()
            );
            return Err(EngineError::new(Code::State, message));
        }
        Ok(record)
    }

    fn write(&self, project: &str, mut record: Record) -> Result<(), EngineError> {
        record.schema = SCHEMA;
        let beside = self.path.join(format!("{project}.tmp"));
        let save = || {
            let text = serde_json::to_string(&record)?;
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&beside, self.path.join(format!("{project}.json")))
        };
        save().map_err(|error| self.failed("written", &error))
    }

    /// Note what is in force; what was before, if different, can be returned to.
    pub fn applied(&self, project: &str, now: Applied) -> Result<(), EngineError> {
        let record = self.read(project)?;
        if record.current.as_ref() == Some(&now) {
            return Ok(());
        }
        let previous = record.current.or(record.previous);
        let current = Some(now);
        self.write(
            project,
            Record {
                schema: SCHEMA,
                current,
                previous,
            },
        )
    }

    /// Note that nothing is in force; the last specification can be returned to.
    pub fn removed(&self, project: &str) -> Result<(), EngineError> {
        let record = self.read(project)?;
        if record.current.is_none() {
            return Ok(());
        }
        self.write(
            project,
            Record {
                schema: SCHEMA,
                current: None,
                previous: record.current,
            },
        )
    }

    fn failed(&self, verb: &str, error: &dyn std::fmt::Display) -> EngineError {
        let text = error.to_string();
        let cause = text.split(" (os error").next().unwrap_or(&text);
        let message = format!(
            "the state directory {} cannot be {verb}: {cause}",
            self.path.display()
        );
        EngineError::new(Code::State, message)
    }
}
