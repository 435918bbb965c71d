//! Which versions of the contract this host serves, and what tells them apart.

/// The interface that a matcher exports, without its version.
pub(crate) const INTERFACE: &str = "offermatch:matcher/matching";
/// The interface of plans that take running tasks away, which a matcher may leave out.
pub(crate) const PREEMPTION: &str = "offermatch:matcher/preemption";
/// The world of a matcher.
pub(crate) const WORLD: &str = "offermatch:matcher/matcher";
/// The contract that the reference answers by, and that the matchers of this package are built for.
pub const CONTRACT: &str = CURRENT.version;
/// The contract versions that this host serves, for people.
pub(crate) const SERVED: &str = "0.2.0 and 0.3.0";

/// A version of the contract.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contract {
    pub(crate) version: &'static str,
    /// The interface with which a matcher may tell of its work. It then exports `set-traced`.
    pub(crate) tracing: Option<&'static str>,
    /// Whether its matchers raise scales taken from the offers when a larger capacity comes, and serve rules.
    pub(crate) is_current: bool,
}

/// The version of `wit/`.
const CURRENT: Contract =
    Contract { version: "0.3.0", tracing: Some("wasi:otel/tracing@0.2.0-rc.2"), is_current: true };
/// The version of `wit/since-0.2.0/`.
const BEFORE: Contract =
    Contract { version: "0.2.0", tracing: Some("wasi:otel/tracing@0.2.0-rc.2"), is_current: false };

/// The contracts that this host serves, the newest first.
static CONTRACTS: [Contract; 2] = [CURRENT, BEFORE];

impl Contract {
    /// Whether an extern name with this version is one of the contract: the version whole, or as canonical names have it,
    /// without what may differ among compatible versions.
    fn is_named(&self, written: &str) -> bool {
        let major_is_zero = self.version.starts_with("0.");
        let parts = if major_is_zero { 2 } else { 1 };
        let canonical =
            self.version.match_indices('.').nth(parts - 1).map_or(self.version, |(end, _)| &self.version[..end]);
        written == self.version || written == canonical
    }

    /// The names that an interface of the contract may be exported under, the version behind it.
    pub(crate) fn names<'a>(&'a self, interface: &'a str, exported: &'a str) -> bool {
        exported
            .strip_prefix(interface)
            .and_then(|rest| rest.strip_prefix('@'))
            .is_some_and(|found| self.is_named(found))
    }
}

/// The newest contract of these versions that this host serves. It serves exactly the versions it knows: what resolves as
/// compatible may be older or newer than what it is built for.
pub(crate) fn newest_served(versions: &[&str]) -> Option<&'static Contract> {
    CONTRACTS.iter().find(|contract| versions.iter().any(|version| contract.is_named(version)))
}

/// Whether matchers of this version keep the scales that a pool was opened with.
pub(crate) fn keeps_scales(version: &str) -> bool {
    version == BEFORE.version
}

/// The version in an extern name such as `offermatch:matcher/matching@0.2.0`, where it is the matching interface.
pub(crate) fn interface_version(name: &str) -> Option<&str> {
    name.strip_prefix(INTERFACE)?.strip_prefix('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_these_versions_are_served() {
        for contract in &CONTRACTS {
            assert_eq!(newest_served(&[contract.version, "9.9.9"]), Some(contract));
            assert!(SERVED.contains(contract.version));
        }
        assert_eq!(newest_served(&["0.2.0", "0.3.0"]), Some(&CURRENT));
        assert_eq!(newest_served(&["0.2"]), Some(&BEFORE), "a canonical name leaves the patch version out");
        for other in ["0.1.0", "0.2.1", "0.3.1", "1.2.0", "0", "3", "0.2.0-rc.1", "0.20.0", "0.20", ""] {
            assert_eq!(newest_served(&[other]), None, "{other}");
        }
    }

    #[test]
    fn an_interface_is_found_under_its_whole_and_its_canonical_name() {
        for name in ["offermatch:matcher/preemption@0.3.0", "offermatch:matcher/preemption@0.3"] {
            assert!(CURRENT.names(PREEMPTION, name) && !BEFORE.names(PREEMPTION, name), "{name}");
        }
        assert!(!CURRENT.names(PREEMPTION, "offermatch:matcher/preemption"));
        let major = Contract { version: "1.2.0", ..CURRENT };
        assert!(major.is_named("1") && major.is_named("1.2.0") && !major.is_named("1.2"));
    }

    #[test]
    fn versions_stand_behind_the_interface() {
        assert_eq!(interface_version("offermatch:matcher/matching@0.3.0"), Some("0.3.0"));
        assert_eq!(interface_version("offermatch:matcher/matching-more@0.3.0"), None);
        assert_eq!(interface_version("wasi:io/streams@0.2.0"), None);
    }
}
