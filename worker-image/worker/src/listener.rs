//! Binding the port that a role serves on.

use std::path::Path;

use shoprl_contract::{Exit, error_chain};
use shoprl_files::Durability;
use tonic::transport::server::TcpIncoming;

/// Binds `address` and, if `address_file` is given, writes the bound `host:port` to it.
///
/// TCP_NODELAY is set on each accepted connection: a reply is several small writes, and Nagle's algorithm would delay it
/// by 40 ms. tonic's own setting does not apply to a listener that it did not bind.
pub(crate) async fn bind(address: &str, address_file: Option<&Path>) -> Result<TcpIncoming, Exit> {
    let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "the port is in use; stop the process that uses it, or choose another port (0 lets the system choose)"
            }
            std::io::ErrorKind::PermissionDenied => "choose a port above 1023",
            _ => "give --listen as host:port of this machine",
        };
        Exit::temporary(format!("listen on {address}: {error}; {remedy}"))
    })?;
    if let Some(path) = address_file {
        let address = listener
            .local_addr()
            .map_err(|error| Exit::temporary(format!("read the bound address: {error}")))?;
        let line = format!("{address}\n");
        shoprl_files::write(path, line.as_bytes(), Durability::Atomic).map_err(|error| {
            Exit::temporary(format!(
                "address file {}: {}; check that its folder exists and has free space",
                path.display(),
                error_chain(&error)
            ))
        })?;
    }
    Ok(TcpIncoming::from(listener).with_nodelay(Some(true)))
}
