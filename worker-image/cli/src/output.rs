//! Standard output, which may be a pipe that closes early.

use std::io::{self, ErrorKind, Write};

use shoprl_contract::Exit;

/// Runs `write` on standard output. A pipe that its reader closed (`| head`) is not an error.
pub(crate) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Exit> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Exit::temporary(format!("standard output: {error}"))),
    }
}
