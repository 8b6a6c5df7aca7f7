//! How init and pause bear a load, at any scale: `cargo load` plays it large, the tests small. Each part tells its figures, or
//! what was not as the contract says.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::cgroup::Cgroup;
use crate::procfs::{self, Footprint};
use crate::storm::{self, Tally};
use crate::{Case, Place, Running, Stream, namespace, sys};

/// What was done or seen, and how much of it.
pub type Figures = Vec<(String, String)>;

/// Against hanging, for any single wait.
const DEADLINE: Duration = Duration::from_secs(300);

/// An error unless the two are the same.
fn same<T: PartialEq + Debug>(what: &str, seen: &T, wanted: &T) -> Result<(), String> {
    if seen == wanted { Ok(()) } else { Err(format!("{what}: {seen:?}, not {wanted:?}")) }
}

/// A row of the figures.
fn row(what: impl Into<String>, figure: impl ToString) -> (String, String) {
    (what.into(), figure.to_string())
}

/// A count with a comma at each thousand.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let comma = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    digits.chars().enumerate().flat_map(|(at, digit)| comma(at).then_some(',').into_iter().chain([digit])).collect()
}

/// What a process holds, when it has come to rest in the wait that init and pause have.
fn at_rest(running: &mut Running) -> Result<Footprint, String> {
    running.wait_asleep_in(libc::SYS_rt_sigtimedwait);
    procfs::footprint(running.pid()).map_err(|error| format!("its footprint: {error}"))
}

/// An error unless it holds what it did, and no more in memory: the kernel takes pages of a file away when it needs the room.
///
/// # Errors
/// What has changed.
pub fn holds_what_it_did(what: &str, after: &Footprint, before: &Footprint) -> Result<(), String> {
    same(what, &Footprint { resident: after.resident.max(before.resident), ..*after }, before)
}

/// What a footprint says, in a row.
fn held(who: &str, footprint: &Footprint) -> (String, String) {
    let Footprint { resident, written, mapped, descriptors } = footprint;
    row(
        format!("{who} before and after: resident, written, mapped, descriptors"),
        format!("{resident} kB, {written} kB, {mapped} kB, {descriptors}"),
    )
}

// ---- signals --------------------------------------------------------------------------------------------------------

/// How large a storm is.
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    /// Senders in init's PID namespace, and as many outside.
    pub pairs: u32,
    pub rounds: usize,
    /// Signals of each sender in each round.
    pub each: usize,
}

/// The counts of the newest round that the recording child has printed.
fn newest(init: &Running) -> Tally {
    let text = String::from_utf8_lossy(&init.stdout()).into_owned();
    let rounds: Vec<_> = text.split_terminator("tally end\n").collect();
    Tally::parse(rounds.last().copied().unwrap_or_default())
}

/// All senders at once; what they have sent together. `refused` is called when one inside was refused for the first time.
fn blow(init: &Running, storm: Storm, refused: impl FnOnce()) -> Result<Tally, String> {
    let mut inside: Vec<_> = (0..storm.pairs)
        .map(|sender| {
            let words = ["storm".to_owned(), "1".to_owned(), sender.to_string(), storm.each.to_string()];
            Case::witness().inside(init).deadline(DEADLINE).args(words).start()
        })
        .collect();
    let pid = init.pid();
    let outside: Result<Vec<_>, String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (storm.pairs..2 * storm.pairs)
            .map(|sender| scope.spawn(move || storm::send(pid, sender, storm.each, || {})))
            .collect();
        refused();
        let joined = threads.into_iter().map(|thread| thread.join().map_err(|_| "a sender panicked".to_owned()));
        joined.map(|sent| sent?.map_err(|error| format!("a sender outside: {error}"))).collect()
    });
    let mut sent = Tally::default();
    outside?.iter().for_each(|tally| sent.merge(tally));
    for sender in inside.drain(..) {
        let outcome = sender.wait();
        if outcome.exit() != Some(0) {
            return Err(format!("a sender inside: {outcome}"));
        }
        sent.merge(&Tally::parse(&outcome.out()));
    }
    Ok(sent)
}

