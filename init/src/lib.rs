//! `init_core`: what `init` decides, apart from what it does. No system call, no `unsafe`, no allocation.
//!
//! - [`bytes`]: comparison and search.
//! - [`signal`]: signal numbers, names and sets.
//! - [`options`]: command line and variables to a [`options::Config`].
//! - [`program`]: how a program is found.
//! - [`supervisor`]: what a signal or a dead process means.
//! - [`status`]: wait status to exit status.
//! - [`message`]: bytes under construction; [`text`]: what is written there, packed.

#![no_std]
#![warn(missing_docs, clippy::missing_docs_in_private_items)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![forbid(unsafe_code)]

/// The list of all options and texts, for the macros of [`options`] and [`text`].
#[macro_use]
mod words;

pub mod bytes;
pub mod message;
pub mod options;
pub mod program;
pub mod signal;
pub mod status;
pub mod supervisor;
pub mod text;
