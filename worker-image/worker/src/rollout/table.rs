//! The episodes that a rollout plays, with their engine slots. No transport.

use std::collections::BTreeMap;

use shoprl_contract::v1::{EpisodeKey, Trajectory};
use shoprl_model::engine::{Engine, Finished, Generation, Slot};
use shoprl_model::parameters::Parameters;
use shoprl_model::tokenizer::Tokenizer;

use super::episode::{Episode, Next, Player, Room, Seat};
use super::shops::{Answer, Ask, Errand};
use crate::policy;

struct Seated {
    episode: Episode,
    /// The engine's slot; only for opened episodes of the policy.
    slot: Option<Slot>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The session is not open yet.
    Unopened,
    /// The engine or the script chooses an action.
    Thinking,
    /// The action is in flight to the simulator.
    Acted,
    /// The episode is over.
    Finished,
}

/// All episodes in play.
pub(super) struct Table {
    engine: Engine,
    tokenizer: Tokenizer,
    room: Room,
    seed: u64,
    seats: BTreeMap<Seat, Seated>,
    by_slot: BTreeMap<Slot, Seat>,
    /// Generations that ended during prompt computation.
    ended: Vec<Finished>,
    next: Seat,
}

impl Table {
    /// An empty table.
    pub(super) fn new(engine: Engine, tokenizer: Tokenizer, room: Room, seed: u64) -> Self {
        Self {
            engine,
            tokenizer,
            room,
            seed,
            seats: BTreeMap::new(),
            by_slot: BTreeMap::new(),
            ended: Vec::new(),
            next: 0,
        }
    }

    /// Number of episodes.
    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    /// Whether there are no episodes.
    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// Longest episode in tokens.
    pub(super) fn context(&self) -> usize {
        self.room.context
    }

    /// Keys of all episodes, to renew their leases.
    pub(super) fn held(&self) -> Vec<EpisodeKey> {
        self.seats.values().map(|seated| seated.episode.key.clone()).collect()
    }

    /// Adds episodes whose sessions are not open yet.
    pub(super) fn seat(&mut self, episodes: Vec<Episode>) {
        for episode in episodes {
            self.seats.insert(self.next, Seated { episode, slot: None, stage: Stage::Unopened });
            self.next += 1;
        }
    }

    /// Episodes whose sessions are not open yet.
    pub(super) fn unopened(&self) -> Vec<Seat> {
        self.at(Stage::Unopened)
    }

    /// Scripts act immediately, and the engine takes one step. Returns the episodes with a new action.
    pub(super) fn round(&mut self) -> Vec<Seat> {
        for seated in self.seats.values_mut() {
            if seated.stage == Stage::Thinking && seated.slot.is_none() {
                seated.episode.act_by_script(&self.tokenizer);
                seated.stage = Stage::Acted;
            }
        }
        let mut ended = std::mem::take(&mut self.ended);
        if self.engine.busy() {
            ended.extend(self.engine.step());
        }
        for Finished { slot, tokens, log_probabilities, entropies, .. } in ended {
            let seat = self.by_slot.get(&slot).and_then(|seat| self.seats.get_mut(seat));
            let Some(seated) = seat else { continue };
            seated.episode.act(&tokens, &log_probabilities, &entropies, &self.tokenizer);
            seated.stage = Stage::Acted;
        }
        self.at(Stage::Acted)
    }

    /// Requests of `seats` to their simulators.
    pub(super) fn requests(&self, seats: &[Seat]) -> Vec<Errand> {
        let errand = |seat: &Seat| {
            let Seated { episode, stage, .. } = self.seats.get(seat)?;
            let ask = match stage {
                Stage::Unopened => Ask::Open(episode.opening()),
                Stage::Acted => Ask::Step(episode.action(), episode.opening()),
                Stage::Thinking | Stage::Finished => return None,
            };
            Some(Errand { seat: *seat, simulator: episode.simulator.clone(), ask })
        };
        seats.iter().filter_map(errand).collect()
    }

    /// Takes the simulators' replies: episodes continue or end.
    pub(super) fn take_replies(&mut self, answers: Vec<Answer>) {
        let mut starting = Vec::new();
        for (seat, reply) in answers {
            let Some(seated) = self.seats.get_mut(&seat) else { continue };
            let Some(reply) = reply else {
                self.remove(seat);
                continue;
            };
            let opening = seated.stage == Stage::Unopened;
            if seated.episode.observe(&reply, &self.tokenizer, &self.room) == Next::Submit {
                seated.stage = Stage::Finished;
                continue;
            }
            seated.stage = Stage::Thinking;
            if matches!(seated.episode.player, Player::Script(_)) {
                continue;
            }
            if opening {
                starting.push(seat);
            } else if let Some(slot) = seated.slot {
                let unread = seated.episode.unread().to_vec();
                if self.engine.append(slot, &unread).is_ok() {
                    self.generate(seat, slot);
                } else {
                    self.remove(seat);
                }
            }
        }
        self.start(&starting);
    }

