//! Episodes with exactly one kind of error, made by the scripted expert with one broken habit. They measure the rules.
//!
//! The position of a planted error does not come from the rules: the expert gets an altered observation, or its action is
//! replaced, and the first affected action is recorded.

mod slips;

use std::sync::Arc;

use super::{Fault, analyse};
use crate::mall::Mall;
use crate::mall::agent::expert;
use crate::mall::session::{Session, limit};
use crate::mall::task::Task;
use crate::replay::ReplayError;
use crate::task::{Scenario, Split, TaskKey};
use slips::Slip;

/// Seeds tried per wanted episode before giving up.
const PATIENCE: u64 = 50;

/// An episode of the expert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// The actions.
    pub actions: Vec<String>,
    /// The action in which the error was made, from 0; `None` if there was no occasion for it.
    pub slip: Option<usize>,
}

/// Plays the task of `key` with the expert and plants `fault` once. A function of its arguments alone.
#[must_use]
pub fn plant(mall: &Arc<Mall>, key: &TaskKey, fault: Option<Fault>) -> Planted {
    let Task { brief, goal, implied } = Task::new(mall, key);
    let (session, opening) = Session::begin(Arc::clone(mall), brief, limit(key.scenario));
    let slip = fault.map(|fault| Slip::new(fault, key, goal, implied));
    let mut play = Play { mall, session, observation: opening, actions: Vec::new(), slip: None };
    let mut expert = expert();
    let Some(mut planted) = slip else {
        while !play.is_over() {
            let action = expert.act(&play.observation);
            play.act(&action);
        }
        return Planted { actions: play.actions, slip: None };
    };
    while !play.is_over() {
        let shown = planted.shows(&play);
        let action = expert.act(&shown);
        planted.acts(&mut play, &action);
    }
    Planted { actions: play.actions, slip: play.slip }
}

/// An episode in progress.
struct Play<'a> {
    mall: &'a Mall,
    session: Session,
    observation: String,
    actions: Vec<String>,
    slip: Option<usize>,
}

impl Play<'_> {
    fn is_over(&self) -> bool {
        self.session.ended().is_some()
    }

    /// Plays an action, unless the episode is over.
    fn act(&mut self, action: &str) {
        if let Ok(turn) = self.session.step(action) {
            self.observation = turn.observation;
            self.actions.push(action.to_owned());
        }
    }

    /// Plays the action in which the error is made.
    fn err(&mut self, action: &str) {
        self.slip.get_or_insert(self.actions.len());
        self.act(action);
    }
}

/// The classes found in episodes with one planted error, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The planted error.
    pub planted: Option<Fault>,
    /// Number of episodes.
    pub episodes: usize,
    /// Episodes in which each class was found, in the order of [`Fault::ALL`].
    pub found: [usize; Fault::ALL.len()],
    /// Episodes in which the planted class was found at the planted action.
    pub located: usize,
}

/// The confusion table: `episodes` episodes of `split` without an error, then as many for each class.
///
/// # Errors
/// None in practice, because the played episodes are valid; the type is that of the replay.
pub fn confusion(mall: &Arc<Mall>, split: Split, episodes: usize) -> Result<Vec<Row>, ReplayError> {
    let classes = [None].into_iter().chain(Fault::ALL.map(Some));
    classes.map(|fault| row(mall, split, fault, episodes)).collect()
}

/// One row of the table: scenarios in rotation, seed by seed, until there are enough episodes.
///
/// # Errors
/// As [`confusion`].
pub fn row(
    mall: &Arc<Mall>,
    split: Split,
    fault: Option<Fault>,
    episodes: usize,
) -> Result<Row, ReplayError> {
    let mut row = Row { planted: fault, episodes: 0, found: [0; Fault::ALL.len()], located: 0 };
    let keys = (0..PATIENCE * episodes as u64)
        .flat_map(|seed| Scenario::ALL.map(|scenario| TaskKey { split, scenario, seed }));
    for key in keys {
        if row.episodes == episodes {
            break;
        }
        let Planted { actions, slip } = plant(mall, &key, fault);
        if fault.is_some() && slip.is_none() {
            continue;
        }
        let findings = analyse(mall, &key, &actions, None)?;
        row.episodes += 1;
        for (count, class) in row.found.iter_mut().zip(Fault::ALL) {
            *count += usize::from(findings.iter().any(|it| it.fault == class));
        }
        let located = |it: &super::Finding| Some(it.fault) == fault && Some(it.action) == slip;
        row.located += usize::from(findings.iter().any(located));
    }
    Ok(row)
}

/// Precision and recall of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Share of the episodes with a finding that have the planted error, against episodes without an error.
    pub precision: f64,
    /// The same against all other episodes, including those with another planted error.
    pub precision_among_errors: f64,
    /// Share of the episodes with the planted error in which it was found at the planted action.
    pub recall: f64,
}

/// The scores of `fault` in a confusion table.
#[must_use]
pub fn score(table: &[Row], fault: Fault) -> Score {
    let found = |row: &Row| row.found[fault as usize] as f64;
    let with = table.iter().find(|row| row.planted == Some(fault));
    let (located, episodes) =
        with.map_or((0.0, 0.0), |row| (row.located as f64, row.episodes as f64));
    let clean: f64 = table.iter().filter(|row| row.planted.is_none()).map(found).sum();
    let others: f64 = table.iter().filter(|row| row.planted != Some(fault)).map(found).sum();
    let share = |false_alarms: f64| located / f64::max(located + false_alarms, 1.0);
    Score {
        precision: share(clean),
        precision_among_errors: share(others),
        recall: located / f64::max(episodes, 1.0),
    }
}
