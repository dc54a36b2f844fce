//! HeliOS's HTTP server: the frontend, the system's state as JSON, health, and
//! metrics. It only reads: nothing that comes by network changes the system.

mod frontend;
mod state;

use helios_common::http::{self, Request, Response};
use helios_common::json::object;
use helios_common::{activation, status, termination};
use state::Sockets;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Connections answered at the same time; more are told to come back.
const MOST_CONNECTIONS: usize = 32;

/// What all connections share.
struct Server {
    frontend: PathBuf,
    sockets: Sockets,
    started: Instant,
    requests: AtomicU64,
    failures: AtomicU64,
    connections: AtomicUsize,
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
        std::env::var_os("HELIOS_FRONTEND_DIR").unwrap_or_else(|| "/opt/helios/frontend".into()).into(),
        Sockets::of_process(),
    ));
    let at_stop = Arc::clone(&server);
    let watching = termination::on_request(move || {
        eprintln!("{NAME}: stopped after {} requests", at_stop.requests.load(Ordering::Relaxed));
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
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => continue,
            Err(error) => return Err(error),
        };
        if server.connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            server.connections.fetch_sub(1, Ordering::Relaxed);
            server.failures.fetch_add(1, Ordering::Relaxed);
            // Too little to block: it fits the socket's buffer.
            let _ = Response::text(503, "too many connections\n").send(&mut &stream, true);
            continue;
        }
        let server = Arc::clone(server);
        thread::Builder::new().name("connection".into()).spawn(move || {
            // A client that goes away early is no failure of ours.
            let _ = server.answer_connection(&stream);
            server.connections.fetch_sub(1, Ordering::Relaxed);
        })?;
    }
}

impl Server {
    fn new(frontend: PathBuf, sockets: Sockets) -> Self {
        Self {
            frontend,
            sockets,
            started: Instant::now(),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
        }
    }

    fn answer_connection(&self, mut stream: &TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(status::PATIENCE))?;
        stream.set_write_timeout(Some(status::PATIENCE))?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = http::read_head(&mut stream).and_then(|head| http::parse_head(&head));
        let with_body = request.as_ref().map_or(true, |request| request.method != "HEAD");
        let response = match request {
            Ok(request) => self.answer(&request),
            Err(refusal) => refusal.into(),
        };
        if response.status >= 400 {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        response.send(&mut stream, with_body)
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

    /// What a server of a small frontend answers to the bytes of a request.
    fn exchange(request: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let frontend = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
        let server = Arc::new(Server::new(frontend, Sockets::below("/nonexistent".as_ref())));
        thread::spawn(move || serve(&listener, &server).map(|_| ()));
        let mut stream = TcpStream::connect(address).expect("a listening server");
        stream.write_all(request.as_bytes()).expect("a request to go through");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn get(path: &str) -> String {
        exchange(&format!("GET {path} HTTP/1.1\r\nHost: helios\r\n\r\n"))
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
        for path in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "//etc/passwd"]
        {
            assert!(get(path).starts_with("HTTP/1.1 400 "), "{path}");
        }
        assert!(get("/nonexistent").starts_with("HTTP/1.1 404 "));
        assert!(get("/api/nonexistent").starts_with("HTTP/1.1 404 "));
    }

    #[test]
    fn head_has_no_body_and_other_methods_are_refused() {
        let head = exchange("HEAD /health HTTP/1.1\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
        let refused = exchange("DELETE / HTTP/1.1\r\n\r\n");
        assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("Allow: GET, HEAD\r\n"), "{refused}");
    }
}
