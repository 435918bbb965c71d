//! A matcher that something stands behind: where it fails, the cycle ends with a valid answer all the same.

mod breaker;
mod guarded;
mod matcher;

pub use breaker::Breaker;
pub use matcher::FallbackMatcher;
