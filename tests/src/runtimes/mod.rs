//! What the tests under all container runtimes share, and the benchmark.

pub mod base;
pub mod client;
pub mod docker;
pub mod enclosure;
#[cfg(feature = "runtimes")]
pub mod world;
