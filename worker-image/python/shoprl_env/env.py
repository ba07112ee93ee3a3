"""The shop as a Gymnasium environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium

from shoprl_env.client import LONGEST_ACTION, METRICS, Episode, ShopClient, Task
from shoprl_env.spaces import AnyText

# In characters. The longest page (a persona file or twenty rows) has about 2,500.
LONGEST_OBSERVATION = 16_384


class ShopEnv(gymnasium.Env[str, str]):
    """Episodes on a running `shoprl environment`: text in, text out. `info["grammar"]` of a reset has the grammar.

    The reward is 0 until the episode ends, then the metric named by `reward`, computed by a replay. Running out of turns
    is part of the task (each observation shows the remaining turns), so it terminates the episode and never truncates it.
    An action longer than the action space is truncated and marked.

    `reset(seed=n)` plays the task of seed n. `reset()` draws the next task from the generator seeded by the last `seed`.
    `options` may set `scenario`, `split` and `task` (a seed) for one episode.

    `info` has `characters` of the observation, `turn`, `turns` and `task`; after a reset also `grammar`; at the end also
    `end`, `metrics` (all eight), `verdicts` and `kinds`.
    """

    # Pages have no frame rate, but Gymnasium requires one for rendering.
    metadata = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(
        self,
        address: str = "127.0.0.1:7070",
        scenario: str = "singleTurn",
        split: str = "train",
        reward: str = "strict",
        token_file: str | Path | None = None,
        render_mode: str | None = None,
    ) -> None:
        if reward not in METRICS:
            raise ValueError(f"reward: {reward!r} is not known; write one of {', '.join(METRICS)}")
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode: {render_mode!r} is not known; write ansi, or leave it out")
        # Raises for an unknown scenario or split before the first episode.
        Task(scenario, split).to_wire()
        self.render_mode = render_mode
        self.observation_space = AnyText(LONGEST_OBSERVATION)
        self.action_space = AnyText(LONGEST_ACTION)
        self._address, self._token_file, self._reward = address, token_file, reward
        self._scenario, self._split = scenario, split
        # Connected at the first reset, so that an environment can be made in one process and used in another.
        self._client: ShopClient | None = None
        self._grammar = ""
        self._episode: Episode | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begins an episode. Returns its first observation and info."""
        super().reset(seed=seed)
        self._leave()
        task = self._task(seed, options or {})
        if self._client is None:
            self._client = ShopClient(self._address, token_file=self._token_file)
            self._grammar = self._client.describe().grammar
        self._episode = Episode.start(self._client, task)
        return self._episode.observation, {**self._info(self._episode), "grammar": self._grammar}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Takes one turn."""
        episode = self._episode
        if episode is None or episode.end is not None:
            raise RuntimeError("step: no episode is open; call reset() first")
        observation = episode.step(action)
        info, reward = self._info(episode), 0.0
        if episode.end is not None:
            score = episode.score()
            reward = score.metrics[self._reward]
            info |= {
                "end": episode.end,
                "metrics": score.metrics,
                "verdicts": score.verdicts,
                "kinds": score.kinds,
            }
            episode.close()
        return observation, reward, episode.end is not None, False, info

    def render(self) -> str | None:
        """Returns the last action and the observation if `render_mode` is "ansi"."""
        if self.render_mode is None or self._episode is None:
            return None
        said = self._episode.actions[-1:]
        return "\n".join([*(f"> {action}" for action in said), self._episode.observation])

    def close(self) -> None:
        """Closes the episode and the connection. May be called twice."""
        self._leave()
        if self._client is not None:
            self._client.close()
            self._client = None

    def _task(self, seed: int | None, options: dict[str, Any]) -> Task:
        unknown = options.keys() - {"scenario", "split", "task"}
        if unknown:
            raise ValueError(f"options: {sorted(unknown)} are not known; write scenario, split or task")
        chosen = options.get("task", seed)
        if chosen is None:
            chosen = int(self.np_random.integers(2**63))
        scenario, split = options.get("scenario", self._scenario), options.get("split", self._split)
        return Task(scenario, split, int(chosen))

    def _info(self, episode: Episode) -> dict[str, Any]:
        task = {"scenario": episode.task.scenario, "split": episode.task.split, "seed": episode.task.seed}
        return {
            "characters": len(episode.observation),
            "turn": len(episode.actions),
            "turns": episode.turns,
            "task": task,
        }

    def _leave(self) -> None:
        if self._episode is not None and self._episode.end is None:
            self._episode.close()
        self._episode = None
