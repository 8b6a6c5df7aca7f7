//! Single decisions of the supervisor: an event and the facts in, actions out. The facts are a table that a test fills.

use bitts_tests::sys;
use init_core::cli::{Config, Opt};
use init_core::messages::{self, Message, Target, Text};
use init_core::status::WaitStatus;
use init_core::supervise::{
    Action, Event, Facts, Forward, Next, Outcome, Received, Setup, Supervisor, Survivors, Time,
};

use super::{STRIDE, parse, parse_as};

/// The child's pid.
const CHILD: i32 = 7;

/// init as PID 1, without a terminal.
const PID_1: Setup = Setup {
    child: CHILD,
    own_pid: 1,
    own_group: true,
    session: false,
    leads_session: true,
    has_terminal: false,
    session_terminal: false,
    group: 0,
};
/// As PID 1 that leads the session of a terminal.
const PID_1_TTY: Setup = Setup { has_terminal: true, group: 1, ..PID_1 };
/// As a job of a shell, with a group of the child's own.
const JOB: Setup = Setup { own_pid: 5, leads_session: false, group: 5, ..PID_1_TTY };
/// As a job of a shell, in one group with the child.
const SHARED: Setup = Setup { own_group: false, ..JOB };
/// As a subreaper without a terminal.
const SUBREAPER: Setup = Setup { has_terminal: false, group: 0, ..JOB };
/// As dumb-init, PID 1 or not.
const SESSION_PID_1: Setup = Setup { session: true, session_terminal: true, leads_session: false, ..PID_1 };
const SESSION: Setup = Setup { own_pid: 5, ..SESSION_PID_1 };

const STOP_REQUESTS: [i32; 3] = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT];
/// Whose default action stops a process (signal(7)).
const STOPS: [i32; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// What a decision may depend on.
#[derive(Clone)]
struct World {
    now: u64,
    stop: Option<i32>,
    will_stop: bool,
    caught: Vec<i32>,
    child_group: Option<i32>,
    foreground: Option<i32>,
    may_read: bool,
    session_is_foreground: bool,
    continue_is_pending: bool,
    has_proc: bool,
    kills: u32,
}

impl Facts for World {
    fn now(&self) -> Time {
        Time(self.now)
    }
    fn child_stop(&self) -> Option<i32> {
        self.stop
    }
    fn child_will_stop(&self) -> bool {
        self.will_stop
    }
    fn child_catches(&self, signal: i32) -> bool {
        self.caught.contains(&signal)
    }
    fn child_group(&self) -> Option<i32> {
        self.child_group
    }
    fn foreground(&self) -> Option<i32> {
        self.foreground
    }
    fn may_read_terminal(&self) -> bool {
        self.may_read
    }
    fn session_is_foreground(&self) -> bool {
        self.session_is_foreground
    }
    fn continue_is_pending(&self) -> bool {
        self.continue_is_pending
    }
    fn proc_is_usable(&self) -> bool {
        self.has_proc
    }
    fn out_of_memory_kills(&self) -> u32 {
        self.kills
    }
}

/// What init does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Does(Action),
    Sends(Forward),
    /// The child's group gets SIGTERM while the child is a zombie.
    BidsFarewell,
    KillsChild,
}

/// All that comes of one event, until init waits, stops or ends.
struct Done {
    deeds: Vec<Deed>,
    next: Next,
}

impl Done {
    fn says(&self) -> Vec<Message> {
        let message = |deed: &Deed| if let Deed::Does(Action::Say(message)) = deed { Some(*message) } else { None };
        self.deeds.iter().filter_map(message).collect()
    }

    /// What is said without `--verbose`.
    fn says_aloud(&self) -> Vec<Message> {
        self.says().into_iter().filter(|message| !messages::is_verbose(message)).collect()
    }

    /// What is sent to the child, or its group.
    fn sends(&self) -> Vec<Forward> {
        let forward = |deed: &Deed| if let Deed::Sends(forward) = deed { Some(*forward) } else { None };
        self.deeds.iter().filter_map(forward).collect()
    }

    /// What is sent to all that remain, and whether only to those that catch it.
    fn sends_to_all(&self) -> Vec<(i32, bool)> {
        let sent = |deed: &Deed| match deed {
            Deed::Does(Action::SendAll { signal, only_caught }) => Some((*signal, *only_caught)),
            _ => None,
        };
        self.deeds.iter().filter_map(sent).collect()
    }

    fn has(&self, action: Action) -> bool {
        self.deeds.contains(&Deed::Does(action))
    }

    fn continues(&self) -> bool {
        [true, false].into_iter().any(|group| self.has(Action::Continue { group }))
    }

    /// Where that is before this one.
    fn is_before(&self, action: Action, deed: Deed) -> bool {
        let at = |wanted| self.deeds.iter().position(|deed| *deed == wanted);
        at(Deed::Does(action)).zip(at(deed)).is_some_and(|(one, other)| one < other)
    }

    /// How long init waits at most, if it does.
    #[track_caller]
    fn timeout(&self) -> Option<u32> {
        let Next::Wait { timeout, .. } = self.next else { panic!("{:?}, {:?}", self.next, self.deeds) };
        timeout.map(|span| span.0)
    }

    fn waits_for(&self, signal: i32) -> bool {
        matches!(self.next, Next::Wait { signals, .. } if signals.contains(signal))
    }
}

/// The core in a world that answers always the same.
struct Init<'c> {
    core: Supervisor<'c>,
    world: World,
    /// What will be reaped.
    dead: Vec<(i32, WaitStatus)>,
    /// Some that are alive.
    has_children: bool,
    /// What comes of sending a signal to the child.
    outcome: Outcome,
    /// What comes of killing it.
    killing: Result<(), i32>,
    survivors: Survivors,
}

impl<'c> Init<'c> {
    /// The child has just been started.
    fn new(config: &'c Config, setup: Setup) -> Self {
        let world = World {
            now: 1_000_000,
            stop: None,
            will_stop: false,
            caught: Vec::new(),
            child_group: Some(if setup.own_group { CHILD } else { setup.group }),
            foreground: None,
            may_read: false,
            session_is_foreground: false,
            continue_is_pending: false,
            has_proc: true,
            kills: 0,
        };
        Self {
            core: Supervisor::new(config, setup),
            world,
            dead: Vec::new(),
            has_children: true,
            outcome: Outcome::Sent,
            killing: Ok(()),
            survivors: Survivors::Followed,
        }
    }

    /// The start-up is over.
    fn settled(config: &'c Config, setup: Setup) -> Self {
        let mut init = Self::new(config, setup);
        init.event(Event::Started);
        init.event(Event::Quiet);
        init
    }

