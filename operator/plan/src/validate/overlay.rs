//! Validates the additions to the pods of a role. Values that the API server would refuse only when a pod is created are
//! refused here, so that the error appears in the job's conditions.

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

/// Validates the overlay of each role.
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
    no_reserved_keys(checks, &at("labels"), &overlay.labels, LABEL_REMEDY);
    names(checks, &at("annotations"), &overlay.annotations, 4096);
    no_reserved_keys(checks, &at("annotations"), &overlay.annotations, ANNOTATION_REMEDY);
    labels(checks, &at("nodeSelector"), &overlay.node_selector);
    tolerations(checks, &at("tolerations"), &overlay.tolerations);
    resources(checks, &at("resources"), &overlay.resources);
    variables(checks, &at("env"), &overlay.env);
    checks.object_name(&at("priorityClassName"), overlay.priority_class_name.as_ref());
    checks.object_name(&at("schedulerName"), overlay.scheduler_name.as_ref());
    checks.object_name(&at("runtimeClassName"), overlay.runtime_class_name.as_ref());
}

fn no_reserved_keys(
    checks: &mut Checks,
    field: &str,
    map: &BTreeMap<String, String>,
    remedy: &str,
) {
    if let Some(key) = map.keys().find(|key| key.starts_with(OWN_PREFIX)) {
        checks.refuse(field, format!("{key:?}"), remedy);
    }
}

/// Validates keys, `name` or `domain/name`, and the length of values.
fn names(checks: &mut Checks, field: &str, map: &BTreeMap<String, String>, max_length: usize) {
    checks.size(field, map.len(), 64);
    for (key, value) in map {
        let (domain, name) =
            key.split_once('/').map_or((None, key.as_str()), |(d, n)| (Some(d), n));
        if !is_name(name) || name.is_empty() || !domain.is_none_or(is_subdomain) {
            let remedy = "write a key of at most 63 letters, digits, '-', '_' and '.', with an optional prefix DOMAIN/";
            checks.refuse(field, format!("{key:?}"), remedy);
        }
        if value.len() > max_length {
            let remedy = format!("a value has at most {max_length} characters: shorten it");
            checks.refuse(field, format!("{key}: a value of {} characters", value.len()), remedy);
        }
    }
}

fn labels(checks: &mut Checks, field: &str, map: &BTreeMap<String, String>) {
    names(checks, field, map, 63);
    for (key, value) in map.iter().filter(|(_, value)| !is_name(value)) {
        let remedy = "write at most 63 letters, digits, '-', '_' and '.', starting and ending with a letter or digit";
        checks.refuse(field, format!("{key}: {value:?}"), remedy);
    }
}

