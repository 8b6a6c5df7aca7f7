//! Cgroups in which there is no room: for which root is needed (I10, B3). Each test's name begins with the promise's number.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bitts_tests::faults::memory;
use bitts_tests::{Case, Place};

/// A pids cgroup, of version 1 or 2, which ends with its processes.
struct Pids(PathBuf);

impl Pids {
    fn new(most: u32) -> Self {
        let one = Path::new("/sys/fs/cgroup/pids");
        let root = if one.is_dir() { one } else { Path::new("/sys/fs/cgroup") };
        if root != one {
            std::fs::write(root.join("cgroup.subtree_control"), "+pids").expect("a pids controller");
        }
        let path = root.join(format!("bitts-pids-{}-{most}", std::process::id()));
        std::fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        std::fs::write(path.join("pids.max"), most.to_string()).expect("a limit");
        Self(path)
    }
}

impl Drop for Pids {
    fn drop(&mut self) {
        // What has just ended is still counted for a moment.
        let until = Instant::now() + Duration::from_secs(10);
        while std::fs::remove_dir(&self.0).is_err() && Instant::now() < until {
            std::thread::yield_now();
        }
    }
}

#[test]
fn i10_a_cgroup_without_room_for_a_process_is_told() {
    for place in [Place::Pid1, Place::Child] {
        let cgroup = Pids::new(1);
        let outcome = Case::init().place(place).cgroup(cgroup.0.join("cgroup.procs")).child(["exit", "7"]).run();
        outcome.assert_exit(1);
        assert_eq!(outcome.err(), "init: fatal: cannot fork: Resource temporarily unavailable\n");
        drop(cgroup);
        // The control: with room for one more.
        let cgroup = Pids::new(2);
        Case::init().place(place).cgroup(cgroup.0.join("cgroup.procs")).child(["exit", "7"]).run().assert_exit(7);
    }
}

/// It needs no more than the peers, and little more than its floor.
#[test]
fn b3_p7_works_in_a_smaller_memory_cgroup_than_the_peers() {
    let need = |name: &str| {
        let (_, program, words) = memory::subjects().into_iter().find(|(other, ..)| *other == name).expect(name);
        let need = memory::smallest(&program, &words).unwrap_or_else(|why| panic!("{name}: {why}"));
        eprintln!("{name}: {} kB", need / 1024);
        need
    };
    let init = need("init");
    for peer in ["tini", "catatonit"] {
        assert!(init < need(peer), "{peer}");
    }
    assert!(need("pause") < init);
}
