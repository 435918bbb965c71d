//! Counts as recordings have them: by check, or, of a matcher of contract 0.2.0, of the first check that an offer fails.

use serde::{Deserialize, Serialize};

use super::real::Real;
use crate::pool::counts::{ChecksFailed, Counts, FirstFailures};

/// Counts of either kind. Those by check have how many offers are capable, one number a task.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    by_dimension: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_requirement: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_devices: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_score: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension_fails: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension_alone: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension_missing: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requirement_fails: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requirement_alone: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requirement_missing: Option<Vec<Real>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices_fails: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices_alone: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices_missing: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    together_fails: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    together_alone: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_fails: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_alone: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_fails: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_missing: Option<Vec<Real>>,
    candidates: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capable: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members_placed: Option<Vec<u32>>,
}

impl From<&Counts> for Written {
    fn from(counts: &Counts) -> Self {
        match counts {
            Counts::FirstFailures(counts) => Self {
                by_dimension: Some(counts.by_dimension.clone()),
                by_requirement: Some(counts.by_requirement.clone()),
                by_devices: Some(counts.by_devices.clone()),
                by_score: Some(counts.by_score.clone()),
                candidates: counts.candidates.clone(),
                ..Self::default()
            },
            Counts::ByCheck(counts) => Self {
                dimension_fails: Some(counts.dimension_fails.clone()),
                dimension_alone: Some(counts.dimension_alone.clone()),
                dimension_missing: Some(counts.dimension_missing.clone()),
                requirement_fails: Some(counts.requirement_fails.clone()),
                requirement_alone: Some(counts.requirement_alone.clone()),
                requirement_missing: Some(counts.requirement_missing.iter().copied().map(Real).collect()),
                devices_fails: Some(counts.devices_fails.clone()),
                devices_alone: Some(counts.devices_alone.clone()),
                devices_missing: Some(counts.devices_missing.clone()),
                together_fails: Some(counts.together_fails.clone()),
                together_alone: Some(counts.together_alone.clone()),
                limit_fails: Some(counts.limit_fails.clone()),
                limit_alone: Some(counts.limit_alone.clone()),
                score_fails: Some(counts.score_fails.clone()),
                score_missing: Some(counts.score_missing.iter().copied().map(Real).collect()),
                candidates: counts.candidates.clone(),
                capable: Some(counts.capable.clone()),
                members_placed: Some(counts.members_placed.clone()),
                ..Self::default()
            },
        }
    }
}

impl From<Written> for Counts {
    fn from(written: Written) -> Self {
        let reals = |column: Option<Vec<Real>>| column.into_iter().flatten().map(|Real(number)| number).collect();
        if written.capable.is_none() {
            return Self::FirstFailures(FirstFailures {
                by_dimension: written.by_dimension.unwrap_or_default(),
                by_requirement: written.by_requirement.unwrap_or_default(),
                by_devices: written.by_devices.unwrap_or_default(),
                by_score: written.by_score.unwrap_or_default(),
                candidates: written.candidates,
            });
        }
        Self::ByCheck(Box::new(ChecksFailed {
            dimension_fails: written.dimension_fails.unwrap_or_default(),
            dimension_alone: written.dimension_alone.unwrap_or_default(),
            dimension_missing: written.dimension_missing.unwrap_or_default(),
            requirement_fails: written.requirement_fails.unwrap_or_default(),
            requirement_alone: written.requirement_alone.unwrap_or_default(),
            requirement_missing: reals(written.requirement_missing),
            devices_fails: written.devices_fails.unwrap_or_default(),
            devices_alone: written.devices_alone.unwrap_or_default(),
            devices_missing: written.devices_missing.unwrap_or_default(),
            together_fails: written.together_fails.unwrap_or_default(),
            together_alone: written.together_alone.unwrap_or_default(),
            limit_fails: written.limit_fails.unwrap_or_default(),
            limit_alone: written.limit_alone.unwrap_or_default(),
            score_fails: written.score_fails.unwrap_or_default(),
            score_missing: reals(written.score_missing),
            candidates: written.candidates,
            capable: written.capable.unwrap_or_default(),
            members_placed: written.members_placed.unwrap_or_default(),
        }))
    }
}
