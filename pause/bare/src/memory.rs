//! The functions that the compiler calls by itself, and that a C library has: the core library of these targets comes without.
//!
//! A plain loop would be recognised as what it is, and become a call of itself: volatile accesses are not.

/// For [`crate::program!`]: defines them in the program alone. In a library they would replace those of a program with std.
#[doc(hidden)]
#[macro_export]
macro_rules! memory_functions {
    () => {
        /// `memcpy(3)`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
            // SAFETY: the caller's promise: both are valid for `length` bytes.
            (0..length).for_each(|at| unsafe { to.add(at).write_volatile(*from.add(at)) });
            to
        }

        /// `memmove(3)`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
            // SAFETY: as above; of two that overlap, a byte is read before it is written to.
            let copy = |at: usize| unsafe { to.add(at).write_volatile(from.add(at).read_volatile()) };
            if to.cast_const() < from {
                (0..length).for_each(copy)
            } else {
                (0..length).rev().for_each(copy)
            }
            to
        }

        /// `memset(3)`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
            // SAFETY: the caller's promise: valid for `length` bytes.
            (0..length).for_each(|at| unsafe { to.add(at).write_volatile(byte as u8) });
            to
        }

        /// `memcmp(3)`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, length: usize) -> i32 {
            for at in 0..length {
                // SAFETY: the caller's promise: both are valid for `length` bytes.
                let (one, other) = unsafe { (one.add(at).read_volatile(), other.add(at).read_volatile()) };
                if one != other {
                    return i32::from(one) - i32::from(other);
                }
            }
            0
        }

        /// `bcmp(3)`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, length: usize) -> i32 {
            // SAFETY: the same promise.
            unsafe { memcmp(one, other, length) }
        }

        /// `strlen(3)`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn strlen(text: *const u8) -> usize {
            let mut length = 0;
            // SAFETY: the caller's promise: a null byte ends it.
            while unsafe { text.add(length).read_volatile() } != 0 {
                length += 1;
            }
            length
        }
    };
}
