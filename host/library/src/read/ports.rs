//! Ports of the host that a pod asks for, as amounts of a node: a port is taken once.
//!
//! Who asks for a port on all addresses takes all of its room; who asks for it on one address takes one part of that, and
//! the address. So what two pods may have beside each other is what adds up, and a matcher needs no rule for it.

use std::collections::{BTreeMap, BTreeSet};

const ROOM: u64 = 1 << 16;
/// The address that Kubernetes takes where none is given.
const ALL: &str = "0.0.0.0";
/// No resource of a node has a colon in its name.
const PREFIX: &str = "hostPort:";
/// The largest number of a port.
pub(super) const MOST: u32 = 65_535;

/// A port with its protocol and address.
pub(super) type Port = (u32, String, String);

/// What a pod asks of its node that asks for these ports.
pub(super) fn amounts(ports: Vec<Port>) -> BTreeMap<String, u64> {
    let mut addresses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (number, protocol, address) in ports {
        let protocol = if protocol.is_empty() { "TCP" } else { &protocol };
        let address = if address.is_empty() { ALL.to_owned() } else { address };
        addresses.entry(format!("{PREFIX}{number}/{protocol}")).or_default().insert(address);
    }
    let mut asked = BTreeMap::new();
    for (name, given) in addresses {
        if given.contains(ALL) {
            asked.insert(name, ROOM);
        } else {
            asked.extend(given.iter().map(|address| (format!("{name}/{address}"), 1)));
            asked.insert(name, given.len() as u64);
        }
    }
    asked
}

/// The port, and the address if it is one, that an amount is about; none where it is about no port.
pub(crate) fn port(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
}

/// How much of a port or an address every node has; none where it is neither.
pub(super) fn room(name: &str) -> Option<u64> {
    let port = port(name)?;
    Some(if port.matches('/').count() == 1 { ROOM } else { 1 })
}
