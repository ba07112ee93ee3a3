//! The table of open, leased, submitted and scored episodes: a state machine without transport. Time is an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use shoprl_contract::v1::{Actor, EpisodeKey, GroupLease, Score, TaskKey, Trajectory};
use shoprl_contract::{Exit, Role};

/// A lease expires when it is not renewed for this long. An episode takes well below a second, so only a rollout that died
/// or hangs loses its lease.
const LEASE: Duration = Duration::from_secs(30);
/// A simulator that did not register for this long gets no new sessions: three missed heartbeats.
const SILENCE: Duration = Duration::from_secs(6);
/// After this many refused trajectories of one episode the attempt ends: repeating does not help.
const MAX_REFUSALS: u32 = 5;

/// A finished episode with its score.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scored {
    /// As the rollout submitted it.
    pub(super) trajectory: Trajectory,
    /// As the reward worker submitted it.
    pub(super) score: Score,
}

#[derive(Debug, Clone)]
enum Stage {
    Open,
    Leased { rollout: u32, until: Instant },
    Submitted { trajectory: Box<Trajectory>, scorer: Option<(u32, Instant)> },
    Scored(Box<Scored>),
}

#[derive(Debug, Clone)]
struct Episode {
    stage: Stage,
    refusals: u32,
}

#[derive(Debug)]
struct Group {
    task: TaskKey,
    episodes: Vec<Episode>,
}

#[derive(Debug)]
struct Batch {
    name: String,
    actor: Actor,
    members: u32,
    groups: BTreeMap<u64, Group>,
}

#[derive(Debug, Clone)]
struct Worker {
    address: String,
    numerics: String,
    last_heard: Instant,
}

/// The table of all open batches.
#[derive(Debug, Default)]
pub(super) struct Coordinator {
    /// In the order in which they were opened and are leased.
    batches: Vec<Batch>,
    workers: BTreeMap<(Role, u32), Worker>,
    next_simulator: usize,
    /// Submissions that contradicted an earlier one of the same episode.
    violations: u64,
    fatal: Option<Exit>,
}

/// Live workers by role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) simulators: u32,
    pub(super) rollouts: u32,
    pub(super) rewards: u32,
}

impl Coordinator {
    /// Registers a worker. The leases of its earlier incarnation become free.
    pub(super) fn register(
        &mut self,
        role: Role,
        index: u32,
        address: &str,
        numerics: &str,
        now: Instant,
    ) {
        let worker =
            Worker { address: address.to_owned(), numerics: numerics.to_owned(), last_heard: now };
        self.workers.insert((role, index), worker);
        for episode in self
            .batches
            .iter_mut()
            .flat_map(|batch| batch.groups.values_mut())
            .flat_map(|g| &mut g.episodes)
        {
            match &mut episode.stage {
                Stage::Leased { rollout, .. } if role == Role::Rollout && *rollout == index => {
                    episode.stage = Stage::Open;
                }
                Stage::Submitted { scorer, .. }
                    if role == Role::Reward && scorer.is_some_and(|s| s.0 == index) =>
                {
                    *scorer = None;
                }
                _ => {}
            }
        }
    }

