//! The job's token: 256 random bits that only the owner of the run folder can read.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

const BYTES: usize = 32;
const OWNER_ONLY: u32 = 0o600;

/// The token in the file at `path`. A missing or malformed one is replaced, before any worker starts.
pub(super) fn load_or_create(path: &Path) -> io::Result<String> {
    if let Ok(text) = std::fs::read_to_string(path)
        && is_token(text.trim())
    {
        std::fs::set_permissions(path, Permissions::from_mode(OWNER_ONLY))?;
        return Ok(text.trim().to_owned());
    }
    let mut random = [0; BYTES];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    let token = base16ct::lower::encode_string(&random);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(path)?;
    file.set_permissions(Permissions::from_mode(OWNER_ONLY))?;
    file.write_all(format!("{token}\n").as_bytes())?;
    file.sync_all()?;
    Ok(token)
}

fn is_token(text: &str) -> bool {
    text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_private_random_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let first = load_or_create(&path).unwrap();
        assert!(is_token(&first));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load_or_create(&path).unwrap(), first);

        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(load_or_create(&path).unwrap(), first);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        std::fs::write(&path, "cut").unwrap();
        let second = load_or_create(&path).unwrap();
        assert!(is_token(&second));
        assert_ne!(second, first);
    }
}