    fn event(&mut self, mut event: Event) -> Done {
        let mut deeds = Vec::new();
        for _ in 0..100 {
            let decision = self.core.decide(event, &self.world);
            for action in decision.actions.iter() {
                if action == Action::ConsumeStop {
                    // The kernel does not tell of it again.
                    self.world.stop = None;
                }
                deeds.push(Deed::Does(action));
            }
            event = match decision.next {
                Next::Reap { farewell } => match self.dead.pop() {
                    Some((pid, status)) => {
                        if farewell == Some(pid) {
                            deeds.push(Deed::BidsFarewell);
                        }
                        Event::Reaped(pid, status)
                    }
                    None => Event::Drained { has_children: self.has_children },
                },
                Next::Send(forward) => {
                    deeds.push(Deed::Sends(forward));
                    Event::Sent(forward, self.outcome)
                }
                Next::Resend(forward) => {
                    deeds.push(Deed::Sends(forward));
                    Event::Sent(forward, self.outcome)
                }
                Next::KillChild => {
                    deeds.push(Deed::KillsChild);
                    Event::ChildKilled(self.killing)
                }
                Next::LookForSurvivors => Event::Looked(self.survivors),
                next @ (Next::Wait { .. } | Next::StopSelf(_) | Next::End(_)) => return Done { deeds, next },
            };
        }
        panic!("it does not come to rest: {deeds:?}");
    }

    /// Another process sends init a signal, by kill(2).
    fn signal(&mut self, number: i32) -> Done {
        self.event(Event::Signal(Received { number, by_kernel: false, by_init: false, is_queued: false }))
    }

    /// The kernel does.
    fn kernel_signal(&mut self, number: i32) -> Done {
        self.event(Event::Signal(Received { number, by_kernel: true, by_init: false, is_queued: false }))
    }

    /// The child ends.
    fn dies(&mut self, status: WaitStatus) -> Done {
        self.dead.push((CHILD, status));
        self.signal(libc::SIGCHLD)
    }

    /// The child is stopped.
    fn stops(&mut self, by: i32) -> Done {
        self.world.stop = Some(by);
        self.signal(libc::SIGCHLD)
    }

    /// So many milliseconds pass.
    fn after(&mut self, milliseconds: u64) -> Done {
        self.world.now += milliseconds;
        self.event(Event::Quiet)
    }
}

/// A command line of dumb-init's.
fn as_dumb_init(words: &[&str]) -> Config {
    parse_as("dumb-init", &[] as &[&str], words).unwrap_or_else(|why| panic!("{why}")).config
}

/// How init ends when its child ended with `status`.
pub fn end(config: &Config, status: WaitStatus) -> Option<u8> {
    let mut init = Init::settled(config, PID_1);
    init.dead.push((8, status));
    assert!(matches!(init.signal(libc::SIGCHLD).next, Next::Wait { .. }), "another one's end is not the child's");
    // Orphans before and after the child.
    init.dead.extend([(8, 0), (CHILD, status), (9, 0)]);
    match init.signal(libc::SIGCHLD).next {
        Next::End(status) => Some(status),
        _ => None,
    }
}

/// The signals that init can take and that do not make it reap.
fn forwarded() -> impl Iterator<Item = i32> {
    sys::catchable().filter(|number| *number != libc::SIGCHLD)
}

#[test]
fn i12_every_signal_of_every_origin_is_forwarded_but_for_the_named_ones() {
    for words in [&["x"] as &[&str], &["-c", "x"], &["-g", "x"]] {
        let config = parse(words);
        for setup in [PID_1, SHARED] {
            for origin in 0..8 {
                let [by_kernel, by_init, is_queued] = [1, 2, 4].map(|bit| origin & bit != 0);
                for number in sys::catchable() {
                    let of_own_write = by_init && [libc::SIGPIPE, libc::SIGXFSZ].contains(&number);
                    // The child is in the group that the terminal or the kernel sent it to; what else the kernel sends to
                    // init alone is left open here.
                    let shared = !setup.own_group && by_kernel;
                    let from_terminal =
                        [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGWINCH].contains(&number);
                    if shared && !from_terminal && !of_own_write && number != libc::SIGCHLD {
                        continue;
                    }
                    let mut init = Init::settled(&config, setup);
                    // An orphan, to see that all are reaped.
                    init.dead.push((8, 0));
                    let done = init.event(Event::Signal(Received { number, by_kernel, by_init, is_queued }));
                    let is_dropped = number == libc::SIGCHLD || of_own_write || shared;
                    let forward = Forward {
                        received: number,
                        signal: number,
                        to_group: config.is_on(Opt::Group),
                        only_caught: false,
                        with_info: is_queued,
                    };
                    let expected = if is_dropped { vec![] } else { vec![forward] };
                    assert_eq!(done.sends(), expected, "{number} {origin} {setup:?} {words:?}");
                    assert_eq!(init.dead.is_empty(), number == libc::SIGCHLD, "{number} {origin} {setup:?} {words:?}");
                    assert_eq!((done.says_aloud(), done.timeout()), (vec![], None), "{number} {origin} {setup:?}");
                }
            }
        }
    }
}

#[test]
fn i16_what_the_terminal_sends_is_dropped_in_exactly_the_groups_that_have_it_already() {
    // termios(3), tty_ioctl(4): keys, a change of size, a stop for reading or writing in the background.
    let keys = [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU, libc::SIGWINCH];
    // A hang-up goes to the session's leader alone at first (drivers/tty/tty_jobctrl.c, `tty_signal_session_leader`).
    let hang_up = [libc::SIGHUP, libc::SIGCONT];
    let config = parse(&["--wait-all", "x"]);
    for (own_group, leads_session) in [(true, true), (true, false), (false, true), (false, false)] {
        for number in forwarded() {
            let has_it = !own_group && (keys.contains(&number) || !leads_session && hang_up.contains(&number));
            let mut init = Init::settled(&config, Setup { own_group, leads_session, ..JOB });
            let done = init.kernel_signal(number);
            assert_eq!(done.sends().is_empty(), has_it, "{number}, {own_group}, {leads_session}");
            // With -v that is told (I2).
            let told = done.says().contains(&Message::dropped_as_shared(number));
            assert_eq!(told, has_it, "{number}, {own_group}, {leads_session}");
            // Nothing is shared with a child that has ended.
            let mut init = Init::settled(&config, Setup { own_group, leads_session, ..JOB });
            init.dies(0);
            let done = init.kernel_signal(number);
            let expected = if STOP_REQUESTS.contains(&number) {
                vec![(libc::SIGTERM, false), (libc::SIGCONT, false)]
            } else {
                vec![(number, false)]
            };
            assert_eq!(done.sends_to_all(), expected, "{number}, {own_group}, {leads_session}, after the end");
            assert_eq!(done.sends(), [], "its number may be another's");
        }
    }
}

#[test]
fn i4_i12_what_init_raises_in_itself_by_writing_is_dropped_and_nothing_else() {
    let config = parse(&["x"]);
    for setup in [PID_1, SUBREAPER, SESSION_PID_1, SESSION] {
        for number in forwarded() {
            // A write to a broken stderr (pipe(7), setrlimit(2)). What comes of giving the terminal up is dropped before the
            // child starts: `-p HUP` works.
            let raised = [libc::SIGPIPE, libc::SIGXFSZ].contains(&number);
            for by_init in [true, false] {
                let mut init = Init::settled(&config, setup);
                let received = Received { number, by_kernel: false, by_init, is_queued: false };
                let done = init.event(Event::Signal(received));
                assert_eq!(done.sends().is_empty(), by_init && raised, "{number}, {by_init}, {setup:?}");
                // A word on it would raise the next one.
                assert!(!done.sends().is_empty() || done.says().is_empty(), "{number}");
            }
        }
    }
}

