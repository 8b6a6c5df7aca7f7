//! Every message of init's, for the tests of all of them.

use init_core::messages::{Message, Target};

/// Makes a list of messages, and fails to compile where one of [`Message`] is missing.
macro_rules! list {
    ($($variant:ident $({ $($field:ident: $value:expr),* })?;)*) => {{
        let _ = |message: &Message| match message {
            $(#[allow(unreachable_patterns, reason = "a message may stand here several times")] Message::$variant { .. } => {})*
        };
        vec![$(Message::$variant $({ $($field: $value),* })?),*]
    }};
}

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
    list! {
        CannotFork { errno: errno };
        ChildLost { child: pid };
        NoSubreaper { errno: errno };
        NoParentDeath { errno: errno };
        CannotWait { errno: errno };
        NoProc;
        ReapedExited { pid: pid, status: status };
        ReapedKilled { pid: pid, signal: signal };
        ChildKilled { child: pid, signal: signal, out_of_memory: 0 };
        ChildKilled { child: pid, signal: signal, out_of_memory: out_of_memory };
        ChildExited { child: pid, status: status };
        ChildStopped { child: pid, signal: signal };
        StopTimeout { child: pid };
        GraceOver;
        GraceCutShort;
        Left;
        NoEffect { signal: signal };
        Sent { signal: signal, target: child };
        Sent { signal: signal, target: group };
        Sent { signal: signal, target: all };
        Sent { signal: signal, target: process };
        CannotSend { signal: signal, target: child, errno: errno };
        CannotSend { signal: signal, target: group, errno: errno };
        CannotSend { signal: signal, target: all, errno: errno };
        CannotSend { signal: signal, target: process, errno: errno };
        QueueFull { signal: signal };
        DroppedByRule { signal: signal };
        DroppedAsShared { signal: signal };
        DroppedUncaught { signal: signal, target: child };
        DroppedUncaught { signal: signal, target: process };
        GaveTerminal { group: pid };
        TookTerminal;
    }
}
