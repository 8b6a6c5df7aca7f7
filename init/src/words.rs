// All that init ever says, in one place: the options with their help, the messages, the reasons of error numbers.
//
// Nothing here reaches the program as it stands: build.rs packs the texts, which are a quarter of init, to half their size;
// `options` and `text` take the names. Both include this list, each with a macro of its own that is handed the whole of it.

// Options: letters, the long name, and what the value is called, if it takes one; then the help text. From Pause on they are
// orders to do something else than to run a program. All others have a variable, `BITTS_` and the long name in capitals, `_`
// for `-`, and `--no-X`, which turns them off.
//
// Messages: `#` stands for a number, `$` for a signal, `!` for an error, `?` for a failed exec, `@` for a word from outside,
// `%` for an option as it was given, `&` for what its value is called.
//
// Reasons: the errors that our calls return (their man pages, ERRORS), as strerror(3) words them, and behind `|` what to
// look at when exec(3) returns them. The numbers are the same on every architecture that we build for.
/// Hands the whole list to the macro `$take`.
macro_rules! words {
    ($take:ident) => {
        $take! {
            options {
                Group "-g, --group" "forward signals to a process group of the child"
                SingleChild "-c, --single-child" "forward signals to the child only, no new session"
                Subreaper "-s, --subreaper" "warn if init cannot be a child subreaper"
                CaughtOnly "--caught-only" "forward a deadly signal (not TERM, INT, QUIT) if the child catches it"
                WaitAll "--wait-all" "end when no descendant is left"
                WarnReaped "-w, --warn-reaped" "warn of each process reaped"
                Verbose "-v, --verbose" "say what is done"
                Grace "-t, --grace TIME" "give what outlives the child TIME: 10s, 500ms"
                StopTimeout "--stop-timeout TIME[:SIG,...]" "kill the child TIME after TERM (or SIG)"
                ParentDeath "-p, --parent-death SIG" "get SIG when the parent dies"
                Rewrite "-r, --rewrite S:R" "forward R for S; S:0 drops S (repeatable)"
                Expect "-e, --expect CODE" "end with 0 if the child ends with CODE (repeatable)"
                Pause "-P, --pause" "no child: be a pause"
                License "-l, -L, --license" "print the licence"
                Help "-h, --help" "print this"
                Version "-V, --version" "print the version"
            }
            usage "Usage: init [OPTION...] [--] PROGRAM [ARG...]\n\
                Runs PROGRAM, forwards signals, reaps zombies and ends with its status.\n"
            notes "Undo X by --no-X. All but the last four have variables: BITTS_EXPECT=143,130\n\
                Exit status: the child's; 128+n: signal n killed it; 127: not found; 126: not executable; 1: init failed\n"
            messages {
                StatusFile "/proc/#/status"
                OwnStatusFile "/proc/self/status"
                GroupsFile "/proc/self/cgroup"
                EventsFile "/sys/fs/cgroup%/memory.events"
                ControlFile "/sys/fs/cgroup/memory%/memory.oom_control"
                Unknown "init: fatal: @: unknown option\n"
                Missing "init: fatal: PROGRAM is missing\n"
                NoValue "init: fatal: %: @ lacks its &\n"
                Invalid "init: fatal: %: @ is no valid &\n"
                Needless "init: fatal: %: @: no value wanted\n"
                SeeHelp "init: see init --help\n"
                CannotClone "init: fatal: cannot clone a process!\n"
                CannotExecute "init: fatal: cannot execute @?\n"
                Lost "init: fatal: child # is gone, and its status with it\n"
                NoSubreaper "init: warning: cannot be a child subreaper!, ignoring\n"
                NoParentDeath "init: warning: cannot set the parent-death signal!, ignoring\n"
                CannotWait "init: warning: cannot wait for events!, trying once a second\n"
                Reaped "init: warning: reaped process #, exited with #\n"
                ReapedKilled "init: warning: reaped process #, killed by $\n"
                Exited "init: child # exited with #\n"
                Killed "init: child # was killed by signal $\n"
                OutOfMemory "init: child # was killed by signal $; the kernel's out-of-memory killer ended # processes here\n"
                Overdue "init: child # did not end in time: killed\n"
                OutlivedGrace "init: what outlived the grace is killed\n"
                Unkillable "init: warning: what is left cannot be killed, ignoring\n"
                NoProc "init: warning: no /proc of this PID namespace, ignoring\n"
                Started "init: started child #: @\n"
                NoEffect "init: a rewrite of $ has no effect\n"
                DroppedByRule "init: dropped $ by a rewrite\n"
                DroppedAsShared "init: dropped $: the child has it, too\n"
                DroppedUncaught "init: dropped $: the child does not catch it\n"
                SentToChild "init: sent $ to child #\n"
                SentToGroup "init: sent $ to group #\n"
                CannotSend "init: cannot send $!\n"
                Interrupted "Shutting down, got signal: Interrupt\n"
                Terminated "Shutting down, got signal: Terminated\n"
                OtherError "error "
                LookAt "; look at: "
                Version "tini version %_bitts - git.&\n"
                DumbInitVersion "dumb-init v1.2.5 (bitts %)\n"
                License "bitts, (c) 2026 its authors: MIT OR Apache-2.0; no warranty\n"
            }
            reasons {
                EPERM 1 "Operation not permitted|nosuid mount, seccomp, security modules"
                ENOENT 2 "No such file or directory|PATH, the file in the image, its interpreter"
                ESRCH 3 "No such process"
                EIO 5 "Input/output error"
                E2BIG 7 "Argument list too long|length of arguments and environment"
                ENOEXEC 8 "Exec format error|the architecture it was built for, its first line"
                ECHILD 10 "No child processes"
                EAGAIN 11 "Resource temporarily unavailable|limits on processes"
                ENOMEM 12 "Cannot allocate memory|limits on memory"
                EACCES 13 "Permission denied|its x permission, the folders above it, a noexec mount"
                ENOTDIR 20 "Not a directory|the folders above it"
                EISDIR 21 "Is a directory"
                EINVAL 22 "Invalid argument"
                ENFILE 23 "Too many open files in system"
                EMFILE 24 "Too many open files"
                ETXTBSY 26 "Text file busy|its writers"
                ENAMETOOLONG 36 "File name too long"
                ENOSYS 38 "Function not implemented"
                ELIBBAD 80 "Accessing a corrupted shared library"
                ELOOP 40 "Too many levels of symbolic links|the links, the interpreter"
            }
        }
    };
}
