"""The shop in TRL's GRPOTrainer, by either of its interfaces (checked with TRL 1.16, where both are experimental).

`ShopTools` is for `environment_factory`: the model calls `act` as a tool, and the environment computes the reward. The chat
template must support tools. TRL ends a rollout when the model stops calling tools; an environment cannot end it.

    from trl import GRPOTrainer
    message = {"role": "user", "content": opening()}
    rows = [{"prompt": [message], "scenario": "singleTurn", "split": "train", "seed": n} for n in range(1000)]
    GRPOTrainer(model=..., train_dataset=Dataset.from_list(rows), environment_factory=ShopTools, args=...)

`rollout_function` is for `rollout_func`: plain text in and out, no tool calls. A prompt is a task as JSON; `generate`
takes token ids and returns the sampled ids with their log-probabilities (from vLLM's client, `model.generate`, ...).

    rows = [{"prompt": json.dumps({"scenario": "singleTurn", "split": "train", "seed": n})} for n in range(1000)]
    encode = functools.partial(tokenizer.encode, add_special_tokens=False)
    decode = functools.partial(tokenizer.decode, skip_special_tokens=True)
    rollout = rollout_function(generate, encode, decode, context=8192)
    GRPOTrainer(model=..., train_dataset=Dataset.from_list(rows), rollout_func=rollout, reward_funcs=shop_reward, args=...)

docs/benchmarks/trl.sh in the repository trains with both. For verl see verl_agent_loop.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

from shoprl_env import Episode, ShopClient, Task

ADDRESS = os.environ.get("SHOPRL_ENVIRONMENT", "127.0.0.1:7070")
PROMPT = "你在网店里替顾客买东西。每次只写一个动作。\n"

# Maps token ids to the sampled ids and their log-probabilities.
Generate = Callable[[list[int]], tuple[list[int], list[float]]]


def opening(address: str = ADDRESS) -> str:
    """The text before the first page: the model's role and the grammar."""
    client = ShopClient(address)
    grammar = client.describe().grammar
    client.close()
    return f"{PROMPT}{grammar}\n"


class ShopTools:
    """The shop of one rollout. TRL makes one per rollout of a batch and resets it with the columns of the row."""

    # The metric used as reward. R_strict of arXiv 2601.18225 is 0 unless the agent ends the episode.
    metric = "strict"

    def __init__(self) -> None:
        self._client = ShopClient(ADDRESS)
        self._episode: Episode | None = None

    def reset(self, scenario: str, split: str, seed: int, **_columns: Any) -> str:
        """Begins the task of the row. TRL appends the returned page to the prompt."""
        if self._episode is not None:
            self._episode.close()
        self._episode = Episode.start(self._client, Task(scenario, split, seed))
        return self._episode.observation

    def act(self, action: str) -> str:
        """
        Takes one action in the shop.

        Args:
            action: One action of the grammar, for example 搜索 with words, 打开#1, 购买.

        Returns:
            The page that the shop answers.
        """
        # A model may act after the end; it gets the end marker, like any tool result.
        return self._episode.step(action) if self._episode.end is None else "结束"

    def get_reward(self) -> float:
        """Returns the reward, computed by a replay."""
        return self._episode.score().metrics[self.metric]


def rollout_function(
    generate: Generate,
    encode: Callable[[str], list[int]],
    decode: Callable[[list[int]], str],
    context: int,
    address: str = ADDRESS,
    before: str | None = None,
    page: str = "\n{}\n",
    metric: str = "strict",
) -> Callable[[Sequence[str], Any], dict[str, list[Any]]]:
    """Makes a `rollout_func` that plays the task of each prompt once; TRL repeats a prompt for its group.

    Token in, token out: the sampled ids are returned unchanged; `env_mask` is 1 for them and 0 for the shop's tokens.
    `encode` adds no special tokens, `decode` drops the token that ends an action. An episode whose next page would
    exceed `context` tokens ends unfinished; TRL's `max_completion_length` is not used. `before` is the text before the
    first page (`opening()`), `page` the template around each page.
    """
    client = ShopClient(address)
    before = opening(address) if before is None else before

    def play(task: Task) -> dict[str, Any]:
        episode = Episode.start(client, task)
        prompt = encode(before + page.format(episode.observation))
        completion: list[int] = []
        logprobs: list[float] = []
        mask: list[int] = []
        said: list[int] = []
        # The last page is left out: nothing follows it, and TRL counts a completion as truncated unless it ends with the
        # model's end token. TRL refuses an empty completion, so at least one action is taken.
        while not completion or (episode.end is None and len(prompt) + len(completion) + len(said) < context):
            sampled, sampled_logprobs = generate(prompt + completion + said)
            completion += said + sampled
            logprobs += [0.0] * len(said) + sampled_logprobs
            mask += [0] * len(said) + [1] * len(sampled)
            said = encode(page.format(episode.step(decode(sampled).strip())))
        score = episode.score()
        episode.close()
        return {
            "prompt_ids": prompt,
            "completion_ids": completion,
            "logprobs": logprobs,
            "env_mask": mask,
            "shop_reward": score.metrics[metric],
            "shop_success": score.metrics["success"],
        }

    def rollout(prompts: Sequence[str], _trainer: Any) -> dict[str, list[Any]]:
        played = [play(Task(**json.loads(prompt))) for prompt in prompts]
        return {name: [episode[name] for episode in played] for name in played[0]}

    return rollout


def shop_reward(completions: Sequence[Any], shop_reward: Sequence[float], **_columns: Any) -> list[float]:
    """TRL's reward function: the metric that the replay of each rollout returned."""
    del completions
    return list(shop_reward)