/// Compares what came with what was sent. Of standard signals, which the kernel merges while they wait, at least one must have come of
/// each; `exact` says that the same goes for no real-time one.
fn account(sent: &Tally, received: &Tally, exact: bool) -> Result<(), String> {
    let real_time = |signal| storm::REAL_TIME.contains(&signal);
    same("out of order", &received.disorder, &Vec::new())?;
    same("queued signals", &received.only(true, |_| true), &sent.only(true, |_| true))?;
    if exact {
        same("real-time signals of kill", &received.only(false, real_time), &sent.only(false, real_time))?;
    }
    let merged = |signal: i32| !exact || !real_time(signal);
    let (seen, wanted): (BTreeMap<_, _>, _) = (received.only(false, merged), sent.only(false, merged));
    same("the numbers that came", &seen.keys().collect::<Vec<_>>(), &wanted.keys().collect())?;
    let more: Vec<_> = seen.iter().filter(|(key, count)| **count > wanted[*key]).collect();
    same("numbers that came more often than they were sent", &more, &Vec::new())
}

/// A storm below the pending limit, through `program`: of real-time signals each arrives, in the order of its sender.
///
/// # Errors
/// What did not arrive as it was sent, or a footprint that has changed.
pub fn storm(program: Case, storm: Storm) -> Result<Figures, String> {
    let senders = 2 * storm.pairs as usize;
    let (limit, _) = getrlimit(Resource::RLIMIT_SIGPENDING).map_err(|error| error.to_string())?;
    // All of a round may be pending at the same time, and others of this user may have some, too.
    if (senders * storm.each) as u64 > limit / 2 {
        return Err(format!("a round of {} signals is too large for the limit {limit}", senders * storm.each));
    }
    let start = Instant::now();
    let rounds = (storm.rounds + 1).to_string();
    let case = program.user_namespace().deadline(DEADLINE).stdin(Stream::Null);
    let mut init = case.child(["tally", &rounds, "exit", "7"]).start();
    init.wait_line("recording");
    let (mut sent, mut received) = (Tally::default(), Tally::default());
    let mut before = None;
    for round in 0..=storm.rounds {
        // First a few of each kind, so that every page that is needed has been touched.
        let size = if round == 0 { Storm { each: 1000, ..storm } } else { storm };
        let out = blow(&init, size, || {})?;
        if round == storm.rounds {
            // The child ends behind the next marker.
            let after = at_rest(&mut init)?;
            holds_what_it_did("what init holds", &after, &before.expect("a first round"))?;
        }
        init.signal(storm::MARKER);
        init.wait_lines("tally end", round + 1);
        let came = newest(&init);
        same("refused below the limit", &out.refused, &0)?;
        account(&out, &came, true)?;
        if round == 0 {
            before = Some(at_rest(&mut init)?);
        } else {
            sent.merge(&out);
            received.merge(&came);
        }
    }
    let outcome = init.wait();
    same("init's end", &(outcome.exit(), outcome.err()), &(Some(7), String::new()))?;
    let standard = |signal| !storm::REAL_TIME.contains(&signal);
    let came = |queued, which: &dyn Fn(i32) -> bool| {
        let (sent, received) = (sent.total(queued, which), received.total(queued, which));
        format!("{} of {}", grouped(received), grouped(sent))
    };
    Ok(vec![
        row("senders inside and outside the namespace", format!("{} and {}", storm.pairs, storm.pairs)),
        row("real-time signals with a value that came, in order", came(true, &|_| true)),
        row("real-time signals of kill that came", came(false, &|signal| !standard(signal))),
        row("standard signals that came, the others merged by the kernel", came(false, &standard)),
        row("refused for want of room", received.refused),
        held("init", &before.expect("a first round")),
        row("seconds", start.elapsed().as_secs()),
    ])
}

