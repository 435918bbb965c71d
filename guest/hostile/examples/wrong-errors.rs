//! Accepts broken devices, as if the part above the whole ones were not there.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, model, ruled};

/// Does not refuse what it should.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-errors";

    fn check(tasks: &model::TaskTable, shape: model::Shape) -> Result<(), model::Error> {
        match tasks.check(shape) {
            Err(model::Error::BrokenDevices(_)) => Ok(()),
            checked => checked,
        }
    }
}

ruled!(Wrong);
