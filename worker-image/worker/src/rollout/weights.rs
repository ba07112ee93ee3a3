//! Pulling one version of the weights.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use shoprl_contract::v1::FetchWeightsRequest;
use shoprl_contract::{Exit, v1};
use shoprl_model::parameters::{Layout, Parameters};
use tonic::{Response, Status};

use crate::link::Link;

/// Fetches `version`, checking every chunk; a damaged or incomplete transfer is asked for again.
pub(super) async fn fetch(
    link: &mut Link,
    version: u64,
    layout: &Arc<Layout>,
) -> Result<Parameters, Exit> {
    let bytes = link
        .ask(
            |caller| FetchWeightsRequest { caller: Some(caller), version },
            async |client, request| {
                let mut chunks = client.fetch_weights(request).await?.into_inner();
                let mut bytes = Vec::new();
                let mut total = None;
                while let Some(chunk) = chunks.message().await? {
                    append(&mut bytes, &chunk, version)?;
                    total = Some(chunk.total);
                }
                match total {
                    Some(total) if total == bytes.len() as u64 => Ok(Response::new(bytes)),
                    _ => Err(Status::data_loss(format!(
                        "weights {version}: {} bytes of {total:?}",
                        bytes.len()
                    ))),
                }
            },
        )
        .await?;
    Parameters::from_bytes(Arc::clone(layout), &bytes).map_err(|error| {
        Exit::bad_configuration(format!("weights {version}: {error}; trainer and rollout differ"))
    })
}

fn append(bytes: &mut Vec<u8>, chunk: &v1::WeightsChunk, version: u64) -> Result<(), Status> {
    let intact = chunk.version == version
        && chunk.offset == bytes.len() as u64
        && Sha256::digest(&chunk.data).as_slice() == chunk.checksum;
    if !intact {
        return Err(Status::data_loss(format!(
            "weights {version}: damaged chunk at byte {}",
            chunk.offset
        )));
    }
    bytes.extend_from_slice(&chunk.data);
    Ok(())
}
