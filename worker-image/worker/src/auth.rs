//! The job's token. Every request carries it, also between processes of one machine.

use std::path::Path;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use shoprl_contract::Exit;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Shortest accepted token in characters: 128 bits as hexadecimal digits.
const SHORTEST_TOKEN: usize = 32;

/// The job's secret. It is never printed.
#[derive(Clone)]
pub(crate) struct Token {
    bearer: MetadataValue<Ascii>,
    key: Vec<u8>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// Reads the token's file.
    pub(crate) fn read(path: &Path) -> Result<Self, Exit> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Exit::bad_configuration(format!(
                "token file {}: {error}; give --token-file a readable file",
                path.display()
            ))
        })?;
        Self::from_text(text.trim())
            .map_err(|why| Exit::bad_configuration(format!("token file {}: {why}", path.display())))
    }

    /// Checks a token.
    pub(crate) fn from_text(text: &str) -> Result<Self, String> {
        if text.len() < SHORTEST_TOKEN || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(format!(
                "needs at least {SHORTEST_TOKEN} letters and digits, has {}",
                text.len()
            ));
        }
        let bearer =
            MetadataValue::try_from(format!("Bearer {text}")).map_err(|error| error.to_string())?;
        Ok(Self { bearer, key: text.as_bytes().to_vec() })
    }

    /// A message authentication code with this token as key.
    pub(crate) fn hmac(&self) -> Hmac<Sha256> {
        // HMAC takes keys of any length (RFC 2104).
        Hmac::new_from_slice(&self.key).expect("HMAC accepts a key of any length")
    }

    /// Whether a header carries this token; takes constant time.
    pub(crate) fn admits(&self, presented: &[u8]) -> bool {
        let expected = self.hmac().chain_update(self.bearer.as_bytes()).finalize().into_bytes();
        self.hmac().chain_update(presented).verify(&expected).is_ok()
    }
}

/// Adds the token to every request of a client.
#[derive(Clone, Debug)]
pub(crate) struct Bearer(pub(crate) Token);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.bearer.clone());
        Ok(request)
    }
}

/// Refuses requests that lack the token.
#[derive(Clone, Debug)]
pub(crate) struct Gatekeeper(pub(crate) Token);

impl Interceptor for Gatekeeper {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        match request.metadata().get("authorization") {
            Some(presented) if self.0.admits(presented.as_bytes()) => Ok(request),
            Some(_) => Err(Status::unauthenticated(
                "the token is not this job's; use the token file that the job was started with",
            )),
            None => Err(Status::unauthenticated(
                "no token; send metadata `authorization: Bearer TOKEN`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_jobs_token_is_admitted() {
        let token = Token::from_text("0123456789abcdef0123456789abcdef").expect("a token");
        let check = |header: Option<&'static str>, admitted: bool| {
            let mut request = Request::new(());
            if let Some(header) = header {
                request.metadata_mut().insert("authorization", MetadataValue::from_static(header));
            }
            assert_eq!(Gatekeeper(token.clone()).call(request).is_ok(), admitted, "{header:?}");
        };
        check(Some("Bearer 0123456789abcdef0123456789abcdef"), true);
        check(Some("Bearer 0123456789abcdef0123456789abcdee"), false);
        check(Some("Bearer "), false);
        check(None, false);
        assert!(Token::from_text("short").is_err());
    }
}
