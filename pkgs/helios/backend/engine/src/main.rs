//! HeliOS's engine: loads its plugins, listens on the socket that systemd hands
//! over, and tells each client, in one line of JSON, how it and they are doing.

mod plugins;

use helios_common::{json::Value, status};
use std::path::PathBuf;
use std::process::ExitCode;

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");
const PLUGIN_DIRECTORIES: &str = "/usr/lib/helios/plugins";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("--version") {
        println!("{NAME} {VERSION}");
        return ExitCode::SUCCESS;
    }
    let directories = std::env::var("HELIOS_PLUGIN_DIRS").unwrap_or_else(|_| PLUGIN_DIRECTORIES.into());
    let directories: Vec<PathBuf> = directories.split(':').filter(|part| !part.is_empty()).map(Into::into).collect();
    let plugins = plugins::load_all(&directories);
    for plugin in &plugins {
        if let Err(problem) = &plugin.loaded {
            helios_common::log::error(NAME, format!("{}: {problem}", plugin.path.display()));
        }
    }
    status::run(NAME, VERSION, || {
        let reports: Vec<Value> = plugins.iter().map(plugins::Plugin::report).collect();
        vec![("plugins".to_owned(), reports.into())]
    })
}
