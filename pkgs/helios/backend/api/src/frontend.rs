//! Files of the frontend.

use helios_common::http::Response;
use std::fs;
use std::path::Path;

/// The file for a decoded path, as `http::parse_head` lets it through. Links out of the tree are not followed.
pub fn file(root: &Path, path: &str) -> Response {
    let relative = path.trim_start_matches('/');
    let name = if relative.is_empty() || relative.ends_with('/') {
        format!("{relative}index.html")
    } else {
        relative.to_owned()
    };
    let not_found = || Response::text(404, "there is no such file\n");
    let (Ok(root), Ok(found)) = (root.canonicalize(), root.join(&name).canonicalize()) else { return not_found() };
    if !found.starts_with(&root) || !found.is_file() {
        return not_found();
    }
    match fs::read(&found) {
        Ok(body) => Response { status: 200, content_type: content_type(&name), body },
        Err(error) => {
            helios_common::log::error(crate::NAME, format!("{}: {error}", found.display()));
            Response::text(500, "the file cannot be read\n")
        }
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/vnd.microsoft.icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_out_of_the_tree_is_not_followed() {
        let root = std::env::temp_dir().join(format!("helios-frontend-{}", std::process::id()));
        fs::create_dir_all(&root).expect("a folder");
        let _ = std::os::unix::fs::symlink("/etc/passwd", root.join("passwd.txt"));
        fs::write(root.join("a.bin"), [0, 1]).expect("a file");
        let (link, binary, folder) = (file(&root, "/passwd.txt"), file(&root, "/a.bin"), file(&root, "/"));
        fs::remove_dir_all(&root).expect("the folder to be there");
        assert_eq!(link.status, 404);
        assert_eq!((binary.status, binary.content_type), (200, "application/octet-stream"));
        assert_eq!(folder.status, 404);
    }
}
