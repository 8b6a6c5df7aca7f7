//! Descriptors, files and folders.

use super::word;
use bare::{Errno, syscall};
use core::ffi::{CStr, c_int};

/// `openat(2)`: closed on exec, never becoming the controlling terminal, and never one of the descriptors 0–2:
/// where one of these is closed, the new file would pass for it.
///
/// # Errors
/// As open(2).
pub fn open(path: &CStr, flags: c_int) -> Result<c_int, Errno> {
    let flags = flags | libc::O_CLOEXEC | libc::O_NOCTTY;
    // SAFETY: a C string.
    let opened =
        unsafe { syscall(libc::SYS_openat, [word(libc::AT_FDCWD), path.as_ptr() as usize, word(flags)]) }? as c_int;
    if opened > 2 {
        return Ok(opened);
    }
    let moved = duplicate_above(opened);
    bare::close(opened);
    moved.ok_or(Errno::EMFILE)
}

/// `fcntl(2)`, F_DUPFD_CLOEXEC: a duplicate above 2; `None` if no descriptor is free.
pub fn duplicate_above(descriptor: c_int) -> Option<c_int> {
    // SAFETY: no pointer.
    let duplicate = unsafe { syscall(libc::SYS_fcntl, [word(descriptor), libc::F_DUPFD_CLOEXEC as usize, 3]) };
    duplicate.ok().map(|descriptor| descriptor as c_int)
}

/// `read(2)`, once, from the present position.
///
/// # Errors
/// As read(2).
pub fn read(descriptor: c_int, buffer: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the slice is writable for its length.
    unsafe { syscall(libc::SYS_read, [word(descriptor), buffer.as_mut_ptr() as usize, buffer.len()]) }
        .map(isize::cast_unsigned)
}

/// `getdents64(2)`: visits every entry of a folder whose name is a number, with the descriptor of the folder. False if the folder
/// cannot be read to its end.
pub fn each_number(folder: &CStr, visit: &mut dyn FnMut(c_int, c_int)) -> bool {
    let Ok(folder) = open(folder, libc::O_RDONLY | libc::O_DIRECTORY) else { return false };
    // Aligned to 8, as its entries are.
    let mut memory = [0_u64; 128];
    let is_whole = loop {
        let start = memory.as_mut_ptr().cast::<u8>();
        let words = [word(folder), start as usize, size_of_val(&memory)];
        // SAFETY: the array is writable for its length.
        let length = match unsafe { syscall(libc::SYS_getdents64, words) } {
            Ok(0) => break true,
            Ok(length) => length.cast_unsigned(),
            Err(_) => break false,
        };
        let mut at = 0;
        while at < length {
            // SAFETY: the kernel has filled the array up to there with whole entries, `struct linux_dirent64` (getdents64(2)):
            // the length of each, a multiple of 8, at 16, and at 19 its name, which a null byte ends.
            let number = unsafe {
                let entry = start.add(at);
                at += usize::from(entry.add(16).cast::<u16>().read());
                number_at(entry.add(19))
            };
            if let Some(number) = number {
                visit(number, folder);
            }
        }
    };
    bare::close(folder);
    is_whole
}

/// The number that a C string is, if it is one; numbers of processes and descriptors have seven digits at most.
///
/// # Safety
/// `text` must be a C string.
unsafe fn number_at(mut text: *const u8) -> Option<c_int> {
    let mut number = None;
    // SAFETY: up to its null byte the string may be read.
    unsafe {
        while (*text).is_ascii_digit() {
            number = Some(number.unwrap_or(0_i32).wrapping_mul(10).wrapping_add(c_int::from(*text - b'0')));
            text = text.add(1);
        }
        if *text == 0 { number } else { None }
    }
}

/// `close_range(2)`: closes every descriptor from `first` on. Before Linux 5.9, and where a filter forbids it, those that
/// /proc lists; without /proc one by one, as far as RLIMIT_NOFILE allows any.
pub fn close_from(first: c_int) {
    // SAFETY: no pointer.
    if unsafe { syscall(libc::SYS_close_range, [word(first), word(c_int::MAX), 0]) }.is_ok() {
        return;
    }
    let mut close = |descriptor: c_int, folder: c_int| {
        if descriptor >= first && descriptor != folder {
            bare::close(descriptor);
        }
    };
    if each_number(c"/proc/self/fd", &mut close) {
        return;
    }
    let mut limit = [0, 1_u64 << 20];
    let words = [0, libc::RLIMIT_NOFILE as usize, 0, &raw mut limit as usize];
    // SAFETY: null for the new limit; a live `struct rlimit64` for the old one.
    let _ = unsafe { syscall(libc::SYS_prlimit64, words) };
    // The hard limit: the soft one may have been lowered below an open descriptor. 2^20 is the kernel's own default for it.
    let bound = limit[1].min(1 << 20) as c_int;
    (first..=bound).for_each(bare::close);
}

/// `dup3(2)`: `descriptor` as `number` as well, closed on exec; nothing if it is that number already, or not open.
pub fn duplicate(descriptor: c_int, number: c_int) {
    // SAFETY: no pointer. dup2 is not on every architecture; dup3 refuses two equal numbers.
    let _ = unsafe { syscall(libc::SYS_dup3, [word(descriptor), word(number), libc::O_CLOEXEC as usize]) };
}

/// `chdir(2)` to the root directory. Where that cannot be entered the old directory stays: no reason to end.
pub fn leave_directory() {
    // SAFETY: a C string.
    let _ = unsafe { syscall(libc::SYS_chdir, [c"/".as_ptr() as usize]) };
}
