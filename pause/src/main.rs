//! `pause`: holds a pod's namespaces. Sleeps until SIGTERM or SIGINT, never wakes before, leaves no zombie.

#![no_std]
#![no_main]
#![warn(missing_docs, clippy::missing_docs_in_private_items)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(not(target_env = "musl"))]
compile_error!(
    "pause is linked for musl only: cargo build --release --package pause --target x86_64-unknown-linux-musl"
);

use bare::{Errno, Mask, Start};
use libc::{SIGINT, SIGTERM};

/// What ends it (P1).
const STOP_REQUESTS: Mask = bare::bit(SIGTERM) | bare::bit(SIGINT);

bare::program!(main, STOP_REQUESTS);

fn main(start: Start) -> ! {
    // 1. The entry point has blocked what ends it, and no other signal, so that no stop request is lost: a blocked signal
    //    stays pending, even for PID 1 and even where it was inherited as ignored (contract P3, P4). All others have their
    //    default action, whatever mask was inherited; for PID 1 that is none (P1).

    // 2. With SIGCHLD ignored the kernel reaps by itself: no zombie, and no wake-up for one (P2).
    bare::let_the_kernel_reap();

    // 3. The version, for kubeadm's upgrade check (P5). Only now, for nothing above depends on an argument. One write is
    //    enough for a line; all is blocked, as in `tell`.
    if start.words().skip(1).any(|word| matches!(word, b"-v" | b"-V")) {
        bare::set_mask(bare::ALL_SIGNALS);
        let _ = bare::write(libc::STDOUT_FILENO, bare::PAUSE_VERSION.as_bytes());
        bare::exit(0);
    }

    // 4. Not PID 1: a word of warning (P6).
    if bare::own_pid() != 1 {
        tell("Warning: pause should be the first process\n");
    }

    // 5. Sleep. EINTR (a stop, a debugger, the freezer) is no end.
    tell(loop {
        match bare::take_signal(STOP_REQUESTS) {
            Ok(SIGINT) => break "Shutting down, got signal: Interrupt\n",
            Ok(_) => break "Shutting down, got signal: Terminated\n",
            Err(Errno::EINTR) => {}
            // No kernel that can wait says anything else; a filter may. Not to spin is all that is left.
            Err(_) => bare::exit(1),
        }
    });
    bare::exit(0)
}

/// Says it, with all signals blocked meanwhile: a broken stderr must not turn its end into a death by SIGPIPE (B2).
#[inline(never)]
fn tell(message: &str) {
    let mask = bare::set_mask(bare::ALL_SIGNALS);
    bare::say(message.as_bytes());
    bare::drop_write_signals();
    bare::set_mask(mask);
}
