//! `bare`: what both programs need from the kernel without the C library's start-up: the entry point,
//! the words that the kernel left on the stack, the raw system call, and the few calls that `init` and `pause` share.
//!
//! musl's `crt1.o` makes two system calls and writes a data page before `main`; neither program needs what they prepare
//! (thread-local storage), and both promise that their own first call blocks signals (contract I6, P4).
//! The price: nothing here may call a musl function that sets `errno`, for `errno` is thread-local.
//! All `unsafe` of `pause` stands in this file.

#![no_std]
#![warn(missing_docs, clippy::missing_docs_in_private_items)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(unsafe_code)] // The one file of this package where it is allowed.

use core::ffi::{c_char, c_int, c_long};
use core::marker::PhantomData;
use core::num::NonZero;

/// The version of both programs, Cargo.toml's.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that was built, short; `unknown` outside a checkout (build.rs).
pub const GIT_HASH: &str = env!("BITTS_GIT_HASH");

// musl, for `memcpy` and its kin, and for what is declared below.
#[link(name = "c", kind = "static")]
unsafe extern "C" {}

/// Declares musl's raw system call once for each number of argument words, so that no call sets words that it has no use for.
#[cfg(not(target_arch = "x86_64"))]
macro_rules! raw_calls {
    ($($name:ident($($word:ident),*))*) => {
        #[allow(clashing_extern_declarations)] // One function; see below why that is sound.
        unsafe extern "C" {
            $(
                /// musl's raw system call for every architecture: returns the kernel's own value, `-errno` on failure, and touches
                /// no thread-local state as long as `pthread_cancel` is not linked (musl `src/thread/__syscall_cp.c`).
                /// It always takes six words and hands them to the kernel, which reads no more of them than the call has:
                /// those that are not given here are whatever the registers, or the caller's frame, hold.
                /// It is private to musl, but the toolchain brings its own fixed musl; without the symbol the link fails.
                #[cfg_attr(not(target_arch = "x86"), link_name = "__syscall_cp")]
                #[cfg_attr(target_arch = "x86", link_name = "bare_syscall")]
                fn $name(number: c_long, $($word: usize),*) -> c_long;
            )*
        }
    };
}
#[cfg(not(target_arch = "x86_64"))]
raw_calls! {
    call0() call1(a) call2(a, b) call3(a, b, c) call4(a, b, c, d) call5(a, b, c, d, e) call6(a, b, c, d, e, f)
}

// On i386 alone musl enters the kernel through a pointer in thread-local storage (`call *%gs:16`), which is never set up here.
#[cfg(target_arch = "x86")]
core::arch::global_asm!(
    "bare_syscall:",
    "push ebx",
    "push esi",
    "push edi",
    "push ebp",
    "mov eax, [esp + 20]",
    "mov ebx, [esp + 24]",
    "mov ecx, [esp + 28]",
    "mov edx, [esp + 32]",
    "mov esi, [esp + 36]",
    "mov edi, [esp + 40]",
    "mov ebp, [esp + 44]",
    "int 0x80",
    "pop ebp",
    "pop edi",
    "pop esi",
    "pop ebx",
    "ret",
);

/// An error number (`errno(3)`), as the kernel returns it: negative. So it needs no instruction to become one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(NonZero<c_int>); // Not 0: so a call's success or error is one register.

/// Names those that are looked at.
macro_rules! errors {
    ($($name:ident)*) => {
        impl Errno {
            $(
                #[doc = concat!("errno(3), ", stringify!($name), ".")]
                pub const $name: Self = Self::from_kernel(-libc::$name);
            )*
        }
    };
}
errors! { EPERM ENOENT ESRCH EINTR EIO ENXIO ENOEXEC EBADF ECHILD EAGAIN EACCES EINVAL ESPIPE ENOSYS ENOTSOCK EOPNOTSUPP }

impl Errno {
    /// Of what the kernel has returned, which must be negative.
    #[must_use]
    pub const fn from_kernel(value: c_int) -> Self {
        // SAFETY: no caller passes 0.
        Self(unsafe { NonZero::new_unchecked(value) })
    }

    /// The number that people know, positive.
    #[must_use]
    pub const fn number(self) -> c_int {
        -self.0.get()
    }
}

