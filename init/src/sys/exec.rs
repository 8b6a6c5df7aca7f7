//! The start of a program: its words, and execve(2).

use bare::{Errno, syscall};
use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A vector of C strings as execve(2) takes it: the kernel's own, on init's stack, ended by a null word.
/// `'w` is how long the words that are put into it live.
pub struct Vector<'w>(NonNull<*const c_char>, PhantomData<&'w [u8]>);

impl<'w> Vector<'w> {
    /// The arguments of init, its own name first.
    pub const fn arguments(start: bare::Start) -> Self {
        // SAFETY: on the stack, not at 0.
        Self(unsafe { NonNull::new_unchecked(start.arguments()) }, PhantomData)
    }

    /// The environment of init.
    pub const fn environment(start: bare::Start) -> Self {
        // SAFETY: as above.
        Self(unsafe { NonNull::new_unchecked(start.environment()) }, PhantomData)
    }

    /// The words of it.
    pub const fn words(&self) -> bare::Words<'w> {
        // SAFETY: the kernel made it (see the type), and `replace_first` and `remove_first` keep it whole.
        unsafe { bare::Words::new(self.0.as_ptr()) }
    }

    /// Those that can be an option's variable.
    pub const fn candidates(&self) -> Candidates<'w> {
        Candidates(self.0.as_ptr(), PhantomData)
    }

    /// The first word, if there is one.
    pub fn first(&self) -> Option<&'w [u8]> {
        self.words().next()
    }

    /// The words from one on that is there.
    pub const fn from(&self, index: usize) -> Self {
        // SAFETY: the caller has found a word there.
        Self(unsafe { self.0.add(index) }, PhantomData)
    }

    /// The words from the first one on that begins with `start`, or that is `start` if a null byte ends it.
    pub fn find(&self, start: &[u8]) -> Option<Self> {
        let mut words = self.from(0);
        // SAFETY: the words end with a null word; none is read beyond its null byte, which is the first byte that differs from
        // `start`, or the last that is compared.
        unsafe {
            while !(*words.0.as_ptr()).is_null() {
                let word = (*words.0.as_ptr()).cast::<u8>();
                if start.iter().enumerate().all(|(at, byte)| *word.add(at) == *byte) {
                    return Some(words);
                }
                words = words.from(1);
            }
        }
        None
    }

    /// Puts `word` in place of the first one. There must be one.
    pub const fn replace_first(&mut self, word: &'w CStr) {
        // SAFETY: the place is in the vector.
        unsafe { *self.0.as_ptr() = word.as_ptr() };
    }

    /// Takes the first word out. There must be one.
    pub const fn remove_first(&mut self) {
        let mut place = self.0.as_ptr();
        // SAFETY: after each word there is another one or the null word, which is moved last.
        unsafe {
            while !(*place).is_null() {
                *place = *place.add(1);
                place = place.add(1);
            }
        }
    }
}

/// The variables of an environment that can be an option's, by their first letter. Most cannot, and their lengths are not counted.
#[derive(Clone)]
pub struct Candidates<'w>(*const *const c_char, PhantomData<&'w [u8]>);

impl<'w> Iterator for Candidates<'w> {
    type Item = &'w [u8];

    fn next(&mut self) -> Option<&'w [u8]> {
        // SAFETY: as `Vector::words`; this stops at the null word.
        unsafe {
            while let Some(first) = (*self.0).cast::<u8>().as_ref()
                && !init_core::cli::is_candidate(*first)
            {
                self.0 = self.0.add(1);
            }
            let mut words = bare::Words::new(self.0);
            self.0 = self.0.add(1);
            words.next()
        }
    }
}

/// `execve(2)`. Returns only if it failed.
pub fn execute(path: &CStr, arguments: &Vector, environment: &Vector) -> Errno {
    let words = [path.as_ptr() as usize, arguments.0.as_ptr() as usize, environment.0.as_ptr() as usize];
    // SAFETY: a C string, and two vectors that are whole (see the type).
    unsafe { syscall(libc::SYS_execve, words) }.err().unwrap_or(Errno::EINVAL)
}
