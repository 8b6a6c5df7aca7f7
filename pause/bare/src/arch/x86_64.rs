//! x86-64: `syscall`, which overwrites rcx and r11 (syscall(2)).

use core::ffi::c_long;

/// The system call `number`; returns the kernel's own value, `-errno` on failure. No register is set that it does not read.
///
/// # Safety
/// As for the call itself: each pointer among `words` must be valid for what the call does with it.
#[inline(always)]
pub unsafe fn raw_call<const N: usize>(number: c_long, words: [usize; N]) -> isize {
    let word = |index: usize| words.get(index).copied().unwrap_or(0);
    macro_rules! call {
        ($($register:tt = $index:literal),*) => {{
            let value: isize;
            // SAFETY: the caller's promise; the kernel keeps every register but these three, and leaves the stack alone.
            unsafe {
                core::arch::asm!(
                    "syscall",
                    inlateout("rax") number as isize => value,
                    $(in($register) word($index),)*
                    lateout("rcx") _,
                    lateout("r11") _,
                    options(nostack)
                );
            }
            value
        }};
    }
    match N {
        0 => call!(),
        1 => call!("rdi" = 0),
        2 => call!("rdi" = 0, "rsi" = 1),
        3 => call!("rdi" = 0, "rsi" = 1, "rdx" = 2),
        4 => call!("rdi" = 0, "rsi" = 1, "rdx" = 2, "r10" = 3),
        5 => call!("rdi" = 0, "rsi" = 1, "rdx" = 2, "r10" = 3, "r8" = 4),
        _ => call!("rdi" = 0, "rsi" = 1, "rdx" = 2, "r10" = 3, "r8" = 4, "r9" = 5),
    }
}

/// For [`crate::program!`]: `_start` blocks the signals of `$mask`, leaves the old mask below `argc`, and calls `$entry` with
/// the address of both (at `[rsp]`: the old mask; at `[rsp + 8]`: the new one, then `argc`).
#[doc(hidden)]
#[macro_export]
macro_rules! entry_point {
    ($mask:expr, $entry:path) => {
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn _start() -> ! {
            ::core::arch::naked_asm!(
                "push {mask}",
                "mov rsi, rsp",
                "push rax",
                "mov rdx, rsp",
                "mov edi, {set}",
                "mov r10d, 8",
                "mov eax, {call}",
                "syscall",
                "mov rdi, rsp",
                "and rsp, -16",
                "xor ebp, ebp",
                "call {entry}",
                mask = const $mask as i64,
                set = const $crate::SET_MASK.0,
                call = const $crate::SET_MASK.1,
                entry = sym $entry
            )
        }
    };
}
