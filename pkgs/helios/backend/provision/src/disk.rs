//! Disks, by way of sysfs, sfdisk(8), partx(8) and mkfs.ext4(8).

use helios_common::files::{base_name, number};
use helios_common::json::{self, Value};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const LABEL: &str = "DATA";
/// How long the kernel and udev may take to show a new partition.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Disk {
    device: PathBuf,
}

/// The disk that / is on; nothing if / is on no partition, as in a container.
pub fn of_root() -> Result<Option<PathBuf>, String> {
    let device = fs::metadata("/").map_err(|error| format!("/: {error}"))?.dev();
    // As gnu_dev_major(3) and gnu_dev_minor(3) take it apart.
    let major = ((device >> 8) & 0xfff) | ((device >> 32) & !0xfff);
    let minor = (device & 0xff) | ((device >> 12) & !0xff);
    let Ok(partition) = fs::canonicalize(format!("/sys/dev/block/{major}:{minor}")) else { return Ok(None) };
    if !partition.join("partition").exists() {
        return Ok(None);
    }
    Ok(partition.parent().map(|disk| Path::new("/dev").join(base_name(disk))))
}

impl Disk {
    pub fn new(device: PathBuf) -> Self {
        Self { device }
    }

    pub fn table(&self) -> Result<Value, String> {
        json::parse(&run(Command::new("sfdisk").arg("--json").arg(&self.device), "")?)
    }

    /// Sectors of 512 bytes: sysfs counts in these whatever the disk has. A file stands for a disk in tests.
    pub fn sectors(&self) -> Result<u64, String> {
        let counted = number(Path::new("/sys/class/block").join(base_name(&self.device)).join("size"));
        if let Some(sectors) = counted.and_then(|sectors| u64::try_from(sectors).ok()) {
            return Ok(sectors);
        }
        fs::metadata(&self.device)
            .map(|it| it.len() / 512)
            .map_err(|error| format!("{}: {error}", self.device.display()))
    }

    /// Adds a partition to the table and tells the kernel. The other partitions stay in use meanwhile.
    pub fn append(&self, start: u64, size: u64) -> Result<(), String> {
        let mut command = Command::new("sfdisk");
        // The kernel cannot read the whole table anew while root is mounted, so only the new partition is added.
        // Signatures of a former life of the free space stay where they are: nothing is wiped but by mkfs.
        command.args(["--append", "--no-reread", "--no-tell-kernel", "--wipe", "never", "--wipe-partitions", "never"]);
        run(command.arg(&self.device), &format!("start={start}, size={size}, type=linux\n"))?;
        if self.device.starts_with("/dev") {
            run(Command::new("partx").arg("--update").arg(&self.device), "")?;
        }
        Ok(())
    }

    /// The device of the partition that starts at a sector, once it is there.
    pub fn node_at(&self, start: u64) -> Result<String, String> {
        let table = self.table()?;
        let partitions =
            table.get("partitiontable").and_then(|it| it.get("partitions")).map(Value::list).unwrap_or_default();
        let found = partitions.iter().find(|it| it.get("start").and_then(Value::integer) == i64::try_from(start).ok());
        let node =
            found.and_then(|it| it.get("node")).and_then(Value::text).ok_or("the new partition is not in the table")?;
        let since = Instant::now();
        while !Path::new(node).exists() {
            if since.elapsed() > PATIENCE {
                return Err(format!("{node} did not appear within {} seconds", PATIENCE.as_secs()));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(node.to_owned())
    }
}

/// Makes an ext4 file system labelled DATA.
pub fn make_file_system(node: &str) -> Result<(), String> {
    // The directory is nobody's business but root's, from its first mount on.
    let features = "lazy_itable_init=1,root_perms=0750";
    run(Command::new("mkfs.ext4").args(["-q", "-F", "-L", LABEL, "-E", features]).arg(node), "")?;
    if is_data(Path::new(node)) {
        Ok(())
    } else {
        Err(format!("{node} has no {LABEL} file system after mkfs.ext4"))
    }
}

/// Whether there is an ext2, 3 or 4 file system with the label, by its superblock.
pub fn is_data(node: &Path) -> bool {
    let mut superblock = [0; 256];
    let read = File::open(node).and_then(|mut file| {
        file.seek(SeekFrom::Start(1024))?;
        file.read_exact(&mut superblock)
    });
    read.is_ok() && label(&superblock) == Some(LABEL)
}

/// The volume name of an ext superblock: magic at 0x38, name of 16 bytes at 0x78.
fn label(superblock: &[u8; 256]) -> Option<&str> {
    if superblock[0x38..0x3a] != [0x53, 0xef] {
        return None;
    }
    let name = &superblock[0x78..0x88];
    std::str::from_utf8(name.split(|byte| *byte == 0).next()?).ok()
}

/// Runs a program to its end and returns what it printed.
fn run(command: &mut Command, input: &str) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let mut child = command
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // Taken, so that it is closed before the program is waited for. The input is far smaller than a pipe.
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(format!("{name} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim()));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{name} printed no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_read_from_the_superblock() {
        let mut superblock = [0; 256];
        superblock[0x78..0x7c].copy_from_slice(b"DATA");
        assert_eq!(label(&superblock), None, "without the magic number");
        superblock[0x38..0x3a].copy_from_slice(&[0x53, 0xef]);
        assert_eq!(label(&superblock), Some("DATA"));
        superblock[0x7c] = b'2';
        assert_eq!(label(&superblock), Some("DATA2"));
        assert!(!is_data(Path::new("/nonexistent")));
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let problem = run(Command::new("sh").args(["-c", "cat; echo oops >&2; exit 3"]), "in").expect_err("a failure");
        assert!(problem.starts_with("sh failed") && problem.ends_with("oops"), "{problem}");
        assert_eq!(run(Command::new("cat").arg("-"), "in"), Ok("in".into()));
    }
}
