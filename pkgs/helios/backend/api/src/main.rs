//! HeliOS's HTTP server: the frontend, the system's state as JSON, health, and
//! metrics. It only reads: nothing that comes by network changes the system.

mod frontend;
mod state;

use helios_common::clients::{accept, Deadline};
use helios_common::http::{self, Request, Response};
use helios_common::json::object;
use helios_common::{activation, termination};
use state::Sockets;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Connections answered at the same time; more are told to come back.
const MOST_CONNECTIONS: usize = 32;

/// How long a client may take to say what it wants, and again to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What all connections share.
struct Server {
    frontend: PathBuf,
    sockets: Sockets,
    started: Instant,
    requests: AtomicU64,
    failures: AtomicU64,
    connections: AtomicUsize,
    patience: Duration,
}

/// Counts a connection for as long as it lives, whatever becomes of its thread.
struct Counted(Arc<Server>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--version") {
        println!("{NAME} {VERSION}");
        return ExitCode::SUCCESS;
    }
    let listener = match activation::tcp_listener() {
        Ok(listener) => listener,
        Err(problem) => {
            helios_common::log::error(NAME, problem);
            return ExitCode::FAILURE;
        }
    };
    let server = Arc::new(Server::new(
        PATIENCE,
        std::env::var_os("HELIOS_FRONTEND_DIR").unwrap_or_else(|| "/opt/helios/frontend".into()).into(),
        Sockets::of_process(),
    ));
    let at_stop = Arc::clone(&server);
    let watching = termination::on_request(move || {
        let count = at_stop.requests.load(Ordering::Relaxed);
        helios_common::log::information(NAME, format!("stopped after {count} requests"));
        std::process::exit(0);
    });
    let Err(problem) = watching.and_then(|()| serve(&listener, &server));
    helios_common::log::error(NAME, problem);
    ExitCode::FAILURE
}

/// One thread per connection. Ends only by an error.
fn serve(listener: &TcpListener, server: &Arc<Server>) -> io::Result<std::convert::Infallible> {
    listener.set_nonblocking(false)?;
    loop {
        let (stream, _) = accept(|| listener.accept())?;
        let counted = Counted(Arc::clone(server));
        if server.connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            server.failures.fetch_add(1, Ordering::Relaxed);
            // Too little to block: it fits the socket's buffer.
            let _ = Response::text(503, "too many connections\n").send(&mut &stream, true);
            continue;
        }
        let spawned = thread::Builder::new().name("connection".into()).spawn(move || {
            // A client that goes away early is no failure of ours.
            let _ = counted.0.answer_connection(&stream);
        });
        if let Err(error) = spawned {
            server.failures.fetch_add(1, Ordering::Relaxed);
            helios_common::log::warning(NAME, format!("no thread for a connection: {error}"));
        }
    }
}

impl Server {
    fn new(patience: Duration, frontend: PathBuf, sockets: Sockets) -> Self {
        Self {
            frontend,
            sockets,
            started: Instant::now(),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
            patience,
        }
    }

    fn answer_connection(&self, stream: &TcpStream) -> io::Result<()> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request =
            http::read_head(&mut Deadline::new(stream, self.patience)).and_then(|head| http::parse_head(&head));
        let with_body = request.as_ref().map_or(true, |request| request.method != "HEAD");
        let response = match request {
            Ok(request) => self.answer(&request),
            Err(refusal) => refusal.into(),
        };
        if response.status >= 400 {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        let mut client = Deadline::new(stream, self.patience);
        response.send(&mut client, with_body)?;
        // Of what is refused something may be left unread; all else ends at once, so that its place is free.
        if response.status < 400 {
            Ok(())
        } else {
            client.close()
        }
    }

    fn answer(&self, request: &Request) -> Response {
        match request.path.as_str() {
            "/health" => Response::json(
                200,
                &object([("status", "ok".into()), ("name", NAME.into()), ("version", VERSION.into())]),
            ),
            "/metrics" => Response {
                status: 200,
                content_type: "text/plain; version=0.0.4; charset=utf-8",
                body: self.metrics().into_bytes(),
            },
            "/api/state" => Response::json(200, &state::read(&self.sockets)),
            path if path.starts_with("/api/") => {
                Response::json(404, &object([("error", format!("there is no {path}").into())]))
            }
            path => frontend::file(&self.frontend, path),
        }
    }

