//! How a program is found and executed (I9), what is told if that fails (I10), and how init ends (I18).

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use bitts_tests::sys::{self, bit};
use bitts_tests::{Case, Outcome, Place, load, needs_namespaces, needs_strace, ship, tools};

/// Where init may stand.
const PLACES: [Place; 2] = [Place::Pid1, Place::Child];

/// Says who it is and what it was given.
const SCRIPT: &str = "echo \"$0|$*\"\n";

/// A folder that another user can look into.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    set_mode(folder.path(), 0o755);
    folder
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("a mode");
}

/// A file with this text and mode.
fn file(folder: &Path, name: &str, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    {
        let _alone = sys::no_forks();
        fs::write(&path, text).expect("a file");
    }
    set_mode(&path, mode);
    path
}

/// strerror(3).
fn strerror(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().expect("a first part").to_owned()
}

/// One line that names the program and the reason; nothing was run.
#[track_caller]
fn assert_failed(outcome: &Outcome, status: i32, program: &str, errno: i32) {
    outcome.assert_exit(status);
    assert_eq!(outcome.out(), "", "{outcome}");
    let error = outcome.err();
    assert_eq!(error.lines().count(), 1, "{outcome}");
    assert!(error.starts_with("init: ") && error.contains(program) && error.contains(&strerror(errno)), "{outcome}");
}

// ---- I9: the search on PATH -----------------------------------------------------------------------------------------

/// What is run for `name` with this PATH (`@` is the folder), in the folder's `cwd`.
fn search(place: Place, folder: &Path, path: &str, name: &str) -> Outcome {
    let path = path.replace('@', &folder.display().to_string());
    Case::init()
        .place(place)
        .directory(folder.join("cwd"))
        .env("PATH", path)
        .args(["--", name, "one", "two words"])
        .run()
}

/// Folders with programs in them, and with obstacles.
fn obstacles() -> tempfile::TempDir {
    let folder = folder();
    let path = folder.path();
    let text = format!("#!/bin/sh\n{SCRIPT}");
    file(path, "good/prog", &text, 0o755);
    file(path, "other/prog", &text, 0o755);
    file(path, "cwd/prog", &text, 0o755);
    file(path, "cwd/sub/prog", &text, 0o755);
    file(path, "not-executable/prog", &text, 0o644);
    fs::create_dir_all(path.join("is-folder/prog")).expect("a folder");
    fs::create_dir_all(path.join("empty")).expect("a folder");
    file(path, "a-file", "", 0o644);
    symlink("loop", path.join("loop")).expect("a link");
    folder
}

#[test]
fn i9_path_is_searched_as_execvp_does() {
    needs_namespaces!();
    let folder = obstacles();
    let long = "x".repeat(5000);
    for place in PLACES {
        for (path, name, run) in [
            ("@/good", "prog", "@/good/prog"),
            ("@/good:@/other", "prog", "@/good/prog"),
            ("@/other:@/good", "prog", "@/other/prog"),
            // Not there, no folder, or not for us: the search goes on.
            ("@/empty:@/good", "prog", "@/good/prog"),
            ("/nonexistent:@/good", "prog", "@/good/prog"),
            ("@/a-file:@/good", "prog", "@/good/prog"),
            ("@/not-executable:@/good", "prog", "@/good/prog"),
            ("@/is-folder:@/good", "prog", "@/good/prog"),
            (&format!("/{long}:@/good"), "prog", "@/good/prog"),
            // An empty element is the working directory, wherever it stands.
            ("", "prog", "prog"),
            (":", "prog", "prog"),
            (":@/good", "prog", "prog"),
            ("@/empty:", "prog", "prog"),
            ("@/empty::@/good", "prog", "prog"),
            ("@/good:", "prog", "@/good/prog"),
            (".", "prog", "./prog"),
            ("sub", "prog", "sub/prog"),
            // A name with a slash is a path.
            ("@/good", "./prog", "./prog"),
            ("@/good", "sub/prog", "sub/prog"),
            ("@/good", "../other/prog", "../other/prog"),
            ("/nonexistent", "./prog", "./prog"),
        ] {
            let outcome = search(place, folder.path(), path, name);
            outcome.assert_exit(0);
            let run = run.replace('@', &folder.path().display().to_string());
            assert_eq!(outcome.out(), format!("{run}|one two words\n"), "PATH={path} {name}");
            assert_eq!(outcome.err(), "");
        }
    }
}

