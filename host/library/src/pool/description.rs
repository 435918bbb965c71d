//! What a matcher says of itself.

use offermatch_core as core;
use offermatch_core::Mode;

use crate::table::rule::Rule;
use crate::visible::visible_name;

/// What a matcher says of itself.
///
/// ```
/// let matcher = offermatch::Matcher::bundled("strand")?;
/// let description = matcher.description();
/// assert_eq!((description.policy.as_str(), description.contract.as_str()), ("strand", offermatch::CONTRACT));
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its version, a semantic version.
    pub version: String,
    /// The policy that ranks the offers.
    pub policy: String,
    /// The contract it was built against, a semantic version.
    pub contract: String,
    /// The modes it has.
    pub modes: Vec<Mode>,
    /// The rules that it serves, of those that may be left out.
    pub rules: Vec<Rule>,
    /// What its policy takes from the settings.
    pub parameters: Vec<Parameter>,
}

impl Description {
    /// Refuses what no matcher can mean: empty names, a mode or a rule twice, a parameter without a range.
    pub(crate) fn check(&self) -> Result<(), String> {
        let texts = [("name", &self.name), ("version", &self.version), ("policy", &self.policy)];
        if let Some((text, _)) = texts.iter().find(|(_, text)| text.is_empty()) {
            return Err(format!("its {text} is empty"));
        }
        if self.modes.is_empty() {
            return Err("it has no mode".to_owned());
        }
        if let Some(mode) = repeated(&self.modes) {
            return Err(format!("the mode {mode} stands twice"));
        }
        if let Some(rule) = repeated(&self.rules) {
            return Err(format!("the rule {rule} stands twice"));
        }
        for (at, Parameter { name, default, minimum, maximum }) in self.parameters.iter().enumerate() {
            if name.is_empty() {
                return Err("the name of a parameter is empty".to_owned());
            }
            let name = visible_name(name);
            if self.parameters[..at].iter().any(|before| *before.name == *self.parameters[at].name) {
                return Err(format!("the parameter {name} stands twice"));
            }
            // Nothing is within bounds that are not numbers.
            if !(minimum <= default && default <= maximum) {
                return Err(format!("the default {default} of {name} is not within {minimum} to {maximum}"));
            }
        }
        Ok(())
    }
}

/// The first that has stood before; what is asked is short, or refused by it.
fn repeated<T: PartialEq>(all: &[T]) -> Option<&T> {
    all.iter().enumerate().find_map(|(at, one)| all[..at].contains(one).then_some(one))
}

/// A number that a policy takes from the settings.
///
/// ```
/// let matcher = offermatch::Matcher::bundled("strand")?;
/// for parameter in &matcher.description().parameters {
///     assert!(parameter.minimum <= parameter.default && parameter.default <= parameter.maximum);
/// }
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is where it is not set.
    pub default: f64,
    /// The least that it may be.
    pub minimum: f64,
    /// The most that it may be.
    pub maximum: f64,
}

impl Parameter {
    /// The last parameter of every policy that is shipped.
    pub(crate) fn used_first() -> Self {
        let core::Parameter { name, default, minimum, maximum } = core::Parameter::USED_FIRST;
        Self { name: name.to_owned(), default, minimum, maximum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_matcher_can_mean_is_refused_by_name() {
        let parameter = |name: &str, default| Parameter { name: name.into(), default, minimum: 0.0, maximum: 1.0 };
        let good = Description {
            name: "best".into(),
            version: "1.0.0".into(),
            policy: "best-fit".into(),
            contract: "0.3.0".into(),
            modes: vec![Mode::Exclusive, Mode::Shared],
            rules: Rule::ALL.to_vec(),
            parameters: vec![parameter("one", 0.0), parameter("two", 1.0)],
        };
        assert_eq!(good.check(), Ok(()));
        let bad = [
            (Description { name: String::new(), ..good.clone() }, "its name is empty"),
            (Description { version: String::new(), ..good.clone() }, "its version is empty"),
            (Description { policy: String::new(), ..good.clone() }, "its policy is empty"),
            (Description { modes: Vec::new(), ..good.clone() }, "it has no mode"),
            (Description { modes: vec![Mode::Shared; 3000], ..good.clone() }, "the mode shared stands twice"),
            (Description { parameters: vec![parameter("", 0.5)], ..good.clone() }, "the name of a parameter is empty"),
            (
                Description { parameters: vec![parameter("one", 0.5); 2], ..good.clone() },
                "the parameter one stands twice",
            ),
            (
                Description { parameters: vec![parameter("one", f64::NAN)], ..good.clone() },
                "the default NaN of one is not within 0 to 1",
            ),
        ];
        for (description, reason) in bad {
            assert_eq!(description.check(), Err(reason.to_owned()));
        }
    }
}