/// A storm beyond the pending limit, which is `room`: who queues is refused and tries again, and what was accepted arrives; a kill
/// is merged with one that waits.
///
/// # Errors
/// What did not arrive as it was accepted.
pub fn storm_beyond(program: Case, room: u64, storm: Storm) -> Result<Figures, String> {
    let case = program.user_namespace().deadline(DEADLINE).stdin(Stream::Pipe);
    let case = case.limit(libc::RLIMIT_SIGPENDING, room, room);
    // It takes none before its input ends: until then the room fills.
    let mut init = case.child(["block", "all", "say", "blocked", "cat", "tally", "1", "exit", "7"]).start();
    init.wait_line("blocked");
    let first = Storm { pairs: 1, rounds: 1, each: 4 * room as usize };
    let mut filler = Case::witness().inside(&init).deadline(DEADLINE);
    filler = filler.args(["storm", "1", "127", &first.each.to_string()]);
    let mut filler = filler.start();
    filler.wait_line("no room");
    init.close_stdin();
    init.wait_line("recording");
    let mut sent = blow(&init, storm, || {})?;
    let outcome = filler.wait();
    same("the first sender's end", &outcome.exit(), &Some(0))?;
    sent.merge(&Tally::parse(&outcome.out()));
    // The marker is a kill, which needs no room to be told.
    init.signal(storm::MARKER);
    init.wait_line("tally end");
    let received = newest(&init);
    account(&sent, &received, false)?;
    if sent.refused == 0 {
        return Err("nobody was refused".to_owned());
    }
    let outcome = init.wait();
    same("init's end", &(outcome.exit(), outcome.err()), &(Some(7), String::new()))?;
    Ok(vec![
        row("room for pending signals", room),
        row("times that a sender was refused, and tried again", grouped(sent.refused)),
        row(
            "queued signals that were accepted, and came in order",
            format!("{} of {}", grouped(received.total(true, |_| true)), grouped(sent.total(true, |_| true))),
        ),
        row(
            "signals of kill that came, the others merged",
            format!("{} of {}", grouped(received.total(false, |_| true)), grouped(sent.total(false, |_| true))),
        ),
    ])
}

// ---- orphans --------------------------------------------------------------------------------------------------------

/// Who reaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaper {
    Init,
    /// init where it is not PID 1.
    Subreaper,
    Pause,
}

/// More processes than stand around a burst: the reaper, its child, the launcher, who makes them.
const AROUND: usize = 8;

/// With a limit on processes, zombies included, that counts ours alone: as a user that nobody else is, for root itself has no limit
/// (kernel/fork.c, `copy_process`). An ordinary user has a user namespace, which counts for itself.
#[must_use]
pub fn limited(case: Case, processes: u64) -> Case {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let case = case.limit(libc::RLIMIT_NPROC, processes, processes);
    if !namespace::is_root() {
        return case;
    }
    let user = 1_000_000 + std::process::id() * 64 + NUMBER.fetch_add(1, Ordering::Relaxed) % 64;
    case.user(user, user)
}

