//! HeliOS's updater: says which image runs and from which device. It reads what
//! the build wrote into the image, so it cannot claim a version that is not there.

use helios_common::files::{assignments, attribute};
use helios_common::json::{object, Value};
use helios_common::status;
use std::process::ExitCode;

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--version") {
        println!("{NAME} {VERSION}");
        return ExitCode::SUCCESS;
    }
    status::run(NAME, VERSION, || {
        let release = attribute("/etc/os-release").unwrap_or_default();
        let mounts = attribute("/proc/self/mountinfo").unwrap_or_default();
        vec![
            ("state".to_owned(), "idle".into()),
            ("image".to_owned(), image(&release)),
            ("root".to_owned(), root(&mounts).into()),
        ]
    })
}

/// What os-release(5) says about the image.
fn image(release: &str) -> Value {
    let fields = assignments(release);
    let field = |name: &str| fields.get(name).cloned().into();
    object([
        ("id", field("IMAGE_ID")),
        ("version", fields.get("IMAGE_VERSION").or(fields.get("VERSION_ID")).or(fields.get("VERSION")).cloned().into()),
        ("name", field("PRETTY_NAME")),
    ])
}

/// The device of the root file system, from /proc/self/mountinfo.
fn root(mounts: &str) -> Option<String> {
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        if before.split(' ').nth(4)? != "/" {
            return None;
        }
        after.split(' ').nth(1).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_image() {
        let found = image("PRETTY_NAME=\"HeliOS v1\"\nVERSION_ID=2\nIMAGE_VERSION=v1\n");
        assert_eq!(found.get("version"), Some(&"v1".into()));
        assert_eq!(found.get("name"), Some(&"HeliOS v1".into()));
        assert_eq!(image("").get("version"), Some(&Value::Null));
    }

    #[test]
    fn the_root_device_is_found_among_mounts() {
        let mounts = "22 1 0:21 / /proc rw - proc proc rw\n1 0 254:2 / / rw,noatime shared:1 - ext4 /dev/vda2 rw\n";
        assert_eq!(root(mounts).as_deref(), Some("/dev/vda2"));
        assert_eq!(root("nonsense"), None);
    }
}
