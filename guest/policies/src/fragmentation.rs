//! Fragmentation gradient descent, as published.

use alloc::vec::Vec;

use offermatch_core::WHOLE;
use offermatch_core::{Demand, Leftover, Outlook, Policy, Ranking, State};

use crate::{asked, thousandths};

/// The offer wins whose free devices lose least for typical tasks: fragmentation gradient descent of Weng et al., "Beware of
/// Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC 2023.
///
/// The *fragmentation* of an offer for one typical task is what it has free in devices that the task cannot use: all of it,
/// where the task asks for no device or the offer cannot take it, else the sum of devices with less free than the task asks
/// of each. That of an offer is the mean over typical tasks, by their shares. The published score is `100 * sigmoid(before - after)`,
/// in devices, cut to a whole number, the highest wins; here it is 100 less that.
#[derive(Debug, Clone, Default)]
pub struct Fragmentation {
    /// What is known of typical tasks on each model of offer.
    models: Vec<Vec<Kind>>,
    /// The shares of the typical tasks that can use no device of an offer, by model.
    useless: Vec<f64>,
}

/// A typical task that asks for devices, on a model that it may run on.
#[derive(Debug, Clone)]
struct Kind {
    /// What it asks in each dimension.
    demand: Vec<u64>,
    /// The thousandths that it asks of one device.
    share: u32,
    /// How many devices it asks.
    devices: usize,
    /// Its share of all tasks.
    weight: f64,
}

impl Policy for Fragmentation {
    const NAME: &'static str = "fragmentation";
    const LOOKS_AHEAD: bool = true;

    fn look_ahead(&mut self, outlook: &Outlook) {
        self.models.clear();
        self.useless.clear();
        for model in &outlook.models {
            let mut useless = 0.0;
            let mut kinds = Vec::new();
            for task in &outlook.tasks {
                if task.devices == 0 || !task.allows(outlook, model) {
                    useless += task.share;
                    continue;
                }
                let (share, devices) = asked(task.devices);
                kinds.push(Kind { demand: task.demand.clone(), share, devices, weight: task.share });
            }
            self.models.push(kinds);
            self.useless.push(useless);
        }
    }

    fn potential(&self, offer: State<'_>) -> f64 {
        let Some(kinds) = self.models.get(offer.model as usize) else { return 0.0 };
        let free = thousandths(offer.devices);
        let mut sum = self.useless[offer.model as usize] * free as f64;
        for kind in kinds {
            let fits = kind.demand.iter().zip(offer.available).all(|(asked, free)| asked <= free);
            // Devices rise, so those with too little stand first.
            let first = offer.devices.partition_point(|&free| free < kind.share);
            let lost = if fits && offer.devices.len() - first >= kind.devices {
                thousandths(&offer.devices[..first])
            } else {
                free
            };
            sum += kind.weight * lost as f64;
        }
        sum
    }

    fn floor(&self, demand: Demand<'_>) -> f64 {
        // A task without devices takes what kinds need: no fragmentation becomes less.
        if demand.devices == 0 { 50.0 } else { f64::NEG_INFINITY }
    }

    fn score(&self, _: &Ranking, _: Demand<'_>, offer: Leftover<'_>) -> f64 {
        let gain = (offer.before - offer.after) / f64::from(WHOLE);
        let steps = STEPS.partition_point(|&step| step <= gain);
        100.0 - steps as f64
    }
}

/// Where the sigmoid reaches each hundredth: `ln(k / (100 - k))` for k from 1 to 99. A table, since no two platforms agree
/// on the last bit of an exponential.
const STEPS: [f64; 99] = [
    -4.59511985013459,
    -3.891820298110627,
    -3.4760986898352733,
    -3.1780538303479458,
    -2.9444389791664407,
    -2.751535313041949,
    -2.5866893440979424,
    -2.4423470353692043,
    -2.3136349291806306,
    -2.1972245773362196,
    -2.0907410969337694,
    -1.9924301646902063,
    -1.900958761193047,
    -1.8152899666382492,
    -1.7346010553881064,
    -1.6582280766035324,
    -1.5856272637403819,
    -1.5163474893680884,
    -1.4500101755059984,
    -1.3862943611198906,
    -1.3249254147435987,
    -1.2656663733312759,
    -1.2083112059245342,
    -1.1526795099383855,
    -1.0986122886681098,
    -1.0459685551826876,
    -0.9946225751440622,
    -0.9444616088408514,
    -0.8953840470548413,
    -0.8472978603872037,
    -0.8001193001121132,
    -0.7537718023763802,
    -0.7081850579244858,
    -0.6632942174102642,
    -0.6190392084062235,
    -0.5753641449035618,
    -0.5322168137473082,
    -0.4895482253187058,
    -0.4473122180436648,
    -0.40546510810816444,
    -0.3639653772014116,
    -0.322773392263051,
    -0.2818511521409877,
    -0.2411620568168881,
    -0.2006706954621511,
    -0.16034265007517937,
    -0.12014431184206321,
    -0.08004270767353637,
    -0.04000533461369913,
    0.0,
    0.040005334613699206,
    0.08004270767353636,
    0.12014431184206321,
    0.16034265007517948,
    0.20067069546215124,
    0.24116205681688804,
    0.28185115214098766,
    0.322773392263051,
    0.3639653772014116,
    0.4054651081081644,
    0.44731221804366483,
    0.4895482253187058,
    0.5322168137473082,
    0.5753641449035618,
    0.6190392084062235,
    0.6632942174102642,
    0.7081850579244858,
    0.7537718023763802,
    0.8001193001121131,
    0.8472978603872037,
    0.8953840470548413,
    0.9444616088408515,
    0.994622575144062,
    1.0459685551826878,
    1.0986122886681098,
    1.1526795099383853,
    1.2083112059245342,
    1.2656663733312759,
    1.3249254147435985,
    1.3862943611198906,
    1.4500101755059984,
    1.5163474893680884,
    1.5856272637403819,
    1.6582280766035324,
    1.7346010553881064,
    1.8152899666382492,
    1.900958761193047,
    1.992430164690206,
    2.0907410969337694,
    2.1972245773362196,
    2.3136349291806306,
    2.4423470353692043,
    2.586689344097943,
    2.751535313041949,
    2.9444389791664403,
    3.1780538303479458,
    3.4760986898352733,
    3.8918202981106265,
    4.59511985013459,
];

#[cfg(test)]
mod tests {
    use super::STEPS;

    #[test]
    fn the_steps_are_where_the_sigmoid_reaches_each_hundredth() {
        for (step, hundredths) in STEPS.iter().zip(1..) {
            let expected = (f64::from(hundredths) / f64::from(100 - hundredths)).ln();
            assert!((step - expected).abs() < 1e-15, "{hundredths}: {step} is not {expected}");
        }
    }
}