#[test]
fn i2_caught_only_asks_about_exactly_the_deadly_signals() {
    // signal(7), "Standard signals": all others end a process that does nothing about them.
    let harmless = [&STOPS[..], &[libc::SIGCONT, libc::SIGURG, libc::SIGWINCH]].concat();
    let only_caught = parse(&["--caught-only", "x"]);
    let to_group = parse(&["--caught-only", "-g", "x"]);
    let without = parse(&["x"]);
    for number in forwarded() {
        let asks = !STOP_REQUESTS.contains(&number) && !harmless.contains(&number);
        for is_caught in [false, true] {
            let of = |config| {
                let mut init = Init::settled(config, PID_1);
                init.world.caught = if is_caught { vec![number] } else { vec![] };
                init.signal(number)
            };
            let done = of(&only_caught);
            assert_eq!(done.sends().is_empty(), asks && !is_caught, "{number}, {is_caught}");
            let told = done.says().contains(&Message::not_caught_by_child(number));
            assert_eq!(told, asks && !is_caught, "{number}, {is_caught}");
            // Each of the group is asked, whatever the child does.
            assert_eq!(of(&to_group).sends().iter().map(|forward| forward.only_caught).collect::<Vec<_>>(), [asks]);
            assert!(of(&without).sends().iter().all(|forward| !forward.only_caught), "{number}");
            assert_eq!(of(&without).sends().len(), 1, "{number}");
        }
        // To all, after the child's end.
        let config = parse(&["--caught-only", "--wait-all", "x"]);
        let mut init = Init::settled(&config, PID_1);
        init.dies(0);
        if !STOP_REQUESTS.contains(&number) {
            assert_eq!(init.signal(number).sends_to_all(), [(number, asks)]);
        }
    }
    // A rule to KILL or STOP is the user's will. What is asked about is what is sent.
    for (to, number, asks) in [("KILL", libc::SIGKILL, false), ("STOP", libc::SIGSTOP, false), ("USR1", 10, true)] {
        let config = parse(&["--caught-only", "-r", &format!("TERM:{to}"), "x"]);
        let sent = Init::settled(&config, PID_1).signal(libc::SIGTERM).sends();
        assert_eq!(
            sent.iter().map(|forward| forward.signal).collect::<Vec<_>>(),
            if asks { vec![] } else { vec![number] }
        );
    }
}

#[test]
fn b3_without_proc_caught_only_forwards_all_and_warns_once() {
    let config = parse(&["--caught-only", "x"]);
    let mut init = Init::settled(&config, PID_1);
    init.world.has_proc = false;
    for (number, warning) in
        [(libc::SIGTERM, vec![]), (libc::SIGUSR1, vec![Message::no_proc()]), (libc::SIGHUP, vec![])]
    {
        let done = init.signal(number);
        assert_eq!((done.sends().len(), done.says_aloud()), (1, warning), "{number}");
    }
}

#[test]
fn i12_a_real_time_signal_that_finds_no_room_is_sent_again_before_any_other() {
    let config = parse(&["--wait-all", "x"]);
    for end in [false, true] {
        let mut init = Init::settled(&config, PID_1);
        init.outcome = Outcome::QueueFull;
        let done = init.signal(40);
        let forward = done.sends()[0];
        assert!(done.has(Action::Hold) && done.has(Action::Say(Message::queue_full(40))));
        assert!(done.timeout().is_some_and(|timeout| (1..=100).contains(&timeout)));
        assert_eq!(done.says_aloud(), []);
        // Still none, and that is told once.
        let done = init.after(100);
        assert_eq!((done.sends(), done.says()), (vec![forward], vec![]));
        if end {
            // With the child all is over: its number may be another's.
            let done = init.dies(0);
            assert_eq!((done.sends(), done.timeout()), (vec![], None));
            continue;
        }
        // What never waits goes past it, and then it is tried again.
        init.outcome = Outcome::Sent;
        let done = init.signal(libc::SIGTERM);
        assert_eq!(done.sends().iter().map(|forward| forward.signal).collect::<Vec<_>>(), [libc::SIGTERM, 40]);
        assert_eq!(done.timeout(), None);
        assert!(done.waits_for(41));
    }
}

#[test]
fn i12_while_a_real_time_signal_waits_only_what_becomes_none_may_overtake_it() {
    let never = [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD];
    for (rule, moved, to) in [("1:1", 1, 1), ("1:0", 1, 0), ("1:40", 1, 40), ("40:1", 40, 1), ("CHLD:40", 17, 40)] {
        let config = parse(&["-r", rule, "x"]);
        let mut init = Init::settled(&config, PID_1);
        init.outcome = Outcome::QueueFull;
        let done = init.signal(50);
        for number in 1..=64 {
            let sent = if number == moved { to } else { number };
            // The kernel's real-time signals begin at 32 (signal(7)).
            assert_eq!(done.waits_for(number), never.contains(&number) || sent < 32, "{rule}, {number}");
        }
    }
}

#[test]
fn i2_rewrites_of_every_signal_to_every_other() {
    for from in (1..=64).step_by(STRIDE) {
        for to in (0..=64).step_by(STRIDE) {
            let config = parse(&["-r", &format!("{from}:{to}"), "x"]);
            for number in sys::catchable() {
                let sent = if number == from { to } else { number };
                let done = Init::settled(&config, SUBREAPER).signal(number);
                // A rule for CHLD is accepted, without effect: it is how init learns of dead children.
                let expected = if number == libc::SIGCHLD || sent == 0 { vec![] } else { vec![(number, sent)] };
                let is = done.sends().iter().map(|forward| (forward.received, forward.signal)).collect::<Vec<_>>();
                assert_eq!(is, expected, "{from}:{to}, {number}");
                let told = done.says().contains(&Message::dropped_by_rule(number));
                assert_eq!(told, number != libc::SIGCHLD && sent == 0, "{from}:{to}, {number}");
            }
        }
    }
}

#[test]
fn i2_rewrites_do_not_chain() {
    let config = parse(&["-r", "1:2", "-r2:3", "-r3:1", "-r4:0", "-r5:4", "x"]);
    for (number, to) in [(1, Some(2)), (2, Some(3)), (3, Some(1)), (5, Some(4)), (4, None)] {
        let sent = Init::settled(&config, PID_1).signal(number).sends();
        assert_eq!(sent.first().map(|forward| forward.signal), to, "{number}");
    }
}

