//! The kinds that the model supports.

/// How the API server treats the objects of a kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// API group; empty for the core.
    pub group: &'static str,
    /// Version within the group.
    pub version: &'static str,
    /// Plural, as in a path.
    pub plural: &'static str,
    /// Kind, as in a manifest.
    pub kind: &'static str,
    /// Whether only the subresource `status` writes the status.
    pub status: bool,
    /// Whether the objects have a generation.
    pub generation: bool,
    /// Whether an update must have a resource version.
    pub conditional: bool,
    /// Whether a PUT creates a missing object.
    pub created_by_put: bool,
    /// Path in etcd below `/registry/`.
    pub registry: &'static str,
    /// Whether the answer to a deletion is the object.
    pub answers_deleted: bool,
}

const fn core(plural: &'static str, kind: &'static str) -> Kind {
    Kind {
        group: "",
        version: "v1",
        plural,
        kind,
        status: false,
        generation: false,
        conditional: false,
        created_by_put: false,
        registry: plural,
        answers_deleted: false,
    }
}

const fn grouped(group: &'static str, plural: &'static str, kind: &'static str) -> Kind {
    Kind { group, ..core(plural, kind) }
}

/// All supported kinds.
pub static KINDS: [Kind; 11] = [
    Kind {
        version: "v1alpha1",
        status: true,
        generation: true,
        conditional: true,
        registry: "shoprl.dev/shoprljobs",
        ..grouped("shoprl.dev", "shoprljobs", "ShopRLJob")
    },
    Kind { status: true, generation: true, answers_deleted: true, ..core("pods", "Pod") },
    Kind {
        status: true,
        created_by_put: true,
        registry: "services/specs",
        answers_deleted: true,
        ..core("services", "Service")
    },
    core("configmaps", "ConfigMap"),
    core("secrets", "Secret"),
    Kind {
        status: true,
        answers_deleted: true,
        ..core("persistentvolumeclaims", "PersistentVolumeClaim")
    },
    core("events", "Event"),
    grouped("events.k8s.io", "events", "Event"),
    Kind { generation: true, ..grouped("networking.k8s.io", "networkpolicies", "NetworkPolicy") },
    Kind {
        status: true,
        generation: true,
        conditional: true,
        ..grouped("policy", "poddisruptionbudgets", "PodDisruptionBudget")
    },
    Kind {
        conditional: true,
        created_by_put: true,
        ..grouped("coordination.k8s.io", "leases", "Lease")
    },
];

impl Kind {
    /// The kind of this group and plural.
    pub fn find(group: &str, plural: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.group == group && kind.plural == plural)
    }

    /// The core kind or the kind of jobs with this plural.
    ///
    /// # Panics
    /// When the plural is unknown. Callers use constants.
    pub fn of(plural: &str) -> &'static Self {
        let found = KINDS.iter().find(|kind| kind.plural == plural);
        found.unwrap_or_else(|| panic!("the model does not support {plural}"))
    }

    /// Name in the API server's messages: `pods`, `shoprljobs.shoprl.dev`.
    pub fn resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `v1`, `shoprl.dev/v1alpha1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Path of the objects of a namespace.
    pub fn path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "/api" } else { "/apis" };
        format!("{root}/{}/namespaces/{namespace}/{}", self.api_version(), self.plural)
    }
}
