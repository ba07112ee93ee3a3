//! The kinds that the model serves.

/// How the API server treats the objects of a kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// API group; empty for the core.
    pub group: &'static str,
    /// Version within the group.
    pub version: &'static str,
    /// As in a path.
    pub plural: &'static str,
    /// As in a manifest.
    pub kind: &'static str,
    /// Whether the status can only be written through its subresource.
    pub status: bool,
    /// Whether the objects count generations.
    pub generation: bool,
    /// Whether a write must name the version it was made from.
    pub conditional: bool,
    /// Whether a PUT of an object that is not there makes it.
    pub made_by_put: bool,
    /// Where etcd keeps them, below `/registry/`.
    pub registry: &'static str,
    /// Whether a deletion answers with the object.
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
        made_by_put: false,
        registry: plural,
        answers_deleted: false,
    }
}

const fn grouped(group: &'static str, plural: &'static str, kind: &'static str) -> Kind {
    Kind { group, ..core(plural, kind) }
}

/// A further kind is a further row.
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
        made_by_put: true,
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
        made_by_put: true,
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
    /// When there is none: the caller names a constant.
    pub fn of(plural: &str) -> &'static Self {
        let found = KINDS.iter().find(|kind| kind.plural == plural);
        found.unwrap_or_else(|| panic!("the model serves no {plural}"))
    }

    /// Name as in the API server's messages: `pods`, `shoprljobs.shoprl.dev`.
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

    /// Where the objects of a namespace lie.
    pub fn path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "/api" } else { "/apis" };
        format!("{root}/{}/namespaces/{namespace}/{}", self.api_version(), self.plural)
    }
}
