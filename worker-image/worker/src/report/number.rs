//! Numbers formatted for people.

use shoprl_rl::statistics::Interval;

/// A rate: `36.2 %`.
pub(super) fn percent(rate: f64) -> String {
    format!("{:.1} %", unsigned_zero(rate * 100.0, 1))
}

/// A rate with its interval: `36.2 % (33.3–39.2)`.
pub(super) fn percent_interval(rate: Interval) -> String {
    format!("{} ({:.1}–{:.1})", percent(rate.mean), rate.low * 100.0, rate.high * 100.0)
}

/// A difference of rates in points: `+15.9`, `−1.0`.
pub(super) fn points(difference: f64) -> String {
    let points = unsigned_zero(difference * 100.0, 1);
    let sign = if points < 0.0 { "−" } else { "+" };
    format!("{sign}{:.1}", points.abs())
}

/// A difference with its interval: `+15.9 (+12.8 to +19.0)`.
pub(super) fn points_interval(difference: Interval) -> String {
    let Interval { mean, low, high } = difference;
    format!("{} ({} to {})", points(mean), points(low), points(high))
}

/// `12,345`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration for people: `7.4 s`, `3 min 20 s`, `2 h 05 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

/// Avoids `-0.0`: a value that rounds to zero loses its sign.
fn unsigned_zero(value: f64, decimals: i32) -> f64 {
    if value.abs() < 0.5 * 10_f64.powi(-decimals) { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_for_people() {
        let check = |shown: String, expected: &str| assert_eq!(shown, expected);
        check(percent(0.3624), "36.2 %");
        check(percent(0.0), "0.0 %");
        check(points(0.159), "+15.9");
        check(points(-0.01), "−1.0");
        check(points(-0.0004), "+0.0");
        check(count(0), "0");
        check(count(999), "999");
        check(count(1_000), "1,000");
        check(count(12_345_678), "12,345,678");
        check(duration(0.0), "0.0 s");
        check(duration(7.44), "7.4 s");
        check(duration(9.96), "10 s");
        check(duration(59.7), "1 min 00 s");
        check(duration(200.0), "3 min 20 s");
        check(duration(7500.0), "2 h 05 min");
    }
}
