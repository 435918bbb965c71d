//! Which of the feasible offers is best.

use alloc::vec::Vec;

use crate::columns::{check_length, check_number};
use crate::error::Error;
use crate::outlook::Outlook;

/// What the settings and the offers of a pool say about scores. Fixed when the pool is opened.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// An offer is chosen only if its score is below this.
    pub max_score: f64,
    /// The weight of each dimension and, last, of the device thousandths.
    pub weights: Vec<f64>,
    /// The scale of each dimension and, last, of the device thousandths. At least 1.
    pub scales: Vec<f64>,
    /// Whether an offer of which nothing is used is chosen only where no used one can be.
    pub used_first: bool,
}

/// What a task asks.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// One quantity for each dimension.
    pub quantities: &'a [u64],
    /// Device thousandths.
    pub devices: u32,
}

/// What a feasible offer has, before the task is placed on it: never less than the demand.
#[derive(Debug, Clone, Copy)]
pub struct Leftover<'a> {
    /// What is free in each dimension.
    pub available: &'a [u64],
    /// What there is in all in each dimension.
    pub capacity: &'a [u64],
    /// The free thousandths of all devices.
    pub free_devices: u64,
    /// The thousandths of all devices.
    pub device_capacity: u64,
    /// The free thousandths of each device, rising. Only for policies without a bound; empty for others, like the next two.
    pub devices: &'a [u32],
    /// Interned attribute values; zero is unset.
    pub attributes: &'a [u32],
    /// Measures; NaN is unset.
    pub measures: &'a [f64],
    /// The model of the offer, a position in [`Outlook::models`]. Only for policies that look ahead.
    pub model: u32,
    /// The policy's potential of the offer as it is. Only for policies that look ahead.
    pub before: f64,
    /// The policy's potential of the offer when it has taken the task. Only for policies that look ahead.
    pub after: f64,
}

/// An offer as it is, or as it would be.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// What is free in each dimension.
    pub available: &'a [u64],
    /// What there is in all in each dimension.
    pub capacity: &'a [u64],
    /// The free thousandths of each device, rising.
    pub devices: &'a [u32],
    /// The model, a position in [`Outlook::models`].
    pub model: u32,
}

/// A number of a policy that a user may set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value unless another is set.
    pub default: f64,
    /// The least it may be.
    pub minimum: f64,
    /// The most it may be.
    pub maximum: f64,
}

impl Parameter {
    /// The last parameter of every policy: above 0, an offer of which nothing is used is chosen only where no used one can be.
    pub const USED_FIRST: Self = Self { name: "used-first", default: 0.0, minimum: 0.0, maximum: 1.0 };
}

/// What is known of a policy's scores, so that an index need not look at every offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Nothing: every offer of the list is looked at, and no score is computed twice for the same task and offer as they are.
    None,
    /// The score is a sum over dimensions and devices of terms `weight * quantity / scale`, none negative, of what the task
    /// leaves over; capacities do not count. So it is the score of the offer for an empty task, less the score of the
    /// task's own demand, but for rounding.
    Linear,
    /// The computed score never falls when an offer has more of something left over, and never rises when it has more
    /// capacity with the same left over. Sums, products and quotients of what is left over and its share of the capacity
    /// do that, rounding included: correctly rounded operations keep the order of their arguments.
    Monotone,
    /// The reverse: the computed score never rises when an offer has more of something left over, and never falls when it has
    /// more capacity with the same left over. The index also asks for the score of an offer that has more left over than
    /// its capacity: that has to be in order, too.
    Antitone,
}

/// What a policy's estimates of the scores of one task are made of, beside a coefficient for each feature of an offer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// What is added to them. It has to make up for their roundings.
    pub constant: f64,
    /// Whether all offers that serve the task have the same score.
    pub flat: bool,
}

/// How offers are ranked for a task.
pub trait Policy {
    /// The policy's name.
    const NAME: &'static str;

    /// What an index may rely on.
    const BOUND: Bound = Bound::None;

