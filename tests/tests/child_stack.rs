//! The child's stack between clone and exec, which lies in init's own (contract B1: nothing grows it, and nothing guards its end).
#![cfg(target_arch = "x86_64")]

use bitts_tests::{Case, Place, namespace, needs_namespaces, ship, steps};

/// Bytes that it may need beyond what was seen: there is no case for it, but no case is all cases.
const SPARE: u64 = 128;

/// `CHILD_STACK` of init/src/sys.rs. A test runs in its package's folder, which is a copy where a fault has been put in.
fn size() -> u64 {
    let source = std::fs::read_to_string("../init/src/sys.rs").expect("a source");
    let line = source.lines().find_map(|line| line.strip_prefix("const CHILD_STACK: usize = ")).expect("its size");
    line.trim_end_matches(';').parse().expect("a number")
}

/// A script without a first line that the kernel knows, as long as what init reads of it.
fn script() -> tempfile::TempPath {
    let _alone = bitts_tests::sys::no_forks();
    let path = tempfile::NamedTempFile::new().expect("a file").into_temp_path();
    std::fs::write(&path, format!("exit 0 # {}\n", "x".repeat(4000))).expect("a script");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("a mode");
    path
}

#[test]
fn b1_the_child_s_stack_is_large_enough() {
    if ship::another_init() {
        return namespace::skipped("the child's stack", "only the init that is built here is known to have it");
    }
    needs_namespaces!();
    let script = script();
    let long = format!("/{}", "none/".repeat(80));
    let cases: [(&str, Case); 9] = [
        ("a path", Case::init().arg("/bin/true")),
        ("a name", Case::init().arg("true")),
        ("a group", Case::init().args(["-g", "true"])),
        ("a terminal", Case::init().terminal().arg("true")),
        ("a session", Case::init().name("dumb-init").terminal().arg("true")),
        ("its own variables", Case::init().env("LISTEN_PID", "1").env("WATCHDOG_PID", "1").arg("true")),
        ("a long PATH", Case::init().env("PATH", format!("{long}:/bin:/usr/bin")).arg("true")),
        ("a script", Case::init().arg(&script)),
        ("no program", Case::init().arg("no-such-program")),
    ];
    let mut most = 0;
    for (what, case) in cases {
        // With a process id of many digits, too.
        let mut running = case.start_held();
        let used = steps::child_stack(&mut running);
        assert!(used > 0, "{what}: nothing was seen");
        assert!(used + SPARE <= size(), "{what}: {used} bytes of {}", size());
        most = most.max(used);
    }
    let mut running = Case::init().place(Place::Host).env("LISTEN_PID", "1").arg("true").start_held();
    most = most.max(steps::child_stack(&mut running));
    assert!(most + SPARE <= size(), "{most} bytes of {}", size());
    println!("{most} bytes of {}", size());
    // What it takes at the most is near: else all below it would lie lower for nothing (contract I6's memory, ARCHITECTURE).
    assert!(size() <= 2 * most, "{most} bytes of {} are enough", size());
}
