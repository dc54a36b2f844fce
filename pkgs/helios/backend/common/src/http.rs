//! The little of HTTP/1.1 (RFC 9112) that a server of small answers needs:
//! requests without a body, one per connection, read with limits.

use std::io::{self, ErrorKind, Read, Write};

/// Longest request line and header fields together.
pub const LONGEST_HEAD: usize = 8 * 1024;
/// Most header fields.
pub const MOST_FIELDS: usize = 64;

#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Decoded path, which starts with a slash and has neither `.`, `..` nor empty components inside.
    pub path: String,
}

/// What an absolute target starts with; RFC 9112 wants it understood although only proxies get one.
const SCHEME: &str = "http://";

/// Why a request is not answered: a status and what to tell the client.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub message: &'static str,
}

const fn refuse(status: u16, message: &'static str) -> Refusal {
    Refusal { status, message }
}

/// Reads up to the empty line that ends the header.
pub fn read_head(stream: &mut impl Read) -> Result<Vec<u8>, Refusal> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => return Err(refuse(400, "the request ended early")),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return Err(refuse(408, "the request took too long")),
        };
        // The end may lie across two reads.
        let from = head.len().saturating_sub(3);
        head.extend_from_slice(&buffer[..count]);
        if let Some(end) = head[from..].windows(4).position(|four| four == b"\r\n\r\n") {
            head.truncate(from + end);
            return if head.len() > LONGEST_HEAD { Err(refuse(431, "the header is too long")) } else { Ok(head) };
        }
        if head.len() > LONGEST_HEAD {
            return Err(refuse(431, "the header is too long"));
        }
    }
}

/// Understands a header without the empty line at its end.
pub fn parse_head(head: &[u8]) -> Result<Request, Refusal> {
    let text = std::str::from_utf8(head).map_err(|_| refuse(400, "the header is no text"))?;
    let mut lines = text.split("\r\n");
    let request_line = lines.next().unwrap_or_default();
    let parts: Vec<&str> = request_line.split(' ').collect();
    let [method, target, version] = parts[..] else { return Err(refuse(400, "the request line is malformed")) };
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
        return Err(refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here"));
    }
    let mut hosts = 0;
    for (index, line) in lines.enumerate() {
        if index >= MOST_FIELDS {
            return Err(refuse(431, "there are too many header fields"));
        }
        let Some((name, value)) = line.split_once(':') else { return Err(refuse(400, "a header field has no colon")) };
        if name.is_empty() || name.contains([' ', '\t']) || value.contains(['\r', '\n', '\0']) {
            return Err(refuse(400, "a header field is malformed"));
        }
        hosts += usize::from(name.eq_ignore_ascii_case("host"));
        let body = name.eq_ignore_ascii_case("transfer-encoding")
            || (name.eq_ignore_ascii_case("content-length") && value.trim() != "0");
        if body {
            return Err(refuse(413, "requests with a body are not accepted"));
        }
    }
    if hosts > 1 || (hosts == 0 && version == "HTTP/1.1") {
        return Err(refuse(400, "a request names exactly one host"));
    }
    if !matches!(method, "GET" | "HEAD") {
        return Err(refuse(405, "only GET and HEAD are allowed"));
    }
    Ok(Request { method: method.to_owned(), path: decode_path(target)? })
}

/// Decodes percent escapes once, and refuses every way out of the tree.
fn decode_path(target: &str) -> Result<String, Refusal> {
    let local = target.strip_prefix(SCHEME).map_or(target, |rest| rest.find('/').map_or("/", |at| &rest[at..]));
    let raw = local.split(['?', '#']).next().unwrap_or_default();
    if !raw.starts_with('/') {
        return Err(refuse(400, "the path does not start with a slash"));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = rest.get(..2).filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        let code =
            digits.and_then(|two| std::str::from_utf8(two).ok()).and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(code.ok_or(refuse(400, "a percent escape is malformed"))?);
        rest = &rest[2..];
    }
    let path = String::from_utf8(bytes).map_err(|_| refuse(400, "the path is no text"))?;
    let inner = path[1..].strip_suffix('/').unwrap_or(&path[1..]);
    let outside = inner.split('/').any(|part| matches!(part, "." | ".."));
    let empty = !inner.is_empty() && inner.split('/').any(str::is_empty);
    if outside || empty || path.contains(|character: char| character < ' ' || character == '\\') {
        return Err(refuse(400, "the path leads outside"));
    }
    Ok(path)
}

