//! Hosts offermatch matchers.
