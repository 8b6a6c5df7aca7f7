//! The cases: what is asked of every program, and how each dialect is told to do it.

use super::{Call, How, Program, Row, Suite, Verdict, YES};
use super::{init as case, pause};

/// Its own options.
const fn with(words: &'static [&'static str]) -> How {
    Some(Call { name: None, variables: &[], words })
}

/// By variables.
const fn by(variables: &'static [(&'static str, &'static str)]) -> How {
    Some(Call { name: None, variables, words: &[] })
}

/// By variables and its own options.
const fn by_both(variables: &'static [(&'static str, &'static str)], words: &'static [&'static str]) -> How {
    Some(Call { name: None, variables, words })
}

/// By another name.
const fn called(name: &'static str) -> How {
    Some(Call { name: Some(name), variables: &[], words: &[] })
}

/// A case of `init`.
const fn row(promise: &'static str, what: &'static str, how: [How; 4], run: fn(&Program) -> Verdict) -> Row {
    Row { suite: Suite::Init, promise, what, how, run, kept: YES, measured: false }
}

/// A case of `pause`.
const fn of_pause(promise: &'static str, what: &'static str, how: [How; 3], run: fn(&Program) -> Verdict) -> Row {
    let [ours, with_option, peer] = how;
    Row { suite: Suite::Pause, promise, what, how: [ours, with_option, peer, None], run, kept: YES, measured: false }
}

impl Row {
    /// The cells are numbers that differ from build to build.
    const fn measured(mut self) -> Self {
        self.measured = true;
        self
    }

    /// The promise is an exit status, and it is the cell.
    const fn kept(mut self, status: &'static str) -> Self {
        self.kept = status;
        self
    }
}

/// Without any option.
const PLAIN: [How; 4] = [with(&[]); 4];

/// To the child's group, which is what dumb-init does anyway.
const GROUP: [How; 4] = [with(&["-g"]), with(&["-g"]), with(&[]), with(&["-g"])];

/// To the child alone, which is what all but dumb-init do anyway.
const SINGLE: [How; 4] = [with(&[]), with(&[]), with(&["-c"]), with(&[])];

/// As talkative as can be.
const TALKATIVE: [How; 4] = [with(&["-v"]), with(&["-vvv"]), with(&["-v"]), by(&[("CATATONIT_DEBUG", "1")])];

/// Options of ours alone.
const fn ours(words: &'static [&'static str]) -> [How; 4] {
    [with(words), None, None, None]
}

/// Options of ours and tini's, which are the same.
const fn as_tini(words: &'static [&'static str]) -> [How; 4] {
    [with(words), with(words), None, None]
}

/// Options of ours and dumb-init's, which are the same.
const fn as_dumb_init(words: &'static [&'static str]) -> [How; 4] {
    [with(words), None, with(words), None]
}

/// What dumb-init does unasked, and ours by its name.
const DUMB_INIT: [How; 4] = [called("dumb-init"), None, with(&[]), None];

/// Ours by dumb-init's name, and that one's default turned off.
const AS_DUMB_INIT_WITHOUT_SESSION: How =
    Some(Call { name: Some("dumb-init"), variables: &[("DUMB_INIT_SETSID", "0")], words: &[] });

/// What only catatonit does unasked, and ours by its name.
const CATATONIT: [How; 4] = [called("catatonit"), None, None, with(&[])];

/// Every pause, without more words.
const PAUSE: [How; 3] = [with(&[]), with(&["-P"]), with(&["-P"])];

/// Ours alone.
const fn pause_alone(words: &'static [&'static str]) -> [How; 3] {
    [with(words), None, None]
}

/// What is promised of a pause and not of a pause mode, but the peer's can be asked.
const NOT_OF_THE_MODE: [How; 3] = [with(&[]), None, with(&["-P"])];

/// What is promised of a pause mode (I20).
const OF_THE_MODE: [How; 3] = [None, with(&["-P"]), with(&["-P"])];