pub struct Response {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Response {
    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: body.into() }
    }

    pub fn json(status: u16, value: &crate::json::Value) -> Self {
        Self { status, content_type: "application/json", body: format!("{value}\n").into_bytes() }
    }

    /// Sends it as the only answer on its connection; without the body for HEAD.
    pub fn send(&self, stream: &mut impl Write, with_body: bool) -> io::Result<()> {
        let allow = if self.status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{allow}Cache-Control: no-store\r\nContent-Security-Policy: default-src 'self'\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            self.status,
            reason(self.status),
            self.content_type,
            self.body.len(),
        );
        stream.write_all(head.as_bytes())?;
        if with_body {
            stream.write_all(&self.body)?;
        }
        stream.flush()
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        Self::text(refusal.status, format!("{}\n", refusal.message))
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(target: &str) -> Result<String, u16> {
        parse_head(format!("GET {target} HTTP/1.1\r\nHost: x").as_bytes()).map(|it| it.path).map_err(|it| it.status)
    }

    #[test]
    fn paths_are_decoded_once_and_lose_their_query() {
        assert_eq!(path_of("/a%20b/c.js?x=../..#y"), Ok("/a b/c.js".into()));
        assert_eq!(path_of("/%2541"), Ok("/%41".into()));
        assert_eq!(path_of("/"), Ok("/".into()));
        assert_eq!(path_of("/a/"), Ok("/a/".into()));
        assert_eq!(path_of("http://helios:5801/a?x"), Ok("/a".into()));
        assert_eq!(path_of("http://helios"), Ok("/".into()));
        assert_eq!(path_of("http://helios/../x"), Err(400));
    }

    #[test]
    fn no_path_leads_outside() {
        for target in [
            "/..",
            "/../etc/passwd",
            "/a/../../b",
            "/%2e%2e/etc",
            "/..%2fetc",
            "/a//b",
            "//etc",
            "/a%00b",
            "/a\\..\\b",
            "/./a",
            "etc",
            "/%zz",
            "/%",
            "/%ff",
        ] {
            assert_eq!(path_of(target), Err(400), "{target}");
        }
    }

    #[test]
    fn other_methods_bodies_and_versions_are_refused() {
        let status = |head: &str| parse_head(head.as_bytes()).map_err(|refusal| refusal.status);
        assert_eq!(status("POST / HTTP/1.1\r\nHost: x"), Err(405));
        assert_eq!(status("GET / HTTP/1.0").map(|it| it.path), Ok("/".into()));
        assert_eq!(status("GET / HTTP/1.1"), Err(400), "no host");
        assert_eq!(status("GET / HTTP/1.1\r\nHost: x\r\nhost: y"), Err(400), "two hosts");
        assert_eq!(status("GET / HTTP/1.1\r\nContent-Length: 5"), Err(413));
        assert_eq!(status("GET / HTTP/1.1\r\nTransfer-Encoding: chunked"), Err(413));
        assert_eq!(status("GET / HTTP/2"), Err(505));
        assert_eq!(status("GET /"), Err(400));
        assert_eq!(status("GET / HTTP/1.1\r\nno colon"), Err(400));
        assert_eq!(status(&format!("GET / HTTP/1.1{}", "\r\na: b".repeat(MOST_FIELDS + 1))), Err(431));
    }

    #[test]
    fn the_head_is_found_across_reads_and_has_a_limit() {
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let Some((&byte, rest)) = self.0.split_first() else { return Ok(0) };
                buffer[0] = byte;
                self.0 = rest;
                Ok(1)
            }
        }
        assert_eq!(read_head(&mut Slow(b"GET / HTTP/1.1\r\n\r\nrest")), Ok(b"GET / HTTP/1.1".to_vec()));
        assert_eq!(read_head(&mut Slow(b"GET / HT")).map_err(|it| it.status), Err(400));
        assert_eq!(read_head(&mut &vec![b'a'; LONGEST_HEAD + 2000][..]).map_err(|it| it.status), Err(431));
    }

    #[test]
    fn an_answer_says_how_long_it_is() {
        let mut sent = Vec::new();
        Response::text(404, "no\n").send(&mut sent, true).expect("memory to take it");
        let sent = String::from_utf8(sent).expect("text");
        assert!(sent.starts_with("HTTP/1.1 404 Not Found\r\n") && sent.contains("\r\nContent-Length: 3\r\n"), "{sent}");
        assert!(sent.ends_with("\r\n\r\nno\n"), "{sent}");
    }
}
