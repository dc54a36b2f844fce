//! Watches the buttons of the board: one that is held long enough runs a
//! command, such as a reset of the network.

use helios_common::files::{attribute, base_name, entries};
use helios_common::json::{object, Value};
use helios_common::termination;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Keys from linux/input-event-codes.h that boards use for their buttons.
const KEYS: [(&str, u16); 3] = [("KEY_POWER", 116), ("KEY_CONFIG", 171), ("KEY_RESTART", 0x198)];
const EV_KEY: u16 = 1;
/// `struct input_event` on 64-bit machines: two words of time, then type, code and value.
const EVENT_SIZE: usize = 24;

fn main() -> ExitCode {
    let devices = buttons(Path::new("/sys/class/input"), Path::new("/dev/input"));
    match std::env::args().nth(1).as_deref() {
        Some("--version") => println!("{NAME} {VERSION}"),
        Some("--status") => println!("{}", status(&devices)),
        _ if devices.is_empty() => println!("{NAME}: the board has no button; nothing to do"),
        _ => return watch(devices),
    }
    ExitCode::SUCCESS
}

fn status(devices: &[PathBuf]) -> Value {
    let listed: Vec<Value> = devices.iter().map(|device| device.to_string_lossy().into_owned().into()).collect();
    object([("name", NAME.into()), ("missing", listed.is_empty().into()), ("devices", listed.into())])
}

/// Devices that have one of the keys, by the kernel's bitmap of what each can send.
fn buttons(class: &Path, devices: &Path) -> Vec<PathBuf> {
    let events = entries(class).into_iter().filter(|path| base_name(path).starts_with("event"));
    let able = events.filter(|path| {
        let bitmap = attribute(path.join("device/capabilities/key")).unwrap_or_default();
        KEYS.iter().any(|(_, code)| has_bit(&bitmap, *code))
    });
    able.map(|path| devices.join(base_name(&path))).collect()
}

/// The kernel prints words of 64 bits in hexadecimal, the highest first.
fn has_bit(bitmap: &str, bit: u16) -> bool {
    let word = bitmap.split_whitespace().rev().nth(usize::from(bit / 64));
    word.and_then(|word| u64::from_str_radix(word, 16).ok()).is_some_and(|word| word >> (bit % 64) & 1 == 1)
}

/// Whether a button went down (true) or up (false); nothing for other events and repetitions.
fn press(event: &[u8; EVENT_SIZE]) -> Option<bool> {
    let [kind, code] = [16, 18].map(|at| u16::from_ne_bytes([event[at], event[at + 1]]));
    let value = i32::from_ne_bytes([event[20], event[21], event[22], event[23]]);
    let ours = kind == EV_KEY && KEYS.iter().any(|(_, known)| *known == code);
    match value {
        0 if ours => Some(false),
        1 if ours => Some(true),
        _ => None,
    }
}

fn seconds(name: &str, default: u64) -> Duration {
    let set = std::env::var(name).ok();
    let (seconds, problem) = number_or(set.as_deref(), default);
    if let Some(problem) = problem {
        helios_common::log::warning(NAME, format!("{name}: {problem}"));
    }
    Duration::from_secs(seconds)
}

/// A number of seconds, and what is wrong with the text if it is none. Zero would take every touch for a hold.
fn number_or(text: Option<&str>, default: u64) -> (u64, Option<String>) {
    match text.map(|text| (text, text.parse())) {
        None => (default, None),
        Some((_, Ok(seconds))) if seconds > 0 => (seconds, None),
        Some((text, _)) => (default, Some(format!("'{text}' is no number of seconds above zero; it is {default}"))),
    }
}

/// One thread per device; the main one measures how long a button is held.
fn watch(devices: Vec<PathBuf>) -> ExitCode {
    let hold = seconds("HELIOS_BOOT_BUTTON_HOLD_SECS", 5);
    let cooldown = seconds("HELIOS_BOOT_BUTTON_COOLDOWN_SECS", 15);
    let command = std::env::var("HELIOS_BOOT_BUTTON_RESET_CMD").unwrap_or_default();
    if let Err(error) = termination::on_request(|| std::process::exit(0)) {
        helios_common::log::error(NAME, error);
        return ExitCode::FAILURE;
    }
    let (sender, presses) = mpsc::channel();
    for device in devices {
        println!("{NAME}: watching {}", device.display());
        let sender = sender.clone();
        thread::spawn(move || {
            if let Err(error) = read_events(&device, &sender) {
                helios_common::log::error(NAME, format!("{}: {error}", device.display()));
            }
        });
    }
    drop(sender);
    while let Ok(down) = presses.recv() {
        if down && is_held(&presses, hold) {
            run(&command);
            thread::sleep(cooldown);
            while presses.try_recv().is_ok() {}
        }
    }
    helios_common::log::error(NAME, "no button is left");
    ExitCode::FAILURE
}

/// Whether nothing is let go for this long.
fn is_held(presses: &mpsc::Receiver<bool>, hold: Duration) -> bool {
    matches!(presses.recv_timeout(hold), Err(mpsc::RecvTimeoutError::Timeout))
}

fn read_events(device: &Path, sender: &mpsc::Sender<bool>) -> std::io::Result<()> {
    let mut file = File::open(device)?;
    let mut event = [0; EVENT_SIZE];
    loop {
        file.read_exact(&mut event)?;
        if let Some(down) = press(&event) {
            if sender.send(down).is_err() {
                return Ok(());
            }
        }
    }
}

fn run(command: &str) {
    if command.is_empty() {
        println!("{NAME}: the button was held; HELIOS_BOOT_BUTTON_RESET_CMD is not set");
        return;
    }
    println!("{NAME}: the button was held; running {command}");
    match Command::new("/bin/sh").args(["-c", command]).status() {
        Ok(status) => println!("{NAME}: {command}: {status}"),
        Err(error) => helios_common::log::error(NAME, format!("{command}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: u16, code: u16, value: i32) -> [u8; EVENT_SIZE] {
        let mut bytes = [0; EVENT_SIZE];
        bytes[16..18].copy_from_slice(&kind.to_ne_bytes());
        bytes[18..20].copy_from_slice(&code.to_ne_bytes());
        bytes[20..24].copy_from_slice(&value.to_ne_bytes());
        bytes
    }

    #[test]
    fn only_the_buttons_count() {
        assert_eq!(press(&event(EV_KEY, 116, 1)), Some(true));
        assert_eq!(press(&event(EV_KEY, 0x198, 0)), Some(false));
        assert_eq!(press(&event(EV_KEY, 116, 2)), None, "repetition");
        assert_eq!(press(&event(EV_KEY, 30, 1)), None, "another key");
        assert_eq!(press(&event(0, 116, 1)), None, "another kind");
    }

    #[test]
    fn keys_are_found_in_the_kernels_bitmap() {
        assert!(has_bit("10000000000000 0", 116));
        assert!(!has_bit("10000000000000 0", 52));
        assert!(!has_bit("", 116) && !has_bit("nonsense", 1));
    }

    #[test]
    fn letting_go_in_time_is_no_hold() {
        let (sender, presses) = mpsc::channel();
        sender.send(false).expect("a receiver");
        assert!(!is_held(&presses, Duration::from_secs(5)));
        assert!(is_held(&presses, Duration::from_millis(1)));
    }

    #[test]
    fn a_setting_that_is_no_number_of_seconds_is_told_and_not_taken() {
        assert_eq!(number_or(None, 5), (5, None));
        assert_eq!(number_or(Some("7"), 5), (7, None));
        for wrong in ["0", "-1", "five", "", "99999999999999999999"] {
            let (seconds, problem) = number_or(Some(wrong), 5);
            assert!(seconds == 5 && problem.is_some_and(|it| it.contains(&format!("'{wrong}'"))), "{wrong}");
        }
    }

    #[test]
    fn a_board_without_buttons_says_so() {
        let found = status(&buttons(Path::new("/nonexistent"), Path::new("/dev/input")));
        assert_eq!(found.get("missing"), Some(&Value::Bool(true)));
    }
}
