//! A job as the watch delivers it, or the reason why this operator cannot read it.

use std::borrow::Cow;

use kube::Resource;
use kube::api::{DynamicObject, ObjectMeta};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use shoprl_crds::ShopRLJob;

/// A job, or an object of its kind that does not deserialize. Such an object, which a newer CRD may allow, must not stop the
/// watch of the other jobs.
#[derive(Debug, Clone)]
pub struct Job(pub Result<ShopRLJob, Box<Unreadable>>);

/// An object of the kind that does not deserialize.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// The whole object.
    pub object: DynamicObject,
    /// Path of the field, and the error.
    pub error: String,
}

impl<'de> Deserialize<'de> for Job {
    /// # Errors
    /// When the metadata cannot be read.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Value::deserialize(deserializer)?;
        match serde_path_to_error::deserialize(&object) {
            Ok(job) => Ok(Self(Ok(job))),
            Err(error) => {
                let object = DynamicObject::deserialize(object).map_err(D::Error::custom)?;
                Ok(Self(Err(Box::new(Unreadable { object, error: error.to_string() }))))
            }
        }
    }
}

impl Resource for Job {
    type DynamicType = ();
    type Scope = <ShopRLJob as Resource>::Scope;

    fn kind(_: &()) -> Cow<'_, str> {
        ShopRLJob::kind(&())
    }

    fn group(_: &()) -> Cow<'_, str> {
        ShopRLJob::group(&())
    }

    fn version(_: &()) -> Cow<'_, str> {
        ShopRLJob::version(&())
    }

    fn plural(_: &()) -> Cow<'_, str> {
        ShopRLJob::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        match &self.0 {
            Ok(job) => &job.metadata,
            Err(unreadable) => &unreadable.object.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match &mut self.0 {
            Ok(job) => &mut job.metadata,
            Err(unreadable) => &mut unreadable.object.metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt;
    use serde_json::json;

    use super::Job;

    #[test]
    fn an_unreadable_object_names_its_field_and_keeps_its_content() {
        let object = json!({
            "apiVersion": "shoprl.dev/v1alpha1", "kind": "ShopRLJob",
            "metadata": {"name": "new", "namespace": "shop", "resourceVersion": "7"},
            "spec": {"seed": "seven", "later": true},
            "status": {"attempt": 2},
        });
        let job: Job = serde_json::from_value(object.clone()).unwrap();
        assert_eq!((job.name_any(), job.resource_version().as_deref()), ("new".into(), Some("7")));
        let unreadable = job.0.unwrap_err();
        assert!(unreadable.error.starts_with("spec.seed: invalid type: string"), "{unreadable:?}");
        assert_eq!(serde_json::to_value(&unreadable.object).unwrap(), object);
    }
}
