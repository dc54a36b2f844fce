//! The protocol of HeliOS's status sockets: whoever connects gets one line of
//! JSON, and the connection ends. There is no request to parse.

use crate::clients::{accept, Deadline};
use crate::json::{self, Value};
use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a client may take to accept its line, and a server to send it.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A longer answer is refused.
const LONGEST_ANSWER: u64 = 1 << 20;

/// Answers on their way at the same time. Who comes when all these are slow waits until the first has lost its patience.
const MOST_ANSWERS: usize = 32;

/// How long a program that is told to stop waits for the answers that are on their way.
const FAREWELL: Duration = Duration::from_secs(1);

/// What every answer starts with.
pub struct Vitals {
    /// Clients so far, this one included.
    pub requests: u64,
    pub uptime: Duration,
}

/// Answers on the socket that systemd passed, until the process is told to
/// stop. Each answer says name, version, process, number of requests and
/// uptime, then what `details` adds.
pub fn run(name: &'static str, version: &'static str, details: impl Fn() -> Vec<(String, Value)>) -> ExitCode {
    let listener = match crate::activation::unix_listener() {
        Ok(listener) => listener,
        Err(problem) => {
            crate::log::error(name, problem);
            return ExitCode::FAILURE;
        }
    };
    let clients = Arc::new(Clients::default());
    let at_stop = Arc::clone(&clients);
    let watching = crate::termination::on_request(move || {
        let count = at_stop.finish(FAREWELL);
        crate::log::information(name, format!("stopped after {count} requests"));
        std::process::exit(0);
    });
    let started = Instant::now();
    let Err(problem) = watching.and_then(|()| {
        serve(&listener, &clients, name, |requests| {
            line(name, version, &Vitals { requests, uptime: started.elapsed() }, details())
        })
    });
    crate::log::error(name, problem);
    ExitCode::FAILURE
}

/// One line of JSON.
pub fn line(name: &str, version: &str, vitals: &Vitals, details: Vec<(String, Value)>) -> String {
    let microseconds = u64::try_from(vitals.uptime.as_micros()).unwrap_or(u64::MAX);
    let mut members = vec![
        ("name".to_owned(), name.into()),
        ("version".to_owned(), version.into()),
        ("pid".to_owned(), std::process::id().into()),
        // Computed for each answer, so that a recorded answer is told from a living program.
        ("requests".to_owned(), vitals.requests.into()),
        ("uptimeMicroseconds".to_owned(), microseconds.into()),
    ];
    members.extend(details);
    format!("{}\n", Value::Object(members))
}

/// Who was answered, and who is being answered. The lock is held for as long as it takes to count, never while a
/// client is waited for.
#[derive(Default)]
struct Clients {
    counts: Mutex<Counts>,
    fewer: Condvar,
}

#[derive(Default)]
struct Counts {
    requests: u64,
    answering: usize,
    stopping: bool,
}

/// A client that is being answered, until this is dropped, whatever becomes of its thread.
struct Answering(Arc<Clients>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.lock().answering -= 1;
        self.0.fewer.notify_all();
    }
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place to answer a client, and counts it. There is none any more once the program is to stop.
    fn admit(self: &Arc<Self>) -> (u64, Answering) {
        let full = |counts: &mut Counts| counts.stopping || counts.answering >= MOST_ANSWERS;
        let mut counts = self.fewer.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        counts.requests += 1;
        counts.answering += 1;
        (counts.requests, Answering(Arc::clone(self)))
    }

    /// Lets no further answer start, waits for those that have, and says how many clients there were.
    fn finish(&self, patience: Duration) -> u64 {
        let mut counts = self.lock();
        counts.stopping = true;
        let waited = self.fewer.wait_timeout_while(counts, patience, |counts| counts.answering > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.requests
    }
}

/// Counts clients and makes their answers one after the other, and sends each by a thread of its own: who is slow to
/// take one keeps nobody else waiting. Ends only by an error.
fn serve(
    listener: &UnixListener,
    clients: &Arc<Clients>,
    name: &'static str,
    answer: impl Fn(u64) -> String,
) -> io::Result<Infallible> {
    listener.set_nonblocking(false)?;
    loop {
        let (client, _) = accept(|| listener.accept())?;
        let (request, place) = clients.admit();
        let line = answer(request);
        let spawned = thread::Builder::new().name("answer".into()).spawn(move || {
            let sent = Deadline::new(&client, PATIENCE).write_all(line.as_bytes());
            drop(place);
            if let Err(error) = sent {
                crate::log::warning(name, format!("a client did not take its answer: {error}"));
            }
        });
        if let Err(error) = spawned {
            crate::log::warning(name, format!("no thread for an answer: {error}"));
        }
    }
}