    /// Numerics classes of the registered workers; with more than one, bits may differ.
    pub(super) fn numerics(&self) -> Vec<&str> {
        let mut classes: Vec<&str> =
            self.workers.values().map(|worker| worker.numerics.as_str()).collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// Opens an empty batch.
    pub(super) fn open(&mut self, name: &str, actor: Actor, members: u32) {
        if !self.is_open(name) {
            self.batches.push(Batch {
                name: name.to_owned(),
                actor,
                members,
                groups: BTreeMap::new(),
            });
        }
    }

    /// Whether a batch with this name is open.
    pub(super) fn is_open(&self, name: &str) -> bool {
        self.batches.iter().any(|batch| batch.name == name)
    }

    /// Adds a group to an open batch, unless the batch has it.
    pub(super) fn add(&mut self, batch: &str, group: u64, task: TaskKey) {
        if let Some(batch) = self.batches.iter_mut().find(|b| b.name == batch) {
            let episode = Episode { stage: Stage::Open, refusals: 0 };
            let episodes = vec![episode; batch.members as usize];
            batch.groups.entry(group).or_insert(Group { task, episodes });
        }
    }

    /// Removes a batch with its leases and submissions.
    pub(super) fn close(&mut self, name: &str) {
        self.batches.retain(|batch| batch.name != name);
    }

    /// Removes and returns the groups of a batch whose episodes are all scored.
    pub(super) fn take_complete(&mut self, name: &str) -> Vec<(u64, Vec<Scored>)> {
        let Some(batch) = self.batches.iter_mut().find(|batch| batch.name == name) else {
            return Vec::new();
        };
        let complete =
            |group: &Group| group.episodes.iter().all(|e| matches!(e.stage, Stage::Scored(_)));
        let done: Vec<u64> =
            batch.groups.iter().filter(|(_, group)| complete(group)).map(|(i, _)| *i).collect();
        done.into_iter()
            .filter_map(|index| {
                let group = batch.groups.remove(&index)?;
                let scored = group.episodes.into_iter().filter_map(|episode| match episode.stage {
                    Stage::Scored(scored) => Some(*scored),
                    _ => None,
                });
                Some((index, scored.collect()))
            })
            .collect()
    }

    /// Leases at most `capacity` episodes to a rollout. Its leases in `held` are renewed; its other leases end.
    pub(super) fn lease_groups(
        &mut self,
        rollout: u32,
        capacity: u32,
        held: &[EpisodeKey],
        now: Instant,
    ) -> Vec<GroupLease> {
        self.touch(Role::Rollout, rollout, now);
        let until = now + LEASE;
        let mut left = capacity;
        let mut leases = Vec::new();
        let simulators = self.simulators(now);
        for batch in &mut self.batches {
            for (index, group) in &mut batch.groups {
                let mut members = Vec::new();
                for (member, episode) in group.episodes.iter_mut().enumerate() {
                    let member = u32::try_from(member).unwrap_or(u32::MAX);
                    if let Stage::Leased { rollout: holder, until: end } = &mut episode.stage {
                        let holds = || {
                            held.iter().any(|k| {
                                k.batch == batch.name && k.group == *index && k.member == member
                            })
                        };
                        if *holder == rollout && holds() {
                            *end = until;
                        } else if *holder == rollout || *end <= now {
                            episode.stage = Stage::Open;
                        }
                    }
                    if matches!(episode.stage, Stage::Open) && left > 0 && !simulators.is_empty() {
                        episode.stage = Stage::Leased { rollout, until };
                        members.push(member);
                        left -= 1;
                    }
                }
                if members.is_empty() {
                    continue;
                }
                let simulator = simulators[self.next_simulator % simulators.len()].clone();
                self.next_simulator = self.next_simulator.wrapping_add(1);
                leases.push(GroupLease {
                    batch: batch.name.clone(),
                    group: *index,
                    task: Some(group.task),
                    members,
                    actor: Some(batch.actor),
                    simulator,
                    lease_ms: u32::try_from(LEASE.as_millis()).unwrap_or(u32::MAX),
                });
            }
        }
        leases
    }

    /// Takes a trajectory. An unexpected one is ignored. If it contradicts an earlier submission of the same episode, it is
    /// counted and the earlier one is kept.
    pub(super) fn submit(&mut self, trajectory: Trajectory) {
        let (batch, group, member) =
            (trajectory.batch.clone(), trajectory.group, trajectory.member);
        let Some((task, actor, episode)) = self.episode(&batch, group, member) else { return };
        let expected = trajectory.task == Some(task) && trajectory.actor == Some(actor);
        let mut contradicts = false;
        match &episode.stage {
            Stage::Open | Stage::Leased { .. } if expected => {
                episode.stage = Stage::Submitted { trajectory: Box::new(trajectory), scorer: None };
            }
            Stage::Submitted { trajectory: first, .. } => {
                contradicts = first.seal != trajectory.seal;
            }
            Stage::Scored(scored) => contradicts = scored.trajectory.seal != trajectory.seal,
            Stage::Open | Stage::Leased { .. } => {}
        }
        if contradicts {
            self.violations += 1;
            tracing::error!(
                batch,
                group,
                member,
                violations = self.violations,
                "determinism_violation: two rollouts differ"
            );
        }
    }

    /// Leases at most `capacity` trajectories to a reward worker. Its earlier unscored leases become free.
    pub(super) fn lease_scoring(
        &mut self,
        reward: u32,
        capacity: u32,
        now: Instant,
    ) -> Vec<Trajectory> {
        self.touch(Role::Reward, reward, now);
        let mut leased = Vec::new();
        let episodes = self
            .batches
            .iter_mut()
            .flat_map(|batch| batch.groups.values_mut())
            .flat_map(|g| &mut g.episodes);
        for episode in episodes {
            let Stage::Submitted { trajectory, scorer } = &mut episode.stage else { continue };
            let free = scorer.is_none_or(|(holder, until)| holder == reward || until <= now);
            if free && leased.len() < capacity as usize {
                *scorer = Some((reward, now + LEASE));
                leased.push(trajectory.as_ref().clone());
            }
        }
        leased
    }

    /// Takes a score whose seal was checked. A refusal makes the episode open again.
    pub(super) fn score(&mut self, score: Score) {
        let (batch, group, member) = (score.batch.clone(), score.group, score.member);
        let Some((_, _, episode)) = self.episode(&batch, group, member) else { return };
        let Stage::Submitted { trajectory, .. } = &episode.stage else { return };
        let actions = trajectory.messages.iter().filter(|message| message.policy).count();
        if trajectory.seal != score.trajectory_seal {
            tracing::warn!(batch, group, member, "score of another trajectory ignored");
            return;
        }
        let refused = if !score.refused.is_empty() {
            Some(score.refused.clone())
        } else if score.metrics.is_none()
            || score.verdicts.len() != actions
            || score.kinds.len() != actions
        {
            Some(format!(
                "score: {} verdicts and {} kinds for {actions} actions",
                score.verdicts.len(),
                score.kinds.len()
            ))
        } else {
            None
        };
        let Some(why) = refused else {
            let trajectory = trajectory.as_ref().clone();
            episode.stage = Stage::Scored(Box::new(Scored { trajectory, score }));
            return;
        };
        episode.stage = Stage::Open;
        episode.refusals += 1;
        let refusals = episode.refusals;
        tracing::warn!(
            batch,
            group,
            member,
            refusals,
            why,
            "trajectory refused, episode is played again"
        );
        if refusals >= MAX_REFUSALS {
            self.fatal = Some(Exit::temporary(format!(
                "episode {batch}/{group}/{member} was refused {refusals} times: {why}; do all workers run the same image?"
            )));
        }
    }

    /// Why this attempt must end, if it must.
    pub(super) fn fatal(&self) -> Option<&Exit> {
        self.fatal.as_ref()
    }

    /// Submissions that contradicted an earlier one.
    pub(super) fn violations(&self) -> u64 {
        self.violations
    }

    /// Number of live workers by role.
    pub(super) fn census(&self, now: Instant) -> Census {
        let live = |role: Role, patience: Duration| {
            let live = self.workers.iter().filter(|((r, _), w)| {
                *r == role && now.saturating_duration_since(w.last_heard) < patience
            });
            u32::try_from(live.count()).unwrap_or(u32::MAX)
        };
        Census {
            simulators: live(Role::Simulator, SILENCE),
            rollouts: live(Role::Rollout, LEASE),
            rewards: live(Role::Reward, LEASE),
        }
    }

    /// What the open batches wait for, as text; empty if nothing is missing.
    pub(super) fn waiting_for(&self, now: Instant) -> String {
        let stages = || {
            self.batches
                .iter()
                .flat_map(|b| b.groups.values())
                .flat_map(|g| &g.episodes)
                .map(|e| &e.stage)
        };
        let census = self.census(now);
        let unplayed =
            stages().filter(|stage| matches!(stage, Stage::Open | Stage::Leased { .. })).count();
        let unscored = stages().filter(|stage| matches!(stage, Stage::Submitted { .. })).count();
        if unplayed > 0 && census.simulators == 0 {
            format!(
                "a simulator worker: {unplayed} episodes cannot be played (roles.simulator.replicas)"
            )
        } else if unplayed > 0 && census.rollouts == 0 {
            format!(
                "a rollout worker: {unplayed} episodes cannot be played (roles.rollout.replicas)"
            )
        } else if unscored > 0 && census.rewards == 0 {
            format!(
                "a reward worker: {unscored} trajectories have no score (roles.reward.replicas)"
            )
        } else {
            String::new()
        }
    }

    fn touch(&mut self, role: Role, index: u32, now: Instant) {
        if let Some(worker) = self.workers.get_mut(&(role, index)) {
            worker.last_heard = now;
        }
    }

    fn simulators(&self, now: Instant) -> Vec<String> {
        let is_live = |worker: &&Worker| now.saturating_duration_since(worker.last_heard) < SILENCE;
        let simulators = self.workers.iter().filter(|((role, _), _)| *role == Role::Simulator);
        simulators
            .map(|(_, worker)| worker)
            .filter(is_live)
            .map(|worker| worker.address.clone())
            .collect()
    }

    fn episode(
        &mut self,
        batch: &str,
        group: u64,
        member: u32,
    ) -> Option<(TaskKey, Actor, &mut Episode)> {
        let batch = self.batches.iter_mut().find(|b| b.name == batch)?;
        let group = batch.groups.get_mut(&group)?;
        Some((group.task, batch.actor, group.episodes.get_mut(member as usize)?))
    }
}

#[cfg(test)]
mod tests;
