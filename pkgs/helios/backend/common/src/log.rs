//! Lines for the journal, with their priority in front, see sd-daemon(3).
//! Without it whatever a program prints counts as mere information.

use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

/// Something went wrong that somebody should look at.
pub fn error(name: &str, problem: impl Display) {
    print(io::stderr(), 3, name, problem);
}

/// Something is not as it should be, and the program copes.
pub fn warning(name: &str, problem: impl Display) {
    print(io::stderr(), 4, name, problem);
}

/// Something that is worth knowing.
pub fn information(name: &str, fact: impl Display) {
    print(io::stderr(), 6, name, fact);
}

/// A journal that went away takes no lines, which is no reason to end: `eprintln` would.
fn print(mut stream: impl Write, priority: u8, name: &str, message: impl Display) {
    let _ = writeln!(stream, "{}", line(priority, name, &message.to_string(), is_journal()));
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
    fn a_journal_that_went_away_does_no_harm() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("two ends");
        print(&ours, 3, "helios", "heard");
        let mut heard = [0; 64];
        let count = io::Read::read(&mut &theirs, &mut heard).expect("a line");
        assert_eq!(&heard[..count], b"helios: heard\n");
        drop(theirs);
        print(&ours, 3, "helios", "unheard");
    }

    #[test]
    fn only_the_journal_gets_priorities_and_each_line_has_one() {
        assert_eq!(line(3, "helios", "no disk", false), "helios: no disk");
        assert_eq!(line(3, "helios", "no disk\nat all\n", true), "<3>helios: no disk\n<3>at all");
    }
}
