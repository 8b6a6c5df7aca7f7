//! What the headers of a shipped file must say (contract B1).

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64, PF_W, PF_X, PT_DYNAMIC, PT_GNU_STACK, PT_INTERP, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};

/// All that speaks against shipping this file: not static, an executable stack, a segment writable and executable.
#[must_use]
pub fn faults(file: &[u8]) -> Vec<String> {
    let faults = match file.get(4) {
        Some(&object::elf::ELFCLASS64) => faults_of::<FileHeader64<Endianness>>(file),
        _ => faults_of::<FileHeader32<Endianness>>(file),
    };
    faults.unwrap_or_else(|error| vec![format!("no ELF file: {error}")])
}

fn faults_of<Header: FileHeader<Endian = Endianness>>(file: &[u8]) -> Result<Vec<String>, object::Error> {
    let header = Header::parse(file)?;
    let endian = header.endian()?;
    let mut faults = Vec::new();
    let mut stack = None;
    for segment in header.program_headers(endian, file)? {
        let flags = segment.p_flags(endian);
        match segment.p_type(endian) {
            PT_INTERP => faults.push("it has an interpreter".to_owned()),
            PT_DYNAMIC => faults.push("it has a dynamic section".to_owned()),
            PT_GNU_STACK => stack = Some(flags),
            PT_LOAD if flags & PF_W != 0 && flags & PF_X != 0 => {
                faults.push(format!("a segment is writable and executable (flags {flags:#x})"));
            }
            _ => {}
        }
    }
    match stack {
        // Without the header the kernel makes the stack executable.
        None => faults.push("it has no PT_GNU_STACK".to_owned()),
        Some(flags) if flags & PF_X != 0 => faults.push("its stack is executable".to_owned()),
        Some(_) => {}
    }
    Ok(faults)
}
