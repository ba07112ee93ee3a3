//! Does message-wise credit learn faster than sample-wise credit, and how does it fare with a bad
//! scorer?
//!
//! MiniShop is small enough for exact counts: a table of logits, eight episodes for each of eight
//! tasks per step, and one on-policy step of 0.1 nats of KL per episode for every method. The study
//! counts steps until the exact probability of success is 80 %. With
//!
//! ```text
//! cargo test --release -p shoprl-rl --test it tabular_study -- --nocapture
//! ```
//!
//! it prints the table in docs/concepts/credit.md.

mod policy;
mod shop;

use std::fmt;

use shoprl_rl::advantage::group_relative;
use shoprl_rl::credit::{
    CreditError, CreditOptions, Gate, Mode, ScoredTrajectory, token_advantages,
};
use shoprl_rl::seed::{Purpose, Stream};

use self::policy::{Policy, Row, draw};
use self::shop::{Scorer, TOKENS};

const SEEDS: u64 = 10;
const MEMBERS: usize = 8;
/// Nats per episode and step, the same for all methods.
const BUDGET: f64 = 0.1;
const TARGET: f64 = 0.8;
/// Limit of steps, after which a run counts as failed: 2.5 times what sample-wise credit needs.
const LIMIT: usize = 200;

/// The episodes of one step with their choices.
struct Batch {
    scored: Vec<ScoredTrajectory>,
    choices: Vec<Vec<usize>>,
}

fn play(probabilities: &[Row], scorer: Scorer, seed: u64, step: usize) -> Batch {
    let mut batch = Batch { scored: Vec::new(), choices: Vec::new() };
    for (task, rows) in probabilities.chunks(TOKENS).enumerate() {
        let coordinates = [step as u64, task as u64];
        let mut sampling = Stream::new(seed, Purpose::Sampling, &coordinates);
        let mut scoring = Stream::new(seed, Purpose::Scorer, &coordinates);
        let episode = |_| rows.iter().map(|row| draw(row, &mut sampling)).collect();
        let members: Vec<Vec<usize>> = (0..MEMBERS).map(episode).collect();
        let rewards: Vec<f64> = members.iter().map(|choices| shop::reward(choices)).collect();
        let Some(advantages) = group_relative(&rewards, 1e-6) else { continue };
        for ((choices, reward), advantage) in members.into_iter().zip(rewards).zip(advantages) {
            let trajectory = scorer.trajectory(&choices, &mut scoring);
            let group = task as u64;
            batch.scored.push(ScoredTrajectory { group, trajectory, reward, advantage });
            batch.choices.push(choices);
        }
    }
    batch
}

/// Σ Â ∇ ln π over the batch: the gradient of a softmax's logits is one-hot minus probability.
fn gradient(batch: &Batch, credit: &[Vec<f64>], probabilities: &[Row]) -> Vec<Row> {
    let mut gradient = vec![Row::default(); probabilities.len()];
    for ((scored, choices), credit) in batch.scored.iter().zip(&batch.choices).zip(credit) {
        let first = scored.group as usize * TOKENS;
        let rows = gradient[first..].iter_mut().zip(&probabilities[first..]);
        for ((row, p), (&choice, credit)) in rows.zip(choices.iter().zip(credit)) {
            row.iter_mut().zip(p).for_each(|(g, p)| *g -= credit * p);
            row[choice] += credit;
        }
    }
    gradient
}

/// Steps to the target, [`LIMIT`] if it is not reached.
fn train(options: &CreditOptions, scorer: Scorer, seed: u64) -> Result<usize, CreditError> {
    let (mut policy, mut gate) = (Policy::uniform(), Gate::default());
    for step in 0..LIMIT {
        let probabilities = policy.probabilities();
        if shop::success(&probabilities) >= TARGET {
            return Ok(step);
        }
        let batch = play(&probabilities, scorer, seed, step);
        let credit = token_advantages(&batch.scored, options, &gate)?;
        gate.observe(&batch.scored, options)?;
        policy.step(&gradient(&batch, &credit, &probabilities), BUDGET);
    }
    Ok(LIMIT)
}

/// Steps of all seeds, in ascending order.
struct Steps(Vec<usize>);

impl Steps {
    fn of(mode: Mode, lambda: f64, scorer: Scorer) -> Result<Self, CreditError> {
        let options = CreditOptions { mode, lambda, ..CreditOptions::default() };
        let seeds = (0..SEEDS).map(|seed| train(&options, scorer, seed));
        let mut steps = seeds.collect::<Result<Vec<_>, _>>()?;
        steps.sort_unstable();
        Ok(Self(steps))
    }

    fn median(&self) -> f64 {
        let half = self.0.len() / 2;
        (self.0[half - 1] + self.0[half]) as f64 / 2.0
    }

    fn failed(&self) -> bool {
        self.median() >= LIMIT as f64
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.failed() {
            format!("> {LIMIT}")
        } else {
            format!("{} ({}–{})", self.median(), self.0[0], self.0[self.0.len() - 1])
        };
        f.pad(&text)
    }
}

/// The steps with the good, the random and the blind-spot scorer. Prints them as a row.
fn measure(name: &str, mode: Mode, lambda: f64) -> Result<[Steps; 3], CreditError> {
    let steps = |scorer| Steps::of(mode, lambda, scorer);
    let row = [steps(Scorer::Good)?, steps(Scorer::Random)?, steps(Scorer::BlindSpot)?];
    let [good, random, blind] = &row;
    println!("| {name:<13} | {good:<16} | {random:<16} | {blind:<16} |");
    Ok(row)
}

#[test]
fn gated_credit_is_faster_with_a_good_scorer_and_never_much_slower_with_a_bad_one()
-> Result<(), CreditError> {
    println!("| mode          | good             | random           | blind spot       |");
    println!("|---------------|------------------|------------------|------------------|");
    let off = measure("off", Mode::Off, 1.0)?;
    let mask = measure("mask", Mode::Mask, 1.0)?;
    let conserved = measure("conserved", Mode::Conserved, 1.0)?;
    let gated = measure("gated", Mode::Gated, 1.0)?;
    let dense = measure("dense λ = 1", Mode::Dense, 1.0)?;
    measure("dense λ = 0.9", Mode::Dense, 0.9)?;

    let ratio = |row: &[Steps; 3], scorer: usize| row[scorer].median() / off[scorer].median();
    let within = |name, row, bounds: [f64; 3]| {
        for (scorer, bound) in bounds.into_iter().enumerate() {
            let ratio = ratio(row, scorer);
            assert!(ratio <= bound, "{name}, scorer {scorer}: {ratio:.2} of sample-wise");
        }
    };
    within("gated", &gated, [0.75, 1.1, 1.1]);
    within("dense", &dense, [0.85, 1.05, 1.05]);
    // The reason for the gate: without it, errors of a bad scorer are amplified.
    for (name, row) in [("mask", &mask), ("conserved", &conserved)] {
        assert!(ratio(row, 0) <= 0.75, "{name} does not even help with a good scorer");
        assert!(ratio(row, 1) >= 1.25 && ratio(row, 2) >= 1.5, "{name} is safe after all");
    }
    Ok(())
}