    /// The numbers that a user may set, in the order of `set`. [`Parameter::USED_FIRST`] comes behind them.
    const PARAMETERS: &'static [Parameter] = &[];

    /// Whether scores depend on typical tasks: then `look_ahead` and `potential` are asked, and `BOUND` is `None`.
    const LOOKS_AHEAD: bool = false;

    /// Takes the values of the parameters, each within its bounds.
    fn set(&mut self, parameters: &[f64]) {
        let _ = parameters;
    }

    /// Takes what is known of the tasks to come and of the pool.
    fn look_ahead(&mut self, outlook: &Outlook) {
        let _ = outlook;
    }

    /// A number for the state of an offer, whatever the task: what `score` gets before and after the task is placed.
    /// Never NaN.
    fn potential(&self, offer: State<'_>) -> f64 {
        let _ = offer;
        0.0
    }

    /// What no score of this task is below, on any offer, so that a walk over the list may end at an offer that has it.
    fn floor(&self, demand: Demand<'_>) -> f64 {
        let _ = demand;
        f64::NEG_INFINITY
    }

    /// Whether scores are estimated from features of offers: an index then finds offers by these estimates. `BOUND` is
    /// [`Bound::Monotone`] or [`Bound::Antitone`], and the next five have to keep this: the estimate for an offer that can take a
    /// task, as it is computed, is not above the `level` of the computed score.
    const ESTIMATES: bool = false;

    /// How many features an offer has, in so many dimensions, with or without devices.
    fn feature_count(&self, dimensions: usize, devices: bool) -> usize {
        let _ = (dimensions, devices);
        0
    }

    /// Writes the features of an offer: finite numbers that do not depend on the task.
    fn features(&self, ranking: &Ranking, offer: Leftover<'_>, features: &mut [f64]) {
        let _ = (ranking, offer, features);
    }

    /// Writes what a task makes of each feature: coefficients that are not negative, nor infinite.
    fn line(&self, ranking: &Ranking, demand: Demand<'_>, coefficients: &mut [f64]) -> Line {
        let _ = (ranking, demand, coefficients);
        Line { constant: f64::NEG_INFINITY, flat: false }
    }

    /// Estimates the scores of some offers, of which `features` has a column for each feature. Never falls when a feature rises,
    /// rounding included, so that the least features of many offers have the least estimate. Unless it is another, the sum of the
    /// features, each by its coefficient.
    #[inline(always)]
    fn estimate<const N: usize>(&self, constant: f64, coefficients: &[f64], features: &[[f64; N]]) -> [f64; N] {
        let mut sums = [constant; N];
        for (column, &by) in features.iter().zip(coefficients) {
            sums.iter_mut().zip(column).for_each(|(sum, feature)| *sum += by * feature);
        }
        sums
    }

    /// What no estimate is above, for an offer of this score or a lower one. Never falls when the score rises.
    fn level(&self, score: f64) -> f64 {
        score
    }

    /// The score of a feasible offer; the lowest wins. Never NaN.
    ///
    /// Every platform has to compute the same bits, so only `+ - * /` and comparisons of doubles may be used, in a fixed
    /// order.
    fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64;
}

/// Sets the parameters of a policy, if any are given, and says whether used offers come first.
///
/// # Errors
/// [`Error::ColumnLength`] and [`Error::BadNumber`].
pub(crate) fn set_parameters<P: Policy>(policy: &mut P, parameters: &[f64]) -> Result<bool, Error> {
    if parameters.is_empty() {
        return Ok(false);
    }
    check_length("parameters", parameters.len(), P::PARAMETERS.len() as u64 + 1)?;
    let known = P::PARAMETERS.iter().chain([&Parameter::USED_FIRST]);
    for (at, (&value, &Parameter { minimum, maximum, .. })) in parameters.iter().zip(known).enumerate() {
        check_number("parameters", at, value, minimum, maximum)?;
    }
    policy.set(&parameters[..P::PARAMETERS.len()]);
    Ok(parameters[P::PARAMETERS.len()] > 0.0)
}
