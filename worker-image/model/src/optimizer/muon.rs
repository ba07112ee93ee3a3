//! Muon: the update of a matrix is its momentum with all singular values moved close to 1.

use super::Settings;
use super::newton_schulz::Workspace;

/// Constants of one step.
#[derive(Clone, Copy)]
pub(super) struct Coefficients {
    momentum: f32,
    rate: f32,
    keep: f32,
}

impl Coefficients {
    /// Constants of a step at learning rate `rate`.
    pub(super) fn new(settings: &Settings, rate: f32) -> Self {
        Self { momentum: settings.momentum, rate, keep: 1.0 - rate * settings.weight_decay }
    }
}

/// One matrix in row-major order, with its optimiser state.
pub(super) struct Matrix<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) momentum: &'a mut [f32],
    pub(super) gradient: &'a [f32],
    pub(super) columns: usize,
}

impl Matrix<'_> {
    fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Multiply-adds of one iteration: one Gram matrix and one product of `long * short^2`, and one square.
    fn cost(&self) -> usize {
        let (long, short) = (self.rows().max(self.columns), self.rows().min(self.columns));
        (2 * long + short) * short * short
    }

    /// Running mean as momentum, Nesterov's look-ahead, orthogonalisation, decoupled decay.
    fn update(&mut self, coefficients: Coefficients, workspace: &mut Workspace) {
        let Coefficients { momentum, rate, keep } = coefficients;
        let (rows, columns) = (self.rows(), self.columns);
        let mut ahead = std::mem::take(&mut workspace.update);
        ahead.clear();
        ahead.extend(self.momentum.iter_mut().zip(self.gradient).map(|(mean, &slope)| {
            *mean = *mean * momentum + slope * (1.0 - momentum);
            slope + (*mean - slope) * momentum
        }));
        workspace.orthogonalize(&mut ahead, rows, columns);
        // A tall matrix with unit singular values has small entries; this factor keeps the root mean square of its
        // outputs.
        let size = rate * (rows as f32 / columns as f32).max(1.0).sqrt();
        for (value, direction) in self.values.iter_mut().zip(&ahead) {
            *value = *value * keep - size * direction;
        }
        workspace.update = ahead;
    }
}

/// Updates `matrices`. One thread updates each whole matrix, so the number of threads does not change the bits.
pub(super) fn update(matrices: Vec<Matrix<'_>>, coefficients: Coefficients, threads: usize) {
    let mut shares = share(matrices, threads.max(1)).into_iter();
    let run = |share: Vec<Matrix<'_>>| {
        let mut workspace = Workspace::default();
        for mut matrix in share {
            matrix.update(coefficients, &mut workspace);
        }
    };
    let own = shares.next().unwrap_or_default();
    std::thread::scope(|scope| {
        for share in shares.filter(|share| !share.is_empty()) {
            scope.spawn(move || run(share));
        }
        run(own);
    });
}

/// Longest-processing-time-first assignment to the least loaded thread.
fn share(mut matrices: Vec<Matrix<'_>>, threads: usize) -> Vec<Vec<Matrix<'_>>> {
    matrices.sort_by_key(|matrix| std::cmp::Reverse(matrix.cost()));
    let mut shares: Vec<(usize, Vec<Matrix<'_>>)> = (0..threads).map(|_| (0, Vec::new())).collect();
    for matrix in matrices {
        if let Some(least) = shares.iter_mut().min_by_key(|share| share.0) {
            least.0 += matrix.cost();
            least.1.push(matrix);
        }
    }
    shares.into_iter().map(|share| share.1).collect()
}
