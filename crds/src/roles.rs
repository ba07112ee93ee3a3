//! `spec.roles`: the number of workers of each role, and additions to their pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, EnvVar, Toleration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limit;
use crate::overlay::{self, PodOverlay, Resources};

/// Number of workers of each role, and additions to their pods. None of it changes the weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Roles {
    /// Workers that serve the shop.
    pub simulator: SimulatorRole,
    /// Workers that play episodes with the policy.
    pub rollout: RolloutRole,
    /// Workers that replay and score episodes.
    pub reward: RewardRole,
    /// The worker that trains the policy. There is exactly one, so it has no replicas.
    pub trainer: TrainerRole,
}

/// A role with the overlay of its pods. The overlay's fields stand directly below the role, where users of Kubernetes
/// expect `nodeSelector`. They are repeated by a macro because serde's flatten loses the paths of errors.
macro_rules! role {
    ($(#[$about:meta])* $name:ident $(, replicas: $type:ty = $replicas:expr)?) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $(
                /// Number of workers. With 0 the job waits until workers are added.
                #[schemars(transform = limit::REPLICAS.rule())]
                pub replicas: $type,
            )?
            /// Labels to add to the pods.
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            #[schemars(transform = overlay::labels)]
            pub labels: BTreeMap<String, String>,
            /// Annotations to add to the pods.
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            #[schemars(transform = overlay::annotations)]
            pub annotations: BTreeMap<String, String>,
            /// Labels that a node must have, all of them. Default: any node.
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            #[schemars(transform = overlay::node_selector)]
            pub node_selector: BTreeMap<String, String>,
            /// Node taints that the pods tolerate.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            #[schemars(transform = overlay::tolerations)]
            pub tolerations: Vec<Toleration>,
            /// Affinity to nodes and to other pods. `kubectl explain pod.spec.affinity` lists the fields.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schemars(with = "Affinity", transform = overlay::affinity)]
            pub affinity: Option<Affinity>,
            /// Resources of each worker. Each amount replaces the default for that resource.
            #[serde(skip_serializing_if = "Resources::is_empty")]
            pub resources: Resources,
            /// Environment variables to add to the workers.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            #[schemars(transform = overlay::environment)]
            pub env: Vec<EnvVar>,
            /// Name of an existing PriorityClass. It decides which pods are scheduled first and which are preempted.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schemars(with = "String", transform = overlay::object_name)]
            pub priority_class_name: Option<String>,
            /// Name of the scheduler, if not the default one.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schemars(with = "String", transform = overlay::object_name)]
            pub scheduler_name: Option<String>,
            /// Name of an existing RuntimeClass, which selects the container runtime.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schemars(with = "String", transform = overlay::object_name)]
            pub runtime_class_name: Option<String>,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $(replicas: $replicas,)?
                    labels: BTreeMap::new(),
                    annotations: BTreeMap::new(),
                    node_selector: BTreeMap::new(),
                    tolerations: Vec::new(),
                    affinity: None,
                    resources: Resources::default(),
                    env: Vec::new(),
                    priority_class_name: None,
                    scheduler_name: None,
                    runtime_class_name: None,
                }
            }
        }

        impl $name {
            /// The additions to the pods.
            pub fn overlay(&self) -> PodOverlay {
                PodOverlay {
                    labels: self.labels.clone(),
                    annotations: self.annotations.clone(),
                    node_selector: self.node_selector.clone(),
                    tolerations: self.tolerations.clone(),
                    affinity: self.affinity.clone(),
                    resources: self.resources.clone(),
                    env: self.env.clone(),
                    priority_class_name: self.priority_class_name.clone(),
                    scheduler_name: self.scheduler_name.clone(),
                    runtime_class_name: self.runtime_class_name.clone(),
                }
            }
        }
    };
}

role!(
    /// Workers that serve the shop.
    SimulatorRole, replicas: i32 = 1
);
role!(
    /// Workers that play episodes with the policy.
    RolloutRole, replicas: i32 = 2
);
role!(
    /// Workers that replay and score episodes.
    RewardRole, replicas: i32 = 1
);
role!(
    /// The worker that trains the policy. There is exactly one, so it has no replicas.
    TrainerRole
);
