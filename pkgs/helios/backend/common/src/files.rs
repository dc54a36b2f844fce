//! Small text files: sysfs attributes, /proc, os-release.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The content of a small file without the line end; nothing if it cannot be read.
pub fn attribute(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim_end().to_owned())
}

/// The number in a small file.
pub fn number(path: impl AsRef<Path>) -> Option<i64> {
    attribute(path)?.trim().parse().ok()
}

/// The entries of a directory, in order of their names; none if there is no such directory.
pub fn entries(directory: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(directory).map(|all| all.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    found.sort();
    found
}

/// The last component of a path as text.
pub fn base_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Assignments as os-release(5) has them, with or without quotes.
pub fn assignments(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), unquote(value)))
        .collect()
}

fn unquote(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner.replace("\\\"", "\"").replace("\\$", "$").replace("\\\\", "\\");
        }
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_lose_their_quotes() {
        let found = assignments("# comment\nNAME=HeliOS\nPRETTY_NAME=\"HeliOS \\\"1\\\"\"\n\nVERSION_ID='2'\n");
        assert_eq!(found.len(), 3);
        assert_eq!(found["NAME"], "HeliOS");
        assert_eq!(found["PRETTY_NAME"], "HeliOS \"1\"");
        assert_eq!(found["VERSION_ID"], "2");
    }

    #[test]
    fn what_is_missing_is_empty_and_no_error() {
        assert_eq!(attribute("/nonexistent/file"), None);
        assert_eq!(number("/nonexistent/file"), None);
        assert!(entries("/nonexistent").is_empty());
    }
}