/// The name and PATH each have room where the two together have not.
#[test]
fn i9_a_long_name_in_a_long_folder_is_found() {
    needs_namespaces!();
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("f".repeat(70));
    std::fs::create_dir(&folder).expect("a folder");
    for length in [100, 150, 170, 200, 255] {
        let name = "n".repeat(length);
        std::os::unix::fs::symlink(tools::witness(), folder.join(&name)).expect("a link");
        Case::init().env("PATH", &folder).args(["--", &name, "exit", "7"]).run().assert_exit(7);
    }
}

/// Up to some length a path has room on the stack, and beyond it a page of its own: no length is too long for the one and too short for
/// the other.
#[test]
fn i9_a_path_of_any_length_is_found() {
    needs_namespaces!();
    let folder = tempfile::tempdir().expect("a folder");
    for length in 60..=255 {
        let name = "n".repeat(length);
        let path = folder.path().join(&name);
        std::os::unix::fs::symlink(tools::witness(), &path).expect("a link");
        let case = || Case::init().env("PATH", folder.path()).arg("--");
        case().arg(&path).args(["exit", "7"]).run().assert_exit(7);
        case().arg(&name).args(["exit", "7"]).run().assert_exit(7);
        // Else it would be found in place of a longer one that is cut off.
        std::fs::remove_file(&path).expect("the link");
    }
}

#[test]
fn i9_what_is_not_found_on_path_is_told() {
    needs_namespaces!();
    let folder = obstacles();
    let long = "x".repeat(5000);
    for place in PLACES {
        for (path, name, status, errno) in [
            ("@/empty", "prog", 127, libc::ENOENT),
            ("/nonexistent:@/empty", "prog", 127, libc::ENOENT),
            ("@/good", "no-such-program", 127, libc::ENOENT),
            ("@/good", "./no-such-program", 127, libc::ENOENT),
            ("@/good", "sub", 127, libc::ENOENT),
            // Not for us anywhere: more than not found.
            ("@/not-executable", "prog", 126, libc::EACCES),
            ("@/not-executable:@/empty", "prog", 126, libc::EACCES),
            ("@/empty:@/not-executable:@/empty", "prog", 126, libc::EACCES),
            ("@/is-folder", "prog", 126, libc::EACCES),
            // Errors that end the search.
            ("@/loop:@/good", "prog", 126, libc::ELOOP),
        ] {
            let outcome = search(place, folder.path(), path, name);
            assert_failed(&outcome, status, name, errno);
        }
        // Nothing is a program.
        assert_failed(&search(place, folder.path(), "@/good", ""), 127, "''", libc::ENOENT);
        let outcome = search(place, folder.path(), "@/good", &long);
        assert_eq!(outcome.exit().map(|status| status == 126 || status == 127), Some(true), "{outcome}");
        assert!(outcome.err().contains("xxxxxxxx"), "{outcome}");
    }
}

#[test]
fn i9_a_folder_without_permission_is_passed_over() {
    needs_namespaces!();
    let folder = folder();
    let path = folder.path();
    let text = format!("#!/bin/sh\n{SCRIPT}");
    file(path, "secret/prog", &text, 0o755);
    file(path, "good/prog", &text, 0o755);
    // Mode 0 keeps out its owner too, who is the one that an ordinary user's namespace has.
    set_mode(&path.join("secret"), 0);
    let run = |elements: &str| {
        let elements = elements.replace('@', &path.display().to_string());
        Case::init().user(65534, 65534).env("PATH", elements).args(["--", "prog"]).run()
    };
    let outcomes = (run("@/secret:@/good"), run("@/secret:@/nonexistent"));
    set_mode(&path.join("secret"), 0o755);
    outcomes.0.assert_exit(0);
    assert_failed(&outcomes.1, 126, "prog", libc::EACCES);
}