/// `syscall(2)`: one system call with at most six argument words. The value is cut to an `int`: none that is used is larger.
///
/// # Errors
/// The kernel's `-errno` as [`Errno`]: no call that is used returns anything else below 0.
///
/// # Safety
/// As for the call itself: each pointer among `words` must be valid for what this call number does with it.
#[inline(always)]
pub unsafe fn syscall<const N: usize>(number: c_long, words: [usize; N]) -> Result<c_int, Errno> {
    let word = |i: usize| words.get(i).copied().unwrap_or(0);
    // SAFETY: the caller answers for the pointers.
    let value = unsafe { enter(number, N, word) } as c_int;
    // The sign of one register tells, here at the caller's: a `Result` that is handed on takes two.
    if value < 0 { Err(Errno::from_kernel(value)) } else { Ok(value) }
}

/// The instruction itself, where it stands: shorter than a call of musl's stub, and no register is set that the call does not
/// read. `count` is a constant wherever this is inlined.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn enter(number: c_long, count: usize, word: impl Fn(usize) -> usize) -> c_long {
    macro_rules! with {
        ($($register:tt = $index:literal),*) => {{
            let value;
            // SAFETY: the caller's promise; the kernel keeps all registers but these three, and leaves the stack alone.
            unsafe {
                core::arch::asm!(
                    "syscall",
                    inlateout("rax") number => value,
                    $(in($register) word($index),)*
                    lateout("rcx") _,
                    lateout("r11") _,
                    options(nostack)
                );
            }
            value
        }};
    }
    match count {
        0 => with!(),
        1 => with!("rdi" = 0),
        2 => with!("rdi" = 0, "rsi" = 1),
        3 => with!("rdi" = 0, "rsi" = 1, "rdx" = 2),
        4 => with!("rdi" = 0, "rsi" = 1, "rdx" = 2, "r10" = 3),
        5 => with!("rdi" = 0, "rsi" = 1, "rdx" = 2, "r10" = 3, "r8" = 4),
        _ => with!("rdi" = 0, "rsi" = 1, "rdx" = 2, "r10" = 3, "r8" = 4, "r9" = 5),
    }
}

/// Elsewhere musl's stub.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
unsafe fn enter(number: c_long, count: usize, word: impl Fn(usize) -> usize) -> c_long {
    let [a, b, c, d, e, f] = [word(0), word(1), word(2), word(3), word(4), word(5)];
    // SAFETY: the caller's promise.
    unsafe {
        match count {
            0 => call0(number),
            1 => call1(number, a),
            2 => call2(number, a, b),
            3 => call3(number, a, b, c),
            4 => call4(number, a, b, c, d),
            5 => call5(number, a, b, c, d, e),
            _ => call6(number, a, b, c, d, e, f),
        }
    }
}

/// Every signal. KILL and STOP stay deliverable whatever is asked (`set_current_blocked` in the kernel).
pub const ALL_SIGNALS: Mask = Mask::MAX;

/// A set of signals as the kernel's `rt_` calls take it: bit n-1 is signal n (`sigset_t` of 64 signals).
/// Not the C library's `sigset_t`: that one hides 32–34.
pub type Mask = u64;

/// The mask word of one signal, 1–64.
#[must_use]
pub const fn bit(signal: c_int) -> Mask {
    1 << (signal - 1)
}

/// `rt_sigprocmask(2)`, SIG_SETMASK: replaces the signal mask and returns the old one. It cannot fail with valid pointers.
pub fn set_mask(mask: Mask) -> Mask {
    let mut old: Mask = 0;
    // SAFETY: both pointers are to live words of the 8 bytes that the last argument names.
    let _ = unsafe {
        syscall(
            libc::SYS_rt_sigprocmask,
            [libc::SIG_SETMASK as usize, &raw const mask as usize, &raw mut old as usize, size_of::<Mask>()],
        )
    };
    old
}

/// The kernel's `struct sigaction`, large enough for each architecture: the handler stands first, and flags, restorer and
/// mask are 0 here, in whatever order they follow.
#[repr(C)]
struct KernelAction([usize; 6]);

/// `rt_sigaction(2)`: sets the disposition of `signal` to `SIG_DFL` or `SIG_IGN` and returns what the old handler word was.
pub fn set_disposition(signal: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    let mut action = KernelAction([handler, 0, 0, 0, 0, 0]);
    // The kernel has read the new one before it writes the old one: one place is enough.
    let place = &raw mut action as usize;
    // SAFETY: the struct is as large as the largest `struct sigaction` of the kernel; no handler of ours is installed.
    let _ = unsafe { syscall(libc::SYS_rt_sigaction, [signal as usize, place, place, size_of::<Mask>()]) };
    action.0[0]
}

