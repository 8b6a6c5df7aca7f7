//! Standard output, which may be waited for, and standard error, which may not.

use crate::{Errno, syscall};
use core::ffi::{c_int, c_long};
use libc::STDERR_FILENO;

/// Standard error as a system call takes it.
const STDERR: usize = STDERR_FILENO as usize;

/// `write(2)`, once.
///
/// # Errors
/// All of write(2).
pub fn write(descriptor: c_int, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the slice is readable for its length.
    unsafe { syscall(libc::SYS_write, [descriptor as usize, bytes.as_ptr() as usize, bytes.len()]) }
        .map(isize::cast_unsigned)
}

/// Writes all of `bytes` and waits as long as that takes, as any program does.
///
/// # Errors
/// Those of write(2) but EINTR, and but EAGAIN of a descriptor that its other users have made non-blocking.
pub fn print(descriptor: c_int, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(descriptor, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                is_writable(descriptor, true);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes one message to standard error, whole, in one piece and at once; if that cannot be, it is dropped (contract B2).
///
/// It never waits, and changes no flag of the descriptor, because other processes share it. For each kind of file there is one
/// way, found by asking: a way fails on what it is not for, and on a closed descriptor all do. The caller has SIGPIPE and
/// SIGXFSZ blocked: both may be pending afterwards.
pub fn say(line: &[u8]) {
    // A file, or a memory device such as /dev/null: no write to it waits for a reader.
    // SAFETY: no pointer.
    if let Ok(position) = unsafe { syscall(libc::SYS_lseek, [STDERR, 0, libc::SEEK_CUR as usize]) } {
        if fits_size_limit(position, line.len()) {
            let _ = write(STDERR_FILENO, line);
        }
        return;
    }
    // A socket.
    let flags = (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as usize;
    // SAFETY: the slice is readable for its length; a null address means the connected peer.
    let sent = unsafe { syscall(libc::SYS_sendto, [STDERR, line.as_ptr() as usize, line.len(), flags, 0, 0]) };
    // Anything but ENOTSOCK is a socket's answer, or EBADF.
    if sent != Err(Errno::ENOTSOCK) {
        return;
    }
    let mut size = [0_u16; 4];
    // SAFETY: a live `struct winsize` of four shorts for the answer.
    if unsafe { syscall(libc::SYS_ioctl, [STDERR, libc::TIOCGWINSZ as usize, &raw mut size as usize]) }.is_ok() {
        say_to_terminal(line);
        return;
    }
    // SAFETY: no pointer.
    if unsafe { syscall(libc::SYS_fcntl, [STDERR, libc::F_GETPIPE_SZ as usize]) }.is_ok() {
        say_to_pipe(line);
        return;
    }
    // What is left takes a line or refuses it: /dev/kmsg.
    let _ = write(STDERR_FILENO, line);
}

/// Does a line of `length` bytes fit below RLIMIT_FSIZE? The kernel would write the part that does (mm/filemap.c,
/// `generic_write_check_limits`). `position` is the descriptor's.
fn fits_size_limit(mut position: isize, length: usize) -> bool {
    let mut limit = [u64::MAX; 2];
    let words = [0, libc::RLIMIT_FSIZE as usize, 0, &raw mut limit as usize];
    // SAFETY: null for the new limit; a live `struct rlimit64` for the old one.
    let _ = unsafe { syscall(libc::SYS_prlimit64, words) };
    if limit[0] == u64::MAX {
        return true;
    }
    // SAFETY: no pointer.
    let flags = unsafe { syscall(libc::SYS_fcntl, [STDERR, libc::F_GETFL as usize]) }.unwrap_or(0);
    if flags & libc::O_APPEND as isize != 0 {
        // The write goes to the end, and leaves the position there: to ask for it moves nothing that the write would not move.
        // SAFETY: no pointer.
        let end = unsafe { syscall(libc::SYS_lseek, [STDERR, 0, libc::SEEK_END as usize]) };
        position = end.unwrap_or(position);
    }
    (position.cast_unsigned() as u64).saturating_add(length as u64) <= limit[0]
}

/// A line to the pipe that standard error is. One of at most PIPE_BUF bytes is not mixed with another writer's (pipe(7)).
fn say_to_pipe(line: &[u8]) {
    // Offset −1, in both of its words, is the file's own position.
    let vector = libc::iovec { iov_base: line.as_ptr().cast_mut().cast(), iov_len: line.len() };
    let words = [STDERR, &raw const vector as usize, 1, usize::MAX, usize::MAX, libc::RWF_NOWAIT as usize];
    // SAFETY: one iovec over a slice that is readable for its length; a write does not write to it.
    match unsafe { syscall(libc::SYS_pwritev2, words) } {
        Ok(_) | Err(Errno::EAGAIN | Errno::EPIPE) => return,
        // Before Linux 6.5, on a named pipe, or where a filter refuses it.
        Err(_) => {}
    }
    // On every kernel: splice(2) moves a page of a pipe of our own there, whole or not at all.
    let mut ends = [0_i32; 2];
    let flags = (libc::O_CLOEXEC | libc::O_NONBLOCK) as usize;
    // SAFETY: two live ints for the answer.
    if unsafe { syscall(libc::SYS_pipe2, [ends.as_mut_ptr() as usize, flags]) }.is_err() {
        return;
    }
    let [from, to] = ends;
    let _ = write(to, line);
    let words = [from as usize, 0, STDERR, 0, line.len(), libc::SPLICE_F_NONBLOCK as usize];
    // SAFETY: null offsets; pipes have none.
    let _ = unsafe { syscall(libc::SYS_splice, words) };
    close(from);
    close(to);
}

/// A line to the terminal that standard error is. It may be stopped (^S), or have no reader.
fn say_to_terminal(line: &[u8]) {
    if !is_writable(STDERR_FILENO, false) {
        return;
    }
    // An open file of our own can be non-blocking. /dev/tty is for every user; the other name works for any terminal, but only
    // for its owner. A blocking write would wait for room, and byte by byte other output would get between.
    let mut group: c_int = 0;
    // SAFETY: a live int for the answer.
    let controlling =
        unsafe { syscall(libc::SYS_ioctl, [STDERR, libc::TIOCGPGRP as usize, &raw mut group as usize]) }.is_ok();
    let names = [c"/dev/tty", c"/proc/self/fd/2"];
    for name in names.iter().skip(usize::from(!controlling)) {
        let flags = libc::O_WRONLY | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
        let words = [libc::AT_FDCWD as isize as usize, name.as_ptr() as usize, flags as usize];
        // SAFETY: a C string.
        if let Ok(terminal) = unsafe { syscall(libc::SYS_openat, words) } {
            let terminal = terminal as c_int;
            let _ = write(terminal, line);
            close(terminal);
            return;
        }
    }
}

/// `ppoll(2)`: can the descriptor be written to? If it is to `wait`, until that is so.
fn is_writable(descriptor: c_int, wait: bool) -> bool {
    let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
    let zero: [c_long; 2] = [0; 2];
    let timeout = if wait { 0 } else { &raw const zero as usize };
    // SAFETY: one live pollfd, a live zero timespec or none, no mask.
    let _ = unsafe { syscall(libc::SYS_ppoll, [&raw mut poll as usize, 1, timeout, 0, 0]) };
    poll.revents == libc::POLLOUT
}

/// `close(2)`. An error leaves nothing to do: the descriptor is gone all the same.
#[inline(never)]
pub fn close(descriptor: c_int) {
    // SAFETY: no pointer; no one else uses a descriptor of ours.
    let _ = unsafe { syscall(libc::SYS_close, [descriptor as usize]) };
}
