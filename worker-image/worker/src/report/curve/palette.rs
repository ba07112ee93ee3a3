//! Colours that stay apart for colour-blind readers, on white.

use plotters::style::RGBColor;

pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);
pub(super) const INK: RGBColor = RGBColor(31, 35, 40);
pub(super) const MUTED: RGBColor = RGBColor(101, 109, 118);
pub(super) const FAINT: RGBColor = RGBColor(150, 157, 165);
pub(super) const GRID: RGBColor = RGBColor(228, 231, 235);
pub(super) const AXIS: RGBColor = RGBColor(175, 181, 188);
/// The greedy policy.
pub(super) const GREEDY: RGBColor = RGBColor(9, 88, 178);
/// The policy that samples.
pub(super) const SAMPLED: RGBColor = RGBColor(224, 110, 0);
pub(super) const REWARD: RGBColor = RGBColor(17, 122, 101);
pub(super) const ENTROPY: RGBColor = RGBColor(136, 66, 157);

/// A colour mixed with much white.
pub(super) fn pale(RGBColor(red, green, blue): RGBColor) -> RGBColor {
    let mix = |channel: u8| (u16::from(channel) * 2 / 5 + 255 * 3 / 5) as u8;
    RGBColor(mix(red), mix(green), mix(blue))
}
