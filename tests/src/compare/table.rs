//! The rows: what is asked of every program, and how each is told to do it.

use super::cases as case;
use super::{Call, How, Program, Row, Verdict};

/// Its own options.
const fn with(words: &'static [&'static str]) -> How {
    Some(Call { name: None, variables: &[], words })
}

/// By variables.
const fn by(variables: &'static [(&'static str, &'static str)]) -> How {
    Some(Call { name: None, variables, words: &[] })
}

/// By another name.
const fn called(name: &'static str) -> How {
    Some(Call { name: Some(name), variables: &[], words: &[] })
}

const fn row(promise: &'static str, what: &'static str, how: [How; 4], run: fn(&Program) -> Verdict) -> Row {
    Row { promise, what, how, run, measured: false }
}

impl Row {
    const fn measured(mut self) -> Self {
        self.measured = true;
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

/// The whole comparison, in the order of the README.
pub const TABLE: &[Row] = &[
    row("I1", "`init ls -l x` runs `ls -l x`", PLAIN, case::options_of_the_program),
    row("I1", "arguments that are no UTF-8 arrive unchanged", PLAIN, case::arguments_are_bytes),
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
    row("I4", "a session of its own for the child", DUMB_INIT, case::own_session),
    row("I4", "TERM to the child's group when the child has ended", DUMB_INIT, case::group_gets_term_at_the_end),
    row("I4", "stops with its child at TSTP, and CONT resumes both", DUMB_INIT, case::stops_with_its_child),
    row("I4", "… acts on a TERM that came meanwhile", DUMB_INIT, case::term_while_it_is_stopped),
    row("I5", "an unknown option: named, status 1, nothing started", PLAIN, case::unknown_option),
    row("I6", "works when started with SIGCHLD ignored", PLAIN, case::sigchld_ignored),
    row("I6", "works when started with all signals blocked", PLAIN, case::everything_blocked),
    row("I7", "the child inherits the signal mask", PLAIN, case::mask_inherited),
    row("I7", "… signals 32 and 33 included", PLAIN, case::mask_inherited_with_32_and_33),
    row("I7", "the child inherits the ignored signals", PLAIN, case::dispositions_inherited),
    row("I7", "the child inherits the environment, byte for byte", PLAIN, case::environment_untouched),
    row("I8", "SIGTERM between fork and exec, to the child", SINGLE, case::term_after_fork),
    row("I8", "SIGTERM between fork and exec, to the group", GROUP, case::term_after_fork_to_the_group),
    row("I9", "runs a script without a `#!` line", PLAIN, case::script_without_interpreter),
    row("I9", "`LISTEN_PID` follows the child", PLAIN, case::listen_pid),
    row("I10", "exit status: program not found", PLAIN, case::not_found),
    row("I10", "exit status: not executable", PLAIN, case::not_executable),
    row("I10", "exit status: a file for a folder in its path", PLAIN, case::not_a_folder),
    row("I11", "keeps no leaked descriptor open itself", PLAIN, case::closes_descriptors),
    row("I11", "leaves descriptors to the child", PLAIN, case::child_has_descriptors),
    row("I11", "keeps no hold of the working directory", PLAIN, case::leaves_the_directory),
    row("I12", "forwards TERM, INT, QUIT, HUP, USR1, USR2, WINCH …", PLAIN, case::forwards_standard),
    row("I12", "forwards what comes from inside the container", PLAIN, case::forwards_from_inside),
    row("I12", "forwards TSTP, TTIN, TTOU", SINGLE, case::forwards_stops),
    row("I12", "forwards ABRT, SEGV, … sent by a user", PLAIN, case::forwards_faults),
    row("I12", "forwards real-time signals 34–64", PLAIN, case::forwards_real_time),
    row("I12", "forwards 32 and 33", PLAIN, case::forwards_32_and_33),
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
    row("I14", "waits until nobody is left (`--wait-all`)", ours(&["--wait-all"]), case::waits_for_all),
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
    row("B3", "works without /proc", PLAIN, case::without_proc),
    row("B3", "works on a read-only root", PLAIN, case::read_only_root),
    row("B3", "works as uid 65535, without capabilities", PLAIN, case::without_privileges),
    row("B3", "works without any variable", PLAIN, case::without_environment),
    row("B4", "file, bytes", PLAIN, case::file_size).measured(),
    row("B4", "resident memory, kB", PLAIN, case::resident).measured(),
];
