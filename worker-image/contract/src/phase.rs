//! The phase of a trainer, in one place for the trainer and for all readers of its progress.

use crate::v1;
use crate::v1::GetProgressResponse;

/// What a trainer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrainerPhase {
    /// It loads the newest checkpoint, or waits for its first worker.
    Starting,
    /// Supervised learning from demonstrations.
    Warmup,
    /// Reinforcement learning.
    Training,
    /// The comparison after the warm-up, or the one at the end.
    Evaluating,
    /// All steps are taken.
    Finished,
}

impl TrainerPhase {
    /// All phases, in order.
    pub const ALL: [Self; 5] =
        [Self::Starting, Self::Warmup, Self::Training, Self::Evaluating, Self::Finished];

    /// Name on the wire, in the status of a job and in the view of `shoprl run`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Warmup => "warmup",
            Self::Training => "training",
            Self::Evaluating => "evaluating",
            Self::Finished => "finished",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    fn from_wire(phase: v1::TrainerPhase) -> Option<Self> {
        match phase {
            v1::TrainerPhase::Unspecified => None,
            v1::TrainerPhase::Starting => Some(Self::Starting),
            v1::TrainerPhase::Warmup => Some(Self::Warmup),
            v1::TrainerPhase::Training => Some(Self::Training),
            v1::TrainerPhase::Evaluating => Some(Self::Evaluating),
            v1::TrainerPhase::Finished => Some(Self::Finished),
        }
    }

    fn to_wire(self) -> v1::TrainerPhase {
        match self {
            Self::Starting => v1::TrainerPhase::Starting,
            Self::Warmup => v1::TrainerPhase::Warmup,
            Self::Training => v1::TrainerPhase::Training,
            Self::Evaluating => v1::TrainerPhase::Evaluating,
            Self::Finished => v1::TrainerPhase::Finished,
        }
    }

    /// Writes the phase into an answer: as an enum, and by name for older operators.
    pub fn write(self, response: &mut GetProgressResponse) {
        response.phase = self.name().to_owned();
        response.set_trainer_phase(self.to_wire());
    }

    /// The phase in an answer. An older trainer sends only the name. `None` if neither field holds a known phase.
    pub fn read(response: &GetProgressResponse) -> Option<Self> {
        Self::from_wire(response.trainer_phase()).or_else(|| Self::from_name(&response.phase))
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::TrainerPhase;
    use crate::v1::GetProgressResponse;

    /// The answer as trainers before `trainer_phase` define it.
    #[derive(Clone, PartialEq, Message)]
    struct OldResponse {
        #[prost(string, tag = "1")]
        phase: String,
        #[prost(uint64, tag = "2")]
        step: u64,
    }

    #[test]
    fn a_new_trainer_is_understood_by_old_and_new_readers() {
        for phase in TrainerPhase::ALL {
            let mut response = GetProgressResponse { step: 7, ..GetProgressResponse::default() };
            phase.write(&mut response);
            let bytes = response.encode_to_vec();
            let old = OldResponse::decode(&*bytes).unwrap();
            assert_eq!((old.phase.as_str(), old.step), (phase.name(), 7));
            let new = GetProgressResponse::decode(&*bytes).unwrap();
            assert_eq!(TrainerPhase::read(&new), Some(phase));
        }
    }

    #[test]
    fn an_old_trainer_is_understood_by_its_known_names_only() {
        let check = |name: &str, expected: Option<TrainerPhase>| {
            let old = OldResponse { phase: name.to_owned(), step: 7 };
            let new = GetProgressResponse::decode(&*old.encode_to_vec()).unwrap();
            assert_eq!((TrainerPhase::read(&new), new.step), (expected, 7), "{name:?}");
        };
        for phase in TrainerPhase::ALL {
            check(phase.name(), Some(phase));
        }
        check("", None);
        check("Training", None);
        check("warmupEvaluation", None);
    }

    #[test]
    fn the_enum_counts_before_the_name_and_an_unknown_number_leaves_the_name() {
        let read = |number: i32, name: &str| {
            TrainerPhase::read(&GetProgressResponse {
                phase: name.to_owned(),
                trainer_phase: number,
                ..GetProgressResponse::default()
            })
        };
        assert_eq!(read(2, "training"), Some(TrainerPhase::Warmup));
        assert_eq!(read(99, "training"), Some(TrainerPhase::Training));
        assert_eq!(read(99, "dreaming"), None);
    }
}
