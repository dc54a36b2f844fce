//! Plugins are shared libraries with the C interface of `helios_common::plugin`.
//! They are loaded by dlopen(3), which the standard library does not have.

use helios_common::files::entries;
use helios_common::json::{self, object, Value};
use helios_common::plugin::{Description, ABI, ENTRY};
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// From dlfcn.h: all symbols now, so that a plugin that lacks one fails here and not in the middle of a report.
const RTLD_NOW: c_int = 2;

/// Room for one report.
const REPORT_CAPACITY: usize = 64 * 1024;

unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlerror() -> *const c_char;
}

/// A library in a plugin directory, loaded or not.
pub struct Plugin {
    pub path: PathBuf,
    pub loaded: Result<&'static Description, String>,
}

/// Every `*.so` of the directories, in order of directory and name.
pub fn load_all(directories: &[PathBuf]) -> Vec<Plugin> {
    directories
        .iter()
        .flat_map(entries)
        .filter(|path| path.extension().is_some_and(|extension| extension == "so"))
        .map(|path| Plugin { loaded: load(&path), path })
        .collect()
}

/// Loads a library for good: what it describes stays valid as long as the process.
fn load(path: &Path) -> Result<&'static Description, String> {
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| "the path has a NUL".to_owned())?;
    // SAFETY: the string ends in NUL. Initialisers of the library run: whoever may write to the directory is trusted.
    let library = unsafe { dlopen(name.as_ptr(), RTLD_NOW) };
    if library.is_null() {
        return Err(last_error());
    }
    // SAFETY: the handle is open, and stays so.
    let entry = unsafe { dlsym(library, ENTRY.as_ptr()) };
    if entry.is_null() {
        return Err(last_error());
    }
    // SAFETY: a library that exports this name keeps to the interface; the number of it is checked next.
    let description = unsafe {
        let entry: extern "C" fn() -> *const Description = std::mem::transmute(entry);
        entry().as_ref()
    };
    check(description)
}

fn check(description: Option<&'static Description>) -> Result<&'static Description, String> {
    match description {
        None => Err("the plugin describes nothing".into()),
        Some(description) if description.abi != ABI => {
            Err(format!("the plugin has interface {}, and this engine {ABI}; build it again", description.abi))
        }
        Some(description) if description.name.is_null() || description.version.is_null() => {
            Err("the plugin has no name or no version".into())
        }
        Some(description) => Ok(description),
    }
}

fn last_error() -> String {
    // SAFETY: the text is valid until the next call of the dl functions in this thread.
    unsafe {
        let text = dlerror();
        if text.is_null() {
            "unknown error".into()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}

fn text(string: *const c_char) -> Value {
    // SAFETY: strings of a description end in NUL and stay valid.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned().into()
}

impl Plugin {
    /// What the plugin says now, or why it says nothing.
    pub fn report(&self) -> Value {
        let file = ("file", self.path.to_string_lossy().into_owned().into());
        let description = match &self.loaded {
            Ok(description) => description,
            Err(problem) => return object([file, ("loaded", false.into()), ("error", problem.as_str().into())]),
        };
        object([
            ("name", text(description.name)),
            ("version", text(description.version)),
            file,
            ("loaded", true.into()),
            ("report", ask(description).unwrap_or_else(|problem| object([("error", problem.into())]))),
        ])
    }
}

fn ask(description: &Description) -> Result<Value, String> {
    let mut buffer = vec![0; REPORT_CAPACITY];
    let report = description.report.ok_or("the plugin has no report")?;
    // SAFETY: the buffer has the capacity that is passed.
    let length = unsafe { report(buffer.as_mut_ptr(), buffer.len()) };
    let length = usize::try_from(length).map_err(|_| "the plugin has no report".to_owned())?;
    let written = buffer.get(..length).ok_or("the plugin wrote more than there was room for")?;
    json::parse(std::str::from_utf8(written).map_err(|_| "the report is no text")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use helios_common::plugin;

    /// `cargo build --workspace` puts the plugins beside the folder of the tests.
    fn built(name: &str) -> PathBuf {
        let tests = std::env::current_exe().expect("a path");
        let path = tests.ancestors().nth(2).expect("a folder").join(name);
        assert!(path.exists(), "{} is missing; run cargo build --workspace first", path.display());
        path
    }

    #[test]
    fn a_plugin_is_loaded_and_reports() {
        let path = built("libhelios_daedalus_led_plugin.so");
        let report = Plugin { loaded: load(&path), path }.report();
        assert_eq!(report.get("name").and_then(Value::text), Some("led"), "{report}");
        assert_eq!(report.get("loaded"), Some(&Value::Bool(true)));
        assert!(report.get("report").is_some_and(|inner| inner.get("leds").is_some()), "{report}");
    }

    #[test]
    fn what_is_no_plugin_is_reported_and_does_no_harm() {
        let folder = std::env::temp_dir().join(format!("helios-plugins-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("b.so"), "no library").expect("a file");
        std::fs::write(folder.join("a.txt"), "").expect("a file");
        let found = load_all(&[folder.clone(), "/nonexistent".into()]);
        std::fs::remove_dir_all(&folder).expect("the folder to be there");
        assert_eq!(found.len(), 1);
        let report = found[0].report();
        assert_eq!(report.get("loaded"), Some(&Value::Bool(false)));
        assert!(report.get("error").and_then(Value::text).is_some_and(|error| error.contains("b.so")), "{report}");
    }

    #[test]
    fn a_plugin_without_a_report_or_with_too_long_a_one_is_told_apart() {
        unsafe extern "C" fn nothing(_: *mut u8, _: usize) -> isize {
            -1
        }
        unsafe extern "C" fn too_long(_: *mut u8, capacity: usize) -> isize {
            capacity as isize + 1
        }
        let describe = |report| Description { abi: ABI, name: c"x".as_ptr(), version: c"1".as_ptr(), report };
        assert!(ask(&describe(None)).is_err_and(|error| error.contains("no report")));
        assert!(ask(&describe(Some(nothing as plugin::Report))).is_err_and(|error| error.contains("no report")));
        assert!(ask(&describe(Some(too_long))).is_err_and(|error| error.contains("more than")));
    }

    #[test]
    fn a_description_with_holes_is_refused() {
        const HOLES: Description =
            Description { abi: ABI, name: std::ptr::null(), version: c"1".as_ptr(), report: None };
        static NAMELESS: Description = HOLES;
        static OLD: Description = Description { abi: 0, ..HOLES };
        assert!(check(None).is_err_and(|problem| problem.contains("nothing")));
        assert!(check(Some(&NAMELESS)).is_err_and(|problem| problem.contains("no name")));
        assert!(check(Some(&OLD)).is_err_and(|problem| problem.contains("interface 0")));
    }
}
