//! The interface between the engine and its plugins: plain C, so that a plugin
//! needs neither the engine's compiler nor Rust at all.
//!
//! A plugin exports `const struct helios_plugin *helios_plugin(void)`. The
//! structure and its strings live as long as the library is loaded.

use std::ffi::{c_char, CStr};

/// Number of this interface. A plugin of another number is not loaded.
pub const ABI: u32 = 1;

/// Name of the exported function.
pub const ENTRY: &CStr = c"helios_plugin";

/// Writes at most `capacity` bytes of JSON and returns their number, or a
/// negative number if there is nothing to report or the room is too small.
pub type Report = unsafe extern "C" fn(buffer: *mut u8, capacity: usize) -> isize;

#[repr(C)]
pub struct Description {
    pub abi: u32,
    pub name: *const c_char,
    pub version: *const c_char,
    /// Never NULL in a plugin that keeps to the interface, but a plugin may be written in anything.
    pub report: Option<Report>,
}

// SAFETY: nothing of it ever changes.
unsafe impl Sync for Description {}

/// For plugins in Rust: copies a report to the engine's buffer.
///
/// # Safety
/// `buffer` must have room for `capacity` bytes.
pub unsafe fn deliver(report: &str, buffer: *mut u8, capacity: usize) -> isize {
    if report.len() > capacity {
        return -1;
    }
    // SAFETY: the caller vouches for the room, and the two do not overlap.
    unsafe { std::ptr::copy_nonoverlapping(report.as_ptr(), buffer, report.len()) };
    report.len() as isize
}

/// For plugins in Rust: exports the description of a plugin whose report is made by a function.
#[macro_export]
macro_rules! export_plugin {
    ($name:literal, $report:path) => {
        unsafe extern "C" fn report(buffer: *mut u8, capacity: usize) -> isize {
            // SAFETY: the engine passes a buffer of this capacity.
            unsafe { $crate::plugin::deliver(&$report().to_string(), buffer, capacity) }
        }

        static DESCRIPTION: $crate::plugin::Description = $crate::plugin::Description {
            abi: $crate::plugin::ABI,
            name: concat!($name, "\0").as_ptr().cast(),
            version: concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast(),
            report: Some(report),
        };

        #[no_mangle]
        pub extern "C" fn helios_plugin() -> *const $crate::plugin::Description {
            &DESCRIPTION
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_does_not_fit_is_not_cut() {
        let mut buffer = [0_u8; 4];
        // SAFETY: the buffer has the room that is passed.
        assert_eq!(unsafe { deliver("12345", buffer.as_mut_ptr(), buffer.len()) }, -1);
        assert_eq!(buffer, [0; 4]);
        // SAFETY: as above.
        assert_eq!(unsafe { deliver("1234", buffer.as_mut_ptr(), buffer.len()) }, 4);
        assert_eq!(&buffer, b"1234");
    }
}
