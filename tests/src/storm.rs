//! A storm of signals whose every member is accounted for: who sends, and who receives. The witness does both inside a
//! namespace (`storm`, `tally`), the library sends from outside.
//!
//! Each sender mixes real-time signals with a value (`sigqueue(3)`), the same without (`kill(2)`), and standard ones. The value
//! tells the sender and how many it has sent of this number before: so the receiver sees a loss, a double, and a change of order.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::time::{Duration, Instant};

use crate::sys::{self, Received};

/// Real-time numbers but the marker, from the two on that the C library hides.
pub const REAL_TIME: std::ops::RangeInclusive<i32> = 32..=63;

/// Ends a round. The highest number is taken last (signal(7)), behind all that is pending; nobody sends it in a storm.
pub const MARKER: i32 = 64;

/// How long a sender tries to get one signal in.
const PATIENCE: Duration = Duration::from_secs(60);

/// Above the count stands the sender in a value. Both fit into 31 bits.
const SENDER: isize = 1 << 24;

/// The standard signals of a storm: all that init forwards, but those that discard each other (kernel/signal.c,
/// `prepare_signal`: a stop takes a pending CONT away).
pub fn standard() -> impl Iterator<Item = i32> {
    let stops = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    sys::catchable().filter(move |n| *n < *REAL_TIME.start() && *n != libc::SIGCHLD && !stops.contains(n))
}

/// How many signals there were, by sender (None: sent by kill, which carries no value) and number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub counts: BTreeMap<(Option<u32>, i32), u64>,
    /// How often a sender was refused for want of room (EAGAIN), and tried again.
    pub refused: u64,
    /// What was not in order: of a loss or a double this is the sign, too.
    pub disorder: Vec<String>,
}

impl Tally {
    /// One more.
    fn add(&mut self, sender: Option<u32>, signal: i32) {
        *self.counts.entry((sender, signal)).or_default() += 1;
    }

    /// Counts a signal that was received. One with a value must be the next of its sender and number.
    pub fn take(&mut self, received: &Received) {
        let Received { signal, code, value, .. } = *received;
        if code != libc::SI_QUEUE {
            return self.add(None, signal);
        }
        let (sender, number) = ((value / SENDER) as u32, (value % SENDER) as u64);
        let before = self.counts.get(&(Some(sender), signal)).copied().unwrap_or(0);
        if number != before {
            self.disorder.push(format!("signal {signal} of sender {sender}: number {number} came behind {before}"));
        }
        self.add(Some(sender), signal);
    }

    /// All that `other` has, too.
    pub fn merge(&mut self, other: &Self) {
        other.counts.iter().for_each(|(key, count)| *self.counts.entry(*key).or_default() += count);
        self.refused += other.refused;
        self.disorder.extend_from_slice(&other.disorder);
    }

    /// How many signals with a value (`queued`), or without one, there are in these numbers.
    #[must_use]
    pub fn total(&self, queued: bool, signals: impl Fn(i32) -> bool) -> u64 {
        let wanted = |key: &(Option<u32>, i32)| key.0.is_some() == queued && signals(key.1);
        self.counts.iter().filter(|(key, _)| wanted(key)).map(|(_, count)| count).sum()
    }

    /// Those of the given kind alone.
    #[must_use]
    pub fn only(&self, queued: bool, signals: impl Fn(i32) -> bool) -> BTreeMap<(Option<u32>, i32), u64> {
        let wanted = |key: &(Option<u32>, i32)| key.0.is_some() == queued && signals(key.1);
        self.counts.iter().filter(|(key, _)| wanted(key)).map(|(key, count)| (*key, *count)).collect()
    }

    /// As lines; `tally end` is the last.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("refused {}\n", self.refused);
        for ((sender, signal), count) in &self.counts {
            let _ = writeln!(text, "count {} {signal} {count}", sender.map_or(-1, i64::from));
        }
        for what in &self.disorder {
            let _ = writeln!(text, "disorder {what}");
        }
        text + "tally end"
    }

    /// The reverse; lines that it does not know are somebody else's.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut tally = Self::default();
        for line in text.lines() {
            let Some((key, rest)) = line.split_once(' ') else { continue };
            let mut numbers = rest.split(' ').map_while(|word| word.parse::<i64>().ok());
            match (key, numbers.next(), numbers.next(), numbers.next()) {
                ("refused", Some(count), ..) => tally.refused += count as u64,
                ("count", Some(sender), Some(signal), Some(count)) => {
                    *tally.counts.entry((u32::try_from(sender).ok(), signal as i32)).or_default() += count as u64;
                }
                ("disorder", ..) => tally.disorder.push(rest.to_owned()),
                _ => {}
            }
        }
        tally
    }
}

/// Sends `count` signals to `pid` and tells what was accepted. What is refused for want of room is tried again, and
/// `first_refusal` is called once. `sender` is below 128.
///
/// # Errors
/// ESRCH, EPERM; TimedOut where there is no room for a minute.
pub fn send(pid: i32, sender: u32, count: usize, first_refusal: impl FnOnce()) -> io::Result<Tally> {
    let standard: Vec<_> = standard().collect();
    let real_time: Vec<_> = REAL_TIME.collect();
    let mut first_refusal = Some(first_refusal);
    let mut sent = Tally::default();
    for index in 0..count {
        let (round, kind) = (index / 4, index % 4);
        let signal =
            if kind == 3 { standard[round % standard.len()] } else { real_time[(round + kind) % real_time.len()] };
        if kind >= 2 {
            sys::kill(pid, signal, None)?;
            sent.add(None, signal);
            continue;
        }
        let number = sent.counts.get(&(Some(sender), signal)).copied().unwrap_or(0);
        let value = sender as isize * SENDER + number as isize;
        let until = Instant::now() + PATIENCE;
        while let Err(error) = sys::kill(pid, signal, Some(value)) {
            if error.kind() != io::ErrorKind::WouldBlock {
                return Err(error);
            }
            sent.refused += 1;
            if let Some(tell) = first_refusal.take() {
                tell();
            }
            if Instant::now() > until {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("no room for signal {signal} for a minute"),
                ));
            }
            std::thread::yield_now();
        }
        sent.add(Some(sender), signal);
    }
    Ok(sent)
}
