//! What the operator may do: one table, from which the chart's rules are written and by which every request is checked
//! before it is sent. A request without an entry here fails at once, so that the chart can never lag behind the code.

use std::fmt::Write as _;

use crate::metrics::closed;

closed! {
    /// What is done, as the API server's authorization names it.
    Verb {
        /// Reads one object.
        Get = "get",
        /// Reads all objects.
        List = "list",
        /// Is told of every change.
        Watch = "watch",
        /// Makes an object.
        Create = "create",
        /// Replaces an object.
        Update = "update",
        /// Changes an object in part.
        Patch = "patch",
        /// Removes an object.
        Delete = "delete",
    }
}

closed! {
    /// What it is done to: a resource, or a part of one.
    Kind {
        /// Jobs.
        Jobs = "shoprljobs",
        /// Their status.
        JobStatus = "shoprljobs/status",
        /// Pods.
        Pods = "pods",
        /// ConfigMaps.
        ConfigMaps = "configmaps",
        /// Secrets.
        Secrets = "secrets",
        /// Claims for storage.
        Claims = "persistentvolumeclaims",
        /// Services.
        Services = "services",
        /// Who may reach a job's pods.
        Policies = "networkpolicies",
        /// How many rollouts an eviction must leave.
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
    /// Its API group; the empty one is the core's.
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
    /// Where jobs are: everywhere, or in one namespace.
    Jobs,
    /// What belongs to no namespace; an operator of one namespace does without.
    Cluster,
    /// In the operator's own namespace, and only for its lease.
    Own,
}

/// One thing that the operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// To what.
    pub kind: Kind,
    /// What.
    pub verb: Verb,
    /// Where.
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

/// Everything that the operator does. It reads no Secret, ConfigMap or claim.
pub const RIGHTS: &[Right] = &[
    right(Kind::Jobs, Verb::List),
    right(Kind::Jobs, Verb::Watch),
    // Those whose time to live has passed.
    right(Kind::Jobs, Verb::Delete),
    right(Kind::JobStatus, Verb::Update),
    right(Kind::Pods, Verb::List),
    right(Kind::Pods, Verb::Watch),
    // Whose is the pod that is there already?
    right(Kind::Pods, Verb::Get),
    right(Kind::Pods, Verb::Create),
    right(Kind::Pods, Verb::Delete),
    right(Kind::ConfigMaps, Verb::Create),
    right(Kind::Secrets, Verb::Create),
    right(Kind::Claims, Verb::Create),
    // To which attempt does it lead?
    right(Kind::Services, Verb::Get),
    right(Kind::Services, Verb::Create),
    right(Kind::Services, Verb::Patch),
    // Which generation of the spec asked for it?
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

/// The right that a request needs, from its method and its URL, as the API server derives it; `None` without one in
/// the table.
pub(crate) fn needed(method: &str, path: &str, query: Option<&str>) -> Option<Right> {
    let mut parts = path.trim_matches('/').split('/');
    let group = match parts.next()? {
        "api" => "",
        "apis" => parts.next()?,
        _ => return None,
    };
    let _version = parts.next()?;
    let mut rest: Vec<&str> = parts.collect();
    // .../namespaces/NAMESPACE/RESOURCE; without more it is the namespace itself, which nobody asks for.
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

/// The rules of a role, as YAML: one line for every kind.
pub fn rules(place: Place) -> String {
    let mut text = String::from(
        "# Generated from operator/src/rights.rs. `UPDATE_EXPECT=1 cargo test --release -p shoprl-operator` rewrites it.\n",
    );
    for kind in Kind::ALL {
        let of_kind = RIGHTS.iter().filter(|right| right.kind == *kind && right.place == place);
        let verbs: Vec<Verb> = of_kind.map(|right| right.verb).collect();
        let (named, all): (Vec<Verb>, Vec<Verb>) =
            verbs.into_iter().partition(|verb| place == Place::Own && *verb != Verb::Create);
        // The name of an object that is created is not known to the authorization.
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
            .expect("a String takes everything that is written");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::{Kind, Place, RIGHTS, Verb, needed, rules};

    #[test]
    fn the_chart_s_rules_are_the_table() {
        expect_file!["../../charts/shoprl/files/rules.yaml"].assert_eq(&rules(Place::Jobs));
        expect_file!["../../charts/shoprl/files/cluster-rules.yaml"]
            .assert_eq(&rules(Place::Cluster));
        expect_file!["../../charts/shoprl/files/own-rules.yaml"].assert_eq(&rules(Place::Own));
        for (index, right) in RIGHTS.iter().enumerate() {
            assert!(!RIGHTS[..index].contains(right), "{right:?} is there twice");
        }
    }

    #[test]
    fn a_request_needs_what_the_api_server_asks_for_and_one_that_is_not_in_the_table_has_no_right()
    {
        let check = |method: &str, url: &str, expected: Option<(Verb, Kind)>| {
            let (path, query) =
                url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
            let found = needed(method, path, query).map(|right| (right.verb, right.kind));
            assert_eq!(found, expected, "{method} {url}");
        };
        let jobs = "/apis/shoprl.dev/v1alpha1/shoprljobs";
        let in_shop = "/apis/shoprl.dev/v1alpha1/namespaces/shop/shoprljobs";
        check("GET", &format!("{jobs}?&limit=500"), Some((Verb::List, Kind::Jobs)));
        check(
            "GET",
            &format!("{in_shop}?&watch=true&timeoutSeconds=290"),
            Some((Verb::Watch, Kind::Jobs)),
        );
        check("PUT", &format!("{in_shop}/j/status?"), Some((Verb::Update, Kind::JobStatus)));
        check("POST", "/api/v1/namespaces/shop/pods?", Some((Verb::Create, Kind::Pods)));
        check("GET", "/api/v1/namespaces/shop/pods/p", Some((Verb::Get, Kind::Pods)));
        check("DELETE", "/api/v1/namespaces/shop/pods/p", Some((Verb::Delete, Kind::Pods)));
        check(
            "PATCH",
            "/api/v1/namespaces/shop/services/s?&force=true",
            Some((Verb::Patch, Kind::Services)),
        );
        let lease = "/apis/coordination.k8s.io/v1/namespaces/shop/leases/l";
        check("PUT", lease, Some((Verb::Update, Kind::Leases)));
        // Not the operator's.
        check("DELETE", "/api/v1/namespaces/shop/pods", None);
        check("GET", "/api/v1/namespaces/shop/secrets/s", None);
        check("PUT", &format!("{in_shop}/j"), None);
        check("GET", "/api/v1/namespaces/shop/pods/p/log", None);
        check("POST", "/api/v1/namespaces/shop/events", None);
        check("GET", "/api/v1/namespaces/shop", None);
        check("GET", "/api/v1/namespaces", None);
        check("GET", "/version", None);
        check("GET", "/", None);
    }
}