/// Bursts of `size` orphans each, as many as `rounds`, the next when all of the last have been reaped. The kernel refuses a process more
/// than those of one burst, dead or alive, so a zombie of an earlier one would be in the way.
///
/// # Errors
/// A zombie that stays, a wrong end, or a footprint that has changed.
pub fn orphans(reaper: Reaper, rounds: usize, size: usize) -> Result<Figures, String> {
    let start = Instant::now();
    let most = (size + AROUND) as u64;
    let words = |rounds: usize| ["bursts".to_owned(), rounds.to_string(), size.to_string()];
    let case = match reaper {
        Reaper::Pause => Case::pause(),
        _ => Case::init(),
    };
    let place = if reaper == Reaper::Subreaper { Place::Child } else { Place::Pid1 };
    let case = limited(case.place(place).deadline(DEADLINE).stdin(Stream::Pipe), most);
    // One burst before, so that every page that is needed has been touched.
    let case = if reaper == Reaper::Pause {
        case
    } else {
        let [first, all] = [words(1), words(rounds)];
        case.child(
            first
                .iter()
                .map(String::as_str)
                .chain(["cat"])
                .chain(all.iter().map(String::as_str))
                .chain(["ignore", "10", "say", "done", "stop", "exit", "7"]),
        )
    };
    let mut running = case.start();
    let burst = |running: &Running, rounds: usize| {
        let outcome = Case::witness().inside(running).deadline(DEADLINE).args(words(rounds));
        outcome.limit(libc::RLIMIT_NPROC, most, most).run()
    };
    let done = |rounds: usize| format!("bursts {rounds} {size}");
    if reaper == Reaper::Pause {
        same("the first burst", &burst(&running, 1).out().trim_end(), &done(1).as_str())?;
    } else {
        running.wait_line(&done(1));
    }
    let before = at_rest(&mut running)?;
    let switches = running.context_switches();
    if reaper == Reaper::Pause {
        same("the bursts", &burst(&running, rounds).out().trim_end(), &done(rounds).as_str())?;
        same("context switches", &(running.context_switches() - switches), &0)?;
    } else {
        running.close_stdin();
        running.wait_line("stopping");
        // It says so before it is, and a CONT that comes first continues nobody.
        running.wait_until("a stopped child", |init| init.children().iter().any(|child| child.state == 'T'));
    }
    let switches = running.context_switches() - switches;
    holds_what_it_did("what the reaper holds", &at_rest(&mut running)?, &before)?;
    same("zombies", &running.zombies(), &Vec::new())?;
    running.signal(if reaper == Reaper::Pause { libc::SIGTERM } else { libc::SIGCONT });
    let outcome = running.wait();
    same("the end", &outcome.exit(), &Some(if reaper == Reaper::Pause { 0 } else { 7 }))?;
    let who = match reaper {
        Reaper::Init => "init, PID 1",
        Reaper::Subreaper => "init, subreaper",
        Reaper::Pause => "pause",
    };
    Ok(vec![
        row(
            format!("{who}: orphans, in bursts of"),
            format!("{}, {}", grouped((rounds * size) as u64), grouped(size as u64)),
        ),
        row(format!("{who}: most processes at a time, zombies included, as the kernel limits them"), grouped(most)),
        row(format!("{who}: context switches"), grouped(switches)),
        held(who, &before),
        row(format!("{who}: seconds"), start.elapsed().as_secs()),
    ])
}

// ---- the fork bomb --------------------------------------------------------------------------------------------------

/// A child that forks for ever, and so do its children, up to `most` processes; they ignore TERM or do not. TERM to init ends all.
/// With a cgroup, whose limit it is, this asks for root.
///
/// # Errors
/// A wrong status, or somebody who is left.
pub fn bomb(place: Place, stubborn: bool, most: usize, cgroup: Option<&Cgroup>) -> Result<Figures, String> {
    // As PID 1 one call reaches all, and a fork that it interrupts makes nobody (kernel/fork.c, `copy_process`): no grace is used up. Else
    // one that is born behind the look at /proc is killed in the end.
    let atomic = place == Place::Pid1 && !stubborn;
    let grace = if atomic { "60m" } else { "1s" };
    let case = Case::init().place(place).deadline(DEADLINE).args(["--grace", grace]).stdin(Stream::Null);
    let case = if cgroup.is_some() { case } else { limited(case, most as u64) };
    let deaf = if stubborn { &["ignore", "15"][..] } else { &[] };
    let words = ["child"].iter().chain(deaf).chain(&["bomb", "end", "sleep"]).copied();
    let mut init = case.child(words).start_held();
    if let Some(cgroup) = cgroup {
        std::fs::write(cgroup.door(), init.pid().to_string()).map_err(|error| format!("the cgroup: {error}"))?;
    }
    init.release();
    init.wait_line("full");
    let start = Instant::now();
    init.signal(libc::SIGTERM);
    let status = init.wait_status();
    let seconds = start.elapsed();
    same("init's wait status", &status, &((128 + libc::SIGTERM) << 8))?;
    // Where it is not PID 1 the reaper above it is there, and reaps nobody of them while init lives.
    let mut left = init.processes();
    left.retain(|process| process.inner != 1);
    let text = init.wait().err();
    let said: Vec<_> = text.lines().collect();
    let wanted = match said[..] {
        [] => !stubborn,
        [OUTLIVED] => !atomic,
        // It may give up a second after the kill, which by the clock may be too early for them (I14).
        [OUTLIVED, UNKILLABLE] => place != Place::Pid1,
        _ => false,
    };
    if !wanted {
        return Err(format!("standard error: {said:?}"));
    }
    if said.last() != Some(&UNKILLABLE) {
        same("who is left", &left, &Vec::new())?;
    }
    let what = format!(
        "{}, its processes {} TERM",
        if place == Place::Pid1 { "PID 1" } else { "subreaper" },
        if stubborn { "ignore" } else { "heed" }
    );
    let mut figures = vec![
        row(format!("{what}: at most so many processes"), most),
        row(format!("{what}: from TERM to the end, s"), format!("{:.1}", seconds.as_secs_f64())),
    ];
    if let Some(peak) = cgroup.and_then(Cgroup::most_pids) {
        figures.push(row(format!("{what}: the kernel counted at most"), peak));
    }
    Ok(figures)
}

