//! Network interfaces: state and traffic since boot.

use helios_common::files::{attribute, base_name, entries, number};
use helios_common::json::{object, Value};
use std::path::Path;

helios_common::export_plugin!("nt4", interfaces);

fn interfaces() -> Value {
    let found = entries("/sys/class/net");
    object([("interfaces", found.iter().map(|path| interface(path)).collect::<Vec<_>>().into())])
}

fn interface(path: &Path) -> Value {
    object([
        ("name", base_name(path).into()),
        ("state", attribute(path.join("operstate")).into()),
        ("received", number(path.join("statistics/rx_bytes")).into()),
        ("sent", number(path.join("statistics/tx_bytes")).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_always_there() {
        let found = interfaces();
        let names: Vec<_> = found
            .get("interfaces")
            .map(Value::list)
            .unwrap_or_default()
            .iter()
            .filter_map(|it| it.get("name"))
            .collect();
        assert!(names.contains(&&Value::Text("lo".into())), "{found}");
    }

    #[test]
    fn what_the_kernel_does_not_say_is_null() {
        assert_eq!(interface(Path::new("/nonexistent/x0")).get("received"), Some(&Value::Null));
    }
}
