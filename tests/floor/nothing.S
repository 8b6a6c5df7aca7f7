# A program that does nothing but end with 0: what is measured is who starts it. The file is these bytes and no other:
#   cc -nostdlib -static -Wl,--oformat=binary,--build-id=none,-Ttext=0x400000 -o nothing nothing.S
.intel_syntax noprefix
.set base, 0x400000
.set size, end - head

# The file header: 64 bits, little-endian; ET_EXEC, EM_X86_64; one program header, behind this.
head:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
    .short 2, 62
    .long 1
    .quad base + _start - head, segment - head, 0
    .long 0
    .short 64, 56, 1, 64, 0, 0
# The program header: PT_LOAD, readable and executable; all of the file.
segment:
    .long 1, 5
    .quad 0, base, base, size, size, 0x1000

.globl _start
_start:
    mov eax, 231                # exit_group(0)
    xor edi, edi
    syscall
end:
