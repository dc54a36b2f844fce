//! Writes down how a unit failed while the traces are fresh: its state, its
//! last messages, memory and load. Started by systemd (OnFailure=).

use helios_common::files::{attribute, entries};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Older reports are removed, so that a unit that fails for ever does not fill the disk.
const MOST_REPORTS: usize = 20;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let unit = match words[..] {
        ["--version"] => {
            println!("{NAME} {VERSION}");
            return ExitCode::SUCCESS;
        }
        ["--unit", unit] => unit,
        _ => {
            helios_common::log::error(NAME, format!("usage: {NAME} --unit UNIT"));
            return ExitCode::from(2);
        }
    };
    let directory = std::env::var_os("LOGS_DIRECTORY").map_or_else(|| PathBuf::from("/var/log/helios"), PathBuf::from);
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match write_report(&directory, unit, seconds, &report(unit)) {
        Ok(path) => {
            println!("{NAME}: {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            helios_common::log::error(NAME, format!("{}: {error}", directory.display()));
            ExitCode::FAILURE
        }
    }
}

fn report(unit: &str) -> String {
    let sections = [
        ("unit", output(Command::new("systemctl").args(["status", "--no-pager", "--full", "--lines=0", "--", unit]))),
        ("journal", output(Command::new("journalctl").args(["--no-pager", "--boot", "--lines=100", "--unit", unit]))),
        ("failed units", output(Command::new("systemctl").args(["list-units", "--failed", "--no-pager", "--plain"]))),
        ("memory", attribute("/proc/meminfo").unwrap_or_else(|| "unknown".into())),
        ("load", attribute("/proc/loadavg").unwrap_or_else(|| "unknown".into())),
    ];
    sections.iter().map(|(title, text)| format!("== {title}\n{}\n\n", text.trim_end())).collect()
}

/// What a program printed, whatever its status: `systemctl status` of a failed unit fails too.
fn output(command: &mut Command) -> String {
    match command.output() {
        Ok(output) => String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        Err(error) => format!("{}: {error}", command.get_program().to_string_lossy()),
    }
}

fn write_report(directory: &Path, unit: &str, seconds: u64, text: &str) -> std::io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let safe: String =
        unit.chars().map(|it| if it.is_ascii_alphanumeric() || "-_.@".contains(it) { it } else { '_' }).collect();
    // Padded, so that the order of names is the order of times.
    let path = directory.join(format!("failure-{seconds:012}-{safe}.txt"));
    fs::write(&path, text)?;
    let reports: Vec<PathBuf> = entries(directory)
        .into_iter()
        .filter(|it| it.file_name().is_some_and(|name| name.to_string_lossy().starts_with("failure-")))
        .collect();
    for old in reports.iter().take(reports.len().saturating_sub(MOST_REPORTS)) {
        fs::remove_file(old)?;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_reports_go_and_names_stay_in_the_directory() {
        let directory = std::env::temp_dir().join(format!("helios-diagnostics-{}", std::process::id()));
        for seconds in 0..25 {
            write_report(&directory, "../x.service", seconds, "text").expect("a report");
        }
        let kept = entries(&directory);
        fs::remove_dir_all(&directory).expect("the folder to be there");
        assert_eq!(kept.len(), MOST_REPORTS);
        assert!(kept[0].ends_with("failure-000000000005-.._x.service.txt"), "{}", kept[0].display());
    }

    #[test]
    fn a_report_has_every_section_even_without_systemd() {
        let text = report("x.service");
        for title in ["== unit", "== journal", "== failed units", "== memory\nMemTotal", "== load\n"] {
            assert!(text.contains(title), "{title}");
        }
    }
}
