//! Byte strings, by plain loops: a comparison with a literal that the compiler unrolls costs six bytes for each of its own.

/// Are they equal?
#[inline(never)]
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one == other)
}

/// As [`same`], capital letters or not.
#[inline(never)]
#[must_use]
pub fn same_letters(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.to_ascii_uppercase() == *other)
}

/// Takes what stands before the first `mark`, and the mark; or all, if there is none. What is left stays in `bytes`.
#[inline(never)]
#[must_use]
pub fn take<'a>(bytes: &mut &'a [u8], mark: u8) -> &'a [u8] {
    let end = bytes.iter().position(|byte| *byte == mark).unwrap_or(bytes.len());
    let (taken, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    *bytes = rest.get(1..).unwrap_or_default();
    taken
}

/// What follows `prefix`, if they begin with it.
#[inline(always)]
#[must_use]
pub fn behind<'a>(bytes: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(prefix.len())?;
    same(head, prefix).then_some(rest)
}
