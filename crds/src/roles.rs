//! `spec.roles`: how many workers there are, and what is added to their pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, EnvVar, Toleration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limit;
use crate::overlay::{self, PodOverlay, Resources};

/// How many workers play, score and serve, and what is added to their pods. None of it changes the weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Roles {
    /// Serve the shop.
    pub simulator: SimulatorRole,
    /// Play episodes with the policy.
    pub rollout: RolloutRole,
    /// Replay and score episodes.
    pub reward: RewardRole,
    /// Learns. One process: it has no replicas.
    pub trainer: TrainerRole,
}

/// A role with the overlay of its pods. Every role has the same fields, beside each other and not below a field of
/// their own: that is where one looks for `nodeSelector`. (serde's flatten would lose the paths of mistakes.)
macro_rules! role {
    ($(#[$about:meta])* $name:ident $(, replicas: $type:ty = $replicas:expr)?) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $(
                /// Workers; 0 holds the job until there are some.
                #[schemars(transform = limit::REPLICAS.rule())]
                pub replicas: $type,
            )?
            /// Labels of the pods, beside the operator's own.
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            #[schemars(transform = overlay::labels)]
            pub labels: BTreeMap<String, String>,
            /// Annotations of the pods, beside the operator's own.
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            #[schemars(transform = overlay::annotations)]
            pub annotations: BTreeMap<String, String>,
            /// Labels that a node must have, all of them. Without any, every node will do.
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            #[schemars(transform = overlay::node_selector)]
            pub node_selector: BTreeMap<String, String>,
            /// Taints of nodes that do not keep the pods away.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            #[schemars(transform = overlay::tolerations)]
            pub tolerations: Vec<Toleration>,
            /// Finer wishes about nodes and neighbours; `kubectl explain pod.spec.affinity` has the fields.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schemars(with = "Affinity", transform = overlay::affinity)]
            pub affinity: Option<Affinity>,
            /// What every worker gets; each amount replaces the default of that resource.
            #[serde(skip_serializing_if = "Resources::is_empty")]
            pub resources: Resources,
            /// Environment variables of the workers, beside the operator's own.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            #[schemars(transform = overlay::environment)]
            pub env: Vec<EnvVar>,
            /// A PriorityClass that exists: who comes first, and who gives way.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schemars(with = "String", transform = overlay::object_name)]
            pub priority_class_name: Option<String>,
            /// A scheduler other than the default.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schemars(with = "String", transform = overlay::object_name)]
            pub scheduler_name: Option<String>,
            /// A RuntimeClass that exists: how the containers are run.
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
            /// What is added to the pods.
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
    /// Serve the shop.
    SimulatorRole, replicas: i32 = 1
);
role!(
    /// Play episodes with the policy.
    RolloutRole, replicas: i32 = 2
);
role!(
    /// Replay and score episodes.
    RewardRole, replicas: i32 = 1
);
role!(
    /// Learns. One process: it has no replicas.
    TrainerRole
);
