//! The episodes a rollout plays, seated at the engine's slots. No transport.

use std::collections::BTreeMap;

use shoprl_contract::v1::{EpisodeKey, Trajectory};
use shoprl_model::engine::{Engine, Finished, Generation, Slot};
use shoprl_model::parameters::Parameters;
use shoprl_model::tokenizer::Tokenizer;

use super::episode::{Episode, Next, Player, Room};
use super::shops::{Answer, Ask, Errand};
use crate::policy;

/// Number of an episode at this table.
pub(super) type Seat = u64;

struct Seated {
    episode: Episode,
    /// The engine's slot, for episodes of the policy once they were opened.
    slot: Option<Slot>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its session is not open yet.
    Unopened,
    /// The engine, or its script, chooses an action.
    Thinking,
    /// Its action is on the way to the simulator.
    Acted,
    /// Over.
    Finished,
}

/// All live episodes.
pub(super) struct Table {
    engine: Engine,
    tokenizer: Tokenizer,
    room: Room,
    seed: u64,
    seats: BTreeMap<Seat, Seated>,
    by_slot: BTreeMap<Slot, Seat>,
    /// Generations that ended while prompts were computed.
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

    /// Episodes seated.
    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    /// Whether nobody plays.
    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// Longest episode in tokens.
    pub(super) fn context(&self) -> usize {
        self.room.context
    }

    /// Keys of all episodes, for the renewal of their leases.
    pub(super) fn held(&self) -> Vec<EpisodeKey> {
        self.seats.values().map(|seated| seated.episode.key.clone()).collect()
    }

    /// Seats episodes that are not open yet.
    pub(super) fn seat(&mut self, episodes: Vec<Episode>) {
        for episode in episodes {
            self.seats.insert(self.next, Seated { episode, slot: None, stage: Stage::Unopened });
            self.next += 1;
        }
    }

    /// Seats whose sessions wait to be opened.
    pub(super) fn unopened(&self) -> Vec<Seat> {
        self.at(Stage::Unopened)
    }

    /// Everyone thinks: scripts answer at once, the engine takes one step. Returns who acted.
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

    /// What `seats` want from their simulators.
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

    /// Takes the simulators' replies: the episodes think on, or are over.
    pub(super) fn take_replies(&mut self, answers: Vec<Answer>) {
        let mut starting = Vec::new();
        for (seat, reply) in answers {
            let Some(seated) = self.seats.get_mut(&seat) else { continue };
            let Some(reply) = reply else {
                self.leave(seat);
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
                    self.think(seat, slot);
                } else {
                    self.leave(seat);
                }
            }
        }
        self.start(&starting);
    }

    /// Gives slots to episodes that were just opened. The first member of a group has its prompt computed, the others
    /// take a copy. Whoever gets no slot goes back: more episodes than slots are never leased.
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
                    self.sit(seat, slot);
                    first.insert(group, slot);
                }
                Some(slot) => {
                    self.engine.close(slot);
                    self.leave(seat);
                }
                None => {
                    self.leave(seat);
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
                Some(slot) => self.sit(seat, slot),
                None => {
                    self.leave(seat);
                }
            }
        }
        for &seat in seats {
            if let Some(slot) = self.seats.get(&seat).and_then(|seated| seated.slot) {
                self.think(seat, slot);
            }
        }
    }

    fn sit(&mut self, seat: Seat, slot: Slot) {
        if let Some(seated) = self.seats.get_mut(&seat) {
            seated.slot = Some(slot);
            self.by_slot.insert(slot, seat);
        }
    }

    fn think(&mut self, seat: Seat, slot: Slot) {
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

    /// Removes the finished episodes, in seat order.
    pub(super) fn take_finished(&mut self) -> Vec<Trajectory> {
        let over = self.at(Stage::Finished);
        over.into_iter().filter_map(|seat| self.leave(seat)).map(Episode::into_trajectory).collect()
    }

    /// Puts new weights into the engine.
    pub(super) fn load(&mut self, parameters: &Parameters) {
        self.engine.load(parameters);
    }

    /// Gives up everything the policy plays.
    pub(super) fn drop_policy_episodes(&mut self) {
        let policy = |seated: &Seated| matches!(seated.episode.player, Player::Policy { .. });
        let seats: Vec<Seat> = self
            .seats
            .iter()
            .filter(|(_, seated)| policy(seated) && seated.stage != Stage::Unopened)
            .map(|(seat, _)| *seat)
            .collect();
        for seat in seats {
            self.leave(seat);
        }
    }

    /// Gives up everything.
    pub(super) fn clear(&mut self) {
        let seats: Vec<Seat> = self.seats.keys().copied().collect();
        for seat in seats {
            self.leave(seat);
        }
    }

    fn leave(&mut self, seat: Seat) -> Option<Episode> {
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
