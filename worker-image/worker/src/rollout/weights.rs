//! Fetching one version of the weights.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use shoprl_contract::v1::FetchWeightsRequest;
use shoprl_contract::{Exit, v1};
use shoprl_model::parameters::{Layout, Parameters};
use tonic::{Code, Response, Status};

use super::RoundError;
use crate::client::DEADLINE;
use crate::link::Link;

/// Fetches `version` and checks every chunk; a damaged or incomplete transfer is retried. Returns `None` if the trainer
/// publishes another version: it publishes a version before it leases groups for it, so this one is outdated.
pub(super) async fn fetch(
    link: &mut Link,
    version: u64,
    layout: &Arc<Layout>,
) -> Result<Option<Parameters>, RoundError> {
    let bytes = link
        .ask(
            |caller| FetchWeightsRequest { caller: Some(caller), version },
            async |client, request| match client.fetch_weights(request).await {
                Ok(chunks) => {
                    let bytes = collect(chunks.into_inner(), version, DEADLINE).await?;
                    Ok(Response::new(Some(bytes)))
                }
                Err(status) if status.code() == Code::NotFound => Ok(Response::new(None)),
                Err(status) => Err(status),
            },
        )
        .await?;
    let Some(bytes) = bytes else { return Ok(None) };
    let parameters = Parameters::from_bytes(Arc::clone(layout), &bytes).map_err(|error| {
        Exit::temporary(format!(
            "weights {version}: {error}; run trainer and rollout from the same image"
        ))
    })?;
    Ok(Some(parameters))
}

/// All bytes of a transfer. The request's deadline covers only the first response, so each chunk has its own.
async fn collect(
    mut chunks: impl Stream<Item = Result<v1::WeightsChunk, Status>> + Unpin,
    version: u64,
    deadline: Duration,
) -> Result<Vec<u8>, Status> {
    let late =
        |_| Status::deadline_exceeded(format!("weights {version}: no chunk within {deadline:?}"));
    let mut bytes = Vec::new();
    let mut total = None;
    while let Some(chunk) = tokio::time::timeout(deadline, chunks.next()).await.map_err(late)? {
        let chunk = chunk?;
        append(&mut bytes, &chunk, version)?;
        total = Some(chunk.total);
    }
    match total {
        Some(total) if total == bytes.len() as u64 => Ok(bytes),
        _ => {
            Err(Status::data_loss(format!("weights {version}: {} bytes of {total:?}", bytes.len())))
        }
    }
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

#[cfg(test)]
mod tests {
    use futures::stream::{iter, pending};

    use super::*;
    use crate::client::{Remedy, remedy};

    /// Seven bytes in chunks of at most three.
    fn chunks() -> Vec<v1::WeightsChunk> {
        let whole = [1, 2, 3, 4, 5, 6, 7];
        let chunk = |offset: usize| {
            let data = whole[offset..whole.len().min(offset + 3)].to_vec();
            let checksum = Sha256::digest(&data).to_vec();
            v1::WeightsChunk { version: 4, offset: offset as u64, total: 7, data, checksum }
        };
        [0, 3, 6].map(chunk).to_vec()
    }

    #[tokio::test]
    async fn a_damaged_or_incomplete_transfer_is_refused_and_retried() {
        let check = async |alter: fn(&mut Vec<v1::WeightsChunk>), intact: bool| {
            let mut chunks = chunks();
            alter(&mut chunks);
            let found = collect(iter(chunks.into_iter().map(Ok)), 4, DEADLINE).await;
            match found {
                Ok(bytes) => assert!(intact && bytes == [1, 2, 3, 4, 5, 6, 7], "{bytes:?}"),
                Err(status) => {
                    assert!(!intact && status.code() == Code::DataLoss, "{status}");
                    assert_eq!(remedy(&status), Remedy::Retry);
                }
            }
        };
        check(|_| {}, true).await;
        check(|chunks| chunks[1].data[0] ^= 1, false).await;
        check(|chunks| chunks[1].checksum[0] ^= 1, false).await;
        check(|chunks| chunks[2].version = 5, false).await;
        check(|chunks| chunks.swap(0, 1), false).await;
        check(|chunks| drop(chunks.remove(1)), false).await;
        check(|chunks| drop(chunks.pop()), false).await;
        check(Vec::clear, false).await;
    }

    #[tokio::test]
    async fn a_transfer_that_stalls_times_out_and_is_retried() {
        let first = iter(chunks().into_iter().take(1).map(Ok));
        let deadline = Duration::from_millis(20);
        let status = collect(first.chain(pending()), 4, deadline).await.expect_err("never ends");
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert_eq!(remedy(&status), Remedy::Retry);
    }
}
