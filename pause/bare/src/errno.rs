//! Error numbers.

use core::ffi::c_int;
use core::num::NonZero;

/// An error number (errno(3)), positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(NonZero<c_int>);

/// Names the error numbers that the programs look at.
macro_rules! errors {
    ($($name:ident)*) => {
        impl Errno {
            $(
                #[doc = concat!("errno(3), ", stringify!($name), ".")]
                pub const $name: Self = Self::new(libc::$name);
            )*
        }
    };
}
errors! {
    EACCES EAGAIN EBADF ECHILD EINTR EINVAL EIO EMFILE ENOENT ENOEXEC ENOSYS ENOTSOCK ENOTTY ENXIO EOPNOTSUPP EPERM EPIPE
    ESPIPE ESRCH
}

impl Errno {
    /// The error with this number. 0 is no error, and becomes one that has no name.
    #[must_use]
    pub const fn new(number: c_int) -> Self {
        match NonZero::new(number) {
            Some(number) => Self(number),
            None => Self(NonZero::<c_int>::MAX),
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> c_int {
        self.0.get()
    }
}