#[test]
fn i2_verbose_tells_what_came_of_each_signal() {
    for (words, target) in [(&["x"] as &[&str], Target::Child(CHILD)), (&["-g", "x"], Target::Group(CHILD))] {
        let config = parse(words);
        for (outcome, told) in [
            (Outcome::Sent, Message::sent(libc::SIGHUP, target)),
            (Outcome::Refused(libc::EPERM), Message::cannot_send(libc::SIGHUP, target, libc::EPERM)),
        ] {
            let mut init = Init::settled(&config, PID_1);
            init.outcome = outcome;
            let done = init.signal(libc::SIGHUP);
            assert_eq!((done.says(), done.timeout()), (vec![told], None), "{outcome:?}");
            assert_eq!(done.says_aloud(), []);
        }
    }
}

// ---- I2: --stop-timeout -----------------------------------------------------------------------------------------------

#[test]
fn i2_the_clock_starts_with_exactly_the_signals_that_were_named() {
    const TERM: i32 = libc::SIGTERM;
    const INT: i32 = libc::SIGINT;
    const HUP: i32 = libc::SIGHUP;
    for (words, starts) in [
        (&["--stop-timeout=1", "x"] as &[&str], &[TERM] as &[i32]),
        (&["--stop-timeout=1:INT,40", "x"], &[INT, 40]),
        (&["--stop-timeout=1:INT", "--no-stop-timeout", "--stop-timeout=1", "x"], &[TERM]),
        (&["--stop-timeout=1:INT", "--stop-timeout=1:HUP", "x"], &[HUP]),
        (&["--stop-timeout=1:INT", "--stop-timeout=1", "x"], &[TERM]),
        (&["--stop-timeout=1:INT", "--no-stop-timeout", "x"], &[]),
        // The received signal counts, and the one that it becomes.
        (&["--stop-timeout=1", "-r", "TERM:QUIT", "x"], &[TERM]),
        (&["--stop-timeout=1:QUIT", "-r", "TERM:QUIT", "x"], &[TERM, libc::SIGQUIT]),
        (&["--stop-timeout=1:INT", "-r", "INT:HUP", "-r", "HUP:INT", "x"], &[INT, HUP]),
        // What is dropped is not sent.
        (&["--stop-timeout=1", "-r", "TERM:0", "x"], &[]),
        (&["x"], &[]),
    ] {
        let config = parse(words);
        for number in forwarded() {
            for (outcome, is_sent) in
                [(Outcome::Sent, true), (Outcome::Refused(libc::EPERM), false), (Outcome::Uncaught, false)]
            {
                let mut init = Init::settled(&config, PID_1);
                init.outcome = outcome;
                let expected = (is_sent && starts.contains(&number)).then_some(1000);
                assert_eq!(init.signal(number).timeout(), expected, "{words:?}, {number}, {outcome:?}");
            }
        }
    }
}

#[test]
fn i2_the_clock_starts_once_and_kills_once() {
    let config = parse(&["--stop-timeout=1", "x"]);
    for killing in [Ok(()), Err(libc::EPERM)] {
        let mut init = Init::settled(&config, PID_1);
        init.killing = killing;
        assert_eq!(init.signal(libc::SIGTERM).timeout(), Some(1000));
        // No other one starts it anew, nor does anything else.
        assert_eq!(init.after(300).timeout(), Some(700));
        init.world.now += 300;
        assert_eq!(init.signal(libc::SIGTERM).timeout(), Some(400));
        init.dead.push((8, 0));
        assert_eq!(init.signal(libc::SIGCHLD).timeout(), Some(400));
        assert_eq!(init.after(399).deeds, []);
        let done = init.after(1);
        assert_eq!(done.deeds.iter().filter(|deed| **deed == Deed::KillsChild).count(), 1);
        // "Killed" is said only of what was.
        let told = done.says().contains(&Message::stop_timeout(CHILD));
        assert_eq!(told, killing.is_ok());
        assert_eq!(done.timeout(), None);
        // It has run, and no TERM starts it anew.
        assert_eq!(init.signal(libc::SIGTERM).timeout(), None);
        assert!(!init.after(10_000).deeds.contains(&Deed::KillsChild));
        // A line of its own explains the death (I19).
        let told = init.dies(libc::SIGKILL).says_aloud();
        assert_eq!(told.is_empty(), killing.is_ok(), "{told:?}");
    }
}

#[test]
fn i2_the_clock_of_a_signal_that_waited_for_room_starts_when_it_is_sent() {
    let config = parse(&["--stop-timeout=60:40", "x"]);
    let mut init = Init::settled(&config, PID_1);
    init.outcome = Outcome::QueueFull;
    init.signal(40);
    assert!(init.after(50_000).timeout().is_some_and(|timeout| timeout <= 100));
    init.outcome = Outcome::Sent;
    assert_eq!(init.after(20_000).timeout(), Some(60_000));
}

#[test]
fn i2_the_clock_ends_with_the_child() {
    let config = parse(&["--stop-timeout=1", "--wait-all", "x"]);
    let mut init = Init::settled(&config, PID_1);
    init.signal(libc::SIGTERM);
    assert_eq!(init.dies(0).timeout(), None);
    assert!(!init.after(5000).deeds.contains(&Deed::KillsChild));
}

// ---- I15: a stopped child ---------------------------------------------------------------------------------------------

#[test]
fn i15_a_stop_request_continues_exactly_a_child_that_is_stopped_or_about_to_be() {
    for setup in [PID_1, SUBREAPER, SHARED] {
        for (is_stopped, will_stop) in [(false, false), (true, false), (false, true), (true, true)] {
            for (rule, from, to) in [("1:1", 0, 0), ("USR1:TERM", libc::SIGUSR1, libc::SIGTERM), ("TERM:USR1", 15, 10)]
            {
                let config = parse(&["-r", rule, "x"]);
                for number in forwarded().filter(|number| *number != libc::SIGCONT) {
                    let mut init = Init::settled(&config, setup);
                    init.world.stop = is_stopped.then_some(libc::SIGSTOP);
                    init.world.will_stop = will_stop;
                    let done = init.signal(number);
                    let sent = if number == from { to } else { number };
                    let expected = STOP_REQUESTS.contains(&sent) && (is_stopped || will_stop);
                    let action = Action::Continue { group: setup.own_group };
                    assert_eq!(done.has(action), expected, "{number}, {rule}, {is_stopped}, {will_stop}, {setup:?}");
                    assert_eq!(done.continues(), expected, "{number}, {rule}, {is_stopped}, {will_stop}, {setup:?}");
                    // After the signal: else the child could stop again before it.
                    assert!(matches!(done.deeds.first(), Some(Deed::Sends(_))), "{number}");
                }
            }
        }
    }
}

#[test]
fn i15_a_stop_that_init_has_stopped_with_counts() {
    let config = parse(&["x"]);
    let mut init = Init::settled(&config, JOB);
    init.world.foreground = Some(CHILD);
    assert_eq!(init.stops(libc::SIGTSTP).next, Next::StopSelf(libc::SIGTSTP));
    // TERM has come meanwhile, and is taken before the CONT that has continued init: its number is lower.
    init.world.continue_is_pending = true;
    assert!(!init.event(Event::StoppedSelf(libc::SIGTSTP)).continues());
    assert!(init.signal(libc::SIGTERM).continues());
    // And once.
    assert!(!init.signal(libc::SIGTERM).continues());
}

