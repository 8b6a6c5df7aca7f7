//! AArch64: `svc #0`, which keeps every register but x0 (syscall(2)).

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
            // SAFETY: the caller's promise; the kernel keeps every register but x0, and leaves the stack alone.
            unsafe {
                core::arch::asm!(
                    "svc #0",
                    in("x8") number,
                    inlateout("x0") word(0) => value,
                    $(in($register) word($index),)*
                    options(nostack)
                );
            }
            value
        }};
    }
    match N {
        0 | 1 => call!(),
        2 => call!("x1" = 1),
        3 => call!("x1" = 1, "x2" = 2),
        4 => call!("x1" = 1, "x2" = 2, "x3" = 3),
        5 => call!("x1" = 1, "x2" = 2, "x3" = 3, "x4" = 4),
        _ => call!("x1" = 1, "x2" = 2, "x3" = 3, "x4" = 4, "x5" = 5),
    }
}

/// For [`crate::program!`]: see the one of x86-64. The stack pointer stays aligned to 16, or the hardware faults.
#[doc(hidden)]
#[macro_export]
macro_rules! entry_point {
    ($mask:expr, $entry:path) => {
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn _start() -> ! {
            ::core::arch::naked_asm!(
                "sub sp, sp, #16",
                "mov x1, #{mask}",
                "str x1, [sp, #8]",
                "add x1, sp, #8",
                "mov x2, sp",
                "mov x0, #{set}",
                "mov x3, #8",
                "mov x8, #{call}",
                "svc #0",
                "mov x0, sp",
                "b {entry}",
                mask = const $mask as i64,
                set = const $crate::SET_MASK.0,
                call = const $crate::SET_MASK.1,
                entry = sym $entry
            )
        }
    };
}
