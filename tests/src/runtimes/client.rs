//! What the tests under all runtimes share: clients with a deadline, and their output as it comes.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::running;

/// How long anything may take that should take no time to speak of. Generous: the machine may be busy with other tests.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What a finished client left.
#[derive(Debug)]
pub struct Finished {
    /// The exit status; a client that was killed is an error of the test, and never gets here.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The beginning of a client's command line: timeout(1), which kills what follows at the deadline.
pub fn under_timeout(deadline: Duration) -> Command {
    let mut command = Command::new("timeout");
    // `--foreground` leaves a client with a terminal in the terminal's foreground group.
    command.args(["--foreground", "--signal=KILL", &deadline.as_secs().to_string()]).stdin(Stdio::null());
    command
}

/// Runs a client that [`under_timeout`] began, whatever it ends with.
pub fn finish(client: &mut Command, deadline: Duration) -> Finished {
    let start = Instant::now();
    client.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = running::spawn(client).expect("run a client under timeout");
    let output = child.wait_with_output().expect("the end of a client under timeout");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(start.elapsed() < deadline, "{client:?} took longer than {deadline:?}\n{stdout}{stderr}");
    let status = output.status.code().unwrap_or_else(|| panic!("{client:?} was killed\n{stdout}{stderr}"));
    Finished { status, stdout, stderr }
}

/// A client that is attached to a container, and whose output is followed as it comes.
pub struct Follower {
    /// What it is called in messages.
    name: String,
    pub client: Child,
    output: Receiver<Vec<u8>>,
    /// What came and was not expected yet.
    seen: String,
}

impl Follower {
    /// Starts the client `command` and follows what it writes on standard output and standard error.
    pub fn start(name: &str, command: &mut Command) -> Follower {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut client = running::spawn(command).expect("run a client under timeout");
        let (sender, output) = mpsc::channel();
        let pipes: [Box<dyn Read + Send>; 2] =
            [Box::new(client.stdout.take().expect("a pipe")), Box::new(client.stderr.take().expect("a pipe"))];
        for mut pipe in pipes {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                    if sender.send(buffer[..length].to_vec()).is_err() {
                        break;
                    }
                }
            });
        }
        Follower { name: name.to_owned(), client, output, seen: String::new() }
    }

    /// Waits until the container has written `text`, and forgets what came up to there.
    pub fn expect(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            match self.output.recv_timeout(DEADLINE.saturating_sub(start.elapsed())) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(reason) => panic!("{}: {text:?} did not come ({reason}), but {:?}", self.name, self.seen),
            }
        }
    }

    /// Waits until the client has ended: its status, which is the container's, and what else came.
    pub fn end(&mut self) -> (i32, String) {
        let start = Instant::now();
        loop {
            match self.output.recv_timeout(DEADLINE.saturating_sub(start.elapsed())) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("{} did not end: {:?}", self.name, self.seen),
            }
        }
        let status = self.client.wait().expect("wait for the client").code().expect("the client ended by itself");
        (status, std::mem::take(&mut self.seen))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}
