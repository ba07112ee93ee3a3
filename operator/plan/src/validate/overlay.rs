//! What is added to the pods of a role. What the API server would refuse only when a pod is created is refused here,
//! where somebody looks.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{EnvVar, LocalObjectReference, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use shoprl_contract::Role;
use shoprl_crds::overlay::{
    ANNOTATION_REMEDY, LABEL_REMEDY, OWN_PREFIX, OWN_VARIABLE, QUANTITY_REMEDY, VARIABLE_REMEDY,
};
use shoprl_crds::{IMAGE_REMEDY, PodOverlay, Resources, Roles, is_digested};

use super::Overlays;
use super::checks::Checks;
use crate::quantity::Amount;

pub(super) fn image(checks: &mut Checks, image: Option<&String>) -> Option<String> {
    if let Some(image) = image
        && !is_digested(image)
    {
        checks.refuse("spec.image", format!("{image:?}"), IMAGE_REMEDY);
    }
    image.cloned()
}

pub(super) fn pull_secrets(
    checks: &mut Checks,
    secrets: &[LocalObjectReference],
) -> Vec<LocalObjectReference> {
    const FIELD: &str = "spec.imagePullSecrets";
    checks.size(FIELD, secrets.len(), 8);
    for secret in secrets {
        checks.object_name(FIELD, Some(&secret.name));
    }
    checks.once(FIELD, secrets.iter().map(|secret| secret.name.as_str()));
    secrets.to_vec()
}

/// The overlay of every role.
pub(super) fn overlays(checks: &mut Checks, roles: &Roles) -> Overlays {
    let mut checked = |role: Role, overlay: PodOverlay| {
        check(checks, &format!("spec.roles.{}", role.name()), &overlay);
        overlay
    };
    Overlays {
        simulator: checked(Role::Simulator, roles.simulator.overlay()),
        rollout: checked(Role::Rollout, roles.rollout.overlay()),
        reward: checked(Role::Reward, roles.reward.overlay()),
        trainer: checked(Role::Trainer, roles.trainer.overlay()),
    }
}

fn check(checks: &mut Checks, role: &str, overlay: &PodOverlay) {
    let at = |field: &str| format!("{role}.{field}");
    labels(checks, &at("labels"), &overlay.labels);
    own(checks, &at("labels"), &overlay.labels, LABEL_REMEDY);
    names(checks, &at("annotations"), &overlay.annotations, 4096);
    own(checks, &at("annotations"), &overlay.annotations, ANNOTATION_REMEDY);
    labels(checks, &at("nodeSelector"), &overlay.node_selector);
    tolerations(checks, &at("tolerations"), &overlay.tolerations);
    resources(checks, &at("resources"), &overlay.resources);
    variables(checks, &at("env"), &overlay.env);
    checks.object_name(&at("priorityClassName"), overlay.priority_class_name.as_ref());
    checks.object_name(&at("schedulerName"), overlay.scheduler_name.as_ref());
    checks.object_name(&at("runtimeClassName"), overlay.runtime_class_name.as_ref());
}

fn own(checks: &mut Checks, field: &str, map: &BTreeMap<String, String>, remedy: &str) {
    if let Some(key) = map.keys().find(|key| key.starts_with(OWN_PREFIX)) {
        checks.refuse(field, format!("{key:?}"), remedy);
    }
}

/// Keys that Kubernetes takes: `name` or `domain/name`.
fn names(checks: &mut Checks, field: &str, map: &BTreeMap<String, String>, longest: usize) {
    checks.size(field, map.len(), 64);
    for (key, value) in map {
        let (domain, name) =
            key.split_once('/').map_or((None, key.as_str()), |(d, n)| (Some(d), n));
        if !is_name(name) || name.is_empty() || !domain.is_none_or(is_subdomain) {
            let remedy = "a key is a name of at most 63 letters, digits, '-', '_' and '.', with a domain and '/' before it if need be";
            checks.refuse(field, format!("{key:?}"), remedy);
        }
        if value.len() > longest {
            let remedy = format!("a value may have {longest} characters: shorten it");
            checks.refuse(field, format!("{key}: {} characters", value.len()), remedy);
        }
    }
}

fn labels(checks: &mut Checks, field: &str, map: &BTreeMap<String, String>) {
    names(checks, field, map, 63);
    for (key, value) in map.iter().filter(|(_, value)| !is_name(value)) {
        let remedy = "a value is at most 63 letters, digits, '-', '_' and '.', and begins and ends with a letter or digit";
        checks.refuse(field, format!("{key}: {value:?}"), remedy);
    }
}