// ---- I16: the terminal ------------------------------------------------------------------------------------------------

/// What a stop of the child's leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    /// init stops as well.
    Both,
    /// The child is continued.
    Continued,
    /// The child stays stopped.
    Child,
}

/// That, for a stop by `by` while `foreground` has the terminal.
fn stop(setup: Setup, foreground: Option<i32>, by: i32) -> (Stop, Done) {
    let config = parse(&["x"]);
    let mut init = Init::settled(&config, setup);
    init.world.foreground = foreground;
    let done = init.stops(by);
    let stop = match done.next {
        Next::StopSelf(signal) => {
            assert_eq!(signal, by);
            assert!(!done.continues());
            Stop::Both
        }
        _ if done.continues() => Stop::Continued,
        _ => Stop::Child,
    };
    (stop, done)
}

#[test]
fn i16_not_pid_1_the_terminal_stops_both_and_others_the_child_alone() {
    for by in STOPS {
        // While the child's group has the terminal any stop is one of the job.
        let (is, done) = stop(JOB, Some(CHILD), by);
        assert_eq!(is, Stop::Both, "{by}");
        // The terminal comes back before init stops, so that a shell shows its prompt; and the stop is told at -v.
        assert!(done.has(Action::TakeTerminal), "{by}");
        assert_eq!(done.says(), [Message::child_stopped(CHILD, by)]);
        // While a job of the child's has it, or another job of the shell's, or where there is none.
        for foreground in [Some(99), None] {
            let (is, done) = stop(JOB, foreground, by);
            assert_eq!(is, if by == libc::SIGSTOP { Stop::Child } else { Stop::Both }, "{by}, {foreground:?}");
            assert!(!done.has(Action::TakeTerminal), "it is another's");
        }
        // In a shared group.
        if by != libc::SIGSTOP {
            for foreground in [Some(5), Some(99)] {
                let (is, done) = stop(SHARED, foreground, by);
                assert_eq!(is, Stop::Both, "{by}, {foreground:?}");
                assert!(!done.has(Action::TakeTerminal));
            }
        }
    }
    // A debugger's, whatever name init is called by.
    for setup in [JOB, SHARED, SUBREAPER, SESSION] {
        let foreground = if setup.has_terminal { Some(99) } else { None };
        let (is, done) = stop(setup, foreground, libc::SIGSTOP);
        assert_eq!((is, done.deeds), (Stop::Child, vec![]), "{setup:?}");
    }
    let config = as_dumb_init(&["x"]);
    for is_foreground in [true, false] {
        let mut init = Init::settled(&config, SESSION);
        init.world.session_is_foreground = is_foreground;
        assert!(matches!(init.stops(libc::SIGSTOP).next, Next::Wait { .. }));
    }
}

#[test]
fn i16_as_pid_1_a_child_in_the_foreground_goes_on_at_once() {
    for by in STOPS {
        let (is, done) = stop(PID_1_TTY, Some(CHILD), by);
        assert_eq!(is, Stop::Continued, "{by}");
        assert!(done.has(Action::Continue { group: true }));
        // A job below a shell, which has put itself into the background, has the terminal; or there is none.
        assert_eq!(stop(PID_1_TTY, Some(99), by).0, Stop::Child, "{by}");
        assert_eq!(stop(PID_1, None, by).0, Stop::Child, "{by}");
        // With a session of its own, the terminal of that.
        let config = as_dumb_init(&["x"]);
        for is_foreground in [true, false] {
            let mut init = Init::settled(&config, SESSION_PID_1);
            init.world.session_is_foreground = is_foreground;
            let done = init.stops(by);
            assert_eq!(done.continues(), is_foreground, "{by}");
            assert!(matches!(done.next, Next::Wait { .. }), "{by}");
        }
    }
    // A child that has left its group is not what the terminal shows.
    let config = parse(&["x"]);
    let mut init = Init::settled(&config, PID_1_TTY);
    (init.world.foreground, init.world.child_group) = (Some(CHILD), Some(98));
    assert!(!init.stops(libc::SIGTSTP).continues());
}

#[test]
fn i4_as_dumb_init_a_stop_that_the_terminal_asked_for_stops_both() {
    let config = as_dumb_init(&["x"]);
    for number in [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU] {
        for (setup, both) in [(SESSION, true), (SESSION_PID_1, false)] {
            let mut init = Init::settled(&config, setup);
            let sent = init.kernel_signal(number).sends();
            assert_eq!(
                sent.iter().map(|forward| (forward.signal, forward.to_group)).collect::<Vec<_>>(),
                [(libc::SIGSTOP, true)]
            );
            assert_eq!(init.stops(libc::SIGSTOP).next == Next::StopSelf(libc::SIGSTOP), both, "{number}");
        }
        // After a CONT a STOP is a debugger's again; and after a stop request, which continues the child.
        for next in [libc::SIGCONT, libc::SIGTERM] {
            let mut init = Init::settled(&config, SESSION);
            init.signal(number);
            init.world.will_stop = true;
            init.signal(next);
            init.world.will_stop = false;
            assert!(matches!(init.stops(libc::SIGSTOP).next, Next::Wait { .. }), "{number}, {next}");
        }
    }
}

#[test]
fn i16_a_stop_that_a_cont_follows_already_stops_nothing_else() {
    let config = parse(&["x"]);
    for setup in [JOB, SHARED] {
        let mut init = Init::settled(&config, setup);
        (init.world.foreground, init.world.continue_is_pending) = (init.world.child_group, true);
        // It would be discarded (kernel/signal.c, `prepare_signal`).
        assert!(matches!(init.stops(libc::SIGTSTP).next, Next::Wait { .. }), "{setup:?}");
    }
}

#[test]
fn i16_after_a_stop_that_could_not_be_the_child_goes_on() {
    // In an orphaned group the kernel drops init's own stop: no process could continue the two.
    for (setup, is_pending, goes_on) in
        [(JOB, false, true), (JOB, true, false), (SHARED, false, false), (SHARED, true, false)]
    {
        let config = parse(&["x"]);
        let mut init = Init::settled(&config, setup);
        init.world.foreground = init.world.child_group;
        assert_eq!(init.stops(libc::SIGTSTP).next, Next::StopSelf(libc::SIGTSTP));
        // The terminal is init's meanwhile.
        (init.world.foreground, init.world.continue_is_pending) = (Some(5), is_pending);
        let done = init.event(Event::StoppedSelf(libc::SIGTSTP));
        assert_eq!(done.has(Action::Continue { group: true }), goes_on, "{setup:?}, {is_pending}");
        assert_eq!(done.has(Action::GiveTerminal), goes_on, "{setup:?}, {is_pending}");
    }
}

