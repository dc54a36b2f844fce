//! Network interfaces: state and traffic since boot.

use helios_common::files::{attribute, base_name, entries, number};
use helios_common::json::{object, Value};
use std::path::Path;

helios_common::export_plugin!("nt4", interfaces);

fn interfaces() -> Value {
    interfaces_below("/sys/class/net".as_ref())
}

fn interfaces_below(directory: &Path) -> Value {
    let found = entries(directory);
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
    fn every_interface_of_the_kernel_is_listed() {
        let directory = std::env::temp_dir().join(format!("helios-nt4-{}", std::process::id()));
        for (name, state, received) in [("end0", "up", "1500"), ("lo", "unknown", "7")] {
            std::fs::create_dir_all(directory.join(name).join("statistics")).expect("a folder");
            std::fs::write(directory.join(name).join("operstate"), format!("{state}\n")).expect("a file");
            std::fs::write(directory.join(name).join("statistics/rx_bytes"), format!("{received}\n")).expect("a file");
        }
        let found = interfaces_below(&directory);
        std::fs::remove_dir_all(&directory).expect("the folder to be there");
        let texts: Vec<_> =
            found.get("interfaces").map(Value::list).unwrap_or_default().iter().map(|it| it.to_string()).collect();
        assert_eq!(
            texts,
            [
                r#"{"name":"end0","state":"up","received":1500,"sent":null}"#,
                r#"{"name":"lo","state":"unknown","received":7,"sent":null}"#
            ]
        );
    }

    #[test]
    fn what_the_kernel_does_not_say_is_null() {
        assert_eq!(interface(Path::new("/nonexistent/x0")).get("received"), Some(&Value::Null));
    }
}
