//! First boot: makes the DATA partition in the free space behind the last
//! partition of the disk that the system runs from. It only adds: nothing that
//! exists is changed, and a second run finds that there is nothing to do.
//!
//! Afterwards the link --link leads to the DATA partition, or does not exist.

mod disk;
mod plan;

use disk::Disk;
use plan::{Facts, Plan};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const NAME: &str = env!("CARGO_PKG_NAME");
const SECTORS_PER_MIB: u64 = 2048;
const HELP: &str = "helios-provision [--dry-run] [--disk DEVICE] [--link PATH] [--journal PATH] [--minimum-mib N]

  --dry-run         say what would be done, and do nothing
  --disk DEVICE     use this disk instead of the one that / is on
  --link PATH       where the link to the DATA partition is made
  --journal PATH    remembers a partition that has no file system yet
  --minimum-mib N   leave less free space than this alone
";

#[derive(Debug, PartialEq, Eq)]
struct Options {
    dry_run: bool,
    disk: Option<PathBuf>,
    link: PathBuf,
    journal: PathBuf,
    minimum: u64,
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        dry_run: false,
        disk: None,
        link: "/run/helios-data/device".into(),
        journal: "/var/lib/helios-provision/started".into(),
        minimum: 64,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--dry-run" => options.dry_run = true,
            "--disk" => options.disk = Some(value()?.into()),
            "--link" => options.link = value()?.into(),
            "--journal" => options.journal = value()?.into(),
            "--minimum-mib" => {
                // Sectors are counted in 64 bits.
                let number = value()?.parse().ok().filter(|mib: &u64| mib.checked_mul(SECTORS_PER_MIB).is_some());
                options.minimum = number.ok_or("--minimum-mib needs a number that a disk can have")?;
            }
            other => return Err(format!("unknown argument {other}\n\n{HELP}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)).and_then(|options| provision(&options)) {
        Ok(message) => {
            println!("{NAME}: {message}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            helios_common::log::error(NAME, problem);
            ExitCode::FAILURE
        }
    }
}

fn provision(options: &Options) -> Result<String, String> {
    let Some(disk) = options.disk.clone().map_or_else(disk::of_root, |path| Ok(Some(path)))?.map(Disk::new) else {
        return Ok("the root file system is on no disk; nothing to do".into());
    };
    let facts = Facts {
        table: disk.table()?,
        sectors: disk.sectors()?,
        started: journal(&options.journal)?,
        minimum: options.minimum * SECTORS_PER_MIB,
    };
    let plan = plan::decide(&facts, |node| disk::is_data(Path::new(node)))?;
    if options.dry_run {
        return Ok(format!("{plan} (dry run)"));
    }
    let node = match &plan {
        Plan::Found { node } => Some(node.clone()),
        Plan::Nothing { .. } => None,
        Plan::Format { node, .. } => {
            disk::make_file_system(node)?;
            Some(node.clone())
        }
        Plan::Create { start, size, .. } => {
            // Written first: a power cut from here on leaves a partition that the next boot recognises as ours.
            write_journal(&options.journal, *start)?;
            disk.append(*start, *size)?;
            let node = disk.node_at(*start)?;
            disk::make_file_system(&node)?;
            Some(node)
        }
    };
    if facts.started.is_some() || matches!(plan, Plan::Create { .. }) {
        forget(&options.journal)?;
    }
    link(&options.link, node.as_deref())?;
    Ok(plan.to_string())
}

fn journal(path: &Path) -> Result<Option<u64>, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn write_journal(path: &Path, start: u64) -> Result<(), String> {
    let write = || -> io::Result<()> {
        let directory = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(directory)?;
        fs::write(path, format!("{start}\n"))?;
        fs::File::open(path)?.sync_all()?;
        fs::File::open(directory)?.sync_all()
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", path.display())),
        _ => Ok(()),
    }
}

/// Removes the journal for good before anybody can write to DATA: if it came back
/// after a power cut, the next boot would make the file system anew.
fn forget(path: &Path) -> Result<(), String> {
    remove(path)?;
    match fs::File::open(path.parent().unwrap_or(Path::new("/"))).and_then(|directory| directory.sync_all()) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", path.display())),
        _ => Ok(()),
    }
}

fn link(path: &Path, node: Option<&str>) -> Result<(), String> {
    remove(path)?;
    let Some(node) = node else { return Ok(()) };
    let make = || -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        std::os::unix::fs::symlink(node, path)
    };
    make().map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_understood_or_refused() {
        let read = |line: &str| options(line.split_whitespace().map(str::to_owned));
        let found = read("--dry-run --disk /dev/x --minimum-mib 8").expect("options");
        assert!(found.dry_run && found.disk == Some("/dev/x".into()) && found.minimum == 8);
        assert!(read("--disk").is_err() && read("--force").is_err() && read("--minimum-mib x").is_err());
        assert!(read("--minimum-mib 18446744073709551615").is_err() && read("--minimum-mib -1").is_err());
    }

    #[test]
    fn the_journal_is_written_read_and_removed() {
        let path = std::env::temp_dir().join(format!("helios-journal-{}/started", std::process::id()));
        assert_eq!(journal(&path), Ok(None));
        write_journal(&path, 4096).expect("a journal");
        assert_eq!(journal(&path), Ok(Some(4096)));
        forget(&path).expect("to remove it");
        forget(&path).expect("to find nothing to remove");
        fs::remove_dir(path.parent().expect("a folder")).expect("the folder to be empty");
        forget(&path).expect("to do without a folder, too");
    }
}
