//! How many processes of init's memory cgroup the out-of-memory killer has ended (contract I19).

use crate::procfs::{MISSING, ROOM, each_line, read_fields};
use init_core::bytes::{same, take};
use init_core::line::Line;

/// The count so far; 0 if it is not to be had (cgroups(7): `memory.events` of version 2, `memory.oom_control` of version 1; from
/// Linux 4.13 on). Only one of the two versions has the memory of all cgroups.
pub fn kills() -> u32 {
    let mut kills = [MISSING];
    // `0::/path` for version 2, `9:memory:/path` for each hierarchy of version 1.
    each_line(c"/proc/self/cgroup", &mut |mut own| {
        take(&mut own, b':');
        let controllers = take(&mut own, b':');
        let (root, file) = if controllers.is_empty() {
            ("/sys/fs/cgroup", "/memory.events")
        } else if controllers.split(|byte| *byte == b',').any(|name| same(name, b"memory")) {
            ("/sys/fs/cgroup/memory", "/memory.oom_control")
        } else {
            return;
        };
        // A container often sees its own cgroup as the root, whatever path it is told.
        for path in [own, b""] {
            if kills == [MISSING] {
                let mut line = Line::<ROOM>::new();
                line.text(root).add(path).text(file);
                read_fields(line.c_str(), b' ', b"oom_kill", &mut kills);
            }
        }
    });
    if kills == [MISSING] { 0 } else { kills[0] as u32 }
}
