//! What the kernel leaves on the stack of a new program, and the entry point that takes it over.

use crate::Mask;
use core::ffi::c_char;
use core::marker::PhantomData;

/// The stack of a new program: `argc`, the arguments, a null word, the environment, a null word (System V ABI; fs/binfmt_elf.c,
/// `create_elf_tables`), and below `argc` the two masks that the entry point has left there. Made by [`crate::program!`] only.
#[derive(Clone, Copy)]
pub struct Start(*mut Mask);

impl Start {
    /// # Safety
    /// `masks` must be what the entry point of this program passes on: the old mask, the new mask, and then the stack as the
    /// kernel set it up.
    #[must_use]
    pub const unsafe fn new(masks: *mut Mask) -> Self {
        Self(masks)
    }

    /// The signal mask that the program was started with.
    #[must_use]
    pub const fn mask(self) -> Mask {
        // SAFETY: see `new`. On 32-bit machines it is aligned to 4 bytes only.
        unsafe { self.0.read_unaligned() }
    }

    /// The address of `argc`.
    const fn count(self) -> *mut usize {
        // SAFETY: it follows the two masks (see `new`).
        unsafe { self.0.add(2) }.cast()
    }

    /// The argument vector, ended by a null word.
    #[must_use]
    pub const fn arguments(self) -> *mut *const c_char {
        // SAFETY: the vector follows `argc`.
        unsafe { self.count().add(1) }.cast()
    }

    /// The environment vector, ended by a null word.
    #[must_use]
    pub const fn environment(self) -> *mut *const c_char {
        // SAFETY: it follows the `argc` arguments and their null word.
        unsafe { self.count().add(*self.count() + 2) }.cast()
    }

    /// The arguments, with the program's own name.
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
            // Counted by hand, and volatile, or the compiler makes a call of strlen of it, which is the C library's.
            let mut length = 0;
            while word.add(length).read_volatile() != 0 {
                length += 1;
            }
            Some(core::slice::from_raw_parts(word.cast(), length))
        }
    }
}

/// Makes `$main: fn(Start) -> !` the program. Its entry point blocks the signals of `$mask`, and no other, before anything
/// else and in as few instructions as that takes, for until then a stop request to PID 1 is lost.
///
/// The panic handler that comes with it can never run: in a release build it refers to `a_panic_can_be_reached`, which does
/// not exist, and such a build links only if the compiler has dropped the handler. That PID 1 does not panic is proven by
/// each build. A debug build, where overflows are checked, ends with 1.
#[macro_export]
macro_rules! program {
    ($main:path, $mask:expr) => {
        $crate::entry_point!($mask, bare_entry);
        $crate::memory_functions!();

        extern "C" fn bare_entry(masks: *mut $crate::Mask) -> ! {
            // SAFETY: only the entry point calls this, with what it has put on the stack.
            $main(unsafe { $crate::Start::new(masks) })
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