#[test]
fn i9_without_path_three_folders_are_searched() {
    needs_namespaces!();
    needs_strace!();
    let run = |name: &str| Case::init().empty_environment().strace(["-e", "trace=execve"]).args(["--", name]).run();
    let outcome = run("no-such-program");
    assert_failed(&outcome, 127, "no-such-program", libc::ENOENT);
    let tried = |line: &str| Some(line.split_once("execve(\"")?.1.split_once('"')?.0.to_owned());
    let tried: Vec<_> = outcome.trace.lines().filter_map(tried).filter(|path| path.ends_with("program")).collect();
    assert_eq!(tried, ["/usr/local/bin/no-such-program", "/bin/no-such-program", "/usr/bin/no-such-program"]);
    run("true").assert_exit(0);
    // An empty PATH is another matter.
    let outcome = Case::init().empty_environment().env("PATH", "").directory("/etc").args(["--", "true"]).run();
    assert_failed(&outcome, 127, "true", libc::ENOENT);
}

// ---- I9: what the kernel does not know to execute -------------------------------------------------------------------

#[test]
fn i9_a_script_without_interpreter_is_run_by_the_shell() {
    needs_namespaces!();
    let folder = folder();
    let path = folder.path();
    let plain = file(path, "plain", SCRIPT, 0o755);
    let blank = file(path, "blank", format!("\n{SCRIPT}"), 0o755);
    let long = file(path, "long", format!("# {}\n{SCRIPT}", "x".repeat(1000)), 0o755);
    let binary = file(path, "binary", [SCRIPT.as_bytes(), b"exit 0\n\0\0\xff\n"].concat(), 0o755);
    let high = file(path, "high", [b"# \xff\xfe\n", SCRIPT.as_bytes()].concat(), 0o755);
    let odd = file(path, "odd", [b"# \x7fELF\n", SCRIPT.as_bytes()].concat(), 0o755);
    for place in PLACES {
        for script in [&plain, &blank, &long, &binary, &high, &odd] {
            let outcome =
                Case::init().place(place).args(["-g", "-e", "3", "--"]).arg(script).args(["a", "", "b c"]).run();
            outcome.assert_exit(0);
            assert_eq!(outcome.out(), format!("{}|a  b c\n", script.display()), "{outcome}");
            // With as few words of init's own as can be.
            let outcome = Case::init().place(place).arg(script).run();
            assert_eq!(outcome.out(), format!("{}|\n", script.display()), "{outcome}");
            // Found on PATH: $0 is where it was found.
            let name = script.file_name().expect("a name");
            let outcome = Case::init().place(place).env("PATH", path).arg(name).arg("-l").run();
            assert_eq!(outcome.out(), format!("{}|-l\n", script.display()), "{outcome}");
        }
        // The shell is told its own name, as execvp(3) does, and not a word of init's.
        let told = file(path, "told", "tr '\\0' '|' < /proc/$$/cmdline\n", 0o755);
        let outcome = Case::init().place(place).args(["-g", "--"]).arg(&told).arg("a").run();
        assert_eq!(outcome.out(), format!("/bin/sh|{}|a|", told.display()), "{outcome}");
        // The shell's end is the child's.
        let ends = file(path, "ends", "exit 44\n", 0o755);
        Case::init().place(place).arg(&ends).run().assert_exit(44);
    }
}

