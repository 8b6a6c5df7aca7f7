//! The system calls of both programs, and the errors that each may return.

/// An error number and its name (errno(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// `EPERM`, as strace takes it.
    pub name: &'static str,
    /// 1 for EPERM.
    pub number: i32,
}

impl Error {
    /// As strerror(3) words it.
    #[must_use]
    pub fn text(self) -> String {
        let text = std::io::Error::from_raw_os_error(self.number).to_string();
        text.split(" (os error").next().unwrap_or_default().to_owned()
    }
}

/// One system call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// As in `SYS_name`.
    pub name: &'static str,
    /// Its number here.
    pub number: i64,
    /// The man pages (section 2) whose ERRORS name what follows.
    pub pages: &'static [&'static str],
    /// All of them, for any use of the call: init's own may be able to meet fewer.
    pub errors: &'static [Error],
}

/// Names of errors as [`Error`]s.
macro_rules! errors {
    ($($name:ident)*) => { &[$(Error { name: stringify!($name), number: libc::$name }),*] };
}

/// Lines such as `close SYS_close (close): EBADF EINTR`.
macro_rules! calls {
    ($($name:ident $number:ident ($($page:literal)*): $($error:ident)*;)*) => {
        &[$(Call {
            name: stringify!($name),
            #[allow(clippy::useless_conversion)] // c_long differs from target to target.
            number: libc::$number as i64,
            pages: &[$($page),*],
            errors: errors!($($error)*),
        }),*]
    };
}

/// Errors that a man page names and no program can see: ERESTARTNOINTR "only during a trace" (clone(2)), ENOIOCTLCMD is the
/// kernel's own (ioctl_tty(2)), and EWOULDBLOCK is EAGAIN.
pub const UNSEEN: [&str; 3] = ["ERESTARTNOINTR", "ENOIOCTLCMD", "EWOULDBLOCK"];

/// What any call returns under a filter, or on a kernel without it, and what interrupts it. Not all can: the judge asks all the same.
pub const EVERYWHERE: &[Error] = errors!(ENOSYS EINTR);