/// The answer of the program behind a status socket.
pub fn ask(socket: impl AsRef<Path>) -> Result<Value, String> {
    let socket = socket.as_ref();
    let failed = |error: io::Error| format!("{}: {error}", socket.display());
    let stream = UnixStream::connect(socket).map_err(failed)?;
    let mut answer = String::new();
    let read = Deadline::new(&stream, PATIENCE).take(LONGEST_ANSWER + 1).read_to_string(&mut answer).map_err(failed)?;
    if read as u64 > LONGEST_ANSWER {
        return Err(format!("{}: the answer is longer than {LONGEST_ANSWER} bytes", socket.display()));
    }
    json::parse(&answer).map_err(|problem| format!("{}: {problem}", socket.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server on a socket of its own, and what is left of a test.
    fn serving(name: &str, answer: impl Fn(u64) -> String + Send + 'static) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("helios-status-{name}-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("a socket in the temporary directory");
        std::thread::spawn(move || serve(&listener, &Arc::default(), "test", answer).map(|_| ()));
        path
    }

    #[test]
    fn what_a_client_says_is_not_read_and_does_no_harm() {
        let path = serving("hostile", |requests| format!("{requests}\n"));
        for words in [&b""[..], b"half a line", &[0xff; 100_000], b"{\"command\":\"stop\"}\n"] {
            let mut client = UnixStream::connect(&path).expect("a listening server");
            client.set_nonblocking(true).expect("a socket");
            // More than fits is not taken.
            let _ = client.write_all(words);
        }
        let many: Vec<_> = (0..100).map(|_| UnixStream::connect(&path).expect("a place")).collect();
        assert_eq!(ask(&path), Ok(Value::Integer(105)));
        drop(many);
        std::fs::remove_file(&path).expect("the socket to be there");
    }

    #[test]
    fn who_does_not_take_an_answer_keeps_nobody_waiting() {
        // More than a socket's buffer holds, so that sending it takes as long as its client likes.
        let path = serving("deaf", |requests| format!("{requests}{}\n", " ".repeat(1 << 19)));
        let deaf: Vec<_> = (1..MOST_ANSWERS).map(|_| UnixStream::connect(&path).expect("a place")).collect();
        let started = Instant::now();
        assert_eq!(ask(&path), Ok(Value::Integer(MOST_ANSWERS as i64)));
        assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
        // With all places taken, the next client waits until one is free.
        let last = UnixStream::connect(&path).expect("a place");
        drop(deaf);
        assert_eq!(ask(&path), Ok(Value::Integer(MOST_ANSWERS as i64 + 2)));
        drop(last);
        std::fs::remove_file(&path).expect("the socket to be there");
    }

    #[test]
    fn a_program_that_stops_waits_for_an_answer_on_its_way_but_not_for_ever() {
        let clients = Arc::new(Clients::default());
        let (_, place) = clients.admit();
        let sent = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            drop(place);
        });
        assert_eq!(clients.finish(Duration::from_secs(60)), 1);
        assert!(sent.join().is_ok());
        let deaf = Arc::new(Clients::default());
        let _place = deaf.admit();
        let started = Instant::now();
        assert_eq!(deaf.finish(Duration::from_millis(50)), 1);
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    }

    #[test]
    fn an_answer_without_end_is_refused() {
        let path = serving("endless", |_| "1".repeat(2 << 20));
        assert!(ask(&path).is_err_and(|error| error.contains("longer than")));
        std::fs::remove_file(&path).expect("the socket to be there");
    }

    #[test]
    fn each_client_gets_one_line_and_the_count_grows() {
        let path = serving("test", |requests| {
            let vitals = Vitals { requests, uptime: Duration::from_millis(12) };
            line("test", "1", &vitals, vec![("more".into(), true.into())])
        });
        let (first, second) = (ask(&path).expect("an answer"), ask(&path).expect("an answer"));
        std::fs::remove_file(&path).expect("the socket to be there");
        assert_eq!(first.get("requests"), Some(&Value::Integer(1)));
        assert_eq!(second.get("requests"), Some(&Value::Integer(2)));
        assert_eq!(first.get("uptimeMicroseconds"), Some(&Value::Integer(12000)));
        assert_eq!(first.get("more"), Some(&Value::Bool(true)));
    }

    #[test]
    fn a_socket_that_nobody_serves_is_named_in_the_error() {
        assert!(ask("/nonexistent/x.sock").is_err_and(|error| error.starts_with("/nonexistent/x.sock: ")));
    }
}
