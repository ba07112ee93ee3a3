from shoprl_env.v1 import shoprl_pb2 as _shoprl_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("catalog", "catalog_digest", "products", "grammar", "scenarios", "lease_ms", "sessions", "action_bytes", "version", "shopper")
    CATALOG_FIELD_NUMBER: _ClassVar[int]
    CATALOG_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    GRAMMAR_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    LEASE_MS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    ACTION_BYTES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHOPPER_FIELD_NUMBER: _ClassVar[int]
    catalog: str
    catalog_digest: str
    products: int
    grammar: str
    scenarios: _containers.RepeatedCompositeFieldContainer[ScenarioLimit]
    lease_ms: int
    sessions: int
    action_bytes: int
    version: str
    shopper: str
    def __init__(self, catalog: _Optional[str] = ..., catalog_digest: _Optional[str] = ..., products: _Optional[int] = ..., grammar: _Optional[str] = ..., scenarios: _Optional[_Iterable[_Union[ScenarioLimit, _Mapping]]] = ..., lease_ms: _Optional[int] = ..., sessions: _Optional[int] = ..., action_bytes: _Optional[int] = ..., version: _Optional[str] = ..., shopper: _Optional[str] = ...) -> None: ...

class ScenarioLimit(_message.Message):
    __slots__ = ("scenario", "turns")
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    scenario: _shoprl_pb2.Scenario
    turns: int
    def __init__(self, scenario: _Optional[_Union[_shoprl_pb2.Scenario, str]] = ..., turns: _Optional[int] = ...) -> None: ...

class OpenEpisodeRequest(_message.Message):
    __slots__ = ("session", "task", "actions", "words")
    class WordsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: str
        def __init__(self, key: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...
    SESSION_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    session: str
    task: _shoprl_pb2.TaskKey
    actions: _containers.RepeatedScalarFieldContainer[str]
    words: _containers.ScalarMap[int, str]
    def __init__(self, session: _Optional[str] = ..., task: _Optional[_Union[_shoprl_pb2.TaskKey, _Mapping]] = ..., actions: _Optional[_Iterable[str]] = ..., words: _Optional[_Mapping[int, str]] = ...) -> None: ...

class OpenEpisodeResponse(_message.Message):
    __slots__ = ("observation", "end", "turns", "lease_ms", "catalog_digest")
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    LEASE_MS_FIELD_NUMBER: _ClassVar[int]
    CATALOG_DIGEST_FIELD_NUMBER: _ClassVar[int]
    observation: str
    end: _shoprl_pb2.EndReason
    turns: int
    lease_ms: int
    catalog_digest: str
    def __init__(self, observation: _Optional[str] = ..., end: _Optional[_Union[_shoprl_pb2.EndReason, str]] = ..., turns: _Optional[int] = ..., lease_ms: _Optional[int] = ..., catalog_digest: _Optional[str] = ...) -> None: ...

class StepEpisodeRequest(_message.Message):
    __slots__ = ("session", "turn", "action")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    TURN_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    session: str
    turn: int
    action: str
    def __init__(self, session: _Optional[str] = ..., turn: _Optional[int] = ..., action: _Optional[str] = ...) -> None: ...

class StepEpisodeResponse(_message.Message):
    __slots__ = ("observation", "end", "words")
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    observation: str
    end: _shoprl_pb2.EndReason
    words: str
    def __init__(self, observation: _Optional[str] = ..., end: _Optional[_Union[_shoprl_pb2.EndReason, str]] = ..., words: _Optional[str] = ...) -> None: ...

class CloseEpisodeRequest(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: str
    def __init__(self, session: _Optional[str] = ...) -> None: ...

class CloseEpisodeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReplayEpisodeRequest(_message.Message):
    __slots__ = ("task", "actions", "words")
    class WordsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: str
        def __init__(self, key: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...
    TASK_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    task: _shoprl_pb2.TaskKey
    actions: _containers.RepeatedScalarFieldContainer[str]
    words: _containers.ScalarMap[int, str]
    def __init__(self, task: _Optional[_Union[_shoprl_pb2.TaskKey, _Mapping]] = ..., actions: _Optional[_Iterable[str]] = ..., words: _Optional[_Mapping[int, str]] = ...) -> None: ...

class ReplayEpisodeResponse(_message.Message):
    __slots__ = ("metrics", "end", "verdicts", "kinds", "catalog_digest")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    CATALOG_DIGEST_FIELD_NUMBER: _ClassVar[int]
    metrics: _shoprl_pb2.Metrics
    end: _shoprl_pb2.EndReason
    verdicts: _containers.RepeatedScalarFieldContainer[float]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    catalog_digest: str
    def __init__(self, metrics: _Optional[_Union[_shoprl_pb2.Metrics, _Mapping]] = ..., end: _Optional[_Union[_shoprl_pb2.EndReason, str]] = ..., verdicts: _Optional[_Iterable[float]] = ..., kinds: _Optional[_Iterable[str]] = ..., catalog_digest: _Optional[str] = ...) -> None: ...
