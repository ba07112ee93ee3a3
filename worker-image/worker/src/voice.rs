//! A language model that speaks for the shopper: any endpoint of OpenAI's chat completions. What is to be said, and whether a
//! reply is fit, is decided by `shoprl_simulator::mall::voice`.

mod request;

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::header::HeaderValue;
use http::{StatusCode, Uri};
use shoprl_rl::seed::{Purpose, Stream};
use shoprl_simulator::mall::voice::Cue;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use request::{Connection, Failure};

/// How the model is reached and asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address up to and with the version, as `http://127.0.0.1:8080/v1`.
    pub url: Uri,
    /// The model's name there.
    pub model: String,
    /// File that holds the key; without one none is sent.
    pub key_file: Option<PathBuf>,
    /// Temperature of sampling, 0 to 2.
    pub temperature: f32,
    /// Seed of sampling and of waiting times.
    pub seed: u64,
    /// How often one thing is asked for, whatever goes wrong.
    pub attempts: u32,
    /// For one answer.
    pub deadline: Duration,
    /// First wait after a failure; it doubles, and up to half of it is left off by chance.
    pub backoff: Duration,
    /// Requests at the same time.
    pub concurrent: usize,
    /// Longest reply, in tokens of the model.
    pub max_tokens: u32,
}

/// Longest wait between two attempts, also when the endpoint asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why nothing is said.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// The key cannot be read.
    #[error("key file {}: {source}; give a readable file that holds the key alone", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Nothing to check the endpoint's certificate with.
    #[error("{url}: {source}; install the machine's certificates (Debian: ca-certificates)")]
    Certificates {
        /// Where.
        url: Uri,
        /// Why not.
        source: std::io::Error,
    },
    /// The endpoint will never answer this.
    #[error("{url} refuses: {status}, {said}; check the shopper's url, model and key file")]
    Refused {
        /// Where.
        url: Uri,
        /// With what.
        status: StatusCode,
        /// In which words.
        said: String,
    },
    /// The endpoint did not answer, though asked again.
    #[error(
        "{url} gave no answer in {attempts} attempts, at last: {last}; the turn was not played, try it again"
    )]
    Silent {
        /// Where.
        url: Uri,
        /// How often it was asked.
        attempts: u32,
        /// What went wrong at last.
        last: String,
    },
}

/// Words for the shopper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The words.
    pub words: String,
    /// Whose they are.
    pub by: Author,
}

/// Who found the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// The model, with the replies that were not fit before.
    Model {
        /// How many those are.
        unfit: u32,
    },
    /// The rules, because no reply of the model was fit.
    Rules {
        /// How many there were.
        unfit: u32,
        /// What was wrong with the last one.
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
    /// Gets ready to ask; asks nothing yet.
    ///
    /// # Errors
    /// When the key file cannot be read, or an `https` address is given and there are no certificates to trust.
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

    /// Words for a cue. `nonce` tells apart what is said in different places; the same one asks the model with the same seeds.
    ///
    /// # Errors
    /// When the endpoint refuses, or stays silent.
    pub async fn say(&self, cue: &Cue, nonce: u64) -> Result<Spoken, VoiceError> {
        // Held over the waits: an endpoint that is overrun gets rest. Nobody closes it.
        let _room = self.room.acquire().await;
        let (mut unfit, mut last) = (0, None);
        for attempt in 0..self.options.attempts.max(1) {
            match self.ask(cue, nonce, attempt).await {
                Ok(words) => match cue.check(&words) {
                    Ok(()) => return Ok(Spoken { words, by: Author::Model { unfit } }),
                    Err(why) => {
                        tracing::debug!(words, %why, "a reply is not fit");
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
                    tracing::debug!(what, "the shopper's model does not answer");
                    if attempt + 1 == self.options.attempts.max(1) {
                        let (url, attempts) = (self.options.url.clone(), attempt + 1);
                        return Err(VoiceError::Silent { url, attempts, last: what });
                    }
                    sleep(self.wait(nonce, attempt, after)).await;
                }
            }
        }
        let by = Author::Rules { unfit, last: last.unwrap_or_default() };
        Ok(Spoken { words: cue.plain().to_owned(), by })
    }

    async fn ask(&self, cue: &Cue, nonce: u64, attempt: u32) -> Result<String, Failure> {
        let Options { model, temperature, max_tokens, deadline, .. } = &self.options;
        // Servers take signed 32 bits.
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

    fn wait(&self, nonce: u64, attempt: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.options.backoff.saturating_mul(1 << attempt.min(16));
        let share = 0.5 + self.draw(nonce, attempt).uniform_f64() / 2.0;
        doubled.min(LONGEST_WAIT).mul_f64(share).max(asked.unwrap_or_default()).min(LONGEST_WAIT)
    }

    fn draw(&self, nonce: u64, attempt: u32) -> Stream {
        Stream::new(self.options.seed, Purpose::Shopper, &[nonce, u64::from(attempt)])
    }
}

/// The file's content as a header that no log shows.
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
