//! Leader election: of several operators, the holder of a Lease works.
//!
//! Clocks of different machines are never compared. A lease is free if it did not change for its duration by the candidate's
//! own clock. The holder stops after a shorter time without a renewal. Two operators may still work at the same time for a
//! moment; that is harmless (docs/ARCHITECTURE.md). The lease only avoids the double work.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use shoprl_contract::error_chain;
use tokio::time::{Instant, sleep, timeout};

/// Options of the election.
#[derive(Debug, Clone)]
pub struct Options {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Identity of this process: the name of its pod. Two processes with one identity would both hold the lease.
    pub identity: String,
    /// Time without a renewal after which another candidate may take the lease.
    pub duration: Duration,
    /// Time without a renewal after which the holder stops.
    pub give_up: Duration,
    /// Pause between two attempts to renew or to acquire the lease.
    pub retry: Duration,
}

/// The times of the election are inconsistent.
#[derive(Debug, thiserror::Error)]
#[error(
    "--lease-retry {retry:?} must be shorter than --lease-give-up {give_up:?}, and that must be shorter than --lease-duration {duration:?}: the holder must stop before another operator starts"
)]
pub struct UnfitTimes {
    retry: Duration,
    give_up: Duration,
    duration: Duration,
}

/// Why leadership was lost.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Another process holds the lease.
    #[error("leadership lost: the lease is held by {0:?}")]
    Taken(String),
    /// No renewal succeeded for too long.
    #[error("leadership lost: the lease was not renewed for {0:?}")]
    Silent(Duration),
}

impl Options {
    /// Checks that the times are consistent.
    ///
    /// # Errors
    /// When they are not.
    pub fn check(&self) -> Result<(), UnfitTimes> {
        let Self { retry, give_up, duration, .. } = *self;
        // The field of a Lease holds whole seconds.
        if retry.is_zero() || retry >= give_up || give_up >= duration || duration.subsec_nanos() > 0
        {
            return Err(UnfitTimes { retry, give_up, duration });
        }
        Ok(())
    }
}

/// A process that waits for the lease.
#[derive(Debug)]
pub struct Candidate {
    leases: Api<Lease>,
    options: Options,
    /// The version that was observed last, and when it was observed first.
    observed: Option<(String, Instant)>,
}

/// The process that holds the lease.
#[derive(Debug)]
pub struct Holder {
    leases: Api<Lease>,
    options: Options,
    lease: Lease,
    renewed: Instant,
}

impl Candidate {
    /// A candidate that has not tried yet.
    ///
    /// # Errors
    /// When the times are inconsistent.
    pub fn new(client: Client, options: Options) -> Result<Self, UnfitTimes> {
        options.check()?;
        Ok(Self { leases: Api::namespaced(client, &options.namespace), options, observed: None })
    }

    /// Waits until this process holds the lease.
    pub async fn acquire(mut self) -> Holder {
        loop {
            // Taken before the request is sent: other candidates count from when it arrives.
            let requested = Instant::now();
            match timeout(self.options.give_up, self.attempt()).await {
                Ok(Ok(Some(lease))) => {
                    tracing::info!(identity = self.options.identity, "became leader");
                    let Self { leases, options, .. } = self;
                    return Holder { leases, options, lease, renewed: requested };
                }
                Ok(Ok(None)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(error = error_chain(&error), "lease not acquired");
                }
                Err(_) => tracing::warn!("lease not acquired: the API server does not answer"),
            }
            sleep(self.options.retry).await;
        }
    }

    async fn attempt(&mut self) -> Result<Option<Lease>, kube::Error> {
        let Some(found) = self.leases.get_opt(&self.options.name).await? else {
            let lease = claimed(&self.options, None);
            return stored(self.leases.create(&PostParams::default(), &lease).await);
        };
        let version = found.resource_version().unwrap_or_default();
        let since = match &self.observed {
            Some((known, since)) if *known == version => *since,
            _ => {
                let now = Instant::now();
                self.observed = Some((version, now));
                now
            }
        };
        let spec = found.spec.as_ref();
        let holder = holder(&found);
        // The holder's own duration counts, not the one of this process.
        let duration = spec
            .and_then(|spec| spec.lease_duration_seconds)
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(self.options.duration, Duration::from_secs);
        if !holder.is_empty() && holder != self.options.identity && since.elapsed() < duration {
            return Ok(None);
        }
        let lease = claimed(&self.options, Some(found));
        stored(self.leases.replace(&self.options.name, &PostParams::default(), &lease).await)
    }
}