#[test]
fn i16_cont_hands_the_terminal_over_and_continues_the_group() {
    let config = parse(&["x"]);
    for (setup, foreground, gives, to_group) in [
        // `fg`, and `bg`.
        (JOB, Some(5), true, true),
        (JOB, Some(99), false, true),
        (JOB, Some(CHILD), false, true),
        (SUBREAPER, None, false, true),
        // There is nothing to hand over.
        (SHARED, Some(5), false, false),
        (PID_1_TTY, Some(1), false, false),
        (PID_1, None, false, false),
    ] {
        let mut init = Init::settled(&config, setup);
        init.world.foreground = foreground;
        let done = init.signal(libc::SIGCONT);
        let [forward] = done.sends()[..] else { panic!("{setup:?}, {foreground:?}") };
        assert_eq!((forward.signal, forward.to_group), (libc::SIGCONT, to_group), "{setup:?}, {foreground:?}");
        assert_eq!(done.has(Action::GiveTerminal), gives, "{setup:?}, {foreground:?}");
        // Before the child reads from it.
        assert_eq!(done.is_before(Action::GiveTerminal, Deed::Sends(forward)), gives, "{setup:?}, {foreground:?}");
    }
}

#[test]
fn i14_i16_the_terminal_comes_back_before_any_other_process_is_waited_for() {
    for words in [&["x"] as &[&str], &["-t1", "x"], &["--wait-all", "x"]] {
        let config = parse(words);
        for (setup, foreground, takes) in [
            (JOB, Some(CHILD), true),
            // In other hands it stays.
            (JOB, Some(99), false),
            (JOB, Some(5), false),
            (JOB, None, false),
            (SHARED, Some(5), false),
            (SUBREAPER, None, false),
            (PID_1, None, false),
            // As PID 1 whichever group has it is below init: ^C must reach init.
            (PID_1_TTY, Some(CHILD), true),
            (PID_1_TTY, Some(99), true),
        ] {
            let mut init = Init::settled(&config, setup);
            init.world.foreground = foreground;
            let done = init.dies(0);
            assert_eq!(done.has(Action::TakeTerminal), takes, "{words:?}, {setup:?}, {foreground:?}");
            let first = Deed::Does(Action::SendAll { signal: libc::SIGTERM, only_caught: false });
            if takes && done.deeds.contains(&first) {
                assert!(done.is_before(Action::TakeTerminal, first), "{words:?}, {setup:?}, {foreground:?}");
            }
        }
    }
}

#[test]
fn i16_outside_the_namespace_a_read_of_no_byte_decides() {
    let config = parse(&["x"]);
    for own_pid in [1, 5] {
        let setup = Setup { own_pid, leads_session: false, group: 0, ..PID_1_TTY };
        for by in [libc::SIGTTIN, libc::SIGTTOU] {
            for (foreground, may_read, gives) in
                [(Some(0), true, true), (Some(0), false, false), (Some(99), true, false), (None, true, false)]
            {
                let mut init = Init::settled(&config, setup);
                (init.world.foreground, init.world.may_read) = (foreground, may_read);
                let done = init.stops(by);
                assert_eq!(done.has(Action::GiveTerminal), gives, "{own_pid}, {by}, {foreground:?}, {may_read}");
                assert_eq!(done.continues(), gives, "{own_pid}, {by}, {foreground:?}, {may_read}");
                // The group has no number to give it back to.
                init.world.foreground = Some(CHILD);
                assert!(!init.dies(0).has(Action::TakeTerminal));
            }
        }
    }
}

// ---- I4, I13, I14: the end ----------------------------------------------------------------------------------------------

#[test]
fn i4_the_group_of_dumb_init_s_child_gets_one_term_and_no_other_does() {
    for (words, with_session) in [
        (&["x"] as &[&str], true),
        (&["-t1", "x"], true),
        (&["--wait-all", "x"], true),
        (&["--wait-all", "-t1", "x"], true),
        (&["-c", "x"], false),
        (&["-t1", "-c", "x"], false),
    ] {
        let config = as_dumb_init(words);
        for own_pid in [1, 5] {
            for is_asked in [false, true] {
                let session = Setup { own_pid, ..SESSION };
                let mut init =
                    Init::settled(&config, if with_session { session } else { Setup { own_pid, ..SUBREAPER } });
                if is_asked {
                    init.signal(libc::SIGTERM);
                }
                // Orphans around it: its group is not theirs.
                init.dead.extend([(8, 0), (CHILD, 0), (9, 0)]);
                let done = init.signal(libc::SIGCHLD);
                let farewells = done.deeds.iter().filter(|deed| **deed == Deed::BidsFarewell).count();
                let to_all = done.sends_to_all().iter().filter(|(signal, _)| *signal == libc::SIGTERM).count();
                let expected = usize::from(with_session || words.contains(&"-t1"));
                assert_eq!(farewells + to_all, expected, "{words:?}, {own_pid}, {is_asked}");
                assert!(farewells == 0 || with_session);
            }
        }
    }
}

#[test]
fn i4_without_proc_the_group_of_dumb_init_s_child_gets_its_term_too() {
    for words in [&["x"] as &[&str], &["-t1", "x"]] {
        let config = as_dumb_init(words);
        let mut init = Init::settled(&config, SESSION);
        init.world.has_proc = false;
        init.survivors = Survivors::None;
        let done = init.dies(0);
        assert!(done.deeds.contains(&Deed::BidsFarewell), "{words:?}: {:?}", done.deeds);
    }
}

#[test]
fn i11_i13_at_rest_all_is_dropped_once_and_old_zombies_are_reaped() {
    let config = parse(&["x"]);
    let mut init = Init::new(&config, PID_1);
    init.dead.extend([(8, 0), (9, 0)]);
    // Signals that are pending come before that.
    assert_eq!(init.event(Event::Started).timeout(), Some(0));
    assert_eq!(init.signal(libc::SIGHUP).timeout(), Some(0));
    let done = init.event(Event::Quiet);
    assert!(done.has(Action::Settle) && init.dead.is_empty());
    // An idle init never wakes.
    assert_eq!(done.timeout(), None);
    // Woken by a tracer.
    let done = init.event(Event::Quiet);
    assert!(!done.has(Action::Settle));
    assert_eq!(done.timeout(), None);
}

#[test]
fn i13_what_keeps_failing_is_told_once_and_tried_each_second() {
    let config = parse(&["x"]);
    let mut init = Init::settled(&config, PID_1);
    for told in [vec![Message::cannot_wait(libc::ENOSYS)], vec![]] {
        let done = init.event(Event::WaitFailed(libc::ENOSYS));
        assert_eq!(done.says(), told);
        // Not before a second is over, and what has died meanwhile is reaped.
        let sleep = done
            .deeds
            .iter()
            .find_map(|deed| if let Deed::Does(Action::Sleep(time)) = deed { Some(time.0) } else { None });
        assert_eq!(sleep, Some(1000));
    }
    let mut init = Init::settled(&config, PID_1);
    for told in [vec![Message::cannot_wait(libc::EPERM)], vec![]] {
        let decision = init.core.decide(Event::ReapFailed(libc::EPERM), &init.world);
        let done = Done { deeds: decision.actions.iter().map(Deed::Does).collect(), next: decision.next };
        assert_eq!((done.says(), done.timeout()), (told, Some(1000)));
    }
    init.dead.push((8, 0));
    assert_eq!(init.after(1000).timeout(), None);
    assert!(init.dead.is_empty());
}

