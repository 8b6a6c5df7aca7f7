//! What the tests under all container runtimes share.

pub mod base;
pub mod client;
pub mod enclosure;
pub mod world;