/// `rt_sigtimedwait(2)` without a timeout: takes one pending signal of `set` and returns its number.
///
/// # Errors
/// EINTR, when a stop, a trace or the freezer woke it.
#[inline(always)]
pub fn take_signal(set: Mask) -> Result<c_int, Errno> {
    // SAFETY: `set` is a live word of 8 bytes; null for siginfo and timeout means none.
    unsafe { syscall(libc::SYS_rt_sigtimedwait, [&raw const set as usize, 0, 0, size_of::<Mask>()]) }
}

/// Takes a pending SIGPIPE or SIGXFSZ away, if there is one: a failed write to a broken stderr or to a file at its size
/// limit raises it in the writer (pipe(7), setrlimit(2)).
pub fn drop_write_signals() {
    let set = bit(libc::SIGPIPE) | bit(libc::SIGXFSZ);
    // Two words of 0 are a zero timeout, in the `timespec` of every architecture.
    let now: [libc::c_long; 2] = [0; 2];
    // SAFETY: pointers to a live word of 8 bytes and to a live timespec; null for siginfo means none.
    while unsafe {
        syscall(libc::SYS_rt_sigtimedwait, [&raw const set as usize, 0, &raw const now as usize, size_of::<Mask>()])
    }
    .is_ok()
    {}
}

/// Writes all of `bytes` and waits as long as it takes, as any program does; on an error the rest is lost.
pub fn print(descriptor: c_int, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match write(descriptor, bytes) {
            Ok(written) => bytes = bytes.get(written as usize..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(_) => break,
        }
    }
}

/// Writes one message to standard error if that is possible at once; what does not fit is dropped (contract B2).
/// Never waits, and changes no flag of the descriptor, for other processes share it. It asks nobody what the descriptor is:
/// each call fails on what it is not for, and on one that is closed, broken or full they all do.
/// The caller has SIGPIPE and SIGXFSZ blocked: both may be pending afterwards.
pub fn say(bytes: &[u8]) {
    let stderr = libc::STDERR_FILENO as usize;
    // What can be sought is a file or a memory device: a write to it does not wait for a reader.
    // SAFETY: no pointer.
    if unsafe { syscall(libc::SYS_lseek, [stderr, 0, libc::SEEK_CUR as usize]) }.is_ok() {
        let _ = write(libc::STDERR_FILENO, bytes);
        return;
    }
    // A socket.
    let flags = (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as usize;
    // SAFETY: the slice is readable for its length; a null address means the connected peer.
    if unsafe { syscall(libc::SYS_sendto, [stderr, bytes.as_ptr() as usize, bytes.len(), flags, 0, 0]) }.is_ok() {
        return;
    }
    // A pipe, from Linux 6.5 on. Offset -1, in both of its words, is the file's own position.
    let vector = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: one iovec over a slice that is readable for its length; a write does not write to it.
    if unsafe {
        syscall(
            libc::SYS_pwritev2,
            [stderr, &raw const vector as usize, 1, usize::MAX, usize::MAX, libc::RWF_NOWAIT as usize],
        )
    }
    .is_ok()
    {
        return;
    }
    // A terminal, or a pipe of an older kernel. "Writable" promises no more than one byte there: a longer write would wait for
    // the rest.
    for byte in bytes {
        let mut poll = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
        let now: [libc::c_long; 2] = [0; 2];
        // SAFETY: one live pollfd, a live zero timespec, no mask.
        let _ = unsafe {
            syscall(libc::SYS_ppoll, [&raw mut poll as usize, 1, &raw const now as usize, 0, size_of::<Mask>()])
        };
        if poll.revents != libc::POLLOUT || write(libc::STDERR_FILENO, core::slice::from_ref(byte)).is_err() {
            break;
        }
    }
}

/// `wait4(2)` on any child, WNOHANG: reaps one, and returns its pid and puts its wait status into `status`; 0 if no child has
/// ended.
///
/// # Errors
/// ECHILD when there is no child at all.
pub fn reap(status: &mut c_int) -> Result<c_int, Errno> {
    // SAFETY: a live int for the status; null for the resource usage.
    unsafe { syscall(libc::SYS_wait4, [usize::MAX, &raw mut *status as usize, libc::WNOHANG as usize, 0]) }
}

/// Lets the kernel reap from now on, by ignoring SIGCHLD (wait(2), NOTES); who is dead already is reaped here.
pub fn let_the_kernel_reap() {
    set_disposition(libc::SIGCHLD, libc::SIG_IGN);
    // SAFETY: null for the status and for the resource usage.
    while unsafe { syscall(libc::SYS_wait4, [usize::MAX, 0, libc::WNOHANG as usize, 0]) }.is_ok_and(|pid| pid != 0) {}
}

/// `write(2)`, once.
///
/// # Errors
/// All of write(2).
pub fn write(descriptor: c_int, bytes: &[u8]) -> Result<c_int, Errno> {
    // SAFETY: the slice is readable for its length.
    unsafe { syscall(libc::SYS_write, [descriptor as usize, bytes.as_ptr() as usize, bytes.len()]) }
}

/// `getpid(2)`.
#[must_use]
pub fn own_pid() -> c_int {
    // SAFETY: no argument. It cannot fail, so that 0 is never seen.
    unsafe { syscall(libc::SYS_getpid, []) }.unwrap_or(0)
}

/// `exit_group(2)`: ends the program with `status`.
#[inline(always)]
pub fn exit(status: u8) -> ! {
    loop {
        // SAFETY: no pointer. It does not return; the loop tells the compiler so.
        let _ = unsafe { syscall(libc::SYS_exit_group, [status as usize]) };
    }
}

/// What the kernel left on the stack of a new program: `argc`, the arguments, a null word, the environment, a null word
/// (System V ABI; fs/binfmt_elf.c, `create_elf_tables`). Made by [`program!`] only.
#[derive(Clone, Copy)]
pub struct Start(*mut usize);

impl Start {
    /// # Safety
    /// `stack` must be the stack pointer that the kernel passed to the entry point of this program.
    #[must_use]
    pub const unsafe fn new(stack: *mut usize) -> Self {
        Self(stack)
    }

    /// The signal mask that the program was started with: the entry point has left it right below `argc`.
    #[must_use]
    pub const fn mask(self) -> Mask {
        // SAFETY: the entry point has put it there (`program!`); on 32-bit machines it is aligned to 4 bytes only.
        unsafe { self.0.cast::<Mask>().sub(1).read_unaligned() }
    }

    /// The argument vector, ended by a null word.
    #[must_use]
    pub const fn arguments(self) -> *mut *const c_char {
        // SAFETY: the vector follows `argc` (see the type).
        unsafe { self.0.add(1) }.cast()
    }

    /// The environment vector, ended by a null word.
    #[must_use]
    pub const fn environment(self) -> *mut *const c_char {
        // SAFETY: it follows the `argc` arguments and their null word (see the type).
        unsafe { self.0.add(*self.0 + 2) }.cast()
    }

    /// The arguments, the program's own name among them.
    #[must_use]
    pub const fn words(self) -> Words<'static> {
        // SAFETY: the kernel's vector is ended by null and lives as long as the program.
        unsafe { Words::new(self.arguments()) }
    }
}

