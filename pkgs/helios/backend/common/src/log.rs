//! Lines for the journal, with their priority in front, see sd-daemon(3).
//! Without it whatever a program prints counts as mere information.

use std::fmt::Display;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// Something went wrong that somebody should look at.
pub fn error(name: &str, problem: impl Display) {
    eprintln!("{}", line(3, name, &problem.to_string(), is_journal()));
}

/// Something is not as it should be, and the program copes.
pub fn warning(name: &str, problem: impl Display) {
    eprintln!("{}", line(4, name, &problem.to_string(), is_journal()));
}

/// A line is an entry of its own, so each one gets the prefix.
fn line(priority: u8, name: &str, problem: &str, journal: bool) -> String {
    let prefix = if journal { format!("<{priority}>") } else { String::new() };
    format!("{prefix}{name}: {}", problem.trim_end().replace('\n', &format!("\n{prefix}")))
}

/// Whether standard error leads to the journal: systemd says which device and inode that would be.
fn is_journal() -> bool {
    let Ok(expected) = std::env::var("JOURNAL_STREAM") else { return false };
    fs::metadata("/proc/self/fd/2").is_ok_and(|stream| format!("{}:{}", stream.dev(), stream.ino()) == expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_journal_gets_priorities_and_each_line_has_one() {
        assert_eq!(line(3, "helios", "no disk", false), "helios: no disk");
        assert_eq!(line(3, "helios", "no disk\nat all\n", true), "<3>helios: no disk\n<3>at all");
    }
}
