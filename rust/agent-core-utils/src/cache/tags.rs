//! Which entries carry which label, so that a label can be invalidated without a search.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Labels of slots, both ways.
#[derive(Debug, Default)]
pub(super) struct Labels {
    slots: HashMap<Arc<str>, HashSet<u32>>,
    names: HashMap<u32, Vec<Arc<str>>>,
}

impl Labels {
    /// Gives a slot that has none its labels.
    pub(super) fn attach(&mut self, slot: u32, labels: &[Arc<str>]) {
        for label in labels {
            self.slots.entry(label.clone()).or_default().insert(slot);
        }
        self.names.insert(slot, labels.to_vec());
    }

    /// Takes all labels off a slot.
    pub(super) fn detach(&mut self, slot: u32) {
        for label in self.names.remove(&slot).unwrap_or_default() {
            if let Some(slots) = self.slots.get_mut(&label) {
                slots.remove(&slot);
                if slots.is_empty() {
                    self.slots.remove(&label);
                }
            }
        }
    }

    /// The labels of a slot, as they were given.
    pub(super) fn of(&self, slot: u32) -> &[Arc<str>] {
        self.names.get(&slot).map_or(&[], Vec::as_slice)
    }

    /// The slots with a label, in the order of their numbers.
    pub(super) fn with(&self, label: &str) -> Vec<u32> {
        let found = self.slots.get(label).into_iter().flatten();
        let mut slots: Vec<u32> = found.copied().collect();
        slots.sort_unstable();
        slots
    }
}