fn tolerations(checks: &mut Checks, field: &str, tolerations: &[Toleration]) {
    checks.size(field, tolerations.len(), 32);
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    for (index, toleration) in tolerations.iter().enumerate() {
        let mut refuse = |name: &str, value: String, remedy: &str| {
            checks.refuse(&format!("{field}[{index}].{name}"), value, remedy);
        };
        match toleration.operator.as_deref() {
            None | Some("" | "Equal") if !is_set(&toleration.key) => {
                refuse(
                    "key",
                    "an empty key".to_owned(),
                    "name the taint's key, or write operator: Exists to tolerate every taint",
                );
            }
            Some("Exists") if is_set(&toleration.value) => {
                let value = format!("{:?}", toleration.value.as_deref().unwrap_or_default());
                refuse(
                    "value",
                    value,
                    "operator: Exists takes no value: omit the value, or write operator: Equal",
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
                "write NoSchedule, PreferNoSchedule or NoExecute, or omit the field for all effects",
            ),
        }
        if let Some(seconds) = toleration.toleration_seconds
            && toleration.effect.as_deref() != Some("NoExecute")
        {
            refuse(
                "tolerationSeconds",
                seconds.to_string(),
                "a time limit needs effect: NoExecute: add the effect or omit the time limit",
            );
        }
    }
}

fn resources(checks: &mut Checks, field: &str, resources: &Resources) {
    let sides = [("requests", &resources.requests), ("limits", &resources.limits)];
    for (side, amounts) in sides {
        let field = format!("{field}.{side}");
        checks.size(&field, amounts.len(), 16);
        let is_invalid =
            |amount: &Quantity| Amount::parse(&amount.0).is_none_or(|it| it < Amount::default());
        if let Some((name, amount)) = amounts.iter().find(|(_, amount)| is_invalid(amount)) {
            checks.refuse(&field, format!("{name}: {:?}", amount.0), QUANTITY_REMEDY);
        }
        for (name, amount) in amounts {
            if name.contains('/') && Amount::parse(&amount.0).is_some_and(|it| !it.is_whole()) {
                checks.refuse(
                    &field,
                    format!("{name}: {:?}", amount.0),
                    "devices cannot be divided: write a whole number",
                );
            }
            if !name.contains('/')
                && !["cpu", "memory", "ephemeral-storage"].contains(&name.as_str())
                && !name.starts_with("hugepages-")
            {
                checks.refuse(&field, format!("{name:?}"), "write cpu, memory, ephemeral-storage, hugepages-SIZE, or a device with its vendor's domain, for example nvidia.com/gpu");
            }
        }
    }
    for (name, request) in &resources.requests {
        let Some(limit) = resources.limits.get(name) else { continue };
        let (Some(requested), Some(most)) = (Amount::parse(&request.0), Amount::parse(&limit.0))
        else {
            continue;
        };
        let field = format!("{field}.requests");
        if requested > most {
            checks.refuse(
                &field,
                format!("{name}: {:?}", request.0),
                format!("the limit is {}: lower the request or raise the limit", limit.0),
            );
        } else if requested < most && name.contains('/') {
            checks.refuse(
                &field,
                format!("{name}: {:?}", request.0),
                format!("the limit is {}: devices are not shared, so set the limit only", limit.0),
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
        let starts_well = name.starts_with(|c: char| inner(c) && !c.is_ascii_digit());
        if !starts_well || !name.chars().all(inner) || name.len() > 256 {
            let remedy = "write letters, digits, '_', '-' and '.', not starting with a digit";
            checks.refuse(field, format!("{name:?}"), remedy);
        }
        if variable.value_from.is_some() && variable.value.as_ref().is_some_and(|it| !it.is_empty())
        {
            checks.refuse(
                field,
                format!("{name:?}"),
                "value and valueFrom exclude each other: omit one",
            );
        }
    }
    checks.once(field, variables.iter().map(|variable| variable.name.as_str()));
}

/// Whether `text` is a valid label value, or the name part of a label key. The empty text is a valid value.
fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && text.chars().all(inner)
        && end(text.chars().next())
        && end(text.chars().next_back())
}

/// Whether `text` is a DNS subdomain (RFC 1123), the form of most object names.
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
    /// Checks that a list or map has at most `most` entries.
    fn size(&mut self, field: &str, size: usize, most: usize) {
        if size > most {
            self.refuse(
                field,
                format!("a size of {size}"),
                format!("at most {most} entries are allowed: remove some"),
            );
        }
    }

    /// Checks the name of another object, if there is one.
    pub(super) fn object_name(&mut self, field: &str, name: Option<&String>) {
        if let Some(name) = name
            && !is_subdomain(name)
        {
            let remedy = "write the name of an object: lowercase letters, digits, '-' and '.'";
            self.refuse(field, format!("{name:?}"), remedy);
        }
    }

    /// Checks that names differ.
    fn once<'a>(&mut self, field: &str, names: impl Iterator<Item = &'a str>) {
        let mut distinct = BTreeSet::new();
        for name in names {
            if !distinct.insert(name) {
                self.refuse(field, format!("{name:?}"), "the name occurs twice: remove one");
            }
        }
    }
}
