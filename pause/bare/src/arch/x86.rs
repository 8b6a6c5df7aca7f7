//! i386: `int 0x80` (syscall(2)). Its six words fill every register, two of which the compiler keeps for itself: a function of
//! its own moves them there.

use core::ffi::c_long;

/// The system call `number` with the words that lie on the caller's stack, as cdecl passes them.
#[unsafe(naked)]
unsafe extern "C" fn enter(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> isize {
    core::arch::naked_asm!(
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
    )
}

/// The system call `number`; returns the kernel's own value, `-errno` on failure.
///
/// # Safety
/// As for the call itself: each pointer among `words` must be valid for what the call does with it.
#[inline(always)]
pub unsafe fn raw_call<const N: usize>(number: c_long, words: [usize; N]) -> isize {
    let word = |index: usize| words.get(index).copied().unwrap_or(0);
    // SAFETY: the caller's promise.
    unsafe { enter(number, word(0), word(1), word(2), word(3), word(4), word(5)) }
}

/// For [`crate::program!`]: see the one of x86-64. Masks are two words here, the low one first.
#[doc(hidden)]
#[macro_export]
macro_rules! entry_point {
    ($mask:expr, $entry:path) => {
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn _start() -> ! {
            ::core::arch::naked_asm!(
                "push {high}",
                "push {low}",
                "mov ecx, esp",
                "sub esp, 8",
                "mov edx, esp",
                "mov ebx, {set}",
                "mov esi, 8",
                "mov eax, {call}",
                "int 0x80",
                "mov eax, esp",
                "xor ebp, ebp",
                "and esp, -16",
                "sub esp, 12",
                "push eax",
                "call {entry}",
                high = const ($mask >> 32) as i32,
                low = const $mask as i32,
                set = const $crate::SET_MASK.0,
                call = const $crate::SET_MASK.1,
                entry = sym $entry
            )
        }
    };
}
