//! Which versions of the contract this host serves, and what tells them apart: all that there is to an adapter.

/// The interface that a matcher exports, without its version.
pub(crate) const INTERFACE: &str = "offermatch:matcher/matching";
/// The world of a matcher.
pub(crate) const WORLD: &str = "offermatch:matcher/matcher";
/// The contract that this host is built against.
pub const CONTRACT: &str = CURRENT.version;
/// The contract versions that this host serves, for people.
pub(crate) const SERVED: &str = "0.1.0 and 0.2.0";

/// A version of the contract. The functions that two versions share have the same types in both.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contract {
    pub(crate) version: &'static str,
    /// The interface with which a matcher may tell of its work. It then exports `set-traced`.
    pub(crate) tracing: Option<&'static str>,
}

/// The version of `wit/since-0.2.0/`.
const CURRENT: Contract = Contract { version: "0.2.0", tracing: Some("wasi:otel/tracing@0.2.0-rc.2") };
/// The version of `wit/since-0.1.0/`.
const BEFORE: Contract = Contract { version: "0.1.0", tracing: None };

/// The contracts that this host serves, the newest first.
static CONTRACTS: [Contract; 2] = [CURRENT, BEFORE];

/// The newest contract of these versions that this host serves. It serves exactly the versions it knows: what resolves as
/// compatible may be older or newer than what it is built for.
pub(crate) fn newest_served(versions: &[&str]) -> Option<&'static Contract> {
    CONTRACTS.iter().find(|contract| versions.contains(&contract.version))
}

/// The version in an extern name such as `offermatch:matcher/matching@0.2.0`, where it is the matching interface.
pub(crate) fn interface_version(name: &str) -> Option<&str> {
    name.strip_prefix(INTERFACE)?.strip_prefix('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_current_version_and_the_one_before_are_served() {
        for contract in &CONTRACTS {
            assert_eq!(newest_served(&[contract.version, "9.9.9"]), Some(contract));
            assert!(SERVED.contains(contract.version));
        }
        assert_eq!(newest_served(&["0.1.0", "0.2.0"]), Some(&CURRENT));
        for other in ["0.1.1", "0.2.1", "0.3.0", "1.2.0", "0.2", "0.2.0-rc.1", "0.20.0", ""] {
            assert_eq!(newest_served(&[other]), None, "{other}");
        }
    }

    #[test]
    fn versions_stand_behind_the_interface() {
        assert_eq!(interface_version("offermatch:matcher/matching@0.1.0"), Some("0.1.0"));
        assert_eq!(interface_version("offermatch:matcher/matching-more@0.1.0"), None);
        assert_eq!(interface_version("wasi:io/streams@0.2.0"), None);
    }
}
