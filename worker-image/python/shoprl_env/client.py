"""Episodes over gRPC. Requests are retried on network failures; a lost session is reopened."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from shoprl_env.v1 import environment_pb2 as wire
from shoprl_env.v1 import shoprl_pb2 as shop
from shoprl_env.v1.environment_pb2_grpc import EnvironmentStub

SCENARIOS = {
    "singleTurn": shop.SCENARIO_SINGLE_TURN,
    "singleTurnPersona": shop.SCENARIO_SINGLE_TURN_PERSONA,
    "multiTurn": shop.SCENARIO_MULTI_TURN,
    "multiTurnPersona": shop.SCENARIO_MULTI_TURN_PERSONA,
}
SPLITS = {"train": shop.SPLIT_TRAIN, "heldOut": shop.SPLIT_HELD_OUT}
ENDS = {
    shop.END_REASON_UNSPECIFIED: None,
    shop.END_REASON_BOUGHT: "bought",
    shop.END_REASON_DECLINED: "declined",
    shop.END_REASON_TURN_LIMIT: "turnLimit",
}
METRICS = ("success", "strict", "loose", "finish", "category", "attribute", "option", "price")
# In characters of up to 4 bytes: the server accepts 16,384 bytes.
LONGEST_ACTION = 4_095
# Suffix of a truncated action. The shop refuses such an action with that reason; it costs its turn.
UNFINISHED = "…"

# Requests are idempotent, so these codes are retried until `patience` has passed.
_LATER = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
)
_LONGEST_PAUSE = 2.0


class ShopError(Exception):
    """A request that failed permanently. `code` is the name of the gRPC status code; the message names the remedy."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Task:
    """Names a task. Together with the server's catalog it determines the episode."""

    scenario: str = "singleTurn"
    split: str = "train"
    seed: int = 0

    def to_wire(self) -> shop.TaskKey:
        """Converts to protobuf. Raises `ValueError` that names the field if one is out of range."""
        for name, value, known in (("scenario", self.scenario, SCENARIOS), ("split", self.split, SPLITS)):
            if value not in known:
                raise ValueError(f"{name}: {value!r} is not known; write one of {', '.join(known)}")
        if not 0 <= self.seed < 2**64:
            raise ValueError(f"seed: {self.seed} is out of range; write 0 to 2^64 - 1")
        return shop.TaskKey(scenario=SCENARIOS[self.scenario], split=SPLITS[self.split], seed=self.seed)


@dataclass(frozen=True)
class Score:
    """The result of replaying an episode."""

    # The eight metrics of ShopSimulator (arXiv 2601.18225) by name, each in [0, 1].
    metrics: dict[str, float]
    # +1, 0 or -1 per action; empty if the catalog has no rules for verdicts.
    verdicts: list[float]
    # Kind of each action.
    kinds: list[str]
    # bought, declined, turnLimit, or None if the actions stop before the end.
    end: str | None


