//! `frail -- PROGRAM [ARGUMENT…]`: an init as it must not be, for the control of the judge of faults. After an EINTR it polls, and a
//! signal that cannot be forwarded ends it.

use std::time::Duration;

use bitts_tests::sys;

/// More polls than any judge lets pass.
const POLLS: u32 = 20_000;

fn main() {
    sys::set_mask(sys::ALL_SIGNALS);
    let mut words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let program = words.next().expect("frail -- PROGRAM");
    let child = std::process::Command::new(program).args(words).spawn().expect("a child").id() as i32;
    loop {
        match sys::take_signal(sys::ALL_SIGNALS, None) {
            Ok(received) if received.signal == libc::SIGCHLD => {
                while let Ok(Some((pid, status))) = sys::wait(-1, libc::WNOHANG) {
                    if pid == child {
                        std::process::exit(libc::WEXITSTATUS(status));
                    }
                }
            }
            Ok(received) => {
                if sys::kill(child, received.signal, None).is_err() {
                    std::process::exit(1);
                }
            }
            Err(_) => (0..POLLS).for_each(|_| drop(sys::take_signal(0, Some(Duration::ZERO)))),
        }
    }
}