/// Iterator over a vector of C strings that a null word ends: their bytes, without the null byte.
#[derive(Clone, Copy)]
pub struct Words<'a>(*const *const c_char, PhantomData<&'a [u8]>);

impl Words<'_> {
    /// # Safety
    /// `vector` must point to valid C strings, ended by a null word, that live and stay unchanged for the life of the iterator.
    #[must_use]
    pub const unsafe fn new(vector: *const *const c_char) -> Self {
        Self(vector, PhantomData)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        // SAFETY: by the promise of `new`, this word is null or a valid C string, and after a string there is another word.
        unsafe {
            let word = *self.0;
            if word.is_null() {
                return None;
            }
            self.0 = self.0.add(1);
            // Counted here, and volatile, lest the compiler make a call of strlen of it: that would be the only one through a
            // global offset table, and cost a writable page.
            let mut length = 0;
            while word.add(length).read_volatile() != 0 {
                length += 1;
            }
            Some(core::slice::from_raw_parts(word.cast(), length))
        }
    }
}

/// For [`program!`]: SIG_SETMASK and the number of `rt_sigprocmask(2)`.
pub const SET_MASK: (c_int, c_long) = (libc::SIG_SETMASK, libc::SYS_rt_sigprocmask);

/// For [`program!`]: what the file's header calls this architecture (elf(5), `e_machine`).
pub const MACHINE: u16 = match () {
    _ if cfg!(target_arch = "x86_64") => libc::EM_X86_64,
    _ if cfg!(target_arch = "x86") => libc::EM_386,
    _ => libc::EM_AARCH64,
};

