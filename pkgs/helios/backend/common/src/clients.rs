//! What servers have to bear with: clients that are slow, leave early, or never listen.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// As often in a row a client may fail to be accepted before the server gives up, and how long it waits each time.
const MOST_FAILURES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);
/// What is left unread of a client's words is read no further than this.
const MOST_UNREAD: usize = 256 * 1024;

/// The next client. One that went away before it was accepted, or that there are no descriptors or memory for, as
/// accept(2) has it, is no reason to stop.
pub fn accept<T>(listen: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    accept_with(listen, PAUSE)
}

fn accept_with<T>(mut listen: impl FnMut() -> io::Result<T>, pause: Duration) -> io::Result<T> {
    let mut failures = 0;
    loop {
        match listen() {
            Ok(client) => return Ok(client),
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
            Err(error) if failures >= MOST_FAILURES => return Err(error),
            Err(_) => {
                failures += 1;
                thread::sleep(pause);
            }
        }
    }
}

/// A connection of which one can say how long the next word may take.
pub trait Connection: Read + Write {
    fn set_patience(&self, patience: Duration) -> io::Result<()>;
    /// Tells the other side that nothing more is coming.
    fn finish(&self) -> io::Result<()>;
}

impl Connection for &TcpStream {
    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience)).and_then(|()| self.set_write_timeout(Some(patience)))
    }

    fn finish(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Connection for &UnixStream {
    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience)).and_then(|()| self.set_write_timeout(Some(patience)))
    }

    fn finish(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// A connection that ends at a certain time. A limit for each read alone would let a client that sends a byte now and
/// then keep its connection for hours.
pub struct Deadline<C> {
    connection: C,
    end: Instant,
}

impl<C: Connection> Deadline<C> {
    pub fn new(connection: C, patience: Duration) -> Self {
        Self { connection, end: Instant::now() + patience }
    }

    fn wait(&self) -> io::Result<()> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.connection.set_patience(left)
    }

    /// Ends the connection so that the answer arrives: the kernel throws away what was sent, and tells the client of a
    /// reset, if something of the client was never read.
    pub fn close(mut self) -> io::Result<()> {
        self.connection.finish()?;
        let mut buffer = [0; 4096];
        let mut unread = 0;
        while unread < MOST_UNREAD {
            match self.read(&mut buffer)? {
                0 => break,
                count => unread += count,
            }
        }
        Ok(())
    }
}

impl<C: Connection> Read for Deadline<C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        self.connection.read(buffer)
    }
}

impl<C: Connection> Write for Deadline<C> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait()?;
        self.connection.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.connection.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_goes_on_after_clients_that_could_not_be_accepted() {
        let mut answers = vec![Ok(7), Err(ErrorKind::OutOfMemory), Err(ErrorKind::ConnectionAborted)];
        let listen = || answers.pop().expect("an answer").map_err(io::Error::from);
        assert_eq!(accept_with(listen, Duration::ZERO).ok(), Some(7));
        let mut tried = 0;
        let broken = || {
            tried += 1;
            Err::<(), _>(ErrorKind::InvalidInput.into())
        };
        assert!(accept_with(broken, Duration::ZERO).is_err());
        assert_eq!(tried, MOST_FAILURES + 1);
    }

    #[test]
    fn a_client_that_sends_little_by_little_is_cut_off_in_time() {
        let (ours, mut theirs) = UnixStream::pair().expect("two ends");
        theirs.write_all(b"x").expect("a first byte");
        thread::spawn(move || {
            while theirs.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(10))
            }
        });
        let started = Instant::now();
        let mut slow = Deadline::new(&ours, Duration::from_millis(200));
        let mut text = Vec::new();
        assert!(slow.read_to_end(&mut text).is_err());
        assert!(!text.is_empty() && started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    }

    #[test]
    fn a_client_that_does_not_listen_is_cut_off_in_time() {
        let (ours, theirs) = UnixStream::pair().expect("two ends");
        let mut deaf = Deadline::new(&ours, Duration::from_millis(100));
        assert!(deaf.write_all(&[0; 8 << 20]).is_err());
        drop(theirs);
    }
}
