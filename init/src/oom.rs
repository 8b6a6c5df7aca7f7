//! How many processes of init's memory cgroup the out-of-memory killer has ended (contract I19).

use crate::procfs::{MISSING, each_line, read_fields};
use init_core::bytes::{same, take};
use init_core::line::Line;

/// The count so far; 0 if it is not to be had (cgroups(7): `memory.events` of version 2, `memory.oom_control` of version 1; from
/// Linux 4.13 on). Only one of the two versions has the memory of all cgroups.
pub fn kills() -> u32 {
    let mut path: Line = Line::new();
    let (mut root, mut file) = (0, "");
    // `9:memory:/path` for each hierarchy of version 1, and then `0::/path` for version 2.
    each_line(c"/proc/self/cgroup", &mut |mut own| {
        take(&mut own, b':');
        let controllers = take(&mut own, b':');
        let (folder, events) = if controllers.is_empty() {
            ("/sys/fs/cgroup", "/memory.events")
        } else if has_memory(controllers) {
            ("/sys/fs/cgroup/memory", "/memory.oom_control")
        } else {
            return;
        };
        if file.is_empty() {
            file = events;
            root = path.text(folder).bytes().len();
            path.add(own);
        }
    });
    // A container often sees its own cgroup as the root, whatever path it is told.
    for length in [usize::MAX, root] {
        let mut kills = [MISSING];
        path.cut(length);
        read_fields(path.text(file).c_str(), b' ', b"oom_kill", &mut kills);
        if kills[0] != MISSING {
            return kills[0] as u32;
        }
    }
    0
}

/// Is memory among the controllers?
fn has_memory(mut controllers: &[u8]) -> bool {
    while !controllers.is_empty() {
        if same(take(&mut controllers, b','), b"memory") {
            return true;
        }
    }
    false
}