#[test]
fn i9_without_a_shell_a_script_ends_the_search() {
    needs_namespaces!();
    needs_strace!();
    let (first, second) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    file(first.path(), "prog", "echo RUN\n", 0o755);
    file(second.path(), "prog", "#!/bin/sh\necho WRONG $0\n", 0o755);
    let path = format!("{}:{}", first.path().display(), second.path().display());
    for error in ["ENOENT", "EACCES"] {
        let inject = format!("--inject=execve:error={error}");
        let case = Case::init().env("PATH", &path).strace(["-e", "trace=execve", "-P", "/bin/sh", &inject]);
        let outcome = case.arg("prog").run();
        assert_failed(&outcome, 126, "prog", libc::ENOEXEC);
        assert_eq!(outcome.out(), "", "{outcome}");
    }
}

#[test]
fn i9_a_script_with_a_dash_in_its_name_is_no_option_of_the_shell() {
    needs_namespaces!();
    let folder = folder();
    file(folder.path(), "-c", SCRIPT, 0o755);
    let outcome = Case::init().env("PATH", folder.path()).args(["--", "-c", "exit 9"]).run();
    outcome.assert_exit(0);
    assert_eq!(outcome.out(), format!("{}/-c|exit 9\n", folder.path().display()));
}

#[test]
fn i9_an_empty_file_is_an_empty_script() {
    needs_namespaces!();
    let folder = folder();
    let empty = file(folder.path(), "empty", "", 0o755);
    let outcome = Case::init().arg(&empty).run();
    outcome.assert_exit(0);
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("", ""));
}

#[test]
fn i9_what_is_no_script_is_an_error() {
    needs_namespaces!();
    let folder = folder();
    let path = folder.path();
    let mut foreign = fs::read(ship::static_witness()).expect("a program");
    // e_machine: none that any kernel runs.
    foreign[18..20].copy_from_slice(&[0xfe, 0xca]);
    for (name, bytes) in [
        ("foreign", foreign.as_slice()),
        ("cut-short", b"\x7fELF"),
        ("elf-text", b"\x7fELF\necho RUN\n"),
        ("nul", b"echo RUN; exit\0\n"),
        ("nul-first", b"\0\necho RUN\n"),
        ("nul-without-newline", b"echo RUN\0"),
    ] {
        let file = file(path, name, bytes, 0o755);
        for place in PLACES {
            assert_failed(&Case::init().place(place).arg(&file).run(), 126, name, libc::ENOEXEC);
            let outcome = Case::init().place(place).env("PATH", path).arg(name).run();
            assert_failed(&outcome, 126, name, libc::ENOEXEC);
        }
    }
}

// ---- I9: the variables of systemd's protocols -----------------------------------------------------------------------

/// Starts init with its own pid in `$$`; `assignments` are the shell's words.
fn with_own_pid(place: Place, assignments: &str) -> Outcome {
    let script = format!("export {assignments}; exec \"$@\"");
    let case = Case::new("/bin/sh").place(place).empty_environment();
    case.args(["-c", &script, "sh"]).arg(ship::init()).child(["state"]).run()
}

/// The environment without what the shell adds.
fn environment(outcome: &Outcome) -> Vec<String> {
    let mut all = outcome.values("env");
    all.retain(|variable| !["PWD=", "OLDPWD=", "SHLVL=", "_="].iter().any(|own| variable.starts_with(own)));
    all.sort();
    all
}

