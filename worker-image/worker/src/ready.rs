//! Readiness of roles that serve nothing: a port that accepts connections once the worker is registered.
//!
//! The port sends no data; accepting a connection is the signal.

use std::time::Duration;

use shoprl_contract::Exit;
use tokio::net::TcpListener;

use crate::options::WorkerOptions;

/// Pause after a failed accept, for example when file descriptors run out.
const PAUSE: Duration = Duration::from_millis(100);

/// Starts to listen if `--ready` is given. Call it after registration, inside the tokio runtime.
pub(crate) async fn announce(options: &WorkerOptions) -> Result<(), Exit> {
    let Some(address) = &options.ready else { return Ok(()) };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Exit::temporary(format!(
            "listen on {address}: {error}; give --ready as host:port of this machine, with a free port"
        ))
    })?;
    tracing::info!(address, "readiness port open");
    tokio::spawn(async move {
        loop {
            if let Err(error) = listener.accept().await {
                tracing::debug!(%error, "readiness probe not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use shoprl_contract::{ExitReason, Role};
    use shoprl_model::device::DeviceChoice;
    use tokio::net::{TcpListener, TcpStream};

    use super::announce;
    use crate::options::WorkerOptions;

    fn options(ready: Option<String>) -> WorkerOptions {
        WorkerOptions {
            role: Role::Rollout,
            index: 0,
            config: PathBuf::new(),
            directory: PathBuf::new(),
            token_file: PathBuf::new(),
            trainer: None,
            listen: String::new(),
            ready,
            metrics_listen: None,
            address_file: None,
            termination_file: None,
            threads: 1,
            device: DeviceChoice::Cpu,
            exit_with_stdin: false,
        }
    }

    #[tokio::test]
    async fn the_port_accepts_once_announced_and_a_busy_port_is_an_error() {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = free.local_addr().expect("bound").to_string();
        let busy = announce(&options(Some(address.clone()))).await.expect_err("the port is taken");
        assert_eq!(busy.reason, ExitReason::Temporary);
        assert!(busy.message.contains(&address), "{}", busy.message);
        drop(free);
        assert!(TcpStream::connect(&address).await.is_err(), "not before");
        announce(&options(Some(address.clone()))).await.expect("the port is free");
        for _ in 0..3 {
            TcpStream::connect(&address).await.expect("every probe");
        }
        announce(&options(None)).await.expect("no port wanted");
    }
}
