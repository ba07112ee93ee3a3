"""The shop in TRL's GRPOTrainer, by either of its doors (written against TRL 1.16, both are experimental there).

`ShopTools` is for `environment_factory`: the model calls `act` as a tool, the environment owns the reward.

    from trl import GRPOTrainer
    message = {"role": "user", "content": PROMPT}
    rows = [{"prompt": [message], "scenario": "singleTurn", "split": "train", "seed": n} for n in range(1000)]
    GRPOTrainer(model=..., train_dataset=Dataset.from_list(rows), environment_factory=ShopTools, args=...)

`rollout_function` is for `rollout_func`: plain text in and out, no tool calls. A prompt is a task as JSON; `generate`
takes token ids and gives the sampled ids with their log-probabilities (of vLLM's client, of `model.generate`, ...).

    rows = [{"prompt": json.dumps({"scenario": "singleTurn", "split": "train", "seed": n})} for n in range(1000)]
    rollout = rollout_function(generate, tokenizer.encode, tokenizer.decode, group=8)
    GRPOTrainer(model=..., train_dataset=Dataset.from_list(rows), rollout_func=rollout, reward_funcs=shop_reward, args=...)

In verl the same `Episode` goes into an agent loop: ids are appended as below, `response_mask` is `env_mask`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

from shoprl_env import Episode, ShopClient, Task

ADDRESS = os.environ.get("SHOPRL_ENVIRONMENT", "127.0.0.1:7070")
PROMPT = "你在网店里替顾客买东西。每次只写一个动作。\n"

# Token ids to the ids that were sampled and their log-probabilities.
Generate = Callable[[list[int]], tuple[list[int], list[float]]]


class ShopTools:
    """One rollout's shop; TRL makes one of it for every rollout of a batch and resets it with the row's columns."""

    def __init__(self) -> None:
        self._client = ShopClient(ADDRESS)
        self._episode: Episode | None = None

    def reset(self, scenario: str, split: str, seed: int, **_columns: Any) -> str:
        """Begins the row's task; what is returned is appended to the prompt."""
        if self._episode is not None:
            self._episode.close()
        self._episode = Episode.start(self._client, Task(scenario, split, seed))
        return self._client.describe().grammar + "\n" + self._episode.observation

    def act(self, action: str) -> str:
        """
        Does one thing in the shop.

        Args:
            action: One action of the grammar, for example 搜索 with words, 打开#1, 购买.

        Returns:
            What the shop answers.
        """
        # A model may go on after the end; it is told so, as by any tool.
        return self._episode.step(action) if self._episode.end is None else "结束"

    def get_reward(self) -> float:
        """R_strict (arXiv 2601.18225) by a replay; 0 for an episode that was not ended."""
        return self._episode.score().metrics["strict"]


def rollout_function(
    generate: Generate,
    encode: Callable[[str], list[int]],
    decode: Callable[[list[int]], str],
    group: int,
    address: str = ADDRESS,
) -> Callable[[Sequence[str], Any], dict[str, list[Any]]]:
    """Makes a `rollout_func` that plays every prompt's task `group` times.

    Token in, token out: what was sampled is what is returned, and `env_mask` is 1 there and 0 on the shop's tokens.
    """
    client = ShopClient(address)
    grammar = client.describe().grammar

    def play(task: Task) -> dict[str, Any]:
        episode = Episode.start(client, task)
        prompt = encode(f"{PROMPT}{grammar}\n{episode.observation}\n")
        completion: list[int] = []
        logprobs: list[float] = []
        mask: list[int] = []
        while episode.end is None:
            sampled, sampled_logprobs = generate(prompt + completion)
            said = encode(f"\n{episode.step(decode(sampled).strip())}\n")
            completion += sampled + said
            logprobs += sampled_logprobs + [0.0] * len(said)
            mask += [1] * len(sampled) + [0] * len(said)
        score = episode.score()
        episode.close()
        return {
            "prompt_ids": prompt,
            "completion_ids": completion,
            "logprobs": logprobs,
            "env_mask": mask,
            "shop_reward": score.metrics["strict"],
            "shop_success": score.metrics["success"],
        }

    def rollout(prompts: Sequence[str], _trainer: Any) -> dict[str, list[Any]]:
        played = [play(Task(**json.loads(prompt))) for prompt in prompts for _ in range(group)]
        return {name: [episode[name] for episode in played] for name in played[0]}

    return rollout


def shop_reward(completions: Sequence[Any], shop_reward: Sequence[float], **_columns: Any) -> list[float]:
    """TRL's reward function: what the replay of each rollout said."""
    del completions
    return list(shop_reward)
