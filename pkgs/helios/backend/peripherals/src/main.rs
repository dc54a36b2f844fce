//! HeliOS's peripherals: temperatures, fans, I2C buses and video devices, as
//! the kernel shows them. What the board does not have is said to be missing.

use helios_common::files::{attribute, base_name, entries, number};
use helios_common::json::{object, Value};
use helios_common::status;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    let sysfs = PathBuf::from(std::env::var_os("HELIOS_SYSFS_DIR").unwrap_or_else(|| "/sys".into()));
    match std::env::args().nth(1).as_deref() {
        Some("--version") => println!("{NAME} {VERSION}"),
        Some("--status") => println!("{}", Value::Object(peripherals(&sysfs))),
        _ => return status::run(NAME, VERSION, move || peripherals(&sysfs)),
    }
    ExitCode::SUCCESS
}

fn peripherals(sysfs: &Path) -> Vec<(String, Value)> {
    let groups = [
        ("thermalZones", thermal_zones(sysfs)),
        ("fans", fans(sysfs)),
        ("i2cBuses", named(&sysfs.join("class/i2c-dev"))),
        ("videoDevices", named(&sysfs.join("class/video4linux"))),
    ];
    let missing: Vec<Value> =
        groups.iter().filter(|(_, found)| found.is_empty()).map(|(name, _)| (*name).into()).collect();
    let mut members: Vec<_> = groups.into_iter().map(|(name, found)| (name.to_owned(), found.into())).collect();
    members.push(("missing".to_owned(), missing.into()));
    members
}

fn thermal_zones(sysfs: &Path) -> Vec<Value> {
    let zones =
        entries(sysfs.join("class/thermal")).into_iter().filter(|path| base_name(path).starts_with("thermal_zone"));
    zones
        .map(|zone| {
            object([("name", attribute(zone.join("type")).into()), ("milliCelsius", number(zone.join("temp")).into())])
        })
        .collect()
}

fn fans(sysfs: &Path) -> Vec<Value> {
    let monitors = entries(sysfs.join("class/hwmon"));
    monitors
        .iter()
        .filter(|monitor| monitor.join("pwm1").exists() || monitor.join("fan1_input").exists())
        .map(|monitor| {
            object([
                ("name", attribute(monitor.join("name")).into()),
                ("duty", number(monitor.join("pwm1")).into()),
                ("turnsPerMinute", number(monitor.join("fan1_input")).into()),
            ])
        })
        .collect()
}

fn named(class: &Path) -> Vec<Value> {
    entries(class)
        .iter()
        .map(|device| object([("device", base_name(device).into()), ("name", attribute(device.join("name")).into())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_board_without_anything_says_what_is_missing() {
        let found = Value::Object(peripherals(Path::new("/nonexistent")));
        assert_eq!(found.get("missing").map(|it| it.list().len()), Some(4), "{found}");
    }

    #[test]
    fn zones_and_fans_are_read_from_sysfs() {
        let sysfs = std::env::temp_dir().join(format!("helios-sysfs-{}", std::process::id()));
        for (path, content) in [
            ("class/thermal/thermal_zone0/type", "cpu-thermal\n"),
            ("class/thermal/thermal_zone0/temp", "48312\n"),
            ("class/thermal/cooling_device0/type", "pwm-fan\n"),
            ("class/hwmon/hwmon0/name", "cpu_thermal\n"),
            ("class/hwmon/hwmon2/name", "pwmfan\n"),
            ("class/hwmon/hwmon2/fan1_input", "3100\n"),
        ] {
            fs::create_dir_all(sysfs.join(path).parent().expect("a folder")).expect("a folder");
            fs::write(sysfs.join(path), content).expect("a file");
        }
        let (zones, fans) = (thermal_zones(&sysfs), fans(&sysfs));
        fs::remove_dir_all(&sysfs).expect("the folder to be there");
        assert_eq!(zones, [object([("name", "cpu-thermal".into()), ("milliCelsius", Value::Integer(48312))])]);
        assert_eq!(fans.len(), 1);
        assert_eq!(fans[0].get("turnsPerMinute"), Some(&Value::Integer(3100)));
        assert_eq!(fans[0].get("duty"), Some(&Value::Null));
    }
}
