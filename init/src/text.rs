//! The texts of `words.rs`, as build.rs has packed them.

use core::ffi::c_int;

include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// The first code of a pair (build.rs); behind 255 they go on at 0.
const FIRST_PAIR: u8 = 127;

/// What stands for a newline in a packed text.
pub const NEWLINE: u8 = b'`';

/// Makes the enum and the tables of the list in `words.rs`.
macro_rules! texts {
    (
        options { $($id:ident $names:literal $help:literal)* } usage $usage:literal notes $notes:literal
        messages { $($message:ident $template:literal)* } reasons { $($name:ident $errno:literal $reason:literal)* }
    ) => {
        /// Which text.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(clippy::upper_case_acronyms)] // The names of errors.
        #[repr(u8)]
        pub enum Text {
            $(#[doc = $template] $message,)*
            $(#[doc = $reason] $name,)*
            /// The usage, the options in two lines each, and notes.
            Help,
        }
        /// The error numbers that have a text.
        const REASONS: &[(u8, Text)] = &[$(($errno, Text::$name)),*];
        /// The messages as they were written, for those who check them.
        pub const MESSAGES: &[&str] = &[$($template),*];
        /// The same, by their names.
        pub const ALL: &[Text] = &[$(Text::$message),*];
    };
}
words!(texts);

/// The wording of an error number, if it has one.
#[must_use]
pub fn reason(errno: c_int) -> Option<Text> {
    REASONS.iter().find(|(number, _)| c_int::from(*number) == errno).map(|(_, text)| *text)
}

/// Unpacks a text into `out`, byte by byte.
pub fn unpack(text: Text, out: &mut dyn FnMut(u8)) {
    let mut rest = PACKED;
    for _ in 0..text as u8 {
        let _ = crate::bytes::take(&mut rest, 0);
    }
    for code in crate::bytes::take(&mut rest, 0) {
        expand(*code, out);
    }
}

/// Unpacks what one code stands for.
fn expand(code: u8, out: &mut dyn FnMut(u8)) {
    if let Some([first, second]) = PAIRS.get(usize::from(code.wrapping_sub(FIRST_PAIR))) {
        expand(*first, out);
        expand(*second, out);
    } else {
        out(code);
    }
}
