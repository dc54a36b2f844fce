//! The answer to every client.

use std::time::Duration;

pub const NAME: &str = env!("CARGO_PKG_NAME");
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One line of JSON: name and version, the process, how many requests came so
/// far (this one included), and how long it has run. The last two are computed
/// for each answer, so a recorded answer is told from a living engine.
pub fn line(requests: u64, uptime: Duration) -> String {
    let pid = std::process::id();
    let microseconds = uptime.as_micros();
    format!(
        "{{\"name\":{},\"version\":{},\"pid\":{pid},\"requests\":{requests},\"uptimeMicroseconds\":{microseconds}}}\n",
        quote(NAME),
        quote(VERSION),
    )
}

/// A JSON string.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", control as u32)),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_runs() {
        assert_eq!(
            line(3, Duration::from_millis(12)),
            format!(
                "{{\"name\":\"helios-engine\",\"version\":\"{VERSION}\",\"pid\":{},\"requests\":3,\"uptimeMicroseconds\":12000}}\n",
                std::process::id(),
            )
        );
    }

    #[test]
    fn strings_stay_strings() {
        assert_eq!(quote("a\"b\\c\nd"), "\"a\\\"b\\\\c\\u000ad\"");
    }
}