#[test]
fn i13_a_child_that_the_kernel_does_not_know_is_told_and_ends_with_1() {
    let config = parse(&["-e0", "-e1", "x"]);
    for config in [&config, &parse(&["--wait-all", "x"]), &parse(&["-t1", "x"])] {
        let mut init = Init::settled(config, PID_1);
        init.has_children = false;
        let done = init.signal(libc::SIGCHLD);
        assert_eq!((done.says(), done.next), (vec![Message::child_lost(CHILD)], Next::End(1)));
    }
}

#[test]
fn i14_without_a_grace_period_init_ends_with_the_child() {
    let config = parse(&["x"]);
    for setup in [PID_1, SUBREAPER] {
        for has_children in [true, false] {
            let mut init = Init::settled(&config, setup);
            init.has_children = has_children;
            let done = init.dies(3 << 8);
            assert_eq!((done.sends_to_all(), done.next), (vec![], Next::End(3)), "{setup:?}");
        }
    }
}

/// What asks all to end.
const ASKS: [(i32, bool); 2] = [(libc::SIGTERM, false), (libc::SIGCONT, false)];
const KILLS: [(i32, bool); 1] = [(libc::SIGKILL, false)];

#[test]
fn i14_all_are_asked_then_killed_and_then_left() {
    for words in [&["-t1", "x"] as &[&str], &["--wait-all", "-t1", "x"]] {
        let config = parse(words);
        for setup in [PID_1, SUBREAPER] {
            // When all are gone: at once, within the grace period, within the second after it, or not at all.
            for gone in 0..4 {
                let mut init = Init::settled(&config, setup);
                // With --wait-all a stop request begins it, and here it was remembered.
                init.signal(libc::SIGTERM);
                let ends = |init: &mut Init, at| {
                    if gone == at {
                        init.survivors = Survivors::None;
                    }
                    gone == at
                };
                let is_end = ends(&mut init, 0);
                let done = init.dies(3 << 8);
                assert_eq!(done.sends_to_all(), ASKS, "{words:?} {setup:?}");
                assert_eq!(done.says_aloud(), []);
                if is_end {
                    assert_eq!(done.next, Next::End(3));
                    continue;
                }
                assert_eq!(done.timeout(), Some(1000));
                assert_eq!(init.after(400).timeout(), Some(600));
                let is_end = ends(&mut init, 1);
                let done = init.event(Event::FollowedEnded);
                assert_eq!((done.sends_to_all(), done.says_aloud()), (vec![], vec![]));
                if is_end {
                    assert_eq!(done.next, Next::End(3));
                    continue;
                }
                assert_eq!(done.timeout(), Some(600));
                let is_end = ends(&mut init, 2);
                let done = init.after(600);
                assert_eq!((done.sends_to_all(), done.says_aloud()), (KILLS.to_vec(), vec![Message::grace_over()]));
                if is_end {
                    assert_eq!(done.next, Next::End(3));
                    continue;
                }
                assert_eq!(done.timeout(), Some(1000));
                let done = init.after(1000);
                assert_eq!((done.says_aloud(), done.next), (vec![Message::left()], Next::End(3)));
            }
        }
    }
}

#[test]
fn i14_a_stop_request_cuts_the_grace_period_short_and_other_signals_go_to_all() {
    let config = parse(&["-t60", "-r", "USR1:TERM", "x"]);
    for number in forwarded() {
        let mut init = Init::settled(&config, PID_1);
        init.dies(0);
        init.world.now += 1000;
        let done = init.signal(number);
        if STOP_REQUESTS.contains(&number) || number == libc::SIGUSR1 {
            assert_eq!((done.sends_to_all(), done.says_aloud()), (KILLS.to_vec(), vec![Message::grace_cut_short()]));
            assert_eq!(done.timeout(), Some(1000));
            // One more changes nothing: the last second goes on.
            init.world.now += 300;
            let done = init.signal(number);
            assert_eq!((done.says_aloud(), done.timeout()), (vec![], Some(700)));
        } else {
            assert_eq!((done.sends_to_all(), done.says_aloud()), (vec![(number, false)], vec![]));
            assert_eq!(done.timeout(), Some(59_000));
        }
    }
}

#[test]
fn i14_what_was_forked_while_all_were_killed_is_killed_too() {
    let config = parse(&["-t1", "x"]);
    let mut init = Init::settled(&config, PID_1);
    init.dies(0);
    init.after(1000);
    let done = init.event(Event::FollowedEnded);
    assert_eq!(done.sends_to_all(), KILLS);
    assert_eq!(done.timeout(), Some(1000));
}

#[test]
fn i14_a_process_that_is_another_one_each_moment_holds_up_no_deadline() {
    let config = parse(&["-t1", "x"]);
    let mut init = Init::settled(&config, PID_1);
    init.dies(0);
    init.world.now += 1000;
    init.dead.extend([(8, 0); 20]);
    assert_eq!(init.signal(libc::SIGCHLD).says_aloud(), [Message::grace_over()]);
    init.world.now += 1000;
    init.dead.extend([(8, 0); 20]);
    let done = init.signal(libc::SIGCHLD);
    assert_eq!((done.says_aloud(), done.next), (vec![Message::left()], Next::End(0)));
}

#[test]
fn i14_where_no_end_is_told_init_looks_again() {
    let config = parse(&["-t60", "x"]);
    let mut init = Init::settled(&config, PID_1);
    init.survivors = Survivors::Unfollowed;
    // Before Linux 5.3, without a pidfd.
    for done in [init.dies(0), init.after(100)] {
        assert!(done.timeout().is_some_and(|timeout| (1..=1000).contains(&timeout)));
    }
    init.survivors = Survivors::None;
    assert_eq!(init.after(100).next, Next::End(0));
}

#[test]
fn i14_a_subreaper_without_children_has_no_process_to_ask() {
    let config = parse(&["-t1", "x"]);
    for (setup, ends) in [(SUBREAPER, true), (PID_1, false)] {
        let mut init = Init::settled(&config, setup);
        init.has_children = false;
        // As PID 1 it answers for processes of `docker exec`, which are no children of its own.
        let done = init.dies(0);
        assert_eq!(done.next == Next::End(0), ends);
        assert_eq!(done.sends_to_all().is_empty(), ends);
    }
    // Without /proc it cannot find them, and says so once.
    let mut init = Init::settled(&config, SUBREAPER);
    (init.world.has_proc, init.survivors) = (false, Survivors::None);
    let done = init.dies(0);
    assert_eq!((done.sends_to_all(), done.says_aloud(), done.next), (vec![], vec![Message::no_proc()], Next::End(0)));
}

