//! Sizes and operands of a matrix product.

/// Sizes of a product: `rows x columns` outputs, each a sum over `steps`.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Rows of the left operand and of the output.
    pub rows: usize,
    /// Columns of the right operand and of the output.
    pub columns: usize,
    /// Length of every sum: the inner dimension.
    pub steps: usize,
}

/// The left operand: the value of (row, step) is at `row * row_stride + step * step_stride`.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a> {
    /// The values.
    pub data: &'a [f32],
    /// Distance between output rows, in values.
    pub row_stride: usize,
    /// Distance between steps of the sum, in values.
    pub step_stride: usize,
}

/// The right operand: sixteen neighbouring columns of (panel, step) are at
/// `panel * panel_stride + step * step_stride`.
///
/// A row-major matrix `[steps, columns]` has panel stride 16 and its row length as step stride; see
/// [`super::Panels`] for packed weights.
#[derive(Clone, Copy, Debug)]
pub struct Right<'a> {
    /// The values. The last panel of every step is read whole, so columns are padded to a multiple of sixteen.
    pub data: &'a [f32],
    /// Distance between panels (sixteen columns), in values.
    pub panel_stride: usize,
    /// Distance between steps of the sum, in values.
    pub step_stride: usize,
}

/// The output: the value of (row, column) is at `row * row_stride + column`. Only `columns` values of a row are written.
#[derive(Debug)]
pub struct Output<'a> {
    /// The values.
    pub data: &'a mut [f32],
    /// Distance between rows, in values.
    pub row_stride: usize,
}

/// Where the sums start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// `output = sum`.
    Zero,
    /// The chain continues from the output's value: a sum cut into several calls has the bits of one call.
    Continue,
    /// `output = output + sum`, with the sum computed from zero first: a residual connection.
    Add,
}
