//! How many processes of init's memory cgroup the out-of-memory killer has ended (contract I19).

use crate::procfs::each_line;
use init_core::bytes::{after, same, take, take_number};
use init_core::line::Line;

/// Room for the path of a cgroup's file.
const ROOM: usize = 384;

/// The count so far; 0 if it is not to be had (cgroups(7): `memory.events` of version 2, `memory.oom_control` of version 1; from
/// Linux 4.13 on).
pub fn kills() -> u32 {
    let mut kills = None;
    for version in [2, 1] {
        let mut path = Line::<ROOM>::new();
        path.text(if version == 2 { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/memory" });
        let root = path.bytes().len();
        if add_own_path(version, &mut path) {
            let file = if version == 2 { "/memory.events" } else { "/memory.oom_control" };
            path.text(file);
            kills = kills.or_else(|| count_in(&mut path));
            // A container often sees its own cgroup as the root, whatever path it is told.
            path.cut(root);
            path.text(file);
            kills = kills.or_else(|| count_in(&mut path));
        }
    }
    kills.unwrap_or(0)
}

/// Adds the path of init's own cgroup: the line `0::/path` of /proc/self/cgroup (version 2), or `9:memory:/path` (version 1).
/// False if there is no such line.
fn add_own_path(version: u8, path: &mut Line<ROOM>) -> bool {
    let mut is_found = false;
    each_line(c"/proc/self/cgroup", &mut |line| {
        let mut rest = line;
        let number = take(&mut rest, b':');
        let controllers = take(&mut rest, b':');
        let matches = match version {
            2 => same(number, b"0") && controllers.is_empty(),
            _ => controllers.split(|byte| *byte == b',').any(|name| same(name, b"memory")),
        };
        if matches && !is_found {
            is_found = true;
            path.add(rest);
        }
    });
    is_found
}

/// The number after `oom_kill ` in that file.
fn count_in(path: &mut Line<ROOM>) -> Option<u32> {
    let mut count = None;
    each_line(path.c_str(), &mut |line| count = count.or_else(|| take_number(&mut after(line, b"oom_kill ")?)));
    count
}
