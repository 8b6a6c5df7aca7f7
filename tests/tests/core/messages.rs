//! Every message of init's, for the tests of all of them.

use init_core::messages::{Message, Target};

/// What stands in the messages.
#[derive(Clone, Copy)]
pub struct Values {
    pub pid: i32,
    pub signal: i32,
    pub errno: i32,
    pub status: u8,
    pub out_of_memory: u32,
}

/// Every message in every form, but for the number of processes that the out-of-memory killer has ended.
pub fn all(values: Values) -> Vec<Message> {
    let Values { pid, signal, errno, status, out_of_memory } = values;
    let is_listed = |target| match target {
        Target::Child(_) | Target::Group(_) | Target::All | Target::Process(_) => target,
    };
    let [child, group, all, process] =
        [Target::Child(pid), Target::Group(pid), Target::All, Target::Process(pid)].map(is_listed);
    vec![
        Message::cannot_fork(errno),
        Message::child_lost(pid),
        Message::no_subreaper(errno),
        Message::no_parent_death(errno),
        Message::cannot_wait(errno),
        Message::no_proc(),
        Message::reaped_exited(pid, status),
        Message::reaped_killed(pid, signal),
        Message::child_killed(pid, signal, 0),
        Message::child_killed(pid, signal, out_of_memory),
        Message::child_exited(pid, status),
        Message::child_stopped(pid, signal),
        Message::stop_timeout(pid),
        Message::grace_over(),
        Message::grace_cut_short(),
        Message::left(),
        Message::no_effect(signal),
        Message::sent(signal, child),
        Message::sent(signal, group),
        Message::sent(signal, all),
        Message::sent(signal, process),
        Message::cannot_send(signal, child, errno),
        Message::cannot_send(signal, group, errno),
        Message::cannot_send(signal, all, errno),
        Message::cannot_send(signal, process, errno),
        Message::queue_full(signal),
        Message::dropped_by_rule(signal),
        Message::dropped_as_shared(signal),
        Message::not_caught_by_child(signal),
        Message::not_caught(signal, process),
        Message::gave_terminal(pid),
        Message::took_terminal(),
    ]
}
