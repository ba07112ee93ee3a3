//! A language model that speaks for the shopper, at any endpoint for OpenAI chat completions.
//! `shoprl_simulator::mall::voice` decides what to say and whether a reply is acceptable.

mod request;

use std::path::{Path, PathBuf};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use http::header::HeaderValue;
use http::{StatusCode, Uri};
use shoprl_rl::seed::{Purpose, Stream};
use shoprl_simulator::mall::voice::Cue;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use request::{Connection, Failure};

/// Endpoint and sampling options of the model.
#[derive(Clone, Debug)]
pub struct Options {
    /// Base URL including the version, for example `http://127.0.0.1:8080/v1`.
    pub url: Uri,
    /// Model name at the endpoint.
    pub model: String,
    /// File with the API key; `None` sends no key.
    pub key_file: Option<PathBuf>,
    /// Sampling temperature, 0 to 2.
    pub temperature: f32,
    /// Seed of sampling and of back-off jitter.
    pub seed: u64,
    /// Most attempts for one cue, whatever goes wrong.
    pub attempts: u32,
    /// Deadline of one attempt.
    pub deadline: Duration,
    /// First pause after a failure. It doubles with each failure; jitter shortens it by up to half.
    pub backoff: Duration,
    /// Most requests in flight.
    pub concurrent: usize,
    /// Longest reply, in tokens of the model.
    pub max_tokens: u32,
}

/// Longest pause between two attempts, even if the endpoint asks for a longer one.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why the model produced no words.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// The key cannot be read.
    #[error("cannot use key file {}; give a readable file that holds only the key", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The machine has no certificates to check the endpoint with.
    #[error("no certificates to check {url} with; install them (Debian: ca-certificates)")]
    Certificates {
        /// The endpoint.
        url: Uri,
        /// The cause.
        source: std::io::Error,
    },
    /// The endpoint rejects the request; a retry cannot help.
    #[error("{url} refuses: {status}, {said}; check the shopper's url, model and key file")]
    Refused {
        /// The endpoint.
        url: Uri,
        /// Its HTTP status.
        status: StatusCode,
        /// The start of its response.
        said: String,
    },
    /// No attempt was answered.
    #[error(
        "{url} gave no answer in {attempts} attempts, last failure: {last}; the turn was not played, try it again"
    )]
    Silent {
        /// The endpoint.
        url: Uri,
        /// Number of attempts.
        attempts: u32,
        /// The last failure.
        last: String,
    },
}

/// Words for the shopper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The words.
    pub words: String,
    /// Their author.
    pub by: Author,
}

/// The author of the shopper's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// The model.
    Model {
        /// Replies that were rejected before this one.
        unfit: u32,
    },
    /// The rules, because every reply of the model was rejected.
    Rules {
        /// Number of rejected replies.
        unfit: u32,
        /// Why the last reply was rejected.
        last: String,
    },
}

/// The model behind its endpoint.
pub struct Voice {
    options: Options,
    connection: Connection,
    room: Semaphore,
}

impl Voice {
    /// Reads the key and prepares the client; sends nothing.
    ///
    /// # Errors
    /// The key file cannot be read, or the URL is `https` and the machine has no certificates.
    pub fn new(options: Options) -> Result<Self, VoiceError> {
        let key = options.key_file.as_deref().map(read_key).transpose()?;
        let connection = Connection::new(&options.url, key)
            .map_err(|source| VoiceError::Certificates { url: options.url.clone(), source })?;
        Ok(Self { connection, room: Semaphore::new(options.concurrent.max(1)), options })
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.options.model
    }

    /// Words for a cue. `nonce` identifies the place in the episode; the same nonce uses the same sampling seeds.
    ///
    /// # Errors
    /// The endpoint rejects the request or does not answer.
    pub async fn say(&self, cue: &Cue, nonce: u64) -> Result<Spoken, VoiceError> {
        // Held during pauses too, to relieve an overloaded endpoint. The semaphore is never closed.
        let _room = self.room.acquire().await;
        let mut backoff = self.backoff(nonce);
        let (mut unfit, mut last) = (0, None);
        for attempt in 0..self.options.attempts.max(1) {
            match self.ask(cue, nonce, attempt).await {
                Ok(words) => match cue.check(&words) {
                    Ok(()) => return Ok(Spoken { words, by: Author::Model { unfit } }),
                    Err(why) => {
                        tracing::debug!(words, %why, "reply of the shopper model rejected");
                        unfit += 1;
                        last = Some(why.to_string());
                    }
                },
                Err(Failure::Final(status, said)) => {
                    return Err(VoiceError::Refused {
                        url: self.options.url.clone(),
                        status,
                        said,
                    });
                }
                Err(Failure::Passing { what, after }) => {
                    tracing::debug!(what, "request to the shopper model failed");
                    if attempt + 1 == self.options.attempts.max(1) {
                        let (url, attempts) = (self.options.url.clone(), attempt + 1);
                        return Err(VoiceError::Silent { url, attempts, last: what });
                    }
                    let pause = backoff.next().unwrap_or(LONGEST_WAIT);
                    sleep(pause.max(after.unwrap_or_default()).min(LONGEST_WAIT)).await;
                }
            }
        }
        let by = Author::Rules { unfit, last: last.unwrap_or_default() };
        Ok(Spoken { words: cue.plain().to_owned(), by })
    }

    async fn ask(&self, cue: &Cue, nonce: u64, attempt: u32) -> Result<String, Failure> {
        let Options { model, temperature, max_tokens, deadline, .. } = &self.options;
        // Servers accept signed 32-bit seeds.
        let seed = self.draw(nonce, attempt).next_u32() >> 1;
        let body = request::body(model, &cue.prompt(), *temperature, seed, *max_tokens);
        match timeout(*deadline, self.connection.post(body)).await {
            Ok(answer) => answer,
            Err(_) => {
                let what = format!("no answer within {deadline:?}");
                Err(Failure::Passing { what, after: None })
            }
        }
    }

    /// Pauses between the attempts for one cue. The seed makes them repeatable.
    fn backoff(&self, nonce: u64) -> ExponentialBackoff {
        // backon adds up to one whole delay as jitter, so a pause is at most twice the delay.
        ExponentialBuilder::new()
            .with_min_delay(self.options.backoff / 2)
            .with_max_delay(LONGEST_WAIT / 2)
            .with_jitter()
            .with_jitter_seed(Stream::new(self.options.seed, Purpose::Shopper, &[nonce]).next_u64())
            .without_max_times()
            .build()
    }

    fn draw(&self, nonce: u64, attempt: u32) -> Stream {
        Stream::new(self.options.seed, Purpose::Shopper, &[nonce, u64::from(attempt)])
    }
}

/// The file's content as a header that is never logged.
fn read_key(path: &Path) -> Result<HeaderValue, VoiceError> {
    let refuse = |source| VoiceError::Key { path: path.to_owned(), source };
    let key = std::fs::read_to_string(path).map_err(refuse)?;
    let value = HeaderValue::from_str(&format!("Bearer {}", key.trim()));
    let mut value = value.map_err(|error| refuse(std::io::Error::other(error)))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
