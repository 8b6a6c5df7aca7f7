//! `init_core`: what `init` decides, apart from what it does. No system call, no `unsafe`, no allocation.
//!
//! - [`cli`]: command line and variables to a [`cli::Request`].
//! - [`supervise`]: the heart, one pure function: an event and the facts that it asks for in, actions out.
//! - [`signal`]: signal numbers, names and sets. [`status`]: wait status to exit status. [`program`]: how a program is found.
//! - [`messages`]: everything init says. [`errors`]: the wording of error numbers. [`mod@line`]: bytes under construction.

#![no_std]
#![warn(missing_docs, clippy::missing_docs_in_private_items)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![forbid(unsafe_code)]

pub mod bytes;
pub mod cli;
pub mod errors;
pub mod line;
pub mod messages;
pub mod program;
pub mod signal;
pub mod status;
pub mod supervise;
