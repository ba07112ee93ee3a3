//! Whether an empty node suits a pod, by the rules of the scheduler.

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm, Taint, Toleration};

use super::explain::Obstacle;
use super::{Need, Node};
use crate::quantity::Amount;

/// The taint of a cordoned node.
const CORDONED: &str = "node.kubernetes.io/unschedulable";

/// Whether the node matches the node selector and the required node affinity.
pub(super) fn is_selected(need: &Need, node: &Node) -> bool {
    let labels = need.selector.iter().all(|(key, value)| node.labels.get(key) == Some(value));
    let is_met = |term: &NodeSelectorTerm| is_term_met(term, node);
    labels
        && need
            .affinity
            .as_ref()
            .is_none_or(|affinity| affinity.node_selector_terms.iter().any(is_met))
}

fn is_term_met(term: &NodeSelectorTerm, node: &Node) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    // An empty term selects no node.
    (!expressions.is_empty() || !fields.is_empty())
        && expressions.iter().all(|it| is_met(it, node.labels.get(&it.key).map(String::as_str)))
        && fields.iter().all(|it| it.key == "metadata.name" && is_met(it, Some(node.name.as_str())))
}

fn is_met(requirement: &NodeSelectorRequirement, found: Option<&str>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    let is_one = || found.is_some_and(|found| values.iter().any(|value| value == found));
    let numbers = || {
        let found: i64 = found?.parse().ok()?;
        Some((found, values.first()?.parse::<i64>().ok()?))
    };
    match requirement.operator.as_str() {
        "In" => is_one(),
        "NotIn" => !is_one(),
        "Exists" => found.is_some(),
        "DoesNotExist" => found.is_none(),
        "Gt" => numbers().is_some_and(|(found, than)| found > than),
        "Lt" => numbers().is_some_and(|(found, than)| found < than),
        _ => false,
    }
}

/// Why a selected node cannot take the pods. A lack of resources comes first, because a toleration cannot help there.
pub(super) fn obstacle(need: &Need, node: &Node) -> Option<Obstacle> {
    let lacks = need
        .requests
        .iter()
        .find(|(name, request)| node.amount(name) < Amount::parse(&request.0).unwrap_or_default());
    if let Some((resource, _)) = lacks {
        return Some(Obstacle::Lacks {
            resource: resource.clone(),
            has: node.written(resource).to_owned(),
            amount: node.amount(resource),
        });
    }
    let tolerated = |taint: &Taint| need.tolerations.iter().any(|it| tolerates(it, taint));
    let repels = |taint: &&Taint| {
        matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute") && taint.key != CORDONED
    };
    if let Some(taint) = node.taints.iter().filter(repels).find(|taint| !tolerated(taint)) {
        let value = taint.value.as_deref().filter(|it| !it.is_empty());
        let value = value.map(|value| format!("={value}")).unwrap_or_default();
        return Some(Obstacle::Taint(format!("{}{value}:{}", taint.key, taint.effect)));
    }
    let cordon =
        Taint { key: CORDONED.to_owned(), effect: "NoSchedule".to_owned(), ..Taint::default() };
    (node.cordoned && !tolerated(&cordon)).then_some(Obstacle::Cordoned)
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (effect, key) = (text(&toleration.effect), text(&toleration.key));
    (effect.is_empty() || effect == taint.effect)
        && (key.is_empty() || key == taint.key)
        && (toleration.operator.as_deref() == Some("Exists")
            || (!key.is_empty() && text(&toleration.value) == text(&taint.value)))
}
