"""Plain episodes over gRPC: retried when the network fails, brought back when a session is lost."""

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
# Characters; an action takes up to 4 bytes each of the server's 16,384.
LONGEST_ACTION = 4_095
# What the shop knows a cut-off action by: it costs its turn and is answered with that reason.
UNFINISHED = "…"

# Every request may be repeated, so these are asked again until the patience is over.
_LATER = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
)
_LONGEST_PAUSE = 2.0


class ShopError(Exception):
    """A request that failed for good. `code` is the gRPC status code's name, the text names the remedy."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Task:
    """The name of a task: with the server's catalog it decides everything about the episode."""

    scenario: str = "singleTurn"
    split: str = "train"
    seed: int = 0

    def to_wire(self) -> shop.TaskKey:
        """As the server wants it; `ValueError` names a field that is out of range."""
        for name, value, known in (("scenario", self.scenario, SCENARIOS), ("split", self.split, SPLITS)):
            if value not in known:
                raise ValueError(f"{name}: {value!r} is not known; write one of {', '.join(known)}")
        if not 0 <= self.seed < 2**64:
            raise ValueError(f"seed: {self.seed} is out of range; write 0 to 2^64 - 1")
        return shop.TaskKey(scenario=SCENARIOS[self.scenario], split=SPLITS[self.split], seed=self.seed)


@dataclass(frozen=True)
class Score:
    """What a replay says of an episode."""

    # The eight metrics of ShopSimulator (arXiv 2601.18225) by name, each in [0, 1].
    metrics: dict[str, float]
    # Per action +1, 0 or -1; empty where the catalog has no rules for it.
    verdicts: list[float]
    # Per action its kind.
    kinds: list[str]
    # bought, declined, turnLimit, or None where the actions stop before the end.
    end: str | None


class ShopClient:
    """A connection to one server, which many episodes may share; it is used from one thread at a time or many.

    `patience` is for how many seconds a request is repeated while the server is away or full.
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
        """Catalog, grammar, scenarios and limits of the server."""
        return self._call(self._stub.Describe, wire.DescribeRequest())

    def open(
        self,
        session: str,
        task: Task,
        actions: Sequence[str] = (),
        words: Mapping[int, str] | None = None,
    ) -> wire.OpenEpisodeResponse:
        """Opens a session and plays `actions` in it; `words` as in `replay`."""
        request = wire.OpenEpisodeRequest(
            session=session, task=task.to_wire(), actions=actions, words=words or {}
        )
        return self._call(self._stub.Open, request)

    def step(self, session: str, turn: int, action: str) -> wire.StepEpisodeResponse:
        """Takes turn number `turn`, from 1."""
        request = wire.StepEpisodeRequest(session=session, turn=turn, action=action)
        return self._call(self._stub.Step, request)

    def forget(self, session: str) -> None:
        """Forgets a session; an unknown one is fine."""
        self._call(self._stub.Close, wire.CloseEpisodeRequest(session=session))

    def replay(
        self, task: Task, actions: Sequence[str], words: Mapping[int, str] | None = None
    ) -> Score:
        """Scores the actions of a task; `words` are what a model said for the shopper, by the action's position from 0."""
        request = wire.ReplayEpisodeRequest(task=task.to_wire(), actions=actions, words=words or {})
        reply = self._call(self._stub.Replay, request)
        metrics = {name: getattr(reply.metrics, name) for name in METRICS}
        return Score(metrics, list(reply.verdicts), list(reply.kinds), ENDS[reply.end])

    def close(self) -> None:
        """Hangs up. Sessions that are still open run out."""
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
                        message += f"; start `shoprl environment --listen {self.address}`, or give its address"
                    raise ShopError(code.name, message) from None
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


@dataclass
class Episode:
    """One episode. If its session is lost (the lease ran out, the server was replaced) it goes on in a new one."""

    client: ShopClient
    task: Task
    actions: list[str] = field(default_factory=list)
    # What a model said for the shopper, by the action's position; empty where the rules speak.
    words: dict[int, str] = field(default_factory=dict)
    # What the shop said last, and how the episode ended (None while it goes on).
    observation: str = ""
    end: str | None = None
    turns: int = 0
    _session: str = ""
    _catalog: str = ""

    @classmethod
    def start(cls, client: ShopClient, task: Task) -> Episode:
        """Opens a session of its own."""
        episode = cls(client, task, _session=str(uuid.uuid4()))
        episode._open()
        return episode

    def step(self, action: str) -> str:
        """Takes a turn; returns what the shop says. `ShopError` (FAILED_PRECONDITION) after the end.

        A longer action than `LONGEST_ACTION` is cut, and the shop says so: any text of a model is an action.
        """
        if len(action) > LONGEST_ACTION:
            action = action[:LONGEST_ACTION] + UNFINISHED
        turn = len(self.actions) + 1
        try:
            reply = self.client.step(self._session, turn, action)
        except ShopError as error:
            # Past its end nothing is brought back: the actions are complete.
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
        """The reward's parts, by a replay of the actions. The session has no part in it."""
        return self.client.replay(self.task, self.actions, self.words)

    def close(self) -> None:
        """Makes room at the server."""
        self.client.forget(self._session)

    def _open(self) -> None:
        reply = self.client.open(self._session, self.task, self.actions, self.words)
        if self._catalog not in ("", reply.catalog_digest):
            raise ShopError(
                "FAILED_PRECONDITION",
                f"{self.client.address} now serves catalog {reply.catalog_digest}, the episode began in "
                f"{self._catalog}; start the server with the former one, or begin the episode anew",
            )
        self._catalog, self.turns = reply.catalog_digest, reply.turns
        self.observation, self.end = reply.observation, ENDS[reply.end]
