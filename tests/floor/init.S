# The floor of init: what a process that starts a program, forwards signals to it, reaps and ends with its status, costs on
# x86-64 at the least. It takes no option, looks nothing up on PATH, says nothing, and knows of no group and no terminal. The
# file is these bytes and no other:
#   cc -nostdlib -static -Wl,--oformat=binary,--build-id=none,-Ttext=0x400000 -o init init.S
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
    mov rbp, rsp                # argc, argv[0], argv[1] …
    push -1                     # All signals; the old mask comes to the same place.
    push rsp
    pop rsi
    push 14                     # rt_sigprocmask(SIG_SETMASK, all, old, 8)
    pop rax
    push 2
    pop rdi
    mov rdx, rsi
    push 8
    pop r10
    syscall
    mov eax, 58                 # vfork()
    syscall
    test eax, eax
    jnz parent

    push 14                     # rt_sigprocmask(SIG_SETMASK, old, 0, 8)
    pop rax
    xor edx, edx
    syscall
    push 59                     # execve(argv[1], argv + 1, environment)
    pop rax
    mov rdi, [rbp + 16]
    lea rsi, [rbp + 16]
    mov rdx, [rbp]
    lea rdx, [rbp + 8 * rdx + 16]
    syscall
    push 127
    pop rdi
    jmp exit

parent:
    mov ebx, eax                # The child.
    or qword ptr [rsi], -1
    mov rbp, rsi
    push rax                    # Room for a wait status.
wait:
    mov eax, 128                # rt_sigtimedwait(all, 0, 0, 8); again after EINTR
    mov rdi, rbp
    xor esi, esi
    xor edx, edx
    push 8
    pop r10
    syscall
    cmp eax, 17
    je reap
    test eax, eax
    js wait
    mov esi, eax                # kill(child, signal)
    mov edi, ebx
    push 62
    pop rax
    syscall
    jmp wait
reap:
    push 61                     # wait4(-1, status, WNOHANG, 0)
    pop rax
    or rdi, -1
    mov rsi, rsp
    push 1
    pop rdx
    xor r10d, r10d
    syscall
    test eax, eax
    jle wait
    cmp eax, ebx
    jne reap
    mov eax, [rsp]              # 128 + signal, or the exit status
    movzx edi, ah
    and eax, 127
    jz exit
    lea edi, [rax + 128]
exit:
    mov eax, 231                # exit_group
    syscall
end:
