//! The requeue delay of a reconcile.

use kube::runtime::controller::Action;

/// The delay in ms; `None` if the action waits for a change. `Action` exposes its content only through `Debug`.
pub(super) fn after(action: &Action) -> Option<i64> {
    if *action == Action::await_change() {
        return None;
    }
    let shown = format!("{action:?}");
    let shown = shown.split_once("Some(")?.1.split(')').next()?;
    let number = shown.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let ms = match &shown[number.len()..] {
        "s" => 1000.0,
        "ms" => 1.0,
        "µs" => 1e-3,
        _ => 1e-6,
    };
    // Rounded up, so that it is never early.
    #[allow(clippy::cast_possible_truncation, reason = "requeues are minutes")]
    Some((number.parse::<f64>().ok()? * ms).ceil() as i64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kube::runtime::controller::Action;

    use super::after;

    #[test]
    fn a_requeue_delay_is_read_in_milliseconds() {
        let check = |ms: f64, expected| {
            let action = Action::requeue(Duration::from_secs_f64(ms / 1000.0));
            assert_eq!(after(&action), Some(expected), "{ms}");
        };
        check(10_000.0, 10_000);
        check(2_500.0, 2_500);
        check(250.0, 250);
        check(0.25, 1);
        assert_eq!(after(&Action::await_change()), None);
    }
}
