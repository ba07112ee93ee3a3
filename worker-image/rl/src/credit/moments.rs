//! Second moments within groups. The sums do not depend on the order of the batch.

use serde::{Deserialize, Serialize};

/// Decayed sums over observations of x and y, each minus the mean of its cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Moments {
    /// Independent observations: rows minus one per cell.
    #[serde(with = "exact")]
    freedom: f64,
    #[serde(with = "exact")]
    xx: f64,
    #[serde(with = "exact")]
    xy: f64,
    #[serde(with = "exact")]
    yy: f64,
}

/// One observation of x and y in a cell: a group, or a position in a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) cell: (u64, usize),
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A smaller mean square per observation is rounding, not variance.
const NOTHING: f64 = 1e-18;

impl Moments {
    /// The moments of one batch. A cell of one row contributes nothing.
    pub(super) fn within(mut rows: Vec<Row>) -> Self {
        rows.sort_by(|a, b| {
            a.cell.cmp(&b.cell).then(a.x.total_cmp(&b.x)).then(a.y.total_cmp(&b.y))
        });
        let mut sum = Self::default();
        for cell in rows.chunk_by(|a, b| a.cell == b.cell) {
            let n = cell.len() as f64;
            let x_mean = cell.iter().map(|row| row.x).sum::<f64>() / n;
            let y_mean = cell.iter().map(|row| row.y).sum::<f64>() / n;
            sum.freedom += n - 1.0;
            for row in cell {
                let (dx, dy) = (row.x - x_mean, row.y - y_mean);
                sum.xx += dx * dx;
                sum.xy += dx * dy;
                sum.yy += dy * dy;
            }
        }
        sum
    }

    /// The decayed moments after one more batch.
    pub(super) fn then(self, batch: Self, decay: f64) -> Self {
        Self {
            freedom: self.freedom * decay + batch.freedom,
            xx: self.xx * decay + batch.xx,
            xy: self.xy * decay + batch.xy,
            yy: self.yy * decay + batch.yy,
        }
    }

    /// The correlation of x and y; `None` if one of them does not vary.
    pub(super) fn correlation(&self) -> Option<f64> {
        let least = NOTHING * self.freedom;
        let varies = self.xx > least && self.yy > least;
        varies.then(|| (self.xy / (self.xx.sqrt() * self.yy.sqrt())).clamp(-1.0, 1.0))
    }

    /// The standard error of the correlation if the true correlation is 0.
    pub(super) fn standard_error(&self) -> f64 {
        1.0 / self.freedom.sqrt()
    }

    /// The slope of the regression of y on x; 0 if x does not vary.
    pub(super) fn slope(&self) -> f64 {
        if self.xx > NOTHING * self.freedom { self.xy / self.xx } else { 0.0 }
    }
}

/// Numbers as the shortest decimal text that reads back to the same bits. A JSON number may not,
/// and a resumed run would then drift from an uninterrupted one.
pub(super) mod exact {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&value.to_string())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        let text = String::deserialize(from)?;
        let refused = || D::Error::custom(format!("\"{text}\" is not a finite decimal number"));
        let value: f64 = text.parse().map_err(|_| refused())?;
        if value.is_finite() { Ok(value) } else { Err(refused()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(rows: &[(u64, f64, f64)]) -> Moments {
        Moments::within(rows.iter().map(|&(group, x, y)| Row { cell: (group, 0), x, y }).collect())
    }

    #[test]
    fn correlation_and_slope_are_those_within_groups() {
        // Between the groups y falls as x rises; within both it rises by 2 per unit.
        let two = moments(&[(0, 0.0, 10.0), (0, 1.0, 12.0), (1, 5.0, 0.0), (1, 6.0, 2.0)]);
        assert_eq!(two.correlation(), Some(1.0));
        assert_eq!(two.slope(), 2.0);
        assert_eq!(two.standard_error(), 1.0 / 2_f64.sqrt());
    }

    #[test]
    fn rows_that_do_not_vary_have_no_correlation() {
        let check = |rows: &[(u64, f64, f64)]| assert_eq!(moments(rows).correlation(), None);
        check(&[]);
        check(&[(0, 1.0, 2.0)]);
        check(&[(0, 1.0, 2.0), (1, 2.0, 3.0)]);
        check(&[(0, 0.1, 2.0), (0, 0.1, 3.0), (0, 0.1, 4.0)]);
        check(&[(0, 1.0, 0.1), (0, 2.0, 0.1), (0, 4.0, 0.1)]);
        assert_eq!(moments(&[(0, 0.1, 1.0), (0, 0.1, 2.0), (0, 0.1, 4.0)]).slope(), 0.0);
    }

    #[test]
    fn moments_keep_their_bits_through_json() {
        let third = moments(&[(0, 0.1, 0.7), (0, 0.2, 0.3), (0, 1.0 / 3.0, 1e-9)]);
        let json = serde_json::to_string(&third).unwrap();
        assert_eq!(serde_json::from_str::<Moments>(&json).unwrap(), third, "{json}");
        let broken = json.replace(&third.xx.to_string(), "NaN");
        let error = serde_json::from_str::<Moments>(&broken).unwrap_err().to_string();
        assert!(error.contains("\"NaN\" is not a finite decimal number"), "{error}");
    }
}