#[test]
fn i9_listen_pid_and_watchdog_pid_follow_the_child() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Child, Place::Host] {
        let outcome = with_own_pid(
            place,
            "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=a:b LISTEN_PIDFDID=99 WATCHDOG_PID=$$ WATCHDOG_USEC=5 OTHER=$$",
        );
        outcome.assert_exit(0);
        let child = outcome.value("pid").expect("a pid");
        let own = outcome.value("ppid").expect("a pid");
        let expected = [
            "LISTEN_FDNAMES=a:b".to_owned(),
            "LISTEN_FDS=2".to_owned(),
            format!("LISTEN_PID={child}"),
            format!("OTHER={own}"),
            format!("WATCHDOG_PID={child}"),
            "WATCHDOG_USEC=5".to_owned(),
        ];
        assert_eq!(environment(&outcome), expected, "{outcome}");

        // Each alone.
        let outcome = with_own_pid(place, "LISTEN_PID=$$");
        assert_eq!(environment(&outcome), [format!("LISTEN_PID={}", outcome.value("pid").expect("a pid"))]);
        let outcome = with_own_pid(place, "WATCHDOG_PID=$$ LISTEN_PIDFDID=99");
        let child = outcome.value("pid").expect("a pid");
        assert_eq!(environment(&outcome), ["LISTEN_PIDFDID=99".to_owned(), format!("WATCHDOG_PID={child}")]);
    }
}

#[test]
fn i9_listen_pid_and_watchdog_pid_of_others_are_left_alone() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Host] {
        for value in ["0", "999999999", "$$0", "0$$", " $$", "$$ ", "x", "", "-$$", "+$$"] {
            let variables = format!("\"LISTEN_PID={value}\" LISTEN_PIDFDID=99 \"WATCHDOG_PID={value}\"");
            let outcome = with_own_pid(place, &variables);
            let value = value.replace("$$", &outcome.value("ppid").expect("a pid"));
            let expected =
                [format!("LISTEN_PID={value}"), "LISTEN_PIDFDID=99".to_owned(), format!("WATCHDOG_PID={value}")];
            assert_eq!(environment(&outcome), expected, "{outcome}");
        }
        let outcome = with_own_pid(place, "XLISTEN_PID=$$ LISTEN_PIDX=$$ WATCHDOG_PI=$$");
        let own = outcome.value("ppid").expect("a pid");
        let expected = [format!("LISTEN_PIDX={own}"), format!("WATCHDOG_PI={own}"), format!("XLISTEN_PID={own}")];
        assert_eq!(environment(&outcome), expected, "{outcome}");
    }
}

#[test]
fn i9_a_script_gets_the_child_s_listen_pid_too() {
    needs_namespaces!();
    let folder = folder();
    let script = file(folder.path(), "script", "echo $$ $LISTEN_PID $WATCHDOG_PID ${LISTEN_PIDFDID-none}\n", 0o755);
    let case = Case::init().env("LISTEN_PID", "1").env("WATCHDOG_PID", "1").env("LISTEN_PIDFDID", "7");
    let outcome = case.arg(&script).run();
    let out = outcome.out();
    let words: Vec<_> = out.split_whitespace().collect();
    assert_eq!(words, [words[0], words[0], words[0], "none"], "{outcome}");
}

// ---- I10: failures --------------------------------------------------------------------------------------------------

#[test]
fn i10_exec_failures_by_real_files() {
    needs_namespaces!();
    let folder = folder();
    let path = folder.path();
    file(path, "plain", "echo RUN\n", 0o644);
    file(path, "no-interpreter", "#!/nonexistent/interpreter\n", 0o755);
    file(path, "bad-interpreter", "#!/etc/passwd\n", 0o755);
    file(path, "crlf", "#!/bin/sh\r\necho RUN\n", 0o755);
    fs::create_dir(path.join("folder")).expect("a folder");
    symlink("loop", path.join("loop")).expect("a link");
    symlink("nowhere", path.join("dangling")).expect("a link");
    let busy = file(path, "busy", "#!/bin/sh\necho RUN\n", 0o755);
    let writer = fs::OpenOptions::new().append(true).open(&busy).expect("a file");
    for (name, status, errno) in [
        ("nothing", 127, libc::ENOENT),
        ("nothing/at/all", 127, libc::ENOENT),
        ("dangling", 127, libc::ENOENT),
        ("no-interpreter", 127, libc::ENOENT),
        ("crlf", 127, libc::ENOENT),
        ("plain", 126, libc::EACCES),
        ("folder", 126, libc::EACCES),
        ("bad-interpreter", 126, libc::EACCES),
        ("plain/x", 126, libc::ENOTDIR),
        ("loop", 126, libc::ELOOP),
        ("busy", 126, libc::ETXTBSY),
    ] {
        for place in PLACES {
            let outcome = Case::init().place(place).arg(path.join(name)).run();
            assert_failed(&outcome, status, &path.join(name).display().to_string(), errno);
            // What to look at comes behind the reason.
            let error = outcome.err();
            let (_, advice) = error.trim_end().split_once(&strerror(errno)).expect("the reason");
            assert!(advice.len() > 10, "{outcome}");
        }
    }
    {
        let _alone = sys::no_forks();
        drop(writer);
    }
    Case::init().arg(&busy).run().assert_exit(0);
}

