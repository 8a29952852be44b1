//! The statuses that the ABI documents for each call, and one that it does not list.

#![allow(dead_code)] // Each test file uses its part.

use std::collections::BTreeMap;

use serde_json::Value;

/// A status that ABI 0.7.0 does not list.
pub const UNKNOWN: u32 = 999;

pub struct Statuses {
    numbers: BTreeMap<String, u32>,
    documented: BTreeMap<String, Vec<u32>>,
}

impl Statuses {
    pub fn read() -> Self {
        let abi: Value =
            serde_json::from_str(include_str!("../fixtures/microvisor-0.7.0.json")).expect("JSON");
        let number = |value: &Value| u32::try_from(value.as_u64().expect("a number")).expect("32 bits");
        let numbers: BTreeMap<_, _> = abi["enums"]["MvStatus"]["values"]
            .as_object()
            .expect("an object")
            .iter()
            .map(|(name, value)| (name.clone(), number(value)))
            .collect();
        let documented = abi["functions"]
            .as_object()
            .expect("an object")
            .iter()
            .map(|(name, function)| {
                let names = function["documented_status"].as_array().into_iter().flatten();
                let numbers = names.map(|name| numbers[name.as_str().expect("a name")]);
                (name.clone(), numbers.collect())
            })
            .collect();
        Self { numbers, documented }
    }

    /// What `call` can answer when it fails.
    pub fn of(&self, call: &str) -> Vec<u32> {
        let mut statuses = self.documented[call].clone();
        statuses.push(UNKNOWN);
        statuses
    }

    pub fn number(&self, name: &str) -> u32 {
        self.numbers[name]
    }
}