/// All of it, in the order of the page.
pub static TABLE: &[Row] = &[
    row("I1", "`init ls -l x` runs `ls -l x`", PLAIN, case::options_of_the_program),
    row("I1", "arguments that are no UTF-8 arrive unchanged", PLAIN, case::arguments_are_bytes),
    row("I1", "letters bundle, and values may be attached", as_tini(&["-ge3", "-e143"]), case::expected_statuses),
    row("I1", "`--no-X` turns an option off", ours(&["--wait-all", "--no-wait-all"]), case::does_not_wait_for_others),
    row(
        "I2",
        "the group option, by a variable",
        [by(&[("BITTS_GROUP", "1")]), by(&[("TINI_KILL_PROCESS_GROUP", "1")]), None, None],
        case::reaches_the_group,
    ),
    row(
        "I2",
        "the child alone instead of the group, by a variable",
        [AS_DUMB_INIT_WITHOUT_SESSION, None, by(&[("DUMB_INIT_SETSID", "0")]), None],
        case::reaches_the_child_alone,
    ),
    row(
        "I2",
        "rewriting signals, by a variable",
        [by(&[("BITTS_REWRITE", "USR1:QUIT")]), None, None, None],
        case::rewrites,
    ),
    row(
        "I2",
        "expected exit codes, by a variable",
        [by(&[("BITTS_EXPECT", "3,143")]), None, None, None],
        case::expected_statuses,
    ),
    row(
        "I2",
        "… together with the option",
        [by_both(&[("BITTS_EXPECT", "3")], &["-e", "143"]), None, None, None],
        case::expected_statuses,
    ),
    row(
        "I2",
        "an option wins over a variable",
        [by_both(&[("BITTS_WAIT_ALL", "1")], &["--no-wait-all"]), None, None, None],
        case::does_not_wait_for_others,
    ),
    row(
        "I2",
        "… and its own variable over a peer's",
        [by(&[("TINI_KILL_PROCESS_GROUP", "1"), ("BITTS_GROUP", "0")]), None, None, None],
        case::reaches_the_child_alone,
    ),
    row("I2", "rewrites a signal, by number", as_dumb_init(&["-r", "10:3"]), case::rewrites),
    row("I2", "rewrites a signal, by name", ours(&["-r", "USR1:QUIT"]), case::rewrites),
    row("I2", "drops a signal", as_dumb_init(&["-r", "10:0"]), case::drops),
    row("I2", "TSTP made a STOP that cannot be caught", as_dumb_init(&["-r", "20:19"]), case::rewrites_to_stop),
    row(
        "I2",
        "a signal when the parent dies (`-p`)",
        [with(&["-p", "USR1"]), with(&["-p", "SIGUSR1"]), None, None],
        case::parent_death,
    ),
    row("I2", "debug output stays out of stdout", TALKATIVE, case::debug_leaves_stdout_alone),
    row("I2", "prints its licence", [with(&["-l"]), with(&["-l"]), None, with(&["-L"])], case::licence),
    row(
        "I2",
        "spares a child that does not catch USR1 (`--caught-only`)",
        ours(&["--caught-only"]),
        case::spares_what_does_not_catch,
    ),
    row(
        "I2",
        "KILL for a child that ignores TERM (`--stop-timeout`)",
        ours(&["--stop-timeout", "200ms"]),
        case::kills_after_the_time_out,
    ),
    row(
        "I2",
        "… by variables, as `docker run --init` has it",
        [by(&[("BITTS_CAUGHT_ONLY", "1"), ("BITTS_STOP_TIMEOUT", "200ms")]), None, None, None],
        case::kills_after_the_time_out,
    ),
    row("I3", "`--version` is what dockerd accepts", PLAIN, case::version_for_docker),
    row("I3", "`--version` names the commit, for `docker info`", PLAIN, case::version_names_commit),
    row("I3", "`--version` as dumb-init has it", DUMB_INIT, case::version_of_dumb_init),
    row("I4", "a session of its own for the child", DUMB_INIT, case::own_session),
    row("I4", "TERM to the child's group when the child has ended", DUMB_INIT, case::group_gets_term_at_the_end),
    row("I4", "stops with its child at TSTP, and CONT resumes both", DUMB_INIT, case::stops_with_its_child),
    row("I4", "… acts on a TERM that came meanwhile", DUMB_INIT, case::term_while_it_is_stopped),
    row("I4", "exit status: program not found, as dumb-init", DUMB_INIT, case::not_found).kept("2"),
    row("I4", "exit status: program not found, as catatonit", CATATONIT, case::not_found).kept("1"),
    row("I5", "an unknown option: named, status 1, nothing started", PLAIN, case::unknown_option),
    row(
        "I5",
        "a value out of range: status 1, nothing started",
        [with(&["-e", "256"]), with(&["-e", "256"]), with(&["-r", "99:1"]), None],
        case::wrong_value,
    ),
    row("I5", "a missing value: status 1", [with(&["-r"]), with(&["-p"]), with(&["-r"]), None], case::nothing_to_start),
    row("I5", "no program: status 1", PLAIN, case::nothing_to_start),
    row(
        "I5",
        "a malformed variable: named, status 1, nothing started",
        [by(&[("BITTS_GRACE", "banana")]), None, None, None],
        case::wrong_variable,
    ),
    row(
        "I5",
        "… but not one of a peer's",
        [by(&[("TINI_VERBOSITY", "banana")]), by(&[("TINI_VERBOSITY", "banana")]), None, None],
        case::seven_passes,
    ),
    row("I6", "SIGTERM right behind the first system call", PLAIN, case::term_behind_the_first_call),
    row("I6", "works when started with SIGCHLD ignored", PLAIN, case::sigchld_ignored),
    row("I6", "works when started with all signals blocked", PLAIN, case::everything_blocked),
    row("I7", "the child inherits the signal mask", PLAIN, case::mask_inherited),
    row("I7", "… signals 32 and 33 included", PLAIN, case::mask_inherited_with_32_and_33),
    row("I7", "the child inherits the ignored signals", PLAIN, case::dispositions_inherited),
    row("I7", "the child inherits the environment, byte for byte", PLAIN, case::environment_untouched),
    row("I7", "… umask, limits, nice value, directory, user", PLAIN, case::surroundings_inherited),
    row("I8", "SIGTERM between fork and exec, to the child", SINGLE, case::term_after_fork),
    row("I8", "SIGTERM between fork and exec, to the group", GROUP, case::term_after_fork_to_the_group),
    row("I9", "runs a script without a `#!` line", PLAIN, case::script_without_interpreter),
    row("I9", "`LISTEN_PID` follows the child", PLAIN, case::listen_pid),
    row("I9", "… and `WATCHDOG_PID`; another process's does not", PLAIN, case::watchdog_pid),
    row("I9", "finds the program without a PATH", PLAIN, case::found_without_path),
    row("I9", "looks further on PATH for one that may be executed", PLAIN, case::search_goes_on),
    row("I10", "exit status: program not found", PLAIN, case::not_found).kept("127"),
    row("I10", "exit status: not executable", PLAIN, case::not_executable).kept("126"),
    row("I10", "exit status: a file for a folder in its path", PLAIN, case::not_a_folder).kept("126"),
    row("I10", "exit status: a broken binary, which is no script", PLAIN, case::no_program).kept("126"),
    row("I10", "tells which program was not found, and why", PLAIN, case::tells_what_is_not_found),
    row("I11", "keeps no leaked descriptor open itself", PLAIN, case::closes_descriptors),
    row("I11", "leaves descriptors to the child", PLAIN, case::child_has_descriptors),
    row("I11", "keeps no hold of the working directory", PLAIN, case::leaves_the_directory),
    row("I12", "forwards TERM, INT, QUIT, HUP, USR1, USR2, WINCH …", PLAIN, case::forwards_standard),
    row("I12", "forwards what comes from inside the container", PLAIN, case::forwards_from_inside),
    row("I12", "forwards TSTP, TTIN, TTOU", SINGLE, case::forwards_stops),
    row("I12", "forwards ABRT, SEGV, … sent by a user", PLAIN, case::forwards_faults),
    row("I12", "forwards real-time signals 34–64", PLAIN, case::forwards_real_time),
    row("I12", "forwards 32 and 33", PLAIN, case::forwards_32_and_33),
    row("I12", "a signal comes once", PLAIN, case::forwards_once),
    row("I12", "keeps the value of a `sigqueue`", PLAIN, case::keeps_the_value),
    row("I12", "50 queued real-time signals arrive all", PLAIN, case::queued_arrive_all),
    row("I12", "… in order, with their values", PLAIN, case::queued_keep_order_and_values),
    row("I12", "forwards to the child's group", GROUP, case::reaches_the_group),
    row("I12", "lives on when a forwarding is refused (EPERM)", PLAIN, case::survives_a_refused_forwarding),
    row("I12", "a SIGCHLD from a user does no harm", PLAIN, case::sigchld_from_a_user),
    row("I13", "reaps orphans", PLAIN, case::reaps),
    row("I2", "warns of what it has reaped (`-w`)", as_tini(&["-w"]), case::warns_of_reaped),
    row("I13", "an idle init never wakes", PLAIN, case::never_wakes),
    row("I14", "ends with the child, whoever is left", PLAIN, case::does_not_wait_for_others),
    row("I14", "half a second for what is left (`--grace`)", ours(&["--grace", "3s"]), case::worker_gets_time),
    row(
        "I14",
        "… by a variable, as `docker run --init` has it",
        [by(&[("BITTS_GRACE", "3s")]), None, None, None],
        case::worker_gets_time,
    ),
    row("I14", "… for what is in another session", ours(&["--grace", "60m"]), case::other_sessions_get_time),
    row("I14", "… for what is stopped", ours(&["--grace", "60m"]), case::stopped_processes_get_time),
    row("I14", "… for what `docker exec` has started", ours(&["--grace", "60m"]), case::entered_processes_get_time),
    row("I14", "… unless a second TERM comes", ours(&["--grace", "60m"]), case::grace_is_cut_short),
    row(
        "I14",
        "… and then a KILL, for a descendant anywhere",
        // It must do for who is left to say that it has taken TERM, however busy the machine is.
        ours(&["--grace", "2s"]),
        case::grace_is_followed_by_kill,
    ),
    row("I14", "waits until nobody is left (`--wait-all`)", ours(&["--wait-all"]), case::waits_for_all),
    row("I14", "… or until a TERM comes", ours(&["--wait-all"]), case::term_while_it_waits_for_all),
    row("I15", "TERM ends a stopped child", PLAIN, case::term_to_a_stopped_child),
    row("I16", "the child is in the terminal's foreground", PLAIN, case::foreground),
    row("I16", "^C reaches the child once, as PID 1", PLAIN, case::interrupt_once),
    row("I16", "^C reaches the child once, under bash", PLAIN, case::interrupt_once_in_a_shell),
    row("I16", "^Z under bash returns the prompt", PLAIN, case::suspends),
    row("I16", "… and `fg` resumes", PLAIN, case::resumes),
    row("I16", "^Z as PID 1 does not freeze the child", PLAIN, case::stop_key_does_not_freeze),
    row("I16", "a shell below PID 1 has job control", PLAIN, case::shell_below_has_job_control),
    row("I16", "`init cmd &` leaves the terminal alone", PLAIN, case::background_leaves_the_terminal),
    row("I16", "the caller can read the terminal afterwards", PLAIN, case::gives_the_terminal_back),
    row("I16", "stdin closed", PLAIN, case::stdin_closed),
    row("B2", "stdin, stdout and stderr closed", PLAIN, case::all_closed),
    row("I17", "adopts orphans when not PID 1 (`-s`)", as_tini(&["-s"]), case::adopts),
    row("I17", "… without being told", PLAIN, case::adopts),
    row("I18", "the child's exit status is passed on", PLAIN, case::status_passes),
    row("I18", "128+n for a death by signal n", PLAIN, case::death_by_signal),
    row("I18", "… by a real-time signal", PLAIN, case::death_by_real_time_signal),
    row("I18", "expected exit codes become 0 (`-e`)", as_tini(&["-e", "3", "-e", "143"]), case::expected_statuses),
    row("I19", "says that the child was killed", PLAIN, case::tells_of_a_killed_child),
    row("I19", "… and that the kernel did it for want of memory", PLAIN, case::tells_of_the_memory_killer),
    row("I19", "not a word of a death by what it forwarded", PLAIN, case::silent_about_what_it_forwarded),
    row(
        "I20",
        "a pause mode, ended by INT with 0 (`-P`)",
        [with(&["-P"]), None, None, with(&["-P"])],
        case::pause_ends,
    ),
    row(
        "I20",
        "… where INT was inherited as ignored, not PID 1",
        [with(&["-P"]), None, None, with(&["-P"])],
        case::pause_ends_as_podmans,
    ),
    row("B2", "debugging with stderr a broken pipe", TALKATIVE, case::stderr_broken),
    row("B2", "debugging with stderr a full pipe", TALKATIVE, case::stderr_full),
    row("B2", "debugging with stderr closed", TALKATIVE, case::stderr_closed),
    row("B2", "debugging with stderr on a full disk", TALKATIVE, case::stderr_no_space),
    row("B2", "debugging with stderr a file at its limit", TALKATIVE, case::stderr_at_its_limit),
    row("B2", "… leaves the flags of 0, 1, 2 alone", TALKATIVE, case::flags_are_left_alone),
    row("B3", "works without /proc", PLAIN, case::without_proc),
    row("B3", "works on a read-only root", PLAIN, case::read_only_root),
    row("B3", "works as uid 65535, without capabilities", PLAIN, case::without_privileges),
    row("B3", "works without any variable", PLAIN, case::without_environment),
    row("B1", "static, stack not executable, no page writable and executable", PLAIN, super::look::well_linked),
    row("B4", "file, bytes", PLAIN, case::file_size).measured(),
    row("B4", "resident memory, kB", PLAIN, case::resident).measured(),
    of_pause("P1", "TERM ends it with 0", PAUSE, pause::term_ends_it),
    of_pause("P1", "INT ends it with 0", PAUSE, pause::int_ends_it),
    of_pause("P1", "… from inside the pod", PAUSE, pause::ends_from_inside),
    of_pause("P1", "says why it ends", PAUSE, pause::says_why_it_ends),
    of_pause("P1", "nothing on stdout", PAUSE, pause::writes_nothing_to_stdout),
    of_pause("P1", "no other signal has an effect on PID 1", PAUSE, pause::no_other_signal_has_an_effect),
    of_pause("P1", "… from inside the pod either", PAUSE, pause::nor_one_from_inside),
    of_pause("P2", "reaps orphans", PAUSE, pause::reaps),
    of_pause("P2", "… and who was dead before it", PAUSE, pause::reaps_who_was_dead_before),
    of_pause("P2", "orphans do not wake it", PAUSE, pause::orphans_wake_nobody),
    of_pause("P2", "idle, it never wakes", PAUSE, pause::never_wakes),
    of_pause("P3", "ends when started with all signals blocked", PAUSE, pause::ends_if_all_was_blocked),
    of_pause("P3", "reaps when started with all signals blocked", PAUSE, pause::reaps_if_all_was_blocked),
    of_pause("P3", "ends when started with all signals ignored", PAUSE, pause::ends_if_all_was_ignored),
    of_pause("P3", "SIGTERM pending when it is started", PAUSE, pause::term_pending_at_the_start),
    of_pause("P4", "SIGTERM right behind the first system call", PAUSE, pause::term_behind_the_first_call),
    of_pause("P5", "`-v` prints one line and ends", pause_alone(&["-v"]), pause::version),
    of_pause("P5", "… `-V` in any place, for any user", pause_alone(&[]), pause::version_for_anybody),
    of_pause("P5", "every other argument is ignored", PAUSE, pause::other_arguments_are_ignored),
    of_pause("P6", "not PID 1: warns, and goes on", NOT_OF_THE_MODE, pause::warns_if_it_is_not_pid_1),
    of_pause("P6", "… and other signals end it", NOT_OF_THE_MODE, pause::other_signals_have_their_default_action),
    of_pause("P7", "works with stdin, stdout and stderr closed", PAUSE, pause::without_descriptors),
    of_pause("P7", "works without /proc", PAUSE, pause::without_proc),
    of_pause("P7", "works on a read-only root", PAUSE, pause::read_only_root),
    of_pause("P7", "works as uid 65535, without capabilities", PAUSE, pause::without_privileges),
    of_pause("P7", "works without a name or any variable", pause_alone(&[]), pause::without_name_and_environment),
    of_pause("P7", "works with no descriptor and no pending signal allowed", PAUSE, pause::without_any_limit_left),
    of_pause("I20", "not PID 1: not a word", OF_THE_MODE, pause::does_not_warn_if_it_is_not_pid_1),
    of_pause("I20", "… and no other signal has an effect", OF_THE_MODE, pause::other_signals_have_no_effect_anywhere),
    of_pause("I20", "keeps no leaked descriptor open", OF_THE_MODE, case::pause_closes_descriptors),
    of_pause("I20", "keeps no hold of the working directory", OF_THE_MODE, case::pause_leaves_the_directory),
    of_pause("G3", "the namespaces outlive a container that is killed", PAUSE, pause::namespaces_outlive_a_container),
    of_pause("G3", "everybody's reaper where the pod shares its PIDs", PAUSE, pause::everybodys_reaper),
    of_pause("G3", "its end ends the pod", PAUSE, pause::its_end_ends_the_pod),
    of_pause("B2", "ends with stderr a broken pipe", PAUSE, pause::stderr_broken),
    of_pause("B2", "ends with stderr a full pipe", PAUSE, pause::stderr_full),
    of_pause("B2", "ends with stderr closed", PAUSE, pause::stderr_closed),
    of_pause("B2", "ends with stderr on a full disk", PAUSE, pause::stderr_no_space),
    of_pause("B2", "ends with stderr a file at its limit", PAUSE, pause::stderr_at_its_limit),
    of_pause("B2", "leaves the flags of 0, 1, 2 alone", PAUSE, pause::flags_are_left_alone),
    of_pause("B1", "static, stack not executable, no page writable and executable", PAUSE, super::look::well_linked),
    of_pause("B4", "file, bytes", pause_alone(&[]), pause::file_size).measured(),
    of_pause("P8", "resident memory, kB", PAUSE, pause::resident).measured(),
];
