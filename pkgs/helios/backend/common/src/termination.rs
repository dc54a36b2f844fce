//! SIGTERM and SIGINT end the program. A thread of its own waits for them, so
//! no work happens inside a signal handler and no request to stop can fall
//! between a check and a blocking call. The standard library has no signals,
//! so the few functions of libc that this needs are declared here.

use std::io;
use std::thread;

/// From signal(7); the same on every architecture that Linux still supports.
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;
const SIG_BLOCK: i32 = 0;

/// `sigset_t` of glibc and musl: 1024 bits.
#[repr(C)]
struct SignalSet([u64; 16]);

unsafe extern "C" {
    fn sigemptyset(set: *mut SignalSet) -> i32;
    fn sigaddset(set: *mut SignalSet, signal: i32) -> i32;
    fn pthread_sigmask(how: i32, set: *const SignalSet, previous: *mut SignalSet) -> i32;
    fn sigwait(set: *const SignalSet, signal: *mut i32) -> i32;
}

/// Runs `action` once when the program is asked to stop. Call it before any
/// other thread is started: threads inherit that the signals are blocked.
pub fn on_request(action: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let signals = blocked_signals()?;
    thread::Builder::new().name("termination".into()).spawn(move || {
        let mut signal = 0;
        // SAFETY: both arguments outlive the call, and the set was initialised by libc.
        while unsafe { sigwait(&signals, &mut signal) } != 0 {}
        action();
    })?;
    Ok(())
}

fn blocked_signals() -> io::Result<SignalSet> {
    let mut signals = SignalSet([0; 16]);
    // SAFETY: the set has the size that libc expects; no previous mask is asked for.
    let status = unsafe {
        sigemptyset(&mut signals);
        sigaddset(&mut signals, SIGTERM);
        sigaddset(&mut signals, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals, std::ptr::null_mut())
    };
    if status == 0 {
        Ok(signals)
    } else {
        Err(io::Error::from_raw_os_error(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    unsafe extern "C" {
        fn pthread_self() -> usize;
        fn pthread_kill(thread: usize, signal: i32) -> i32;
    }

    #[test]
    fn a_request_to_stop_runs_the_action() {
        let (sender, receiver) = mpsc::channel();
        // Only this thread and its children may see the signal: other tests run beside it.
        thread::spawn(move || {
            let signals = blocked_signals().expect("signals can be blocked");
            // SAFETY: the signal goes to this very thread, which blocks it, so it stays pending for sigwait.
            unsafe { pthread_kill(pthread_self(), SIGTERM) };
            let mut signal = 0;
            // SAFETY: as in `on_request`.
            unsafe { sigwait(&signals, &mut signal) };
            sender.send(signal).expect("the test to wait");
        });
        assert_eq!(receiver.recv_timeout(Duration::from_secs(10)), Ok(SIGTERM));
    }
}