    fn metrics(&self) -> String {
        let counters = [
            ("helios_api_requests_total", "counter", "Connections answered.", self.requests.load(Ordering::Relaxed)),
            (
                "helios_api_failures_total",
                "counter",
                "Answers of status 400 and above.",
                self.failures.load(Ordering::Relaxed),
            ),
            ("helios_api_uptime_seconds", "gauge", "Age of the process.", self.started.elapsed().as_secs()),
        ];
        let mut text: String = counters
            .iter()
            .map(|(name, kind, help, value)| format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"))
            .collect();
        text.push_str(&state::metrics(&self.sockets));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    /// A server of a small frontend.
    fn listening(patience: Duration) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let frontend = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
        let server = Arc::new(Server::new(patience, frontend, Sockets::below("/nonexistent".as_ref())));
        thread::spawn(move || serve(&listener, &server).map(|_| ()));
        address
    }

    fn answer(mut stream: &TcpStream) -> String {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// What it answers to the bytes of a request.
    fn exchange(request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(listening(PATIENCE)).expect("a listening server");
        stream.write_all(request.as_ref()).expect("a request to go through");
        answer(&stream)
    }

    fn get(path: &str) -> String {
        exchange(format!("GET {path} HTTP/1.1\r\nHost: helios\r\n\r\n"))
    }

    #[test]
    fn the_frontend_is_served_with_its_types() {
        let index = get("/");
        assert!(index.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"), "{index}");
        assert!(index.contains("<title>HeliOS</title>"));
        assert!(get("/page.js").contains("Content-Type: text/javascript; charset=utf-8\r\n"));
        assert!(get("/style.css").contains("Content-Type: text/css; charset=utf-8\r\n"));
    }

    #[test]
    fn health_metrics_and_state_answer_even_when_nothing_else_runs() {
        assert!(get("/health").contains("\"status\":\"ok\""));
        let metrics = get("/metrics");
        assert!(metrics.contains("\nhelios_api_requests_total 1\n"), "{metrics}");
        assert!(metrics.contains("\nhelios_service_up{service=\"engine\"} 0\n"), "{metrics}");
        let state = get("/api/state");
        assert!(state.contains("\"engine\":{\"error\":\"/nonexistent/engine.sock: "), "{state}");
    }

    #[test]
    fn nothing_outside_of_the_frontend_is_served() {
        for path in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "//etc/passwd"] {
            assert!(get(path).starts_with("HTTP/1.1 400 "), "{path}");
        }
        assert!(get("/nonexistent").starts_with("HTTP/1.1 404 "));
        assert!(get("/api/nonexistent").starts_with("HTTP/1.1 404 "));
    }

    #[test]
    fn head_has_no_body_and_other_methods_are_refused() {
        let head = exchange("HEAD /health HTTP/1.1\r\nHost: helios\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
        let refused = exchange("DELETE / HTTP/1.1\r\nHost: helios\r\n\r\n");
        assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("Allow: GET, HEAD\r\n"), "{refused}");
    }

    #[test]
    fn whoever_talks_too_much_or_nonsense_still_gets_an_answer() {
        let endless = format!("GET /health HTTP/1.1\r\nX: {}", "x".repeat(100_000));
        assert!(exchange(endless).starts_with("HTTP/1.1 431 "));
        let mut binary: Vec<u8> = (0..=255).collect();
        binary.extend(b"\r\n\r\n");
        assert!(exchange(binary).starts_with("HTTP/1.1 400 "));
        let body = format!("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n{}", "x".repeat(50_000));
        assert!(exchange(body).starts_with("HTTP/1.1 413 "));
    }

    #[test]
    fn half_a_request_is_answered_when_the_time_is_over() {
        let address = listening(Duration::from_millis(300));
        let mut stream = TcpStream::connect(address).expect("a listening server");
        stream.write_all(b"GET / HTTP/1.1\r\nHo").expect("half a request to go through");
        assert!(answer(&stream).starts_with("HTTP/1.1 408 "));
    }

    #[test]
    fn silent_clients_take_up_all_places_only_for_a_while() {
        let address = listening(Duration::from_millis(1500));
        let silent: Vec<_> = (0..MOST_CONNECTIONS).map(|_| TcpStream::connect(address).expect("a place")).collect();
        let health = || {
            let mut stream = TcpStream::connect(address).expect("a listening server");
            // Refused clients may be gone before they have asked.
            let _ = stream.write_all(b"GET /health HTTP/1.0\r\n\r\n");
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
        };
        let until = |wanted: &str| {
            let since = Instant::now();
            while !health().starts_with(wanted) {
                assert!(since.elapsed() < Duration::from_secs(30), "no answer {wanted}");
                thread::sleep(Duration::from_millis(20));
            }
        };
        until("HTTP/1.1 503 ");
        until("HTTP/1.1 200 ");
        drop(silent);
    }
}
