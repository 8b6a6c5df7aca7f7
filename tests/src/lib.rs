//! The harness of bitts: starts a program as PID 1 of fresh namespaces (or elsewhere), signals it, looks at it, and
//! tells how it ended. Every wait has a deadline, and nothing outlives the test that started it.
//!
//! - [`Case`]: what to start, and in which surroundings; [`Running`]: the started program; [`Outcome`]: its end.
//! - [`ship`]: the release bytes of `init` and `pause`, or the programs named by `INIT_UNDER_TEST`, `PAUSE_UNDER_TEST`.
//! - [`needs_namespaces!`]: the first line of a test that needs them.
//! - [`floor`]: programs in assembly to measure ours against; [`cgroup`]: the memory that programs are charged.
//! - [`faults`]: every system call of ours, made to fail, and what must come of it.
//! - [`conformance`]: the cases that any init, and any pause, can be put through; [`marks`]: where documents have the results.
//! - [`fault`]: the one thing that a program for a control does wrong.
//! - [`elf`]: what the headers of a shipped file must say.
//! - [`load`]: how the two bear a load, at any scale; [`storm`]: signals of which each is accounted for.
//! - `images` (feature `images`): the images, made without Docker, and their check.
//! - `runtimes` (feature `runtimes`, `bench`): a container runtime of the tests' own, and its clients.
//! - `mutants` (feature `mutants`): small faults in the sources, and which test notices each.

#[cfg(feature = "bench")]
pub mod bench;
pub mod case;
pub mod cgroup;
pub mod conformance;
pub mod elf;
pub mod fault;
pub mod faults;
pub mod floor;
#[cfg(feature = "images")]
pub mod images;
pub mod load;
pub mod marks;
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod namespace;
pub mod plan;
pub mod procfs;
pub mod running;
#[cfg(any(feature = "runtimes", feature = "bench"))]
pub mod runtimes;
pub mod ship;
pub mod steps;
pub mod storm;
pub mod sys;
pub mod tools;

pub use case::{Case, Stream};
pub use plan::{Place, Proc};
pub use running::{Outcome, Running};
