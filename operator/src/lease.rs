//! Who of several operators does the work: the one that holds a Lease.
//!
//! Clocks of machines are never compared: a lease is free when it did not change for its duration by our own clock.
//! The holder stops after a shorter time without a renewal. That two work at once for a moment, all the same, is
//! harmless (docs/ARCHITECTURE.md); the lease spares the double work.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use tokio::time::{Instant, sleep, timeout};

/// How the election goes.
#[derive(Debug, Clone)]
pub struct Options {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who we are: the pod's name. Two processes of one identity both believe to hold the lease.
    pub identity: String,
    /// How long the others wait for a holder that is silent.
    pub duration: Duration,
    /// After so long without a renewal the holder stops.
    pub give_up: Duration,
    /// Pause between two attempts to renew or to acquire it.
    pub retry: Duration,
}

/// The times do not fit together.
#[derive(Debug, thiserror::Error)]
#[error(
    "--lease-retry {retry:?} must be shorter than --lease-give-up {give_up:?}, and that shorter than --lease-duration {duration:?}: the holder must have stopped before another begins"
)]
pub struct UnfitTimes {
    retry: Duration,
    give_up: Duration,
    duration: Duration,
}

/// Why the holder is none any more.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Somebody else holds the lease.
    #[error("the lease is held by {0:?} now")]
    Taken(String),
    /// The API server took no renewal for too long.
    #[error("the lease could not be renewed for {0:?}")]
    Silent(Duration),
}

impl Options {
    /// Whether the times fit together.
    ///
    /// # Errors
    /// When they do not.
    pub fn check(&self) -> Result<(), UnfitTimes> {
        let Self { retry, give_up, duration, .. } = *self;
        // A Lease counts whole seconds.
        if retry.is_zero() || retry >= give_up || give_up >= duration || duration.subsec_nanos() > 0
        {
            return Err(UnfitTimes { retry, give_up, duration });
        }
        Ok(())
    }
}

/// Takes part in the election.
#[derive(Debug)]
pub struct Candidate {
    leases: Api<Lease>,
    options: Options,
    /// The version that was seen last, and since when.
    seen: Option<(String, Instant)>,
}

/// Holds the lease.
#[derive(Debug)]
pub struct Holder {
    leases: Api<Lease>,
    options: Options,
    lease: Lease,
    renewed: Instant,
}

impl Candidate {
    /// Nobody yet.
    ///
    /// # Errors
    /// When the times do not fit together.
    pub fn new(client: Client, options: Options) -> Result<Self, UnfitTimes> {
        options.check()?;
        Ok(Self { leases: Api::namespaced(client, &options.namespace), options, seen: None })
    }

    /// Waits until the lease is ours.
    pub async fn acquire(mut self) -> Holder {
        loop {
            // Before the request is sent: the others count from when it arrives.
            let asked = Instant::now();
            match timeout(self.options.give_up, self.attempt()).await {
                Ok(Ok(Some(lease))) => {
                    tracing::info!(identity = self.options.identity, "leads");
                    let Self { leases, options, .. } = self;
                    return Holder { leases, options, lease, renewed: asked };
                }
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the lease cannot be asked for"),
                Err(_) => tracing::warn!("the API server does not answer for the lease"),
            }
            sleep(self.options.retry).await;
        }
    }

    async fn attempt(&mut self) -> Result<Option<Lease>, kube::Error> {
        let Some(found) = self.leases.get_opt(&self.options.name).await? else {
            let lease = claimed(&self.options, None);
            return taken(self.leases.create(&PostParams::default(), &lease).await);
        };
        let version = found.resource_version().unwrap_or_default();
        let since = match &self.seen {
            Some((known, since)) if *known == version => *since,
            _ => {
                let now = Instant::now();
                self.seen = Some((version, now));
                now
            }
        };
        let spec = found.spec.as_ref();
        let holder = holder(&found);
        // The holder said itself how long it must be waited for.
        let duration = spec
            .and_then(|spec| spec.lease_duration_seconds)
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(self.options.duration, Duration::from_secs);
        if !holder.is_empty() && holder != self.options.identity && since.elapsed() < duration {
            return Ok(None);
        }
        let lease = claimed(&self.options, Some(found));
        taken(self.leases.replace(&self.options.name, &PostParams::default(), &lease).await)
    }
}

impl Holder {
    /// Renews the lease until it is lost.
    pub async fn hold(&mut self) -> Lost {
        loop {
            sleep(self.options.retry).await;
            let left = self.options.give_up.saturating_sub(self.renewed.elapsed());
            let asked = Instant::now();
            match timeout(left, self.renew()).await {
                Ok(Ok(None)) => self.renewed = asked,
                Ok(Ok(Some(lost))) => return lost,
                Ok(Err(error)) => tracing::warn!(%error, "the lease could not be renewed"),
                Err(_) => return Lost::Silent(self.options.give_up),
            }
        }
    }

    async fn renew(&mut self) -> Result<Option<Lost>, kube::Error> {
        let (name, parameters) = (&self.options.name, PostParams::default());
        let lease = claimed(&self.options, Some(self.lease.clone()));
        let written = taken(self.leases.replace(name, &parameters, &lease).await)?;
        if let Some(written) = written {
            self.lease = written;
            return Ok(None);
        }
        // Another version: ours all the same when an answer was lost, or somebody wrote a label.
        let Some(found) = self.leases.get_opt(name).await? else {
            return Ok(Some(Lost::Taken(String::new())));
        };
        let holder = holder(&found);
        if holder != self.options.identity {
            return Ok(Some(Lost::Taken(holder.to_owned())));
        }
        let lease = claimed(&self.options, Some(found));
        match taken(self.leases.replace(name, &parameters, &lease).await)? {
            Some(written) => self.lease = written,
            // The next attempt, if there is time for it, looks again.
            None => tracing::warn!("somebody else writes the lease"),
        }
        Ok(None)
    }

    /// Gives the lease back, so that the next one need not wait. Nothing may be done after it.
    ///
    /// # Errors
    /// When the API server refused or was not reached; the others wait for the duration then.
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
        if taken(first)?.is_none() {
            // A renewal whose answer nobody waited for made another version of it.
            let found = self.leases.get(name).await?;
            if holder(&found) == self.options.identity {
                self.leases.replace(name, &PostParams::default(), &free(found)).await?;
            }
        }
        tracing::info!(identity = self.options.identity, "gave the lease back");
        Ok(())
    }
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

/// The lease as it is when we hold it; its version, if it is there, is the one that was read.
fn claimed(options: &Options, found: Option<Lease>) -> Lease {
    let now = MicroTime(Timestamp::now());
    let ours = found.as_ref().is_some_and(|lease| holder(lease) == options.identity);
    let mut lease = found.unwrap_or_else(|| Lease {
        metadata: ObjectMeta { name: Some(options.name.clone()), ..ObjectMeta::default() },
        spec: None,
    });
    let known = lease.spec.take().unwrap_or_default();
    let transitions = known.lease_transitions.unwrap_or_default();
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(options.identity.clone()),
        lease_duration_seconds: i32::try_from(options.duration.as_secs()).ok(),
        acquire_time: if ours { known.acquire_time } else { Some(now.clone()) },
        renew_time: Some(now),
        lease_transitions: Some(if ours { transitions } else { transitions.saturating_add(1) }),
        ..LeaseSpec::default()
    });
    lease
}

/// `None` when somebody was faster.
fn taken(answer: Result<Lease, kube::Error>) -> Result<Option<Lease>, kube::Error> {
    match answer {
        Ok(lease) => Ok(Some(lease)),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