fn tolerations(checks: &mut Checks, field: &str, tolerations: &[Toleration]) {
    checks.size(field, tolerations.len(), 32);
    let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    for (index, toleration) in tolerations.iter().enumerate() {
        let mut refuse = |name: &str, value: String, remedy: &str| {
            checks.refuse(&format!("{field}[{index}].{name}"), value, remedy);
        };
        match toleration.operator.as_deref() {
            None | Some("" | "Equal") if !said(&toleration.key) => {
                refuse(
                    "key",
                    "nothing".to_owned(),
                    "name the taint's key, or write operator: Exists for every taint",
                );
            }
            Some("Exists") if said(&toleration.value) => {
                let value = format!("{:?}", toleration.value.as_deref().unwrap_or_default());
                refuse(
                    "value",
                    value,
                    "operator: Exists has no value: leave it out, or write operator: Equal",
                );
            }
            None | Some("" | "Equal" | "Exists") => {}
            Some(other) => refuse("operator", format!("{other:?}"), "write Equal or Exists"),
        }
        match toleration.effect.as_deref() {
            None | Some("" | "NoSchedule" | "PreferNoSchedule" | "NoExecute") => {}
            Some(other) => refuse(
                "effect",
                format!("{other:?}"),
                "write NoSchedule, PreferNoSchedule or NoExecute, or leave it out for all of them",
            ),
        }
        if let Some(seconds) = toleration.toleration_seconds
            && toleration.effect.as_deref() != Some("NoExecute")
        {
            refuse(
                "tolerationSeconds",
                seconds.to_string(),
                "only a toleration of effect: NoExecute ends after some time",
            );
        }
    }
}

fn resources(checks: &mut Checks, field: &str, resources: &Resources) {
    let sides = [("requests", &resources.requests), ("limits", &resources.limits)];
    for (side, amounts) in sides {
        let field = format!("{field}.{side}");
        checks.size(&field, amounts.len(), 16);
        let wrong =
            |amount: &Quantity| Amount::parse(&amount.0).is_none_or(|it| it < Amount::default());
        if let Some((name, amount)) = amounts.iter().find(|(_, amount)| wrong(amount)) {
            checks.refuse(&field, format!("{name}: {:?}", amount.0), QUANTITY_REMEDY);
        }
        for (name, amount) in amounts {
            if name.contains('/') && Amount::parse(&amount.0).is_some_and(|it| !it.is_whole()) {
                checks.refuse(
                    &field,
                    format!("{name}: {:?}", amount.0),
                    "devices are whole: write 1, 2, ...",
                );
            }
            if !name.contains('/')
                && !["cpu", "memory", "ephemeral-storage"].contains(&name.as_str())
                && !name.starts_with("hugepages-")
            {
                checks.refuse(&field, format!("{name:?}"), "resources are cpu, memory, ephemeral-storage, or a device with its vendor's domain, for example nvidia.com/gpu");
            }
        }
    }
    for (name, request) in &resources.requests {
        let Some(limit) = resources.limits.get(name) else { continue };
        let (Some(asked), Some(most)) = (Amount::parse(&request.0), Amount::parse(&limit.0)) else {
            continue;
        };
        let field = format!("{field}.requests");
        if asked > most {
            checks.refuse(
                &field,
                format!("{name}: {:?}", request.0),
                format!("the limit is {}: lower the request or raise the limit", limit.0),
            );
        } else if asked < most && name.contains('/') {
            checks.refuse(
                &field,
                format!("{name}: {:?}", request.0),
                format!(
                    "the limit is {}: devices are never shared, so write it in limits only",
                    limit.0
                ),
            );
        }
    }
}

fn variables(checks: &mut Checks, field: &str, variables: &[EnvVar]) {
    checks.size(field, variables.len(), 64);
    if variables.iter().any(|variable| variable.name == OWN_VARIABLE) {
        checks.refuse(field, format!("{OWN_VARIABLE:?}"), VARIABLE_REMEDY);
    }
    for variable in variables {
        let name = variable.name.as_str();
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let begins_well = name.starts_with(|c: char| inner(c) && !c.is_ascii_digit());
        if !begins_well || !name.chars().all(inner) || name.len() > 256 {
            let remedy = "a variable's name is letters, digits, '_', '-' and '.', and does not begin with a digit";
            checks.refuse(field, format!("{name:?}"), remedy);
        }
        if variable.value_from.is_some() && variable.value.as_ref().is_some_and(|it| !it.is_empty())
        {
            checks.refuse(
                field,
                format!("{name:?}"),
                "value and valueFrom exclude each other: leave one out",
            );
        }
    }
    checks.once(field, variables.iter().map(|variable| variable.name.as_str()));
}

/// The value of a label, or the name in its key; nothing is a value too.
fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && text.chars().all(inner)
        && end(text.chars().next())
        && end(text.chars().next_back())
}

/// A DNS name of labels (RFC 1123), as most objects have.
pub(super) fn is_subdomain(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label = |label: &str| {
        !label.is_empty()
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

impl Checks {
    /// A list or map of at most `most` entries.
    fn size(&mut self, field: &str, size: usize, most: usize) {
        if size > most {
            self.refuse(
                field,
                format!("{size} entries"),
                format!("{most} are the most: take some out"),
            );
        }
    }

    /// The name of another object, if there is one.
    pub(super) fn object_name(&mut self, field: &str, name: Option<&String>) {
        if let Some(name) = name
            && !is_subdomain(name)
        {
            let remedy = "write the name of an object: small letters, digits, '-' and '.'";
            self.refuse(field, format!("{name:?}"), remedy);
        }
    }

    /// Names that must differ.
    fn once<'a>(&mut self, field: &str, names: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                self.refuse(field, format!("{name:?}"), "it is there twice: name it once");
            }
        }
    }
}
