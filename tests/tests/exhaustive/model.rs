//! Kernel and init together as a model for stateright: every state that the two can reach, not only those of short runs. A state
//! is that of the exploration, kernel, core and what is next, and so is a step; only what happens when is the model's to say.

use crate::faults::Fault;
use crate::kernel::{MOVES, Move, Time};
use crate::modes::{MODES, Mode};
use crate::shell::{Script, State, Tools, When};
use stateright::{Checker, Model, Property};
use std::thread;

/// Both, in one mode.
struct Pair {
    mode: &'static Mode,
    fault: Fault,
    /// How many moves of the others there are at most.
    left: usize,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Action {
    /// init takes its next step; where it blocks, its time is up.
    Step,
    Happens(Move),
}

/// Not counted: they are not many, and a shell continues what is stopped.
fn is_free(state: &State, happens: Move) -> bool {
    use Move::{Continues, Exits, Killed, Obeys, OrphanComes, OrphanDies, StrangerComes, StrangerDies};
    happens == Move::Cont && state.world.kernel.init_is_stopped
        || matches!(
            happens,
            Exits | Killed | Obeys | Continues | OrphanComes | OrphanDies | StrangerComes | StrangerDies
        )
}

impl Pair {
    fn tools(&self) -> Tools {
        Tools { mode: self.mode, fault: self.fault, when: When::Model, script: Script::default(), log: Vec::new() }
    }
}

impl Model for Pair {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(&mut self.tools(), self.left)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.has_ended() {
            return;
        }
        let is_possible = |happens: &Move| {
            // Time passes where init blocks.
            *happens != Move::Time
                && (state.world.left > 0 || is_free(state, *happens))
                && state.world.kernel.is_possible(*happens, self.mode, false)
        };
        actions.extend(MOVES.into_iter().filter(is_possible).map(Action::Happens));
        if state.blocks() != Some(Time::MAX) {
            actions.push(Action::Step);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Step => next.step(&mut self.tools()),
            Action::Happens(happens) => {
                next.world.left -= usize::from(!is_free(state, happens));
                next.happen(happens, &mut self.tools());
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("every promise is kept", |pair: &Pair, state: &State| {
                state.world.broken.is_none() && state.may_block(pair.mode)
            }),
            Property::always("where nothing more can happen it has ended", |pair: &Pair, state: &State| {
                let mut actions = Vec::new();
                pair.actions(state, &mut actions);
                !actions.is_empty() || state.has_ended()
            }),
            Property::sometimes("it ends", |_, state: &State| state.has_ended()),
        ]
    }
}

const MODEL: [&str; 12] = [
    "PID 1",
    "PID 1, grace",
    "PID 1, wait-all",
    "PID 1, wait-all, grace",
    "PID 1, stop-timeout",
    "PID 1, terminal",
    "shared group, terminal",
    "own group, terminal",
    "subreaper, wait-all",
    "subreaper, wait-all, grace, caught-only",
    "dumb-init, PID 1",
    "dumb-init, not PID 1, terminal",
];

fn mode(name: &str) -> &'static Mode {
    MODES.iter().find(|mode| mode.name == name).expect("a mode")
}

#[test]
fn i13_i14_i18_kernel_and_init_together_keep_every_promise() {
    for name in MODEL {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let pair = Pair { mode: mode(name), fault: Fault::None, left: 1 + crate::deeper() };
        let checker = pair.checker().threads(threads).spawn_bfs().join();
        println!("{name}: {} states, {} steps deep", checker.unique_state_count(), checker.max_depth());
        checker.assert_properties();
    }
}

/// The shortest way to break a property, as text.
fn counterexample(name: &str, fault: Fault, property: &'static str) -> String {
    let checker = Pair { mode: mode(name), fault, left: 0 }.checker().spawn_bfs().join();
    let path = checker.discovery(property).unwrap_or_else(|| panic!("{fault:?} keeps {property}"));
    path.into_vec().iter().map(|(state, action)| format!("  {:?}\n    -> {action:?}\n", state.next)).collect()
}

#[test]
fn the_model_finds_the_wake_up_that_is_lost_when_sigchld_is_taken_after_the_reaping() {
    for property in ["every promise is kept", "where nothing more can happen it has ended"] {
        let path = counterexample("PID 1", Fault::TakesAfterReaping, property);
        println!("{property}, broken:\n{path}");
        assert!(path.contains("Exits") || path.contains("OrphanDies"), "{path}");
    }
}