class ShopClient:
    """A connection to one server. Many episodes and threads may share it.

    `patience` is how long, in seconds, a request is retried while the server is unreachable or full.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:7070",
        *,
        token_file: str | Path | None = None,
        timeout: float = 20.0,
        patience: float = 10.0,
    ) -> None:
        self.address, self._timeout, self._patience = address, timeout, patience
        token = Path(token_file).read_text().strip() if token_file else None
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._channel = grpc.insecure_channel(address)
        self._stub = EnvironmentStub(self._channel)

    def describe(self) -> wire.DescribeResponse:
        """Returns the server's catalog, grammar, scenarios and limits."""
        return self._call(self._stub.Describe, wire.DescribeRequest())

    def open(
        self,
        session: str,
        task: Task,
        actions: Sequence[str] = (),
        words: Mapping[int, str] | None = None,
    ) -> wire.OpenEpisodeResponse:
        """Opens a session and plays `actions` in it. `words`: see `replay`."""
        request = wire.OpenEpisodeRequest(
            session=session, task=task.to_wire(), actions=actions, words=words or {}
        )
        return self._call(self._stub.Open, request)

    def step(self, session: str, turn: int, action: str) -> wire.StepEpisodeResponse:
        """Takes turn number `turn`, counted from 1."""
        request = wire.StepEpisodeRequest(session=session, turn=turn, action=action)
        return self._call(self._stub.Step, request)

    def forget(self, session: str) -> None:
        """Closes a session. Unknown sessions are ignored."""
        self._call(self._stub.Close, wire.CloseEpisodeRequest(session=session))

    def replay(
        self, task: Task, actions: Sequence[str], words: Mapping[int, str] | None = None
    ) -> Score:
        """Scores the actions of a task. `words` are what a model said for the shopper, by position of the action from 0."""
        request = wire.ReplayEpisodeRequest(task=task.to_wire(), actions=actions, words=words or {})
        reply = self._call(self._stub.Replay, request)
        metrics = {name: getattr(reply.metrics, name) for name in METRICS}
        return Score(metrics, list(reply.verdicts), list(reply.kinds), ENDS[reply.end])

    def close(self) -> None:
        """Closes the connection. Sessions that are still open expire on the server."""
        self._channel.close()

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        pause, until = 0.05, time.monotonic() + self._patience
        while True:
            try:
                return method(request, timeout=self._timeout, metadata=self._metadata)
            except grpc.RpcError as error:
                code = error.code()
                if code not in _LATER or time.monotonic() + pause > until:
                    message = error.details() or ""
                    if code is grpc.StatusCode.UNAVAILABLE:
                        message += f"; start `shoprl environment --listen {self.address}`, or pass another address"
                    raise ShopError(code.name, message) from None
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


@dataclass
class Episode:
    """One episode. If its session is lost (expired lease, replaced server), it continues in a new session."""

    client: ShopClient
    task: Task
    actions: list[str] = field(default_factory=list)
    # What a model said for the shopper, by position of the action; empty if the rules speak.
    words: dict[int, str] = field(default_factory=dict)
    # The last observation, and how the episode ended (None while it is open).
    observation: str = ""
    end: str | None = None
    turns: int = 0
    _session: str = ""
    _catalog: str = ""

    @classmethod
    def start(cls, client: ShopClient, task: Task) -> Episode:
        """Opens a new session for `task`."""
        episode = cls(client, task, _session=str(uuid.uuid4()))
        episode._open()
        return episode

    def step(self, action: str) -> str:
        """Takes a turn and returns the observation. Raises `ShopError` (FAILED_PRECONDITION) after the end.

        An action longer than `LONGEST_ACTION` is truncated and marked, and the shop refuses it. So any text is a valid action.
        """
        if len(action) > LONGEST_ACTION:
            action = action[:LONGEST_ACTION] + UNFINISHED
        turn = len(self.actions) + 1
        try:
            reply = self.client.step(self._session, turn, action)
        except ShopError as error:
            # After the end the actions are complete, so the session is not reopened.
            if error.code != "NOT_FOUND" or self.end is not None:
                raise
            self._open()
            reply = self.client.step(self._session, turn, action)
        if reply.HasField("words"):
            self.words[len(self.actions)] = reply.words
        self.actions.append(action)
        self.observation, self.end = reply.observation, ENDS[reply.end]
        return self.observation

    def score(self) -> Score:
        """Scores the episode by a replay of its actions. Works without the session."""
        return self.client.replay(self.task, self.actions, self.words)

    def close(self) -> None:
        """Closes the session, which frees its place on the server."""
        self.client.forget(self._session)

    def _open(self) -> None:
        reply = self.client.open(self._session, self.task, self.actions, self.words)
        if self._catalog not in ("", reply.catalog_digest):
            raise ShopError(
                "FAILED_PRECONDITION",
                f"{self.client.address} serves catalog {reply.catalog_digest}, but the episode began with "
                f"{self._catalog}; serve that catalog again, or start a new episode",
            )
        self._catalog, self.turns = reply.catalog_digest, reply.turns
        self.observation, self.end = reply.observation, ENDS[reply.end]