#[test]
fn i10_exec_failures_of_every_number() {
    needs_namespaces!();
    needs_strace!();
    let witness = tools::witness().display().to_string();
    use libc::{
        E2BIG, EACCES, EAGAIN, EFAULT, EINVAL, EIO, EISDIR, ELIBBAD, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT,
        ENOEXEC, ENOMEM, ENOTDIR, EOVERFLOW, EPERM, ESTALE, ETXTBSY,
    };
    for (name, errno) in [
        ("E2BIG", E2BIG),
        ("EACCES", EACCES),
        ("EAGAIN", EAGAIN),
        ("EFAULT", EFAULT),
        ("EINVAL", EINVAL),
        ("EIO", EIO),
        ("EISDIR", EISDIR),
        ("ELIBBAD", ELIBBAD),
        ("ELOOP", ELOOP),
        ("EMFILE", EMFILE),
        ("ENAMETOOLONG", ENAMETOOLONG),
        ("ENFILE", ENFILE),
        ("ENOENT", ENOENT),
        ("ENOEXEC", ENOEXEC),
        ("ENOMEM", ENOMEM),
        ("ENOTDIR", ENOTDIR),
        ("EOVERFLOW", EOVERFLOW),
        ("EPERM", EPERM),
        ("ESTALE", ESTALE),
        ("ETXTBSY", ETXTBSY),
    ] {
        let inject = format!("--inject=execve:error={name}");
        let outcome = Case::init().strace(["-e", "trace=execve", "-P", &witness, &inject]).child(["say", "RUN"]).run();
        outcome.assert_exit(if errno == ENOENT { 127 } else { 126 });
        assert_eq!(outcome.out(), "", "{outcome}");
        let error = outcome.err();
        assert!(error.starts_with("init: ") && error.contains(&witness) && error.lines().count() == 1, "{outcome}");
        assert!(error.contains(&strerror(errno)), "{outcome}");
    }
}

/// Every error number that the kernel has: two are not in use.
#[test]
fn i10_every_error_is_told_in_words() {
    needs_namespaces!();
    let check = |errno| {
        let outcome = Case::init().not_pid1().arg("-s").refuse(errno, [libc::SYS_prctl]).child(["exit", "7"]).run();
        outcome.assert_exit(7);
        let expected = format!("init: warning: cannot become a child subreaper: {}, ignoring\n", strerror(errno));
        assert_eq!(outcome.err(), expected);
    };
    let all: Vec<_> = (1..=libc::EHWPOISON).filter(|errno| ![41, 58].contains(errno)).collect();
    for some in all.chunks(4) {
        std::thread::scope(|scope| some.iter().for_each(|errno| drop(scope.spawn(move || check(*errno)))));
    }
}

#[test]
fn i10_an_exec_failure_is_told_whatever_is_expected_or_inherited() {
    needs_namespaces!();
    // The status is the child's: --expect applies, as with tini.
    let outcome = Case::init().args(["-e127", "-e126", "--", "/nonexistent"]).run();
    assert_failed(&outcome, 0, "/nonexistent", libc::ENOENT);
    for mask in [0, bitts_tests::sys::ALL_SIGNALS] {
        let case = Case::init().mask(mask).ignored(bit(libc::SIGCHLD));
        case.args(["--", "/nonexistent"]).run().assert_exit(127);
    }
}

