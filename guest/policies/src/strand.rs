//! What a placement strands for good.

use alloc::vec::Vec;

use offermatch_core::WHOLE;
use offermatch_core::{Demand, Leftover, Outlook, Parameter, Policy, Ranking, State};

use crate::{asked, thousandths};

/// The offer wins whose free devices lose least for typical tasks, counted in two ways: for one more task of each kind, and
/// for as many of one kind as fit.
///
/// The *fragmentation* of an offer for a typical task is what it has free in devices that one such task cannot use (as in
/// [`Fragmentation`](super::Fragmentation)). What is *stranded* is the part that no number of such tasks can use: what is free, less what
/// the offer filled with this kind alone would use, since processors or memory run out first, or since thousandths are left
/// over. The potential of an offer is
///
/// ```text
/// fragmentation * sum of f * fragmentation(kind)  +  sum of w * stranded(kind)
/// ```
///
/// where `f` is a kind's share of the tasks, and `w` of the kinds that ask for devices is proportional to `f` over the devices
/// that one task asks, summing to 1. The score is what placing the task adds to the potential, in devices, and
/// `price * price(model) * devices asked`. The price of a model is the share of the devices asked by typical tasks that is bound to
/// it, split evenly among the models that a kind may run on, over its share of all devices: what is asked for by name is kept for
/// those who ask for it.
#[derive(Debug, Clone)]
pub struct Strand {
    /// The weight of fragmentation.
    fragmentation: f64,
    /// The weight of the price of a model.
    price: f64,
    /// What is known of each model of offer.
    models: Vec<Model>,
}

/// What is known of typical tasks on one model of offer.
#[derive(Debug, Clone, Default)]
struct Model {
    /// What the free thousandths of an offer count for kinds that can never use them.
    useless: f64,
    /// What a device of it costs.
    price: f64,
    /// The kinds that ask for devices and may run on it, those that ask alike of a device one after the other.
    kinds: Vec<Kind>,
    /// What kinds ask of a device, and how many kinds do.
    asks: Vec<Ask>,
}

/// Kinds that ask for the same devices.
#[derive(Debug, Clone, PartialEq)]
struct Ask {
    /// The thousandths of one device.
    share: u32,
    /// How many devices.
    devices: usize,
    /// Where its kinds end.
    end: usize,
}

/// A typical task.
#[derive(Debug, Clone)]
struct Kind {
    /// What it asks in each dimension.
    demand: Vec<u64>,
    /// Its weight in fragmentation.
    fragmentation: f64,
    /// Its weight in what is stranded.
    stranded: f64,
}

impl Default for Strand {
    fn default() -> Self {
        Self { fragmentation: 0.5, price: 0.5, models: Vec::new() }
    }
}

impl Policy for Strand {
    const NAME: &'static str = "strand";
    const LOOKS_AHEAD: bool = true;
    const PARAMETERS: &'static [Parameter] = &[
        Parameter { name: "fragmentation", default: 0.5, minimum: 0.0, maximum: 1000.0 },
        Parameter { name: "price", default: 0.5, minimum: 0.0, maximum: 1000.0 },
    ];

    fn set(&mut self, parameters: &[f64]) {
        [self.fragmentation, self.price] = [parameters[0], parameters[1]];
    }

    fn look_ahead(&mut self, outlook: &Outlook) {
        let devices = |task: u32| f64::from(task) / f64::from(WHOLE);
        let asking = || outlook.tasks.iter().filter(|task| task.devices > 0);
        let stranded: f64 = asking().map(|task| task.share / devices(task.devices)).sum();
        let demand: f64 = asking().map(|task| task.share * devices(task.devices)).sum();
        let all: u64 = outlook.models.iter().map(|model| model.devices).sum();
        self.models.clear();
        for model in &outlook.models {
            let mut found = Model::default();
            let mut bound = 0.0;
            let mut kinds = Vec::new();
            for task in &outlook.tasks {
                let fragmentation = self.fragmentation * task.share;
                if task.devices == 0 {
                    found.useless += fragmentation;
                    continue;
                }
                let stranded = task.share / devices(task.devices) / stranded;
                if !task.allows(outlook, model) {
                    found.useless += fragmentation + stranded;
                    continue;
                }
                if !task.allowed.is_empty() {
                    let models = outlook.models.iter().filter(|other| other.devices > 0 && task.allows(outlook, other));
                    bound += task.share * devices(task.devices) / models.count().max(1) as f64;
                }
                kinds.push((asked(task.devices), Kind { demand: task.demand.clone(), fragmentation, stranded }));
            }
            kinds.sort_by_key(|(asked, _)| *asked);
            for ((share, devices), kind) in kinds {
                found.kinds.push(kind);
                let end = found.kinds.len();
                match found.asks.last_mut() {
                    Some(last) if (last.share, last.devices) == (share, devices) => last.end = end,
                    _ => found.asks.push(Ask { share, devices, end }),
                }
            }
            if model.devices > 0 && bound > 0.0 {
                found.price = (bound / demand) / (model.devices as f64 / all as f64);
            }
            self.models.push(found);
        }
    }

    fn potential(&self, offer: State<'_>) -> f64 {
        let Some(model) = self.models.get(offer.model as usize) else { return 0.0 };
        let free = thousandths(offer.devices);
        if free == 0 {
            return 0.0;
        }
        let mut sum = model.useless * free as f64;
        let mut begin = 0;
        for ask in &model.asks {
            // Devices rise, so those with too little stand first.
            let first = offer.devices.partition_point(|&free| free < ask.share);
            let serving = &offer.devices[first..];
            let lost = thousandths(&offer.devices[..first]);
            let copies = if ask.share == WHOLE {
                (serving.len() / ask.devices) as u64
            } else {
                serving.iter().map(|free| u64::from(free / ask.share)).sum()
            };
            let used = u64::from(ask.share) * ask.devices as u64;
            for kind in &model.kinds[begin..ask.end] {
                let most = kind.copies(copies, offer.available);
                let fragments = if most > 0 { lost } else { free };
                sum += kind.fragmentation * fragments as f64;
                sum += kind.stranded * (free - most * used) as f64;
            }
            begin = ask.end;
        }
        sum
    }

    fn floor(&self, demand: Demand<'_>) -> f64 {
        // A task without devices takes what kinds need: nothing that is lost or stranded becomes less.
        if demand.devices == 0 { 0.0 } else { f64::NEG_INFINITY }
    }

    fn score(&self, _: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
        let price = self.models.get(offer.model as usize).map_or(0.0, |model| model.price);
        let devices = f64::from(demand.devices) / f64::from(WHOLE);
        (offer.after - offer.before) / f64::from(WHOLE) + self.price * price * devices
    }
}

impl Kind {
    /// How many of so many copies find enough in every dimension.
    fn copies(&self, copies: u64, available: &[u64]) -> u64 {
        let pairs = self.demand.iter().zip(available).filter(|(asked, _)| **asked > 0);
        pairs.fold(copies, |copies, (&asked, &free)| {
            // Most often there is enough for all, and a product is cheaper than a quotient.
            if asked.checked_mul(copies).is_some_and(|all| all <= free) { copies } else { free / asked }
        })
    }
}
