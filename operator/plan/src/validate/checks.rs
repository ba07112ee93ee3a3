//! Collects mistakes while values pass through.

use shoprl_crds::limit::Limit;
use shoprl_crds::union::Union;

use super::Invalid;

/// The mistakes so far. A refused value passes on as something harmless: the result is thrown away.
#[derive(Default)]
pub(super) struct Checks {
    pub(super) invalid: Vec<Invalid>,
}

impl Checks {
    /// Notes a mistake.
    pub(super) fn refuse(&mut self, field: &str, value: String, remedy: impl Into<String>) {
        self.invalid.push(Invalid { field: field.to_owned(), value, remedy: remedy.into() });
    }

    /// A count within its limit, which is never negative.
    pub(super) fn count(&mut self, field: &str, value: i32, limit: Limit<i32>) -> u32 {
        if !limit.admits(value) {
            self.refuse(field, value.to_string(), limit.remedy());
        }
        value.unsigned_abs()
    }

    /// A large count within its limit, which is never negative.
    pub(super) fn long(&mut self, field: &str, value: i64, limit: Limit<i64>) -> u64 {
        if !limit.admits(value) {
            self.refuse(field, value.to_string(), limit.remedy());
        }
        value.unsigned_abs()
    }

    /// A number within its limit; NaN and infinities are not.
    pub(super) fn real(&mut self, field: &str, value: f64, limit: Limit<f64>) -> f64 {
        if !limit.admits(value) {
            self.refuse(field, value.to_string(), limit.remedy());
        }
        value
    }

    /// The member of a one-of object that was named.
    pub(super) fn member<T: Clone + Default>(
        &mut self,
        field: &str,
        member: Option<&T>,
        union: Union,
    ) -> T {
        if member.is_none() {
            self.refuse(field, format!("without {}", union.members.join(" and ")), union.remedy);
        }
        member.cloned().unwrap_or_default()
    }
}