impl Holder {
    /// Renews the lease until it is lost.
    pub async fn hold(&mut self) -> Lost {
        loop {
            sleep(self.options.retry).await;
            let left = self.options.give_up.saturating_sub(self.renewed.elapsed());
            let requested = Instant::now();
            match timeout(left, self.renew()).await {
                Ok(Ok(None)) => self.renewed = requested,
                Ok(Ok(Some(lost))) => return lost,
                Ok(Err(error)) => {
                    tracing::warn!(error = error_chain(&error), "lease not renewed");
                }
                Err(_) => return Lost::Silent(self.options.give_up),
            }
        }
    }

    async fn renew(&mut self) -> Result<Option<Lost>, kube::Error> {
        let (name, parameters) = (&self.options.name, PostParams::default());
        let lease = claimed(&self.options, Some(self.lease.clone()));
        let written = stored(self.leases.replace(name, &parameters, &lease).await)?;
        if let Some(written) = written {
            self.lease = written;
            return Ok(None);
        }
        // The version differs. This process may still be the holder: an answer was lost, or another client wrote a label.
        let Some(found) = self.leases.get_opt(name).await? else {
            return Ok(Some(Lost::Taken(String::new())));
        };
        let holder = holder(&found);
        if holder != self.options.identity {
            return Ok(Some(Lost::Taken(holder.to_owned())));
        }
        let lease = claimed(&self.options, Some(found));
        match stored(self.leases.replace(name, &parameters, &lease).await)? {
            Some(written) => self.lease = written,
            // Retried after the pause, if there is time.
            None => tracing::warn!("another client writes the lease"),
        }
        Ok(None)
    }

    /// Releases the lease, so that the next leader need not wait. This process must not work after that.
    ///
    /// # Errors
    /// When the API server refused or did not answer. Then the next leader waits for the duration.
    pub async fn release(mut self) -> Result<(), kube::Error> {
        let name = &self.options.name;
        let free = |mut lease: Lease| {
            if let Some(spec) = &mut lease.spec {
                spec.holder_identity = Some(String::new());
            }
            lease
        };
        self.lease = free(self.lease);
        let first = self.leases.replace(name, &PostParams::default(), &self.lease).await;
        if stored(first)?.is_none() {
            // The version differs: a renewal was stored whose answer was not awaited.
            let found = self.leases.get(name).await?;
            if holder(&found) == self.options.identity {
                self.leases.replace(name, &PostParams::default(), &free(found)).await?;
            }
        }
        tracing::info!(identity = self.options.identity, "lease released");
        Ok(())
    }
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

/// The lease with this process as its holder. It keeps the version that was read, so that a concurrent write conflicts.
fn claimed(options: &Options, found: Option<Lease>) -> Lease {
    let now = MicroTime(Timestamp::now());
    let ours = found.as_ref().is_some_and(|lease| holder(lease) == options.identity);
    let mut lease = found.unwrap_or_else(|| Lease {
        metadata: ObjectMeta { name: Some(options.name.clone()), ..ObjectMeta::default() },
        spec: None,
    });
    let before = lease.spec.take().unwrap_or_default();
    let transitions = before.lease_transitions.unwrap_or_default();
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(options.identity.clone()),
        lease_duration_seconds: i32::try_from(options.duration.as_secs()).ok(),
        acquire_time: if ours { before.acquire_time } else { Some(now.clone()) },
        renew_time: Some(now),
        lease_transitions: Some(if ours { transitions } else { transitions.saturating_add(1) }),
        ..LeaseSpec::default()
    });
    lease
}

/// The stored lease; `None` if another write was first.
fn stored(answer: Result<Lease, kube::Error>) -> Result<Option<Lease>, kube::Error> {
    match answer {
        Ok(lease) => Ok(Some(lease)),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
