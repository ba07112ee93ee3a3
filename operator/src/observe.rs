//! The first step of a reconcile: what the caches, the status and the trainer say about one job.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, ResourceExt};
use shoprl_crds::{Progress, ShopRLJob, ShopRLJobStatus};
use shoprl_plan::Validated;
use shoprl_plan::cluster::{self, JobFacts, Observed, ObservedPod, Plan, PodState};
use shoprl_plan::local::ProcessId;
use shoprl_plan::placement::Node;

use crate::context::Context;
use crate::error::Error;

/// A job as it was read or written, with what planning needs.
pub(crate) struct Subject<'a> {
    pub(crate) job: &'a ShopRLJob,
    pub(crate) namespace: &'a str,
    pub(crate) uid: &'a str,
    owner: OwnerReference,
    validated: &'a Validated,
    token: String,
    status: ShopRLJobStatus,
}

impl<'a> Subject<'a> {
    pub(crate) fn of(
        job: &'a ShopRLJob,
        validated: &'a Validated,
        context: &Context,
    ) -> Result<Self, Error> {
        let uid = job.metadata.uid.as_deref().ok_or(Error::Incomplete("uid"))?;
        Ok(Self {
            job,
            namespace: job.metadata.namespace.as_deref().ok_or(Error::Incomplete("namespace"))?,
            uid,
            owner: job.controller_owner_ref(&()).ok_or(Error::Incomplete("uid"))?,
            validated,
            token: context.key.token(uid),
            status: job.status.clone().unwrap_or_default(),
        })
    }

    fn pods(&self, context: &Context) -> Vec<ObservedPod> {
        context.pods.of(self.namespace, &self.job.name_any(), self.uid)
    }

    /// Plans with the caches as they are now, and with `progress` if the trainer was asked.
    pub(crate) fn plan(&self, context: &Context, progress: Option<Progress>) -> Plan {
        let pods = self.pods(context);
        // A cluster may have thousands of nodes: they are read only if a pod has none.
        let unplaced = pods.iter().any(ObservedPod::is_unplaced);
        let nodes = context.nodes.as_ref().filter(|_| unplaced);
        let nodes: Option<Vec<Node>> =
            nodes.map(|nodes| nodes.state().iter().filter_map(|node| Node::of(node)).collect());
        // The cache is empty before the first list.
        let nodes = nodes.filter(|nodes| !nodes.is_empty());
        let facts = JobFacts {
            namespace: self.namespace,
            uid: self.uid,
            generation: self.job.metadata.generation,
            version: self.job.metadata.resource_version.as_deref(),
            owner: self.owner.clone(),
            image: &context.worker_image,
            operator: context.operator.as_ref(),
            token: &self.token,
            validated: self.validated,
            status: &self.status,
        };
        cluster::plan(&facts, &Observed { pods, progress, nodes }, (context.clock)())
    }

    /// The progress that the trainer of the current attempt reports, if it is ready and answers.
    pub(crate) async fn progress(&self, context: &Context) -> Option<Progress> {
        let trainer = self.pods(context).into_iter().find(|pod| {
            pod.worker == ProcessId::TRAINER
                && Some(pod.incarnation) == self.status.attempt
                && pod.state == PodState::Ready
        });
        context.trainers.ask(&trainer?.address?, self.uid, &self.token).await
    }
}
