//! Error numbers.

use core::ffi::c_int;

/// An error number (errno(3)), kept as the kernel returns it: negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(c_int);

/// Names the error numbers that the programs look at.
macro_rules! errors {
    ($($name:ident)*) => {
        impl Errno {
            $(
                #[doc = concat!("errno(3), ", stringify!($name), ".")]
                pub const $name: Self = Self(-libc::$name);
            )*
        }
    };
}
errors! {
    EACCES EAGAIN EBADF ECHILD EINTR EINVAL EIO EMFILE ENOENT ENOEXEC ENOSYS ENOTSOCK ENOTTY ENXIO EOPNOTSUPP EPERM EPIPE
    ESPIPE ESRCH
}

impl Errno {
    /// The error that a system call returned: a negative value.
    #[must_use]
    pub const fn of(value: isize) -> Self {
        Self(value as c_int)
    }

    /// Its number, positive.
    #[must_use]
    pub const fn number(self) -> c_int {
        -self.0
    }
}