/// Makes `$main: fn(Start) -> !` the program. The entry point blocks the signals of `$mask`, and no other, before anything
/// else and in as few instructions as that takes, for until then a stop request to PID 1 is lost; then it hands the kernel's
/// stack pointer on. A panic
/// handler comes with it that nothing may reach: where the compiler cannot drop it, a release build does not link, for want
/// of `a_panic_can_be_reached`. So it is proven anew with each build that PID 1 does not panic.
#[macro_export]
macro_rules! program {
    ($main:path, $mask:expr) => {
        // The headers of the file, elf(5): of an executable for this machine; and of its segments: PT_LOAD, readable and
        // executable, the whole file; PT_GNU_STACK, readable and writable, or the stack would be executable.
        #[cfg(target_pointer_width = "64")]
        ::core::arch::global_asm!(
            ".pushsection .head, \"a\"",
            "head: .byte 0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0",
            ".short 2, {machine}",
            ".long 1",
            ".quad _start, 64, 0",
            ".long 0",
            ".short 64, 56, 2, 0, 0, 0",
            ".long 1, 5",
            ".quad 0, head, head, image_size, image_size, 4096",
            ".long 0x6474e551, 6",
            ".quad 0, 0, 0, 0, 0, 0",
            ".popsection",
            machine = const $crate::MACHINE
        );
        #[cfg(target_pointer_width = "32")]
        ::core::arch::global_asm!(
            ".pushsection .head, \"a\"",
            "head: .byte 0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0",
            ".short 2, {machine}",
            ".long 1",
            ".long _start, 52, 0",
            ".long 0",
            ".short 52, 32, 2, 0, 0, 0",
            ".long 1, 0, head, head, image_size, image_size, 5, 4096",
            ".long 0x6474e551, 0, 0, 0, 0, 0, 6, 0",
            ".popsection",
            machine = const $crate::MACHINE
        );
        #[cfg(target_arch = "x86_64")]
        ::core::arch::global_asm!(
            ".globl _start",
            "_start: push {mask}", // Right below argc; the kernel reads it before it writes the old one there.
            "mov rsi, rsp",
            "mov rdx, rsp",
            "mov edi, {set}",
            "mov r10d, 8",
            "mov eax, {call}",
            "syscall",
            "lea rdi, [rsp + 8]",
            "and rsp, -16",
            "xor ebp, ebp",
            "call {entry}",
            mask = const $mask as i64,
            set = const $crate::SET_MASK.0,
            call = const $crate::SET_MASK.1,
            entry = sym bare_entry
        );
        #[cfg(target_arch = "x86")]
        ::core::arch::global_asm!(
            ".globl _start",
            "_start: push {high}",
            "push {low}",
            "mov ebx, {set}",
            "mov ecx, esp",
            "mov edx, esp",
            "mov esi, 8",
            "mov eax, {call}",
            "int 0x80",
            "lea eax, [esp + 8]",
            "xor ebp, ebp",
            "and esp, -16",
            "sub esp, 12",
            "push eax",
            "call {entry}",
            high = const ($mask >> 32) as i32,
            low = const $mask as i32,
            set = const $crate::SET_MASK.0,
            call = const $crate::SET_MASK.1,
            entry = sym bare_entry
        );
        #[cfg(target_arch = "aarch64")]
        ::core::arch::global_asm!(
            ".globl _start",
            "_start: sub sp, sp, #16", // The stack pointer stays aligned to 16, or the hardware faults.
            "mov x1, #{mask}",
            "str x1, [sp, #8]",
            "add x1, sp, #8",
            "mov x2, x1",
            "mov x0, #{set}",
            "mov x3, #8",
            "mov x8, #{call}",
            "svc #0",
            "add x0, sp, #16",
            "b {entry}",
            mask = const $mask as i64,
            set = const $crate::SET_MASK.0,
            call = const $crate::SET_MASK.1,
            entry = sym bare_entry
        );

        extern "C" fn bare_entry(stack: *mut usize) -> ! {
            // SAFETY: only the stub above calls this, with the stack pointer as the kernel set it.
            $main(unsafe { $crate::Start::new(stack) })
        }

        #[panic_handler]
        fn panic(_: &::core::panic::PanicInfo) -> ! {
            #[cfg(not(debug_assertions))]
            {
                unsafe extern "C" {
                    fn a_panic_can_be_reached() -> !;
                }
                // SAFETY: there is no such function, and no program that calls it.
                unsafe { a_panic_can_be_reached() }
            }
            #[cfg(debug_assertions)]
            $crate::exit(1)
        }
    };
}
