//! Collects errors while values are converted.

use shoprl_crds::limit::Limit;
use shoprl_crds::union::Union;

use super::Invalid;

/// The errors so far. A check returns some value even on an error; the caller discards the result then.
#[derive(Default)]
pub(super) struct Checks {
    pub(super) invalid: Vec<Invalid>,
}

impl Checks {
    /// Records an error.
    pub(super) fn refuse(&mut self, field: &str, value: String, remedy: impl Into<String>) {
        self.invalid.push(Invalid { field: field.to_owned(), value, remedy: remedy.into() });
    }

    /// Checks a count. Limits of counts are never negative.
    pub(super) fn count(&mut self, field: &str, value: i32, limit: Limit<i32>) -> u32 {
        if !limit.admits(value) {
            self.refuse(field, value.to_string(), limit.remedy());
        }
        value.unsigned_abs()
    }

    /// Checks a large count. Limits of counts are never negative.
    pub(super) fn long(&mut self, field: &str, value: i64, limit: Limit<i64>) -> u64 {
        if !limit.admits(value) {
            self.refuse(field, value.to_string(), limit.remedy());
        }
        value.unsigned_abs()
    }

    /// Checks a number. NaN and infinities are errors.
    pub(super) fn real(&mut self, field: &str, value: f64, limit: Limit<f64>) -> f64 {
        if !limit.admits(value) {
            self.refuse(field, value.to_string(), limit.remedy());
        }
        value
    }

    /// The member of a one-of object with a single kind of member.
    pub(super) fn member<T: Clone + Default>(
        &mut self,
        field: &str,
        member: Option<&T>,
        union: Union,
    ) -> T {
        if member.is_none() {
            let members = union.members.join(" and ");
            self.refuse(field, format!("an object without {members}"), union.remedy);
        }
        member.cloned().unwrap_or_default()
    }
}