#[test]
fn i2_i14_wait_all_waits_for_all_and_asks_them_at_a_stop_request() {
    let config = parse(&["--wait-all", "-r", "USR1:QUIT", "x"]);
    for number in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGUSR1] {
        for setup in [PID_1, SUBREAPER] {
            let mut init = Init::settled(&config, setup);
            // There is no hurry.
            let done = init.dies(3 << 8);
            assert_eq!((done.sends_to_all(), done.timeout()), (vec![], None));
            assert_eq!(init.signal(libc::SIGHUP).sends_to_all(), [(libc::SIGHUP, false)]);
            let done = init.signal(number);
            assert_eq!((done.sends_to_all(), done.timeout()), (ASKS.to_vec(), None), "{number}, {setup:?}");
            // A second one kills.
            assert_eq!(init.signal(number).sends_to_all(), KILLS);
        }
        // Each of them may be the last process that is left.
        for signals in 0..3 {
            let mut init = Init::settled(&config, PID_1);
            init.dies(3 << 8);
            for _ in 0..signals {
                init.signal(number);
            }
            (init.has_children, init.survivors) = (false, Survivors::None);
            assert_eq!(init.signal(libc::SIGCHLD).next, Next::End(3));
        }
    }
}

#[test]
fn i2_wait_all_remembers_a_stop_request_that_it_has_forwarded() {
    let config = parse(&["--wait-all", "-r", "USR1:TERM", "-r", "QUIT:0", "x"]);
    for number in forwarded() {
        for (outcome, is_sent) in [(Outcome::Sent, true), (Outcome::Refused(libc::EPERM), false)] {
            let mut init = Init::settled(&config, PID_1);
            init.outcome = outcome;
            init.signal(number);
            let done = init.dies(0);
            let is_request = [libc::SIGTERM, libc::SIGINT, libc::SIGUSR1].contains(&number);
            let expected = if is_sent && is_request { ASKS.to_vec() } else { vec![] };
            assert_eq!(done.sends_to_all(), expected, "{number}, {outcome:?}");
            assert_eq!(done.timeout(), None);
        }
    }
}

#[test]
fn i2_warn_reaped_tells_of_each_but_the_child() {
    let config = parse(&["-w", "--wait-all", "x"]);
    let mut init = Init::settled(&config, PID_1);
    init.dead.extend([(CHILD, 4 << 8), (9, 9), (8, 3 << 8), (CHILD, 0)]);
    // Its number may be another's after its end.
    let told = [Message::reaped_exited(8, 3), Message::reaped_killed(9, 9), Message::reaped_exited(CHILD, 4)];
    assert_eq!(init.signal(libc::SIGCHLD).says_aloud(), told);
}

// ---- I19: deaths --------------------------------------------------------------------------------------------------------

/// What can end a child, but for SIGCHLD, which tells init of it.
fn deadly() -> impl Iterator<Item = i32> {
    (1..=64).filter(|signal| *signal != libc::SIGCHLD)
}

/// How a death is told, without `--verbose`.
fn told_of(init: &mut Init, status: WaitStatus) -> Option<(i32, u32)> {
    match init.dies(status).says_aloud()[..] {
        [] => None,
        [Message { text: Text::ChildKilled | Text::OutOfMemory | Text::OutOfMemoryOnce, signal, number, .. }] => {
            Some((i32::from(signal), number as u32))
        }
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn i19_a_death_is_explained_by_what_was_received_forwarded_or_sent() {
    let config = parse(&["-r", "USR1:40", "-r", "USR2:0", "x"]);
    for death in deadly() {
        for core in [0, 0x80] {
            assert_eq!(told_of(&mut Init::settled(&config, PID_1), death | core), Some((death, 0)));
            let mut init = Init::settled(&config, PID_1);
            for number in [libc::SIGUSR1, libc::SIGUSR2] {
                init.signal(number);
            }
            let is_known = [libc::SIGUSR1, libc::SIGUSR2, 40].contains(&death);
            assert_eq!(told_of(&mut init, death | core).is_none(), is_known, "{death}");
        }
        assert_eq!(told_of(&mut Init::settled(&config, PID_1), death << 8), None, "an exit is no death by a signal");
    }
    // With -v every death is told.
    let verbose = parse(&["-v", "x"]);
    let mut init = Init::settled(&verbose, PID_1);
    init.signal(libc::SIGTERM);
    assert_eq!(told_of(&mut init, libc::SIGTERM), Some((libc::SIGTERM, 0)));
    assert!(Init::settled(&verbose, PID_1).dies(3 << 8).says().contains(&Message::child_exited(CHILD, 3)));
}

#[test]
fn i19_a_signal_that_was_not_forwarded_explains_nothing() {
    let config = parse(&["--caught-only", "-r", "USR1:USR2", "x"]);
    let mut init = Init::settled(&config, PID_1);
    assert_eq!(init.signal(libc::SIGUSR1).sends(), [], "the child does not catch USR2");
    assert_eq!(told_of(&mut init, libc::SIGUSR2), Some((libc::SIGUSR2, 0)));
    let config = parse(&["-r", "USR1:USR2", "x"]);
    let mut init = Init::settled(&config, PID_1);
    init.outcome = Outcome::Refused(libc::EPERM);
    init.signal(libc::SIGUSR1);
    assert_eq!(told_of(&mut init, libc::SIGUSR2), Some((libc::SIGUSR2, 0)));
}

#[test]
fn i19_keys_of_the_terminal_explain_int_and_quit_in_its_foreground() {
    let config = parse(&["x"]);
    for death in deadly() {
        let is_key = [libc::SIGINT, libc::SIGQUIT].contains(&death);
        for setup in [JOB, PID_1_TTY] {
            for (foreground, had_them) in
                [(Some(CHILD), true), (Some(99), false), (Some(setup.group), false), (None, false)]
            {
                let mut init = Init::settled(&config, setup);
                init.world.foreground = foreground;
                assert_eq!(
                    told_of(&mut init, death).is_none(),
                    is_key && had_them,
                    "{death}, {setup:?}, {foreground:?}"
                );
            }
        }
        assert!(told_of(&mut Init::settled(&config, PID_1), death).is_some(), "{death}");
        // A session of its own has lost its terminal by then, and may have had none.
        for session_terminal in [true, false] {
            let mut init = Init::settled(&config, Setup { session_terminal, ..SESSION });
            assert_eq!(told_of(&mut init, death).is_none(), is_key && session_terminal, "{death}, {session_terminal}");
        }
    }
}

#[test]
fn i19_the_out_of_memory_killer_s_count_is_from_init_s_start() {
    let config = parse(&["x"]);
    // Known at rest; before, PID 1's cgroup was most often made for it, and another's may be old.
    for (setup, is_settled, before, after, count) in [
        (PID_1, true, 0, 2, 2),
        (PID_1, true, 3, 4, 1),
        (PID_1, true, 3, 3, 0),
        (PID_1, true, 3, 0, 0),
        (PID_1, false, 0, 1, 1),
        (SUBREAPER, true, 3, 5, 2),
        (SUBREAPER, false, 3, 5, 0),
    ] {
        let mut init = Init::new(&config, setup);
        init.world.kills = before;
        init.event(Event::Started);
        if is_settled {
            init.event(Event::Quiet);
        }
        init.world.kills = after;
        assert_eq!(told_of(&mut init, libc::SIGKILL), Some((libc::SIGKILL, count)), "{setup:?} {before} {after}");
    }
}