#[test]
fn i10_a_name_that_is_no_text_is_told_on_one_line() {
    needs_namespaces!();
    let name = OsString::from_vec(b"/nonexistent/\xff\n\x1b[2J".to_vec());
    let outcome = Case::init().arg("--").arg(name).run();
    outcome.assert_exit(127);
    assert!(outcome.err().contains("/nonexistent/") && outcome.err().lines().count() == 1, "{outcome}");
    assert!(!outcome.stderr.contains(&0x1b), "{outcome}");
}

#[test]
fn i10_where_no_process_can_be_made_the_call_is_told() {
    needs_namespaces!();
    needs_strace!();
    for place in PLACES {
        for (name, errno) in
            [("EAGAIN", libc::EAGAIN), ("ENOMEM", libc::ENOMEM), ("EPERM", libc::EPERM), ("ENOSYS", libc::ENOSYS)]
        {
            // Whichever of them it uses.
            let inject = format!("--inject=/^(clone3?|v?fork)$:error={name}");
            let outcome =
                Case::init().place(place).strace(["-e", "trace=process", &inject]).child(["say", "RUN"]).run();
            assert_failed(&outcome, 1, "cannot fork", errno);
        }
    }
}

#[test]
fn i10_a_limit_on_processes_is_told() {
    needs_namespaces!();
    // One process for a user who has no other: init itself.
    let outcome = load::limited(Case::init(), 1).child(["say", "RUN"]).run();
    assert_failed(&outcome, 1, "cannot fork", libc::EAGAIN);
}

// ---- I18: the exit status -------------------------------------------------------------------------------------------

#[test]
fn i18_every_exit_status_passes_through() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Host] {
        for code in 0..=255 {
            let outcome = Case::init().place(place).child(["exit", &code.to_string()]).run();
            outcome.assert_exit(code);
            assert_eq!(outcome.err(), "");
        }
    }
}

/// Signals that do not end a process by default (signal(7)).
const HARMLESS: [i32; 8] = [
    libc::SIGCHLD,
    libc::SIGCONT,
    libc::SIGURG,
    libc::SIGWINCH,
    libc::SIGSTOP,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];

#[test]
fn i18_every_death_by_signal_is_128_and_its_number() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Host] {
        let mut deaths = 0;
        for signal in (1..=64).filter(|signal| !HARMLESS.contains(signal)) {
            Case::init().place(place).child(["die", &signal.to_string()]).run().assert_exit(128 + signal);
            deaths += 1;
        }
        assert_eq!(deaths, 56);
        // The witness's own word for "it did not kill me".
        Case::init().place(place).child(["die", &libc::SIGURG.to_string()]).run().assert_exit(93);
    }
}

#[test]
fn i18_expect_turns_both_kinds_into_0() {
    needs_namespaces!();
    for place in [Place::Pid1, Place::Host] {
        for (code, child, status) in [
            ("44", ["exit", "44"], 0),
            ("44", ["exit", "45"], 45),
            ("143", ["die", "15"], 0),
            ("168", ["die", "40"], 0),
            ("15", ["die", "15"], 143),
            ("0", ["exit", "0"], 0),
            ("0", ["exit", "1"], 1),
            ("255", ["exit", "255"], 0),
        ] {
            Case::init().place(place).args(["-e", code]).child(child).run().assert_exit(status);
        }
    }
}

#[test]
fn i18_the_status_is_the_child_s_and_not_an_orphan_s() {
    needs_namespaces!();
    for place in PLACES {
        // Their ends come before and together with the child's.
        Case::init().place(place).child(["orphans", "250", "exit", "44"]).run().assert_exit(44);
        Case::init()
            .place(place)
            .child(["child", "exit", "7", "end", "orphans", "5", "die", "9"])
            .run()
            .assert_exit(137);
    }
}
