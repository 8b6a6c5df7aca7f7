//! Tests that share a world, which is started before the first of them and ends behind the last.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

/// Runs the tests of `list` in the world that `start` makes. The whole of `main`.
pub fn run<World: Send + Sync + 'static>(start: fn() -> World, list: fn(&Trials<World>) -> Vec<Trial>) -> ExitCode {
    let arguments = Arguments::from_args();
    // Nothing is started for a list.
    let mut world = Trials((!arguments.list).then(|| Arc::new(start())));
    let conclusion = libtest_mimic::run(&arguments, list(&world));
    if let Some(world) = world.0.take() {
        // The tests are gone, and with them their shares: the daemons end here, before this process does.
        drop(Arc::into_inner(world).expect("the tests have ended"));
    }
    conclusion.exit_code()
}

/// Makes tests that are handed the shared world.
pub struct Trials<World>(Option<Arc<World>>);

impl<World: Send + Sync + 'static> Trials<World> {
    pub fn trial(&self, name: &str, test: impl FnOnce(&World) + Send + 'static) -> Trial {
        let world = self.0.clone();
        Trial::test(name, move || {
            test(&world.expect("a test runs only with a world"));
            Ok(())
        })
    }
}
