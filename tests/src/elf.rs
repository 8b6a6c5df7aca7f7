//! What the headers of a shipped file must say (contract B1), and what they say it is built for (G2).

use object::Endianness;
use object::elf::{
    EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64, FileHeader32, FileHeader64, PF_W,
    PF_X, PT_DYNAMIC, PT_GNU_STACK, PT_INTERP, PT_LOAD,
};
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

/// The architecture that a program is built for, as images call it.
///
/// # Errors
/// It is no ELF file, or one for a machine that no image is made for.
pub fn architecture(file: &[u8]) -> Result<&'static str, String> {
    let machine = match file.get(4) {
        Some(&object::elf::ELFCLASS64) => machine_of::<FileHeader64<Endianness>>(file),
        _ => machine_of::<FileHeader32<Endianness>>(file),
    };
    let machine = machine.map_err(|error| format!("no ELF file: {error}"))?;
    Ok(match machine {
        (EM_X86_64, 64, Endianness::Little) => "amd64",
        (EM_386, 32, Endianness::Little) => "386",
        (EM_AARCH64, 64, Endianness::Little) => "arm64",
        (EM_ARM, 32, Endianness::Little) => "arm",
        (EM_RISCV, 64, Endianness::Little) => "riscv64",
        (EM_PPC64, 64, Endianness::Little) => "ppc64le",
        (EM_S390, 64, Endianness::Big) => "s390x",
        (EM_LOONGARCH, 64, Endianness::Little) => "loong64",
        (number, bits, order) => return Err(format!("built for machine {number}, {bits} bits, {order:?} endian")),
    })
}

/// `e_machine`, the width and the byte order.
fn machine_of<Header: FileHeader<Endian = Endianness>>(file: &[u8]) -> Result<(u16, u32, Endianness), object::Error> {
    let header = Header::parse(file)?;
    let endian = header.endian()?;
    Ok((header.e_machine(endian), if header.is_class_64() { 64 } else { 32 }, endian))
}
