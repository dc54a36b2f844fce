//! The LEDs that the kernel knows, with their brightness and trigger.

use helios_common::files::{attribute, base_name, entries, number};
use helios_common::json::{object, Value};

helios_common::export_plugin!("led", leds);

fn leds() -> Value {
    let leds = entries("/sys/class/leds").into_iter().map(|led| {
        object([
            ("name", base_name(&led).into()),
            ("brightness", number(led.join("brightness")).into()),
            ("maximum", number(led.join("max_brightness")).into()),
            ("trigger", attribute(led.join("trigger")).as_deref().and_then(chosen).into()),
        ])
    });
    object([("leds", leds.collect::<Vec<_>>().into())])
}

/// The kernel lists all triggers, and the chosen one in brackets.
fn chosen(triggers: &str) -> Option<&str> {
    triggers.split_once('[')?.1.split_once(']').map(|(inner, _)| inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_trigger_stands_in_brackets() {
        assert_eq!(chosen("none [mmc0] timer"), Some("mmc0"));
        assert_eq!(chosen("none timer"), None);
    }
}
