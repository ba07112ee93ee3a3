//! Follows the audit log of an API server.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use k8s_openapi::jiff::Timestamp;
use serde::Deserialize;
use tokio::time::sleep;

/// Interval of reads from the log.
const READ_INTERVAL: Duration = Duration::from_millis(200);

/// One write that the API server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// The client.
    pub user: String,
    /// create, update, patch, delete.
    pub verb: String,
    /// The resource: `pods`, `pods/status`.
    pub resource: String,
    /// Name of the object.
    pub name: String,
    /// Arrival of the request, in seconds since 1970.
    pub received: f64,
    /// Time of the answer, in seconds since 1970.
    pub answered: f64,
    /// The status code of the answer.
    pub code: u16,
}

impl Write {
    /// Whether this is a successful request of this user, verb and resource.
    pub fn is(&self, user: &str, verb: &str, resource: &str) -> bool {
        self.code < 300 && self.verb == verb && self.resource == resource && self.user == user
    }
}

/// A log and the writes read from it.
#[derive(Debug)]
pub struct Log {
    file: BufReader<File>,
    line: String,
    writes: Vec<Write>,
}

impl Log {
    /// Opens a log at its beginning.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| {
            format!("{}: use --audit with the API server's audit log", path.display())
        })?;
        Ok(Self { file: BufReader::new(file), line: String::new(), writes: Vec::new() })
    }

    /// Reads new lines and returns the number of writes read so far.
    ///
    /// # Errors
    /// When a line is not an audit record.
    pub fn read(&mut self) -> anyhow::Result<usize> {
        loop {
            self.file.read_line(&mut self.line)?;
            // A line that is still being written is completed by the next read.
            if !self.line.ends_with('\n') {
                return Ok(self.writes.len());
            }
            let record: Record = serde_json::from_str(&self.line)
                .with_context(|| format!("not an audit record: {}", self.line.trim_end()))?;
            self.writes.extend(record.write());
            self.line.clear();
        }
    }

    /// The writes after the first `mark`.
    pub fn since(&self, mark: usize) -> &[Write] {
        &self.writes[mark.min(self.writes.len())..]
    }

    /// Reads until the matching writes after `mark` name `count` different objects. Repeated writes count once.
    ///
    /// # Errors
    /// When `limit` passes first.
    pub async fn until(
        &mut self,
        mark: usize,
        count: usize,
        limit: Duration,
        what: &str,
        matches: impl Fn(&Write) -> bool,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + limit;
        let (mut names, mut from) = (HashSet::new(), mark);
        loop {
            let known = self.read()?;
            let found = self.since(from).iter().filter(|write| matches(write));
            names.extend(found.map(|write| write.name.clone()));
            from = known.max(from);
            if names.len() >= count {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("{} of {count} {what} after {} s", names.len(), limit.as_secs());
            }
            sleep(READ_INTERVAL).await;
        }
    }

    /// Reads until no matching write has come for `quiet`.
    ///
    /// # Errors
    /// When `limit` passes first.
    pub async fn until_quiet(
        &mut self,
        quiet: Duration,
        limit: Duration,
        what: &str,
        matches: impl Fn(&Write) -> bool,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + limit;
        let (mut from, mut last) = (self.read()?, Instant::now());
        while last.elapsed() < quiet {
            if Instant::now() > end {
                bail!("still {what} after {} s", limit.as_secs());
            }
            sleep(READ_INTERVAL).await;
            let known = self.read()?;
            if self.since(from).iter().any(&matches) {
                last = Instant::now();
            }
            from = known;
        }
        Ok(())
    }
}

/// The parts of an audit record that are used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    stage: String,
    verb: String,
    user: User,
    object_ref: Option<ObjectRef>,
    response_status: Option<ResponseStatus>,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct ObjectRef {
    #[serde(default)]
    resource: String,
    subresource: Option<String>,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

impl Record {
    fn write(self) -> Option<Write> {
        let object = self.object_ref.filter(|_| self.stage == "ResponseComplete")?;
        let resource = match object.subresource {
            Some(part) => format!("{}/{part}", object.resource),
            None => object.resource,
        };
        let seconds = |time: Timestamp| time.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64();
        Some(Write {
            user: self.user.username,
            verb: self.verb,
            resource,
            name: object.name,
            received: seconds(self.request_received_timestamp),
            answered: seconds(self.stage_timestamp),
            code: self.response_status.map_or(0, |status| status.code),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Duration;

    use super::Log;

    #[tokio::test]
    async fn repeated_writes_to_an_object_count_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.log");
        let line = |name: &str| {
            format!(
                r#"{{"stage":"ResponseComplete","verb":"patch","user":{{"username":"u"}},"objectRef":{{"resource":"pods","name":"{name}"}},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"2026-01-01T00:00:00Z","stageTimestamp":"2026-01-01T00:00:00Z"}}"#
            )
        };
        // `b` is written twice.
        let text = [line("a"), line("b"), line("b"), String::new()].join("\n");
        std::fs::write(&path, text).expect("written");
        let mut log = Log::open(&path).expect("it is there");
        let none = Duration::ZERO;
        log.until(0, 2, none, "pods", |write| write.user == "u").await.expect("both are there");
        let waited = log.until(0, 3, none, "pods", |write| write.user == "u").await;
        assert_eq!(waited.expect_err("there are two").to_string(), "2 of 3 pods after 0 s");
    }

    #[test]
    fn a_growing_log_is_read_and_only_answered_requests_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.log");
        let mut file = std::fs::File::create(&path).expect("a file");
        let line = |stage: &str, part: &str, code: u16| {
            format!(
                r#"{{"kind":"Event","stage":"{stage}","verb":"create","user":{{"username":"u"}},"objectRef":{{"resource":"pods"{part},"name":"p"}},"responseStatus":{{"code":{code}}},"requestReceivedTimestamp":"2026-01-01T00:00:00.250000Z","stageTimestamp":"2026-01-01T00:00:00.750000Z"}}"#
            )
        };
        let mut log = Log::open(&path).expect("it is there");
        assert_eq!(log.read().expect("nothing is fine"), 0);
        let whole = line("ResponseComplete", r#","subresource":"status""#, 200);
        let (first, second) = whole.split_at(40);
        write!(file, "{first}").expect("written");
        assert_eq!(log.read().expect("half a line is fine"), 0);
        writeln!(file, "{second}\n{}", line("ResponseStarted", "", 0)).expect("written");
        writeln!(file, "{}", line("ResponseComplete", "", 409)).expect("written");
        assert_eq!(log.read().expect("records"), 2);
        let [status, refused] = log.since(0) else { panic!("{log:?}") };
        assert!(status.is("u", "create", "pods/status"), "{status:?}");
        assert!((status.answered - status.received - 0.5).abs() < 1e-6, "{status:?}");
        assert!(!refused.is("u", "create", "pods"), "{refused:?}");
        assert_eq!(log.since(1), std::slice::from_ref(refused));
        writeln!(file, "malformed").expect("written");
        let error = log.read().expect_err("a malformed line").to_string();
        assert!(error.contains("malformed"), "{error}");
    }
}
