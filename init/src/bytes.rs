//! Byte strings.

use core::ffi::c_int;

/// The same bytes?
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one == other)
}

/// The same, if the case of letters does not count?
#[must_use]
pub fn same_letters(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.eq_ignore_ascii_case(other))
}

/// Takes what comes before the first `mark`, and the mark; everything if there is none. The rest stays in `bytes`.
pub fn take<'a>(bytes: &mut &'a [u8], mark: u8) -> &'a [u8] {
    let end = bytes.iter().position(|byte| *byte == mark).unwrap_or(bytes.len());
    let (taken, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    *bytes = rest.get(1..).unwrap_or_default();
    taken
}

/// The line with this number, from 0 on, of a text; nothing if it has none.
#[must_use]
pub fn nth_line(text: &'static str, number: c_int) -> &'static [u8] {
    let mut rest = text.as_bytes();
    for _ in 0..number {
        let _ = take(&mut rest, b'\n');
    }
    take(&mut rest, b'\n')
}

/// What follows this number in a list, whose lines are a number, a blank and a text each; nothing if it is not there.
#[must_use]
pub fn numbered(list: &'static str, number: c_int) -> &'static [u8] {
    let mut rest = list.as_bytes();
    while let Some(other) = take_number(&mut rest) {
        let text = take(&mut rest, b'\n');
        if other as c_int == number {
            return text.get(1..).unwrap_or_default();
        }
    }
    b""
}

/// Takes `mark` from the front of `bytes`, if it is there.
#[inline(never)] // It is longer than a call, and there are a dozen of these.
pub fn eat(bytes: &mut &[u8], mark: u8) -> bool {
    match *bytes {
        [first, rest @ ..] if *first == mark => {
            *bytes = rest;
            true
        }
        _ => false,
    }
}

/// Takes an unsigned decimal number from the front of `bytes`. `None` if there is none, or if it is larger than a `u32`.
pub fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = None;
    while let [digit @ b'0'..=b'9', rest @ ..] = *bytes {
        number = Some(number.unwrap_or(0_u32).checked_mul(10)?.checked_add(u32::from(digit - b'0'))?);
        *bytes = rest;
    }
    number
}

/// What follows `prefix`, if the bytes begin with it.
#[must_use]
pub fn after<'a>(bytes: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(prefix.len())?;
    same(head, prefix).then_some(rest)
}