/// What init says when the grace period is over.
const OUTLIVED: &str = "init: grace period over, killing remaining processes";

/// And when it gives up.
const UNKILLABLE: &str = "init: warning: some processes are left, ignoring";

// ---- a thousand containers ------------------------------------------------------------------------------------------

/// `count` containers with init and a child, and as many with pause, all at once; TERM ends each with its status.
///
/// # Errors
/// A wrong status, somebody who is left, a footprint that has changed.
pub fn crowd(count: usize) -> Result<Figures, String> {
    // Each has a few descriptors here.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|error| error.to_string())?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).map_err(|error| error.to_string())?;
    let start = Instant::now();
    let init = || {
        let case = Case::init().deadline(DEADLINE).stdin(Stream::Null).stderr(Stream::Null);
        let mut init = case.child(["record", "until", "15", "exit", "7"]).start();
        init.wait_line("recording");
        init
    };
    let pause =
        || Case::pause().deadline(DEADLINE).stdin(Stream::Null).stdout(Stream::Null).stderr(Stream::Null).start();
    let mut inits: Vec<_> = (0..count).map(|_| init()).collect();
    let mut pauses: Vec<_> = (0..count).map(|_| pause()).collect();
    let footprints = |all: &mut [Running]| all.iter_mut().map(at_rest).collect::<Result<Vec<_>, _>>();
    let (of_inits, of_pauses) = (footprints(&mut inits)?, footprints(&mut pauses)?);
    let switches: Vec<_> = pauses.iter().map(Running::context_switches).collect();
    // Something for each to do: one signal of each kind.
    for init in &mut inits {
        init.queue(40, 5);
        init.signal(libc::SIGUSR1);
        init.wait_line("signal=10 ");
        init.wait_line("signal=40 ");
    }
    let after = footprints(&mut inits)?;
    let changed = of_inits.iter().zip(&after).filter(|(before, after)| before.written != after.written).count();
    for (after, before) in footprints(&mut pauses)?.iter().zip(&of_pauses) {
        holds_what_it_did("what a pause holds", after, before)?;
    }
    let woken: Vec<_> = pauses.iter().map(Running::context_switches).collect();
    same("context switches of pauses", &woken, &switches)?;
    let children: Result<Vec<_>, _> = inits
        .iter()
        .flat_map(|init| procfs::children(init.pid()))
        .map(|child| sys::open_process(child).map_err(|error| format!("a child: {error}")))
        .collect();
    let children = children?;
    same("children", &children.len(), &count)?;
    let up = start.elapsed();
    inits.iter().chain(&pauses).for_each(|running| running.signal(libc::SIGTERM));
    for (what, running, status) in
        inits.into_iter().map(|init| ("an init", init, 7)).chain(pauses.into_iter().map(|pause| ("a pause", pause, 0)))
    {
        same(what, &running.wait().exit(), &Some(status))?;
    }
    let down = start.elapsed() - up;
    let left = children.iter().filter(|child| !sys::wait_for_end(child, Duration::ZERO)).count();
    same("children that are left", &left, &0)?;
    Ok(vec![
        row("init with a child, and pause, each in its PID namespace", format!("{count} and {count}")),
        row("ended by TERM with the right status", 2 * count),
        row("inits that wrote to another page", changed),
        held("init", &of_inits[0]),
        held("pause", &of_pauses[0]),
        row("seconds to start, and to end", format!("{} and {}", up.as_secs(), down.as_secs())),
    ])
}
