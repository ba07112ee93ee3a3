//! The resources of a worker: the defaults of its role, overridden by the manifest.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use shoprl_contract::Role;
use shoprl_crds::Resources;

use crate::quantity::Amount;

type Amounts = BTreeMap<String, Quantity>;

/// Requests and limits that suit the preset `nano`. Only memory is limited, so that workers can use idle cores.
fn defaults(role: Role) -> (Amounts, Amounts) {
    let (cpu, memory, max_memory) = match role {
        Role::Trainer => ("500m", "512Mi", "2Gi"),
        Role::Rollout => ("250m", "256Mi", "1Gi"),
        Role::Simulator | Role::Reward => ("100m", "128Mi", "512Mi"),
    };
    let amount = |name: &str, text: &str| (name.to_owned(), Quantity(text.to_owned()));
    (
        BTreeMap::from([amount("cpu", cpu), amount("memory", memory)]),
        BTreeMap::from([amount("memory", max_memory)]),
    )
}

/// The defaults, overridden per resource by `given`. A default that contradicts a given amount is adjusted to it. A
/// device that is given as request or limit only is set as both.
pub(crate) fn resources(role: Role, given: &Resources) -> ResourceRequirements {
    let (mut requests, mut limits) = defaults(role);
    requests.extend(given.requests.clone());
    limits.extend(given.limits.clone());
    for (name, limit) in &given.limits {
        if !given.requests.contains_key(name) && is_below(Some(limit), requests.get(name)) {
            requests.insert(name.clone(), limit.clone());
        }
    }
    for (name, request) in &given.requests {
        if !given.limits.contains_key(name) && is_below(limits.get(name), Some(request)) {
            limits.insert(name.clone(), request.clone());
        }
    }
    for (name, amount) in given.limits.iter().chain(&given.requests) {
        if name.contains('/') {
            limits.entry(name.clone()).or_insert_with(|| amount.clone());
            requests.entry(name.clone()).or_insert_with(|| amount.clone());
        }
    }
    ResourceRequirements {
        requests: Some(requests),
        limits: Some(limits),
        ..ResourceRequirements::default()
    }
}

/// The amounts by which the scheduler places the pod.
pub(crate) fn requests(role: Role, given: &Resources) -> BTreeMap<String, Quantity> {
    resources(role, given).requests.unwrap_or_default()
}

/// Compute threads of a worker: its CPU limit, else its request, rounded up. `None` if the manifest gives neither.
pub(crate) fn threads(given: &Resources) -> Option<u64> {
    let cpu = given.limits.get("cpu").or_else(|| given.requests.get("cpu"))?;
    Some(Amount::parse(&cpu.0)?.ceil().max(1))
}

/// Whether both amounts exist and the first is smaller.
fn is_below(one: Option<&Quantity>, other: Option<&Quantity>) -> bool {
    let amount = |quantity: Option<&Quantity>| Amount::parse(&quantity?.0);
    amount(one).zip(amount(other)).is_some_and(|(one, other)| one < other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(text: &str) -> Amounts {
        let pair = |pair: &str| {
            let (name, amount) = pair.split_once(' ').expect("a name and an amount");
            (name.to_owned(), Quantity(amount.to_owned()))
        };
        text.split(", ").filter(|it| !it.is_empty()).map(pair).collect()
    }

    #[test]
    fn threads_follow_the_cpu_limit_else_the_request() {
        let check = |requests: &str, limits: &str, expected: Option<u64>| {
            let given = Resources { requests: amounts(requests), limits: amounts(limits) };
            assert_eq!(threads(&given), expected, "{requests} {limits}");
        };
        check("", "", None);
        check("memory 1Gi", "memory 1Gi", None);
        check("cpu 3", "", Some(3));
        check("cpu 500m", "cpu 2", Some(2));
        check("cpu 4", "cpu 1500m", Some(2));
        check("cpu 100m", "", Some(1));
        check("cpu 0", "", Some(1));
    }

    fn text(amounts: &Amounts) -> String {
        let parts: Vec<_> = amounts.iter().map(|(name, it)| format!("{name} {}", it.0)).collect();
        parts.join(", ")
    }

    #[test]
    fn given_amounts_replace_defaults_and_defaults_adjust_to_them() {
        let check = |requests: &str, limits: &str, requested: &str, limited: &str| {
            let given = Resources { requests: amounts(requests), limits: amounts(limits) };
            let merged = resources(Role::Trainer, &given);
            let found = (
                text(&merged.requests.unwrap_or_default()),
                text(&merged.limits.unwrap_or_default()),
            );
            assert_eq!(found, (requested.to_owned(), limited.to_owned()));
        };
        check("", "", "cpu 500m, memory 512Mi", "memory 2Gi");
        check("cpu 2", "", "cpu 2, memory 512Mi", "memory 2Gi");
        check("memory 4Gi", "", "cpu 500m, memory 4Gi", "memory 4Gi");
        check("", "memory 256Mi", "cpu 500m, memory 256Mi", "memory 256Mi");
        check("", "cpu 4", "cpu 500m, memory 512Mi", "cpu 4, memory 2Gi");
        check("", "cpu 0.1", "cpu 0.1, memory 512Mi", "cpu 0.1, memory 2Gi");
        let device = "cpu 500m, memory 512Mi, nvidia.com/gpu 1";
        check("", "nvidia.com/gpu 1", device, "memory 2Gi, nvidia.com/gpu 1");
        check("nvidia.com/gpu 1", "", device, "memory 2Gi, nvidia.com/gpu 1");
    }
}
