//! systemd's socket activation, as sd_listen_fds(3) describes it: the manager
//! opens the socket, passes it as descriptor 3, and says so in the environment.

use std::fmt;
use std::net::TcpListener;
use std::os::fd::{FromRawFd, RawFd};
use std::os::unix::net::UnixListener;

/// The first descriptor that systemd passes.
const FIRST: RawFd = 3;

/// What the environment says about passed sockets, and who reads it.
pub struct Environment {
    pub listen_pid: Option<String>,
    pub listen_fds: Option<String>,
    pub own_pid: u32,
}

impl Environment {
    pub fn of_process() -> Self {
        Self {
            listen_pid: std::env::var("LISTEN_PID").ok(),
            listen_fds: std::env::var("LISTEN_FDS").ok(),
            own_pid: std::process::id(),
        }
    }
}

/// Why no socket could be taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Problem {
    /// Started by hand, or by a service without a socket unit.
    NotActivated,
    /// The variables were meant for another process, which passed them on.
    ForAnotherProcess { listen_pid: String, own_pid: u32 },
    /// There must be exactly one socket.
    WrongCount { listen_fds: String },
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotActivated => formatter.write_str(
                "no socket was passed (LISTEN_PID and LISTEN_FDS are not set); start the .socket unit instead",
            ),
            Self::ForAnotherProcess { listen_pid, own_pid } => {
                write!(formatter, "the passed socket is for process {listen_pid}, not for this one ({own_pid})")
            }
            Self::WrongCount { listen_fds } => {
                write!(formatter, "expected one passed socket, but LISTEN_FDS is '{listen_fds}'")
            }
        }
    }
}

/// The descriptor of the one socket that was passed to this process.
fn descriptor(environment: &Environment) -> Result<RawFd, Problem> {
    let (Some(listen_pid), Some(listen_fds)) = (&environment.listen_pid, &environment.listen_fds) else {
        return Err(Problem::NotActivated);
    };
    if listen_pid.parse() != Ok(environment.own_pid) {
        return Err(Problem::ForAnotherProcess { listen_pid: listen_pid.clone(), own_pid: environment.own_pid });
    }
    match listen_fds.parse() {
        Ok(1) => Ok(FIRST),
        _ => Err(Problem::WrongCount { listen_fds: listen_fds.clone() }),
    }
}

/// The listening Unix socket that systemd passed. Call it once.
pub fn unix_listener() -> Result<UnixListener, Problem> {
    let descriptor = descriptor(&Environment::of_process())?;
    // SAFETY: systemd opened this descriptor for us, and nothing else in this process owns it.
    Ok(unsafe { UnixListener::from_raw_fd(descriptor) })
}

/// The listening TCP socket that systemd passed. Call it once.
pub fn tcp_listener() -> Result<TcpListener, Problem> {
    let descriptor = descriptor(&Environment::of_process())?;
    // SAFETY: as above.
    Ok(unsafe { TcpListener::from_raw_fd(descriptor) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(listen_pid: Option<&str>, listen_fds: Option<&str>) -> Environment {
        Environment { listen_pid: listen_pid.map(Into::into), listen_fds: listen_fds.map(Into::into), own_pid: 42 }
    }

    #[test]
    fn one_socket_for_this_process_is_taken() {
        assert_eq!(descriptor(&environment(Some("42"), Some("1"))), Ok(3));
    }

    #[test]
    fn without_systemd_there_is_no_socket() {
        assert_eq!(descriptor(&environment(None, None)), Err(Problem::NotActivated));
        assert_eq!(descriptor(&environment(Some("42"), None)), Err(Problem::NotActivated));
    }

    #[test]
    fn a_socket_for_another_process_is_left_alone() {
        let problem = Problem::ForAnotherProcess { listen_pid: "41".into(), own_pid: 42 };
        assert_eq!(descriptor(&environment(Some("41"), Some("1"))), Err(problem));
    }

    #[test]
    fn several_sockets_are_refused() {
        for count in ["0", "2", "many"] {
            let problem = Problem::WrongCount { listen_fds: count.into() };
            assert_eq!(descriptor(&environment(Some("42"), Some(count))), Err(problem));
        }
    }
}
