//! HeliOS's engine: listens on the socket that systemd hands over and tells
//! each client, in one line of JSON, which engine this is and how it is doing.

mod activation;
mod reply;
mod termination;

use std::convert::Infallible;
use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixListener;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a client may take to accept its line.
const CLIENT_PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--version") {
        println!("{} {}", reply::NAME, reply::VERSION);
        return ExitCode::SUCCESS;
    }
    let listener = match activation::take_listener(&activation::Environment::of_process()) {
        Ok(listener) => listener,
        Err(problem) => {
            eprintln!("helios-engine: {problem}");
            return ExitCode::FAILURE;
        }
    };
    let answered = Arc::new(Mutex::new(0));
    let at_stop = Arc::clone(&answered);
    let watching = termination::on_request(move || {
        // Waits for the answer that is being written; the next one never starts.
        let count = at_stop.lock().unwrap_or_else(PoisonError::into_inner);
        eprintln!("helios-engine: stopped after {count} requests");
        std::process::exit(0);
    });
    let Err(problem) = watching.and_then(|()| serve(&listener, &answered, Instant::now()));
    eprintln!("helios-engine: {problem}");
    ExitCode::FAILURE
}

/// Answers clients one after the other, and counts them. Ends only by an error.
fn serve(listener: &UnixListener, answered: &Mutex<u64>, started: Instant) -> std::io::Result<Infallible> {
    listener.set_nonblocking(false)?;
    loop {
        let mut client = match listener.accept() {
            Ok((client, _)) => client,
            // A client that went away before it was accepted is no failure of ours.
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => continue,
            Err(error) => return Err(error),
        };
        let mut count = answered.lock().unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        client.set_write_timeout(Some(CLIENT_PATIENCE))?;
        if let Err(error) = client.write_all(reply::line(*count, started.elapsed()).as_bytes()) {
            eprintln!("helios-engine: a client did not take its answer: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    #[test]
    fn each_client_gets_one_line_and_the_count_grows() {
        let path = std::env::temp_dir().join(format!("helios-engine-test-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("a socket in the temporary directory");
        std::thread::spawn(move || serve(&listener, &Mutex::new(0), Instant::now()).map(|_| ()));

        let ask = || {
            let mut line = String::new();
            UnixStream::connect(&path).expect("a listening engine").read_to_string(&mut line).expect("an answer");
            line
        };
        let (first, second) = (ask(), ask());
        std::fs::remove_file(&path).expect("the socket to be there");
        assert!(first.ends_with("}\n") && first.matches('\n').count() == 1, "{first}");
        assert!(first.contains("\"requests\":1,"), "{first}");
        assert!(second.contains("\"requests\":2,"), "{second}");
    }
}
