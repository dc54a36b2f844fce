//! The state of the system: what the kernel says, and what the other programs answer on their sockets.

use helios_common::files::attribute;
use helios_common::json::{object, Value};
use helios_common::status;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

/// Programs that are asked, by the name of their socket.
const SERVICES: [&str; 3] = ["engine", "peripherals", "updater"];

/// Where the programs listen.
pub struct Sockets(Vec<(&'static str, PathBuf)>);

impl Sockets {
    /// From `HELIOS_SOCKET_DIR`, /run/helios by default.
    pub fn of_process() -> Self {
        Self::below(std::env::var_os("HELIOS_SOCKET_DIR").unwrap_or_else(|| "/run/helios".into()).as_ref())
    }

    pub fn below(directory: &Path) -> Self {
        Self(SERVICES.iter().map(|name| (*name, directory.join(format!("{name}.sock")))).collect())
    }

    /// What each program answers. They are asked at once: all that do not answer take as long as one of them.
    fn ask(&self) -> Vec<(&'static str, Result<Value, String>)> {
        thread::scope(|scope| {
            let asked = self.0.iter().map(|(name, socket)| {
                let spawned =
                    thread::Builder::new().name((*name).into()).spawn_scoped(scope, move || status::ask(socket));
                (*name, spawned)
            });
            let asked: Vec<_> = asked.collect();
            let answer = |spawned: io::Result<thread::ScopedJoinHandle<'_, Result<Value, String>>>| match spawned {
                Ok(thread) => thread.join().unwrap_or_else(|_| Err("the question failed".into())),
                Err(error) => Err(format!("no thread to ask by: {error}")),
            };
            asked.into_iter().map(|(name, spawned)| (name, answer(spawned))).collect()
        })
    }
}

/// Everything in one object. A program that does not answer has an `error` in its place.
pub fn read(sockets: &Sockets) -> Value {
    let mut members = vec![("system".to_owned(), system())];
    for (name, answer) in sockets.ask() {
        let answer = answer.unwrap_or_else(|problem| object([("error", problem.into())]));
        members.push((name.to_owned(), answer));
    }
    Value::Object(members)
}

fn system() -> Value {
    let memory = attribute("/proc/meminfo").unwrap_or_default();
    let uptime = attribute("/proc/uptime").unwrap_or_default();
    let load = attribute("/proc/loadavg").unwrap_or_default();
    object([
        ("hostname", attribute("/proc/sys/kernel/hostname").into()),
        ("kernel", attribute("/proc/sys/kernel/osrelease").into()),
        ("uptimeSeconds", decimal(&uptime, 0).map_or(Value::Null, |seconds| Value::Integer(seconds as i64))),
        ("load", Value::List((0..3).map(|index| decimal(&load, index).map_or(Value::Null, Value::Float)).collect())),
        ("memoryTotalBytes", kibibytes(&memory, "MemTotal").into()),
        ("memoryAvailableBytes", kibibytes(&memory, "MemAvailable").into()),
    ])
}

/// Metrics of the system and of the programs, as Prometheus reads them.
pub fn metrics(sockets: &Sockets) -> String {
    let mut text = String::from(
        "# HELP helios_service_up Whether the program answers on its socket.\n# TYPE helios_service_up gauge\n",
    );
    for (name, answer) in sockets.ask() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "helios_service_up{{service=\"{name}\"}} {}", u8::from(answer.is_ok()));
    }
    let system = system();
    for (name, field, help) in [
        ("helios_uptime_seconds", "uptimeSeconds", "Time since boot."),
        ("helios_memory_total_bytes", "memoryTotalBytes", "Memory of the machine."),
        ("helios_memory_available_bytes", "memoryAvailableBytes", "Memory that programs can still have."),
    ] {
        if let Some(value) = system.get(field).and_then(Value::integer) {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
        }
    }
    text
}

/// A field of a line of numbers.
fn decimal(line: &str, index: usize) -> Option<f64> {
    line.split_whitespace().nth(index)?.parse().ok()
}

/// A field of /proc/meminfo, in bytes.
fn kibibytes(memory: &str, name: &str) -> Option<i64> {
    let rest = memory.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    rest.split_whitespace().next()?.parse::<i64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::time::Instant;

    #[test]
    fn programs_that_hang_take_as_long_as_one_of_them() {
        let directory = std::env::temp_dir().join(format!("helios-hanging-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a folder");
        let sockets = Sockets::below(&directory);
        // The kernel takes clients, and nobody ever answers them.
        let hanging: Vec<_> = sockets.0.iter().map(|(_, path)| UnixListener::bind(path).expect("a socket")).collect();
        let started = Instant::now();
        let state = read(&sockets);
        let elapsed = started.elapsed();
        std::fs::remove_dir_all(&directory).expect("the folder to be there");
        // One after the other, they would take three times as long as one.
        assert!(elapsed < status::PATIENCE * 3, "{elapsed:?}");
        for name in SERVICES {
            assert!(state.get(name).is_some_and(|answer| answer.get("error").is_some()), "{state}");
        }
        drop(hanging);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let memory = "MemTotal:        1000 kB\nMemAvailable:     400 kB\n";
        assert_eq!(kibibytes(memory, "MemTotal"), Some(1_024_000));
        assert_eq!(kibibytes(memory, "Mem"), None);
    }

    #[test]
    fn the_kernel_is_always_asked() {
        let state = read(&Sockets::below("/nonexistent".as_ref()));
        let system = state.get("system").expect("a system");
        assert!(system.get("uptimeSeconds").and_then(Value::integer).is_some_and(|seconds| seconds > 0), "{system}");
    }
}
