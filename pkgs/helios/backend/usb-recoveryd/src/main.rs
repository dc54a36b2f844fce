//! Answers a person, or a program, on the serial ports of the USB gadget when
//! the network is no way in. One line in, one line of JSON out.

use helios_common::json::{object, Value};
use helios_common::{status, termination};
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Longer lines are refused: the other side is any computer that is plugged in.
const LONGEST_LINE: u64 = 256;
/// Between one conversation and the next, and after a port that could not be opened.
const PAUSE: Duration = Duration::from_secs(1);
/// What a port without its device gives, from errno(3).
const ENODEV: i32 = 19;

fn main() -> ExitCode {
    let listed = std::env::var("HELIOS_USB_RECOVERY_PORTS").unwrap_or_else(|_| "/dev/ttyGS0,/dev/ttyGS1".into());
    let ports: Vec<PathBuf> = listed.split(',').filter(|port| !port.is_empty()).map(Into::into).collect();
    let there: Vec<PathBuf> = ports.iter().filter(|port| port.exists()).cloned().collect();
    match std::env::args().nth(1).as_deref() {
        Some("--version") => println!("{NAME} {VERSION}"),
        Some("--status") => println!("{}", ports_status(&ports)),
        _ if there.is_empty() => println!("{NAME}: none of {listed} is there; nothing to do"),
        _ => return serve(there),
    }
    ExitCode::SUCCESS
}

fn ports_status(ports: &[PathBuf]) -> Value {
    let listed = ports
        .iter()
        .map(|port| object([("port", port.to_string_lossy().into_owned().into()), ("present", port.exists().into())]));
    object([
        ("name", NAME.into()),
        ("missing", (!ports.iter().any(|port| port.exists())).into()),
        ("ports", listed.collect::<Vec<_>>().into()),
    ])
}

fn serve(ports: Vec<PathBuf>) -> ExitCode {
    if let Err(error) = termination::on_request(|| std::process::exit(0)) {
        helios_common::log::error(NAME, error);
        return ExitCode::FAILURE;
    }
    let threads: Vec<_> = ports
        .into_iter()
        .map(|port| {
            println!("{NAME}: listening on {}", port.display());
            thread::spawn(move || {
                let open = || {
                    let file = OpenOptions::new().read(true).write(true).open(&port)?;
                    quieten(&port);
                    let writer = file.try_clone()?;
                    Ok((BufReader::new(file), writer))
                };
                attend(open, PAUSE);
                println!("{NAME}: {} is gone", port.display());
            })
        })
        .collect();
    for thread in threads {
        // A thread that panicked ended the process already.
        let _ = thread.join();
    }
    // The gadget was taken away; with the next one systemd starts this again.
    ExitCode::SUCCESS
}

/// Converses with whoever plugs the cable in, one after the other, until the port is no more. To pull the cable ends a
/// conversation, and is no failure.
fn attend<R: BufRead, W: Write>(mut open: impl FnMut() -> io::Result<(R, W)>, pause: Duration) {
    loop {
        match open() {
            Ok((reader, writer)) => {
                if let Err(error) = converse(reader, writer) {
                    println!("{NAME}: {error}");
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(ENODEV) => return,
            Err(error) => helios_common::log::warning(NAME, error),
        }
        thread::sleep(pause);
    }
}

/// Lines end with Return, and nothing is echoed: two ends that echo would talk to each other for ever.
fn quieten(port: &Path) {
    match Command::new("stty").arg("-F").arg(port).args(["sane", "-echo", "icrnl"]).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            helios_common::log::warning(NAME, format!("stty: {}", said.trim()));
        }
        Err(error) => helios_common::log::warning(NAME, format!("stty: {error}")),
    }
}

/// Answers line by line until the other side is gone.
fn converse(mut reader: impl BufRead, mut writer: impl Write) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        let count = (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if count == 0 {
            return Ok(());
        }
        let cut = !line.ends_with(b"\n") && line.len() as u64 == LONGEST_LINE;
        if cut {
            reader.skip_until(b'\n')?;
        }
        // A terminal that echoes sends our own answers back, with empty lines; to answer these would never end.
        if line.starts_with(b"{") || line.trim_ascii().is_empty() {
            continue;
        }
        let answer = if cut {
            object([("error", "the line is too long".into())])
        } else {
            answer(String::from_utf8_lossy(&line).trim())
        };
        writeln!(writer, "{answer}")?;
        writer.flush()?;
    }
}

fn answer(command: &str) -> Value {
    match command {
        "ping" => object([("name", NAME.into()), ("version", VERSION.into())]),
        "status" => {
            let ask = |socket: &str| {
                status::ask(Path::new(socket)).unwrap_or_else(|problem| object([("error", problem.into())]))
            };
            object([("updater", ask("/run/helios/updater.sock")), ("engine", ask("/run/helios/engine.sock"))])
        }
        "reboot" => match Command::new("systemctl").args(["--no-block", "reboot"]).status() {
            Ok(status) => object([("rebooting", status.success().into())]),
            Err(error) => object([("error", format!("systemctl: {error}").into())]),
        },
        other => object([("error", format!("unknown command '{other}'; known are ping, status, reboot").into())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_answered_and_long_ones_refused() {
        let input = format!("ping\n{}\nhelp\r\n", "x".repeat(1000));
        let mut output = Vec::new();
        converse(input.as_bytes(), &mut output).expect("memory to take it");
        let output = String::from_utf8(output).expect("text");
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(lines.len(), 3, "{output}");
        assert!(lines[0].contains("helios-usb-recoveryd"));
        assert!(lines[1].contains("too long"));
        assert!(lines[2].contains("unknown command 'help'"));
    }

    #[test]
    fn noise_half_a_line_and_our_own_words_do_no_harm() {
        let echoed = format!("{}\n{{\"x\":\"{}\"}}\n", answer("ping"), "y".repeat(1000));
        let input = [echoed.as_bytes(), b"\r\n\n\xff\0\x1b[2J\n", b"pin"].concat();
        let mut output = Vec::new();
        converse(&input[..], &mut output).expect("memory to take it");
        let output = String::from_utf8(output).expect("text");
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(lines.len(), 2, "{output}");
        assert!(lines[0].contains("unknown command") && !lines[0].contains(['\0', '\x1b']), "{output}");
        assert!(lines[1].contains("unknown command 'pin'"), "{output}");
    }

    #[test]
    fn a_pulled_cable_ends_a_conversation_and_not_the_program() {
        let mut plugs = vec![
            Err(ErrorKind::NotFound.into()),
            Ok(&b"ping\n"[..]),
            Err(ErrorKind::PermissionDenied.into()),
            Ok(b"ping\nping\n"),
        ];
        let output = std::cell::RefCell::new(Vec::new());
        struct Shared<'a>(&'a std::cell::RefCell<Vec<u8>>);
        impl Write for Shared<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.borrow_mut().write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let open = || plugs.pop().expect("no more than there are").map(|input| (input, Shared(&output)));
        attend(open, Duration::ZERO);
        assert_eq!(String::from_utf8_lossy(&output.borrow()).lines().count(), 3);
    }

    #[test]
    fn missing_ports_are_said_to_be_missing() {
        let found = ports_status(&["/nonexistent/ttyGS0".into()]);
        assert_eq!(found.get("missing"), Some(&Value::Bool(true)), "{found}");
    }
}
