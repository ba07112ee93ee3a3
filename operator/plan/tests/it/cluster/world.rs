//! A model of a cluster.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateTerminated, ContainerStatus, Pod, PodCondition, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use shoprl_crds::{Progress, ShopRLJobSpec, ShopRLJobStatus};
use shoprl_plan::cluster::{self, Effect, JobFacts, Observed, ObservedPod, Plan, Surroundings};
use shoprl_plan::{Validated, validate};

pub(crate) fn spec(rollouts: i32) -> Validated {
    suspended(rollouts, false)
}

pub(crate) fn suspended(rollouts: i32, suspend: bool) -> Validated {
    let mut spec = ShopRLJobSpec { suspend, ..ShopRLJobSpec::default() };
    spec.roles.rollout.replicas = rollouts;
    validate(&spec, "job").unwrap()
}

pub(crate) fn condition<'a>(status: &'a ShopRLJobStatus, kind: &str) -> Option<(&'a str, &'a str)> {
    let found = status.conditions.iter().find(|condition| condition.type_ == kind)?;
    Some((&found.status, &found.reason))
}

/// An API server with one job, and a kubelet.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) spec: Validated,
    pub(crate) generation: i64,
    pub(crate) status: ShopRLJobStatus,
    pub(crate) pods: BTreeMap<String, Pod>,
    pub(crate) now: Timestamp,
    uids: u64,
    pub(crate) surroundings: Vec<Surroundings>,
    deleted: bool,
    pub(crate) progress: Option<Progress>,
}

impl World {
    pub(crate) fn new(rollouts: i32) -> Self {
        Self {
            spec: spec(rollouts),
            generation: 1,
            status: ShopRLJobStatus::default(),
            pods: BTreeMap::new(),
            now: Timestamp::UNIX_EPOCH,
            uids: 0,
            surroundings: Vec::new(),
            deleted: false,
            progress: None,
        }
    }

    pub(crate) fn plan(&self) -> Plan {
        let job = JobFacts {
            namespace: "default",
            uid: "0123456789",
            generation: Some(self.generation),
            version: Some("7"),
            owner: OwnerReference { uid: "0123456789".to_owned(), ..OwnerReference::default() },
            image: "image@sha256:1",
            operator: None,
            token: "token",
            validated: &self.spec,
            status: &self.status,
        };
        let pods = self.pods.values().filter_map(ObservedPod::of).collect();
        let progress = self.progress.clone();
        cluster::plan(&job, &Observed { pods, progress, nodes: None }, self.now)
    }

    /// A reconcile by an operator that crashes after `writes` writes.
    pub(crate) fn reconcile(&mut self, writes: usize) {
        let plan = self.plan();
        if let Some(intent) = plan.intent {
            if writes > 0 {
                self.persist(intent);
            }
            return;
        }
        let effects = plan.effects.len();
        for effect in plan.effects.into_iter().take(writes) {
            self.perform(effect);
        }
        if writes > effects {
            self.persist(plan.report);
        }
    }

    pub(crate) fn persist(&mut self, next: ShopRLJobStatus) {
        for kind in ["Complete", "Failed"] {
            if condition(&self.status, kind).is_some_and(|(status, _)| status == "True") {
                assert_eq!(
                    condition(&next, kind),
                    condition(&self.status, kind),
                    "a terminal condition is final"
                );
            }
        }
        self.status = next;
        let failures = &self.status.failures;
        let counted = failures.application + failures.disruption;
        let failed = i32::from(
            condition(&self.status, "Failed")
                .is_some_and(|(_, reason)| reason == "TooManyFailures"),
        );
        assert_eq!(self.status.restarts + failed, counted, "every replacement is counted once");
        // Only failures within the window, at most the six of the budget and the last one.
        assert!(failures.recent.len() <= 7, "{failures:?}");
    }