    /// Gives slots to newly opened episodes. The prompt is computed for the first member of a group and copied to the others.
    /// An episode without a slot is dropped, which is rare: a rollout never leases more episodes than it has slots.
    fn start(&mut self, seats: &[Seat]) {
        let mut first: BTreeMap<(String, u64), Slot> = BTreeMap::new();
        let mut followers = Vec::new();
        for &seat in seats {
            let Some(seated) = self.seats.get(&seat) else { continue };
            let group = (seated.episode.key.batch.clone(), seated.episode.key.group);
            if first.contains_key(&group) {
                followers.push((seat, group));
                continue;
            }
            let unread = seated.episode.unread().to_vec();
            match self.engine.open() {
                Some(slot) if self.engine.append(slot, &unread).is_ok() => {
                    self.assign(seat, slot);
                    first.insert(group, slot);
                }
                Some(slot) => {
                    self.engine.close(slot);
                    self.remove(seat);
                }
                None => {
                    self.remove(seat);
                }
            }
        }
        if !followers.is_empty() {
            while first.values().any(|slot| self.engine.waiting(*slot) > 0) {
                let finished = self.engine.step();
                self.ended.extend(finished);
            }
        }
        for (seat, group) in followers {
            match first.get(&group).and_then(|slot| self.engine.fork(*slot)) {
                Some(slot) => self.assign(seat, slot),
                None => {
                    self.remove(seat);
                }
            }
        }
        for &seat in seats {
            if let Some(slot) = self.seats.get(&seat).and_then(|seated| seated.slot) {
                self.generate(seat, slot);
            }
        }
    }

    fn assign(&mut self, seat: Seat, slot: Slot) {
        if let Some(seated) = self.seats.get_mut(&seat) {
            seated.slot = Some(slot);
            self.by_slot.insert(slot, seat);
        }
    }

    fn generate(&mut self, seat: Seat, slot: Slot) {
        let Some(seated) = self.seats.get(&seat) else { return };
        let Player::Policy { temperature } = seated.episode.player else { return };
        let EpisodeKey { batch, group, member } = &seated.episode.key;
        let turn = seated.episode.turn() + 1;
        self.engine.generate(
            slot,
            Generation {
                max_tokens: self.room.action,
                end: self.tokenizer.end(),
                temperature,
                stream: policy::sampling_key(self.seed, batch, *group, *member, turn),
            },
        );
    }

    /// Removes and returns the finished episodes, in seat order.
    pub(super) fn take_finished(&mut self) -> Vec<Trajectory> {
        let over = self.at(Stage::Finished);
        over.into_iter()
            .filter_map(|seat| self.remove(seat))
            .map(Episode::into_trajectory)
            .collect()
    }

    /// Loads new weights into the engine.
    pub(super) fn load(&mut self, parameters: &Parameters) {
        self.engine.load(parameters);
    }

    /// Drops all opened episodes of the policy.
    pub(super) fn drop_policy_episodes(&mut self) {
        let policy = |seated: &Seated| matches!(seated.episode.player, Player::Policy { .. });
        let seats: Vec<Seat> = self
            .seats
            .iter()
            .filter(|(_, seated)| policy(seated) && seated.stage != Stage::Unopened)
            .map(|(seat, _)| *seat)
            .collect();
        for seat in seats {
            self.remove(seat);
        }
    }

    /// Drops all episodes.
    pub(super) fn clear(&mut self) {
        let seats: Vec<Seat> = self.seats.keys().copied().collect();
        for seat in seats {
            self.remove(seat);
        }
    }

    fn remove(&mut self, seat: Seat) -> Option<Episode> {
        let seated = self.seats.remove(&seat)?;
        if let Some(slot) = seated.slot {
            self.by_slot.remove(&slot);
            self.ended.retain(|ended| ended.slot != slot);
            self.engine.close(slot);
        }
        Some(seated.episode)
    }

    fn at(&self, stage: Stage) -> Vec<Seat> {
        self.seats
            .iter()
            .filter(|(_, seated)| seated.stage == stage)
            .map(|(seat, _)| *seat)
            .collect()
    }
}
