//! Prices as shops write them.

use shoprl_rl::seed::Stream;

/// Draws a log-uniform price between `low` and `high` yuan. `libm` returns the same bits on every platform.
pub(super) fn base(stream: &mut Stream, (low, high): (u32, u32)) -> f64 {
    let (low, high) = (f64::from(low), f64::from(high));
    low * libm::exp(libm::log(high / low) * stream.uniform_f64())
}

/// Rounds to the next typical shelf price, such as 9.90, 39.90, 128, 459 or 2,399. Returns fen.
pub(super) fn shelf(yuan: f64) -> u32 {
    let fen = (yuan * 100.0) as u32;
    match fen {
        0..1_000 => fen / 100 * 100 + 90,
        1_000..10_000 => fen / 100 * 100 - 10,
        10_000..100_000 => fen / 100 * 100,
        _ => fen / 1_000 * 1_000 - 100,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_price_looks_like_one() {
        for (yuan, fen) in
            [(5.2, 590), (39.99, 3_890), (128.7, 12_800), (2_404.0, 239_900), (8_999.9, 898_900)]
        {
            assert_eq!(super::shelf(yuan), fen, "{yuan}");
        }
    }
}
