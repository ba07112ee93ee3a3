from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Scenario(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCENARIO_UNSPECIFIED: _ClassVar[Scenario]
    SCENARIO_SINGLE_TURN: _ClassVar[Scenario]
    SCENARIO_SINGLE_TURN_PERSONA: _ClassVar[Scenario]
    SCENARIO_MULTI_TURN: _ClassVar[Scenario]
    SCENARIO_MULTI_TURN_PERSONA: _ClassVar[Scenario]

class Split(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPLIT_UNSPECIFIED: _ClassVar[Split]
    SPLIT_TRAIN: _ClassVar[Split]
    SPLIT_HELD_OUT: _ClassVar[Split]

class EndReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    END_REASON_UNSPECIFIED: _ClassVar[EndReason]
    END_REASON_BOUGHT: _ClassVar[EndReason]
    END_REASON_DECLINED: _ClassVar[EndReason]
    END_REASON_TURN_LIMIT: _ClassVar[EndReason]
    END_REASON_CONTEXT_LIMIT: _ClassVar[EndReason]

class TrainerPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAINER_PHASE_UNSPECIFIED: _ClassVar[TrainerPhase]
    TRAINER_PHASE_STARTING: _ClassVar[TrainerPhase]
    TRAINER_PHASE_WARMUP: _ClassVar[TrainerPhase]
    TRAINER_PHASE_TRAINING: _ClassVar[TrainerPhase]
    TRAINER_PHASE_EVALUATING: _ClassVar[TrainerPhase]
    TRAINER_PHASE_FINISHED: _ClassVar[TrainerPhase]
SCENARIO_UNSPECIFIED: Scenario
SCENARIO_SINGLE_TURN: Scenario
SCENARIO_SINGLE_TURN_PERSONA: Scenario
SCENARIO_MULTI_TURN: Scenario
SCENARIO_MULTI_TURN_PERSONA: Scenario
SPLIT_UNSPECIFIED: Split
SPLIT_TRAIN: Split
SPLIT_HELD_OUT: Split
END_REASON_UNSPECIFIED: EndReason
END_REASON_BOUGHT: EndReason
END_REASON_DECLINED: EndReason
END_REASON_TURN_LIMIT: EndReason
END_REASON_CONTEXT_LIMIT: EndReason
TRAINER_PHASE_UNSPECIFIED: TrainerPhase
TRAINER_PHASE_STARTING: TrainerPhase
TRAINER_PHASE_WARMUP: TrainerPhase
TRAINER_PHASE_TRAINING: TrainerPhase
TRAINER_PHASE_EVALUATING: TrainerPhase
TRAINER_PHASE_FINISHED: TrainerPhase

class Caller(_message.Message):
    __slots__ = ("job_uid", "attempt", "role", "index")
    JOB_UID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    job_uid: str
    attempt: int
    role: str
    index: int
    def __init__(self, job_uid: _Optional[str] = ..., attempt: _Optional[int] = ..., role: _Optional[str] = ..., index: _Optional[int] = ...) -> None: ...

class RegisterRequest(_message.Message):
    __slots__ = ("caller", "address", "numerics")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    NUMERICS_FIELD_NUMBER: _ClassVar[int]
    caller: Caller
    address: str
    numerics: str
    def __init__(self, caller: _Optional[_Union[Caller, _Mapping]] = ..., address: _Optional[str] = ..., numerics: _Optional[str] = ...) -> None: ...

class RegisterResponse(_message.Message):
    __slots__ = ("attempt",)
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    def __init__(self, attempt: _Optional[int] = ...) -> None: ...

class TaskKey(_message.Message):
    __slots__ = ("split", "scenario", "seed")
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    split: Split
    scenario: Scenario
    seed: int
    def __init__(self, split: _Optional[_Union[Split, str]] = ..., scenario: _Optional[_Union[Scenario, str]] = ..., seed: _Optional[int] = ...) -> None: ...

class Actor(_message.Message):
    __slots__ = ("policy", "random", "search_first", "expert", "demonstrator")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RANDOM_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIRST_FIELD_NUMBER: _ClassVar[int]
    EXPERT_FIELD_NUMBER: _ClassVar[int]
    DEMONSTRATOR_FIELD_NUMBER: _ClassVar[int]
    policy: PolicyActor
    random: Baseline
    search_first: Baseline
    expert: Baseline
    demonstrator: Demonstrator
    def __init__(self, policy: _Optional[_Union[PolicyActor, _Mapping]] = ..., random: _Optional[_Union[Baseline, _Mapping]] = ..., search_first: _Optional[_Union[Baseline, _Mapping]] = ..., expert: _Optional[_Union[Baseline, _Mapping]] = ..., demonstrator: _Optional[_Union[Demonstrator, _Mapping]] = ...) -> None: ...

class PolicyActor(_message.Message):
    __slots__ = ("weights_version", "temperature")
    WEIGHTS_VERSION_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    weights_version: int
    temperature: float
    def __init__(self, weights_version: _Optional[int] = ..., temperature: _Optional[float] = ...) -> None: ...

class Baseline(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Demonstrator(_message.Message):
    __slots__ = ("hastiness",)
    HASTINESS_FIELD_NUMBER: _ClassVar[int]
    hastiness: float
    def __init__(self, hastiness: _Optional[float] = ...) -> None: ...

class LeaseGroupsRequest(_message.Message):
    __slots__ = ("caller", "capacity", "held", "wait_ms")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    caller: Caller
    capacity: int
    held: _containers.RepeatedCompositeFieldContainer[EpisodeKey]
    wait_ms: int
    def __init__(self, caller: _Optional[_Union[Caller, _Mapping]] = ..., capacity: _Optional[int] = ..., held: _Optional[_Iterable[_Union[EpisodeKey, _Mapping]]] = ..., wait_ms: _Optional[int] = ...) -> None: ...

class EpisodeKey(_message.Message):
    __slots__ = ("batch", "group", "member")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    batch: str
    group: int
    member: int
    def __init__(self, batch: _Optional[str] = ..., group: _Optional[int] = ..., member: _Optional[int] = ...) -> None: ...

class GroupLease(_message.Message):
    __slots__ = ("batch", "group", "task", "members", "actor", "simulator", "lease_ms")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    SIMULATOR_FIELD_NUMBER: _ClassVar[int]
    LEASE_MS_FIELD_NUMBER: _ClassVar[int]
    batch: str
    group: int
    task: TaskKey
    members: _containers.RepeatedScalarFieldContainer[int]
    actor: Actor
    simulator: str
    lease_ms: int
    def __init__(self, batch: _Optional[str] = ..., group: _Optional[int] = ..., task: _Optional[_Union[TaskKey, _Mapping]] = ..., members: _Optional[_Iterable[int]] = ..., actor: _Optional[_Union[Actor, _Mapping]] = ..., simulator: _Optional[str] = ..., lease_ms: _Optional[int] = ...) -> None: ...

class LeaseGroupsResponse(_message.Message):
    __slots__ = ("groups", "finished")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[GroupLease]
    finished: bool
    def __init__(self, groups: _Optional[_Iterable[_Union[GroupLease, _Mapping]]] = ..., finished: bool = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("start", "end", "policy")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    policy: bool
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ..., policy: bool = ...) -> None: ...

class Trajectory(_message.Message):
    __slots__ = ("batch", "group", "member", "task", "actor", "tokens", "messages", "log_probabilities", "entropies", "end", "seal")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    LOG_PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    ENTROPIES_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    batch: str
    group: int
    member: int
    task: TaskKey
    actor: Actor
    tokens: _containers.RepeatedScalarFieldContainer[int]
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    log_probabilities: _containers.RepeatedScalarFieldContainer[float]
    entropies: _containers.RepeatedScalarFieldContainer[float]
    end: EndReason
    seal: bytes
    def __init__(self, batch: _Optional[str] = ..., group: _Optional[int] = ..., member: _Optional[int] = ..., task: _Optional[_Union[TaskKey, _Mapping]] = ..., actor: _Optional[_Union[Actor, _Mapping]] = ..., tokens: _Optional[_Iterable[int]] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., log_probabilities: _Optional[_Iterable[float]] = ..., entropies: _Optional[_Iterable[float]] = ..., end: _Optional[_Union[EndReason, str]] = ..., seal: _Optional[bytes] = ...) -> None: ...

class SubmitTrajectoriesRequest(_message.Message):
    __slots__ = ("caller", "trajectories")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    TRAJECTORIES_FIELD_NUMBER: _ClassVar[int]
    caller: Caller
    trajectories: _containers.RepeatedCompositeFieldContainer[Trajectory]
    def __init__(self, caller: _Optional[_Union[Caller, _Mapping]] = ..., trajectories: _Optional[_Iterable[_Union[Trajectory, _Mapping]]] = ...) -> None: ...

class SubmitTrajectoriesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LeaseScoringRequest(_message.Message):
    __slots__ = ("caller", "capacity", "wait_ms")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    caller: Caller
    capacity: int
    wait_ms: int
    def __init__(self, caller: _Optional[_Union[Caller, _Mapping]] = ..., capacity: _Optional[int] = ..., wait_ms: _Optional[int] = ...) -> None: ...

class LeaseScoringResponse(_message.Message):
    __slots__ = ("trajectories", "finished")
    TRAJECTORIES_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    trajectories: _containers.RepeatedCompositeFieldContainer[Trajectory]
    finished: bool
    def __init__(self, trajectories: _Optional[_Iterable[_Union[Trajectory, _Mapping]]] = ..., finished: bool = ...) -> None: ...

class Metrics(_message.Message):
    __slots__ = ("success", "strict", "loose", "finish", "category", "attribute", "option", "price")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    LOOSE_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    OPTION_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    success: float
    strict: float
    loose: float
    finish: float
    category: float
    attribute: float
    option: float
    price: float
    def __init__(self, success: _Optional[float] = ..., strict: _Optional[float] = ..., loose: _Optional[float] = ..., finish: _Optional[float] = ..., category: _Optional[float] = ..., attribute: _Optional[float] = ..., option: _Optional[float] = ..., price: _Optional[float] = ...) -> None: ...

class Score(_message.Message):
    __slots__ = ("batch", "group", "member", "trajectory_seal", "metrics", "verdicts", "kinds", "refused", "seal")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    TRAJECTORY_SEAL_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    batch: str
    group: int
    member: int
    trajectory_seal: bytes
    metrics: Metrics
    verdicts: _containers.RepeatedScalarFieldContainer[float]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    refused: str
    seal: bytes
    def __init__(self, batch: _Optional[str] = ..., group: _Optional[int] = ..., member: _Optional[int] = ..., trajectory_seal: _Optional[bytes] = ..., metrics: _Optional[_Union[Metrics, _Mapping]] = ..., verdicts: _Optional[_Iterable[float]] = ..., kinds: _Optional[_Iterable[str]] = ..., refused: _Optional[str] = ..., seal: _Optional[bytes] = ...) -> None: ...

class SubmitScoresRequest(_message.Message):
    __slots__ = ("caller", "scores")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    caller: Caller
    scores: _containers.RepeatedCompositeFieldContainer[Score]
    def __init__(self, caller: _Optional[_Union[Caller, _Mapping]] = ..., scores: _Optional[_Iterable[_Union[Score, _Mapping]]] = ...) -> None: ...

class SubmitScoresResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FetchWeightsRequest(_message.Message):
    __slots__ = ("caller", "version")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    caller: Caller
    version: int
    def __init__(self, caller: _Optional[_Union[Caller, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class WeightsChunk(_message.Message):
    __slots__ = ("version", "offset", "total", "data", "checksum")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    version: int
    offset: int
    total: int
    data: bytes
    checksum: bytes
    def __init__(self, version: _Optional[int] = ..., offset: _Optional[int] = ..., total: _Optional[int] = ..., data: _Optional[bytes] = ..., checksum: _Optional[bytes] = ...) -> None: ...

class GetProgressRequest(_message.Message):
    __slots__ = ("caller",)
    CALLER_FIELD_NUMBER: _ClassVar[int]
    caller: Caller
    def __init__(self, caller: _Optional[_Union[Caller, _Mapping]] = ...) -> None: ...

class GetProgressResponse(_message.Message):
    __slots__ = ("phase", "step", "target_steps", "weights_version", "done", "success", "waiting_for", "rollouts", "rewards", "simulators", "trainer_phase")
    PHASE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TARGET_STEPS_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_VERSION_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_FIELD_NUMBER: _ClassVar[int]
    ROLLOUTS_FIELD_NUMBER: _ClassVar[int]
    REWARDS_FIELD_NUMBER: _ClassVar[int]
    SIMULATORS_FIELD_NUMBER: _ClassVar[int]
    TRAINER_PHASE_FIELD_NUMBER: _ClassVar[int]
    phase: str
    step: int
    target_steps: int
    weights_version: int
    done: float
    success: float
    waiting_for: str
    rollouts: int
    rewards: int
    simulators: int
    trainer_phase: TrainerPhase
    def __init__(self, phase: _Optional[str] = ..., step: _Optional[int] = ..., target_steps: _Optional[int] = ..., weights_version: _Optional[int] = ..., done: _Optional[float] = ..., success: _Optional[float] = ..., waiting_for: _Optional[str] = ..., rollouts: _Optional[int] = ..., rewards: _Optional[int] = ..., simulators: _Optional[int] = ..., trainer_phase: _Optional[_Union[TrainerPhase, str]] = ...) -> None: ...

class SessionOpening(_message.Message):
    __slots__ = ("session", "task", "actions")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    session: str
    task: TaskKey
    actions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session: _Optional[str] = ..., task: _Optional[_Union[TaskKey, _Mapping]] = ..., actions: _Optional[_Iterable[str]] = ...) -> None: ...

class OpenRequest(_message.Message):
    __slots__ = ("caller", "sessions")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    caller: Caller
    sessions: _containers.RepeatedCompositeFieldContainer[SessionOpening]
    def __init__(self, caller: _Optional[_Union[Caller, _Mapping]] = ..., sessions: _Optional[_Iterable[_Union[SessionOpening, _Mapping]]] = ...) -> None: ...

class SessionReply(_message.Message):
    __slots__ = ("session", "observation", "end", "unknown")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    session: str
    observation: str
    end: EndReason
    unknown: bool
    def __init__(self, session: _Optional[str] = ..., observation: _Optional[str] = ..., end: _Optional[_Union[EndReason, str]] = ..., unknown: bool = ...) -> None: ...

class OpenResponse(_message.Message):
    __slots__ = ("replies",)
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    replies: _containers.RepeatedCompositeFieldContainer[SessionReply]
    def __init__(self, replies: _Optional[_Iterable[_Union[SessionReply, _Mapping]]] = ...) -> None: ...

class SessionAction(_message.Message):
    __slots__ = ("session", "turn", "action")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    TURN_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    session: str
    turn: int
    action: str
    def __init__(self, session: _Optional[str] = ..., turn: _Optional[int] = ..., action: _Optional[str] = ...) -> None: ...

class StepRequest(_message.Message):
    __slots__ = ("caller", "actions")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    caller: Caller
    actions: _containers.RepeatedCompositeFieldContainer[SessionAction]
    def __init__(self, caller: _Optional[_Union[Caller, _Mapping]] = ..., actions: _Optional[_Iterable[_Union[SessionAction, _Mapping]]] = ...) -> None: ...

class StepResponse(_message.Message):
    __slots__ = ("replies",)
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    replies: _containers.RepeatedCompositeFieldContainer[SessionReply]
    def __init__(self, replies: _Optional[_Iterable[_Union[SessionReply, _Mapping]]] = ...) -> None: ...

class CloseRequest(_message.Message):
    __slots__ = ("caller", "sessions")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    caller: Caller
    sessions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, caller: _Optional[_Union[Caller, _Mapping]] = ..., sessions: _Optional[_Iterable[str]] = ...) -> None: ...

class CloseResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
