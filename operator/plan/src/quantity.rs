//! Kubernetes quantities as numbers, so that they can be compared.

/// A quantity in billionths, the finest unit of Kubernetes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount(i128);

/// Billionths in one.
const ONE: i128 = 1_000_000_000;

impl Amount {
    /// Parses `500m`, `2Gi`, `1.5` or `1e3`. `None` for other text, and for values beyond the range of `i128`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
        let (number, suffix) = digits.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let mantissa: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let (times, ten_to) = unit(suffix)?;
        let scaled = mantissa.checked_mul(times)?;
        let power = ten_to.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let shift = 10_i128.checked_pow(power.unsigned_abs());
        let value = if power >= 0 {
            scaled.checked_mul(shift?)?
        } else {
            // Parts below a billionth are rounded up.
            shift.map_or(i128::from(scaled > 0), |shift| {
                scaled.div_euclid(shift) + i128::from(scaled % shift > 0)
            })
        };
        Some(Self(if negative { -value } else { value }))
    }

    /// Whether the amount is a whole number.
    pub(crate) fn is_whole(self) -> bool {
        self.0 % ONE == 0
    }

    /// The smallest whole number that is not below the amount; 0 for negative amounts.
    pub(crate) fn ceil(self) -> u64 {
        let whole = self.0.div_euclid(ONE) + i128::from(self.0.rem_euclid(ONE) > 0);
        u64::try_from(whole.max(0)).unwrap_or(u64::MAX)
    }

    /// How many times `part` fits into the amount.
    pub(crate) fn holds(self, part: Self) -> u64 {
        if part.0 <= 0 {
            return u64::MAX;
        }
        u64::try_from(self.0 / part.0).unwrap_or(0)
    }
}

/// A unit as a factor and a power of ten that convert to billionths.
fn unit(suffix: &str) -> Option<(i128, i32)> {
    let binary = |power: u32| Some((1_i128.checked_shl(10 * power)?, 9));
    match suffix {
        "n" => Some((1, 0)),
        "u" => Some((1, 3)),
        "m" => Some((1, 6)),
        "" => Some((1, 9)),
        "k" => Some((1, 12)),
        "M" => Some((1, 15)),
        "G" => Some((1, 18)),
        "T" => Some((1, 21)),
        "P" => Some((1, 24)),
        "E" => Some((1, 27)),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            Some((1, exponent.checked_add(9)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Amount;

    #[test]
    fn quantities_have_the_values_that_kubernetes_gives_them() {
        let check = |text: &str, nanos: Option<i128>| {
            assert_eq!(Amount::parse(text).map(|amount| amount.0), nanos, "{text}");
        };
        check("1", Some(1_000_000_000));
        check("500m", Some(500_000_000));
        check("1.5", Some(1_500_000_000));
        check(".5", Some(500_000_000));
        check("5.", Some(5_000_000_000));
        check("+2", Some(2_000_000_000));
        check("-2", Some(-2_000_000_000));
        check("2Ki", Some(2048 * 1_000_000_000));
        check("1.5Gi", Some(1_610_612_736 * 1_000_000_000));
        check("1k", Some(1_000 * 1_000_000_000));
        check("1e3", Some(1_000 * 1_000_000_000));
        check("1E-3", Some(1_000_000));
        check("1E", Some(1_000_000_000_000_000_000 * 1_000_000_000));
        check("0.1n", Some(1));
        check("0", Some(0));
        for wrong in
            ["", "-", ".", "two", "2 Gi", "1.2.3", "2gi", "0x10", "1e", "1e999999", "--1", "é"]
        {
            check(wrong, None);
        }
    }

    #[test]
    fn units_are_in_order() {
        let texts = [
            "1n", "1u", "1m", "1", "1k", "1Ki", "1M", "1Mi", "1G", "1Gi", "1T", "1Ti", "1P", "1Pi",
            "1E", "1Ei",
        ];
        let amounts: Vec<_> = texts.iter().map(|text| Amount::parse(text)).collect();
        assert!(amounts.windows(2).all(|pair| pair[0] < pair[1]), "{amounts:?}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[-+.0-9a-zA-Zµ ]{0,40}") {
            let _ = Amount::parse(&text);
        }

        #[test]
        fn a_thousand_thousandths_are_one(n in 0_u32..1_000_000) {
            prop_assert_eq!(Amount::parse(&format!("{n}000m")), Amount::parse(&n.to_string()));
        }
    }
}