    pub(crate) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Prepare(children) => {
                let attempt =
                    &children.service.spec.unwrap().selector.unwrap()["shoprl.dev/incarnation"];
                assert_eq!(attempt.parse().ok(), self.status.attempt);
            }
            Effect::Surround(surroundings) => self.surroundings.push(*surroundings),
            Effect::DeleteJob { name, uid, version } => {
                assert_eq!((name.as_str(), uid.as_str()), ("job", "0123456789"));
                assert_eq!(version.as_deref(), Some("7"));
                assert!(self.is_over(), "a job is deleted before its end");
                self.deleted = true;
            }
            Effect::Create(pod) => self.create(*pod),
            Effect::Delete { name, uid } => {
                if self.pods.get(&name).is_some_and(|pod| pod.metadata.uid.as_ref() == Some(&uid)) {
                    self.pods.remove(&name);
                }
            }
        }
        let live = self.pods.values().filter(|pod| {
            let pod = ObservedPod::of(pod).unwrap();
            pod.worker.slug() == "trainer-0"
                && pod.ending().is_none()
                && Some(pod.incarnation) == self.status.attempt
        });
        assert!(live.count() <= 1, "two live trainers of one attempt");
    }

    pub(crate) fn create(&mut self, mut pod: Pod) {
        assert!(!self.is_over(), "a pod is created after the end");
        let name = pod.metadata.name.clone().unwrap();
        assert!(name.len() <= 63, "{name}");
        if !self.pods.contains_key(&name) {
            self.uids += 1;
            pod.metadata.uid = Some(self.uids.to_string());
            pod.status = Some(PodStatus::default());
            self.pods.insert(name, pod);
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        ["Complete", "Failed"].into_iter().any(|kind| condition(&self.status, kind).is_some())
    }

    /// Starts all waiting pods and makes them ready.
    pub(crate) fn run(&mut self) {
        for pod in self.pods.values_mut() {
            let status = pod.status.get_or_insert_default();
            if status.phase.is_none() {
                status.phase = Some("Running".to_owned());
                let ready = PodCondition {
                    type_: "Ready".to_owned(),
                    status: "True".to_owned(),
                    ..PodCondition::default()
                };
                status.conditions = Some(vec![ready]);
            }
        }
    }

    /// Ends the `nth` running pod.
    pub(crate) fn end(&mut self, nth: usize, code: i32, reason: &str) {
        let mut running: Vec<_> = self
            .pods
            .values_mut()
            .filter(|pod| pod.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Running"))
            .collect();
        if running.is_empty() {
            return;
        }
        let nth = nth % running.len();
        end(running[nth], code, reason);
    }

    pub(crate) fn end_of(&mut self, name: &str, code: i32, reason: &str) {
        end(self.pods.get_mut(name).unwrap_or_else(|| panic!("no {name}")), code, reason);
    }

    /// Sets the termination message of a pod that ended.
    pub(crate) fn set_termination_message(&mut self, name: &str, message: Option<&str>) {
        let status = self.pods.get_mut(name).and_then(|pod| pod.status.as_mut());
        let container = status.and_then(|it| it.container_statuses.as_mut()?.first_mut());
        let terminated = container.and_then(|it| it.state.as_mut()?.terminated.as_mut());
        terminated.unwrap_or_else(|| panic!("{name} has not ended")).message =
            message.map(str::to_owned);
    }

    /// Adds the container of a mesh, listed before the worker's: its exit code and whether it ended, the worker's exit
    /// code if that ended, and the phase of the pod.
    pub(crate) fn inject_sidecar(
        &mut self,
        name: &str,
        (code, ended): (i32, bool),
        worker: Option<i32>,
        phase: &str,
    ) {
        let container = |name: &str, code: Option<i32>| ContainerStatus {
            name: name.to_owned(),
            state: Some(ContainerState {
                terminated: code.map(|exit_code| ContainerStateTerminated {
                    exit_code,
                    ..ContainerStateTerminated::default()
                }),
                ..ContainerState::default()
            }),
            ..ContainerStatus::default()
        };
        let pod = self.pods.get_mut(name).unwrap_or_else(|| panic!("no {name}"));
        let status = pod.status.get_or_insert_default();
        status.phase = Some(phase.to_owned());
        status.container_statuses = Some(vec![
            container("istio-proxy", ended.then_some(code)),
            container("worker", worker),
        ]);
    }

    pub(crate) fn settle(&mut self) {
        for _ in 0..6 {
            self.reconcile(usize::MAX);
            self.run();
        }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.pods.keys().map(String::as_str).collect()
    }
}

fn end(pod: &mut Pod, code: i32, reason: &str) {
    let terminated = ContainerStateTerminated {
        exit_code: code,
        reason: Some(reason.to_owned()),
        ..ContainerStateTerminated::default()
    };
    let status = pod.status.get_or_insert_default();
    status.phase = Some(if code == 0 { "Succeeded" } else { "Failed" }.to_owned());
    status.conditions = None;
    status.container_statuses = Some(vec![ContainerStatus {
        name: "worker".to_owned(),
        state: Some(ContainerState { terminated: Some(terminated), ..ContainerState::default() }),
        ..ContainerStatus::default()
    }]);
}