/// All of them. Source of the errors: the sections ERRORS of man-pages 6.03; [`of_the_manual`] reads them on this machine.
pub const CALLS: &[Call] = calls! {
    chdir SYS_chdir ("chdir"): EACCES EBADF EFAULT EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR;
    clock_gettime SYS_clock_gettime ("clock_getres"): EACCES EFAULT EINVAL ENODEV ENOTSUP EPERM;
    clone SYS_clone ("clone"): EACCES EAGAIN EBUSY EEXIST EINVAL ENOMEM ENOSPC EOPNOTSUPP EPERM EUSERS;
    close SYS_close ("close"): EBADF EINTR EIO ENOSPC EDQUOT;
    close_range SYS_close_range ("close_range"): EINVAL EMFILE ENOMEM;
    dup3 SYS_dup3 ("dup"): EBADF EBUSY EINTR EINVAL EMFILE;
    execve SYS_execve ("execve"): E2BIG EACCES EAGAIN EFAULT EINVAL EIO EISDIR ELIBBAD ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT
        ENOEXEC ENOMEM ENOTDIR EPERM ETXTBSY;
    exit_group SYS_exit_group ("exit_group"): ;
    fcntl SYS_fcntl ("fcntl"): EACCES EAGAIN EBADF EBUSY EDEADLK EFAULT EINTR EINVAL EMFILE ENOLCK ENOTDIR EPERM;
    getdents64 SYS_getdents64 ("getdents"): EBADF EFAULT EINVAL ENOENT ENOTDIR;
    getpgid SYS_getpgid ("setpgid"): EACCES EINVAL EPERM ESRCH;
    getpid SYS_getpid ("getpid"): ;
    getppid SYS_getppid ("getpid"): ;
    getsid SYS_getsid ("getsid"): EPERM ESRCH;
    ioctl SYS_ioctl ("ioctl" "ioctl_tty"): EBADF EFAULT EINVAL ENOTTY EPERM;
    kill SYS_kill ("kill"): EINVAL EPERM ESRCH;
    lseek SYS_lseek ("lseek"): EBADF EINVAL ENXIO EOVERFLOW ESPIPE;
    openat SYS_openat ("open"): EACCES EBADF EBUSY EDQUOT EEXIST EFAULT EFBIG EINTR EINVAL EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE
        ENODEV ENOENT ENOMEM ENOSPC ENOTDIR ENXIO EOPNOTSUPP EOVERFLOW EPERM EROFS ETXTBSY EAGAIN;
    pidfd_open SYS_pidfd_open ("pidfd_open"): EINVAL EMFILE ENFILE ENODEV ENOMEM ESRCH;
    pidfd_send_signal SYS_pidfd_send_signal ("pidfd_send_signal"): EBADF EINVAL EPERM ESRCH;
    pipe2 SYS_pipe2 ("pipe"): EFAULT EINVAL EMFILE ENFILE ENOPKG;
    ppoll SYS_ppoll ("poll"): EFAULT EINTR EINVAL ENOMEM;
    prctl SYS_prctl ("prctl"): EACCES EBADF EBUSY EFAULT EINVAL ENODEV ENXIO EOPNOTSUPP EPERM ERANGE;
    prlimit64 SYS_prlimit64 ("getrlimit"): EFAULT EINVAL EPERM ESRCH;
    pwritev2 SYS_pwritev2 ("readv" "write" "lseek"): EINVAL EOPNOTSUPP EAGAIN EBADF EDESTADDRREQ EDQUOT EFAULT EFBIG EINTR EIO ENOSPC
        EPERM EPIPE ENXIO EOVERFLOW ESPIPE;
    read SYS_read ("read"): EAGAIN EBADF EFAULT EINTR EINVAL EIO EISDIR;
    rt_sigaction SYS_rt_sigaction ("sigaction"): EFAULT EINVAL;
    rt_sigpending SYS_rt_sigpending ("sigpending"): EFAULT;
    rt_sigprocmask SYS_rt_sigprocmask ("sigprocmask"): EFAULT EINVAL;
    rt_sigqueueinfo SYS_rt_sigqueueinfo ("rt_sigqueueinfo"): EAGAIN EINVAL EPERM ESRCH;
    rt_sigtimedwait SYS_rt_sigtimedwait ("sigwaitinfo"): EAGAIN EINTR EINVAL;
    sched_yield SYS_sched_yield ("sched_yield"): ;
    sendto SYS_sendto ("send"): EACCES EAGAIN EALREADY EBADF ECONNRESET EDESTADDRREQ EFAULT EINTR EINVAL EISCONN EMSGSIZE ENOBUFS
        ENOMEM ENOTCONN ENOTSOCK EOPNOTSUPP EPIPE;
    setpgid SYS_setpgid ("setpgid"): EACCES EINVAL EPERM ESRCH;
    setsid SYS_setsid ("setsid"): EPERM;
    signalfd4 SYS_signalfd4 ("signalfd"): EBADF EINVAL EMFILE ENFILE ENODEV ENOMEM;
    splice SYS_splice ("splice"): EAGAIN EBADF EINVAL ENOMEM ESPIPE;
    wait4 SYS_wait4 ("wait"): EAGAIN ECHILD EINTR EINVAL ESRCH;
    waitid SYS_waitid ("wait"): EAGAIN ECHILD EINTR EINVAL ESRCH;
    write SYS_write ("write"): EAGAIN EBADF EDESTADDRREQ EDQUOT EFAULT EFBIG EINTR EINVAL EIO ENOSPC EPERM EPIPE;
};

/// The call of this name.
///
/// # Panics
/// There is none.
#[must_use]
pub fn call(name: &str) -> &'static Call {
    CALLS.iter().find(|call| call.name == name).unwrap_or_else(|| panic!("no call {name} in the table"))
}

impl Call {
    /// Its errors, and those that any call may return.
    pub fn all_errors(&self) -> impl Iterator<Item = Error> {
        let own = self.errors.iter();
        own.chain(EVERYWHERE.iter().filter(|error| !self.errors.contains(error))).copied()
    }
}

/// The errors that this machine's manual names for a call; `None` where a page is not installed (Debian: manpages-dev).
#[must_use]
pub fn of_the_manual(call: &Call) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for page in call.pages {
        let path = format!("/usr/share/man/man2/{page}.2.gz");
        let zcat =
            std::process::Command::new("zcat").arg(path).output().ok().filter(|output| output.status.success())?;
        let text = String::from_utf8_lossy(&zcat.stdout).into_owned();
        // exit_group(2) has no such section, for it returns nothing.
        let section = text.split("\n.SH ").find(|section| section.starts_with("ERRORS")).unwrap_or_default();
        for line in section.lines().filter(|line| line.starts_with(".B ") || line.starts_with(".BR ")) {
            let name = line.split_whitespace().nth(1).unwrap_or_default().trim_matches('"');
            let is_error = name.len() > 2
                && name.starts_with('E')
                && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            if is_error && !UNSEEN.contains(&name) {
                found.push(name.to_owned());
            }
        }
    }
    Some(found)
}
