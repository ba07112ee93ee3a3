//! The table of what the operator may do. The chart's rules are generated from it, and every request is checked against it
//! before it is sent. A request without an entry fails immediately, so the chart cannot lag behind the code.

use std::fmt::Write as _;

use crate::closed::closed;

closed! {
    /// A verb of the API server's authorization.
    Verb {
        /// Reads one object.
        Get = "get",
        /// Reads all objects of a kind.
        List = "list",
        /// Receives every change.
        Watch = "watch",
        /// Creates an object.
        Create = "create",
        /// Replaces an object.
        Update = "update",
        /// Changes a part of an object.
        Patch = "patch",
        /// Deletes an object.
        Delete = "delete",
    }
}

closed! {
    /// A resource or a subresource.
    Kind {
        /// Jobs.
        Jobs = "shoprljobs",
        /// The status of jobs.
        JobStatus = "shoprljobs/status",
        /// Pods.
        Pods = "pods",
        /// ConfigMaps.
        ConfigMaps = "configmaps",
        /// Secrets.
        Secrets = "secrets",
        /// PersistentVolumeClaims.
        Claims = "persistentvolumeclaims",
        /// Services.
        Services = "services",
        /// NetworkPolicies.
        Policies = "networkpolicies",
        /// PodDisruptionBudgets.
        Budgets = "poddisruptionbudgets",
        /// Nodes.
        Nodes = "nodes",
        /// Events.
        Events = "events",
        /// Leases.
        Leases = "leases",
    }
}

impl Kind {
    /// The API group; empty for the core group.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Jobs | Self::JobStatus => shoprl_crds::GROUP,
            Self::Events => "events.k8s.io",
            Self::Leases => "coordination.k8s.io",
            Self::Policies => "networking.k8s.io",
            Self::Budgets => "policy",
            Self::Pods
            | Self::ConfigMaps
            | Self::Secrets
            | Self::Claims
            | Self::Services
            | Self::Nodes => "",
        }
    }
}

/// Where a right is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the namespaces of jobs: all, or one.
    Jobs,
    /// On objects without a namespace. An operator of one namespace does not need them.
    Cluster,
    /// In the operator's own namespace, for its lease only.
    Own,
}

/// One entry of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// The resource.
    pub kind: Kind,
    /// The verb.
    pub verb: Verb,
    /// The place.
    pub place: Place,
}

const fn right(kind: Kind, verb: Verb) -> Right {
    Right { kind, verb, place: Place::Jobs }
}

const fn of_nodes(verb: Verb) -> Right {
    Right { kind: Kind::Nodes, verb, place: Place::Cluster }
}

const fn own(verb: Verb) -> Right {
    Right { kind: Kind::Leases, verb, place: Place::Own }
}

/// Everything that the operator may do. It reads no Secret, ConfigMap or PersistentVolumeClaim.
pub const RIGHTS: &[Right] = &[
    right(Kind::Jobs, Verb::List),
    right(Kind::Jobs, Verb::Watch),
    // Finished jobs after spec.ttlSecondsAfterFinished.
    right(Kind::Jobs, Verb::Delete),
    right(Kind::JobStatus, Verb::Update),
    right(Kind::Pods, Verb::List),
    right(Kind::Pods, Verb::Watch),
    // Finds the owner of a pod whose name is taken.
    right(Kind::Pods, Verb::Get),
    right(Kind::Pods, Verb::Create),
    right(Kind::Pods, Verb::Delete),
    right(Kind::ConfigMaps, Verb::Create),
    right(Kind::Secrets, Verb::Create),
    right(Kind::Claims, Verb::Create),
    // Reads the attempt that the Service selects.
    right(Kind::Services, Verb::Get),
    right(Kind::Services, Verb::Create),
    right(Kind::Services, Verb::Patch),
    // Reads the generation of the spec that it was applied for.
    right(Kind::Policies, Verb::Get),
    right(Kind::Policies, Verb::Create),
    right(Kind::Policies, Verb::Update),
    right(Kind::Budgets, Verb::Get),
    right(Kind::Budgets, Verb::Create),
    right(Kind::Budgets, Verb::Update),
    of_nodes(Verb::List),
    of_nodes(Verb::Watch),
    right(Kind::Events, Verb::Create),
    own(Verb::Get),
    own(Verb::Create),
    own(Verb::Update),
];

/// The entry for a request, derived from its method and URL as the API server does. `None` if the table has none.
pub(crate) fn needed(method: &str, path: &str, query: Option<&str>) -> Option<Right> {
    let mut parts = path.trim_matches('/').split('/');
    let group = match parts.next()? {
        "api" => "",
        "apis" => parts.next()?,
        _ => return None,
    };
    let _version = parts.next()?;
    let mut rest: Vec<&str> = parts.collect();
    // .../namespaces/NAMESPACE/RESOURCE. Without a resource it is the namespace itself, which the operator never requests.
    if rest.first() == Some(&"namespaces") && rest.len() > 2 {
        rest.drain(..2);
    }
    let (resource, named) = match rest[..] {
        [resource] => (resource.to_owned(), false),
        [resource, _] => (resource.to_owned(), true),
        [resource, _, part] => (format!("{resource}/{part}"), true),
        _ => return None,
    };
    let watches = query.is_some_and(|query| {
        query.split('&').any(|option| matches!(option, "watch=true" | "watch=1"))
    });
    let verb = match (method, named) {
        ("GET", true) => Verb::Get,
        ("GET", false) if watches => Verb::Watch,
        ("GET", false) => Verb::List,
        ("POST", false) => Verb::Create,
        ("PUT", true) => Verb::Update,
        ("PATCH", true) => Verb::Patch,
        ("DELETE", true) => Verb::Delete,
        _ => return None,
    };
    RIGHTS.iter().copied().find(|right| {
        right.kind.group() == group && right.kind.name() == resource && right.verb == verb
    })
}

/// The rules of a role as YAML, one line for each kind.
pub fn rules(place: Place) -> String {
    let mut text = String::from(
        "# Generated from operator/src/rights.rs. `UPDATE_EXPECT=1 cargo test --release -p shoprl-operator` rewrites it.\n",
    );
    for kind in Kind::ALL {
        let of_kind = RIGHTS.iter().filter(|right| right.kind == *kind && right.place == place);
        let verbs: Vec<Verb> = of_kind.map(|right| right.verb).collect();
        let (named, all): (Vec<Verb>, Vec<Verb>) =
            verbs.into_iter().partition(|verb| place == Place::Own && *verb != Verb::Create);
        // The authorization of a create request does not know the name of the object.
        for (verbs, names) in
            [(all, ""), (named, ", resourceNames: [{{ .Release.Name }}-operator]")]
        {
            if verbs.is_empty() {
                continue;
            }
            let verbs: Vec<&str> = verbs.into_iter().map(Verb::name).collect();
            let (group, verbs) = (kind.group(), verbs.join(", "));
            let group = if group.is_empty() { "\"\"" } else { group };
            let kind = kind.name();
            writeln!(
                text,
                "- {{apiGroups: [{group}], resources: [{kind}], verbs: [{verbs}]{names}}}"
            )
            .expect("writing to a String cannot fail");
        }
    }
    text
}

#[cfg(test)]
mod tests;
