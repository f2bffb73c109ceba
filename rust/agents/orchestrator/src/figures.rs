//! The daemon's own figures: operations by outcome, their time, and whether the engine answers.

use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use agent_kit::SharedRegistry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    operation: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: String,
}

/// Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Figures {
    operations: Family<Outcome, Counter<u64, AtomicU64>>,
    seconds: Family<Operation, Histogram, fn() -> Histogram>,
    engine_up: Gauge,
}

impl Figures {
    /// Registers the figures.
    pub fn new(registry: &SharedRegistry) -> Self {
        let figures = Self {
            operations: Family::default(),
            seconds: Family::new_with_constructor(|| {
                Histogram::new([0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0])
            }),
            engine_up: Gauge::default(),
        };
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(
            "agentcore_orchestrator_operations",
            "Operations by how they ended: ok, or the code of the error",
            figures.operations.clone(),
        );
        registry.register(
            "agentcore_orchestrator_operation_seconds",
            "Time that operations took",
            figures.seconds.clone(),
        );
        registry.register(
            "agentcore_orchestrator_engine_up",
            "1 when the engine answered the last ping",
            figures.engine_up.clone(),
        );
        figures
    }

    /// Notes an operation that ended.
    pub fn ended(&self, operation: &str, outcome: &str, took: Duration) {
        let labels = Outcome {
            operation: operation.to_owned(),
            outcome: outcome.to_owned(),
        };
        self.operations.get_or_create(&labels).inc();
        let labels = Operation {
            operation: operation.to_owned(),
        };
        self.seconds
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    /// Notes what the last ping said.
    pub fn engine(&self, up: bool) {
        self.engine_up.set(i64::from(up));
    }
}
