//! What HeliOS programs share. Nothing but the standard library: the image has
//! no crates to audit, and a build needs no network.

pub mod activation;
pub mod clients;
pub mod files;
pub mod http;
pub mod json;
pub mod log;
pub mod plugin;
pub mod status;
pub mod termination;
