"""The shop as an agent loop for verl (checked with verl 0.9.1): each sample is one episode.

Write the tasks as verl's dataset, then loop.yaml, then start verl:

    python verl_agent_loop.py train.parquet --tasks 1000

    - name: shoprl
      _target_: verl_agent_loop.ShopLoop
      address: 127.0.0.1:7070

    python -m verl.trainer.main_ppo data.train_files=train.parquet algorithm.adv_estimator=grpo \\
        actor_rollout_ref.rollout.agent.default_agent_loop=shoprl \\
        actor_rollout_ref.rollout.agent.agent_loop_config_path=loop.yaml ...

This file must be on PYTHONPATH. loop.yaml may set any argument of `ShopLoop`. For a chat model, put its markup around pages:
`page: "<|im_end|>\\n<|im_start|>user\\n{}<|im_end|>\\n<|im_start|>assistant\\n"`, with a matching `before`.
docs/benchmarks/verl.sh in the repository trains with it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import logging
import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from datasets import Dataset
from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopOutput
from verl.utils.profiler import simple_timer

from shoprl_env import Episode, ShopClient, ShopError, Task

ADDRESS = os.environ.get("SHOPRL_ENVIRONMENT", "127.0.0.1:7070")
PROMPT = "你在网店里替顾客买东西。每次只写一个动作。\n"

Answer = TypeVar("Answer")

# Silences a warning about the chat builder, which this loop does not use; verl logs it for every sample.
logging.getLogger("verl.utils.tokenizer.continuous_token_wiring").setLevel(logging.ERROR)

# The client blocks, so calls run in threads and episodes proceed in parallel. verl uses the default executor to encode.
_WAITING = ThreadPoolExecutor(max_workers=64, thread_name_prefix="shop")


async def _wait(call: Callable[..., Answer], *arguments: Any) -> Answer:
    return await asyncio.get_running_loop().run_in_executor(_WAITING, call, *arguments)


@functools.cache
def connect(address: str, token_file: str | None) -> ShopClient:
    """The connection of this process. verl makes one loop per sample, so it is cached."""
    return ShopClient(address, token_file=token_file)


@functools.cache
def opening(client: ShopClient) -> str:
    """The text before the first page: the model's role and the grammar."""
    return f"{PROMPT}{client.describe().grammar}\n"


# Not `@register`ed: verl imports this at the first sample and would replace the entry of loop.yaml by the bare class.
class ShopLoop(AgentLoopBase):
    """Plays the task of its row once.

    `metric` is the reward, `action_tokens` the maximum length of an action. `before` is the text before the first page
    (`opening`), `page` the template around each page.
    """

    def __init__(
        self,
        *arguments: Any,
        address: str = ADDRESS,
        token_file: str | None = None,
        metric: str = "strict",
        action_tokens: int = 64,
        before: str | None = None,
        page: str = "\n{}\n",
        hf_model_type: str | None = None,
        **named: Any,
    ) -> None:
        # Not passed on: verl would choose a chat builder by the model type. The one for Qwen3 needs `<|im_end|>`, which
        # the policies of ShopRL lack. This loop appends the ids itself.
        del hf_model_type
        super().__init__(*arguments, **named)
        self.client = connect(address, token_file)
        self.metric, self.action_tokens, self.before, self.page = metric, action_tokens, before, page

    async def run(self, sampling_params: dict[str, Any], **row: Any) -> AgentLoopOutput:
        """Plays one episode and closes its session however it ends."""
        named = row["extra_info"]
        task = Task(named["scenario"], named["split"], int(named["seed"]))
        before = await _wait(opening, self.client) if self.before is None else self.before
        episode = await _wait(Episode.start, self.client, task)
        try:
            return await self._play(episode, before, sampling_params)
        finally:
            # If the server is unreachable, the lease expires there.
            with contextlib.suppress(ShopError):
                await _wait(episode.close)

    async def _play(self, episode: Episode, before: str, sampling_params: dict[str, Any]) -> AgentLoopOutput:
        """Token in, token out: the sampled ids are trained on; the mask is 1 for them and 0 for the shop's tokens.

        An episode whose next page would exceed `rollout.response_length` ends unfinished.
        """
        limits, request = self.rollout_config, uuid.uuid4().hex
        prompt = self._encode(before + self.page.format(episode.observation))
        if len(prompt) > limits.prompt_length:
            raise ValueError(f"rollout.prompt_length is {limits.prompt_length}; the first page needs {len(prompt)}")
        response: list[int] = []
        mask: list[int] = []
        logprobs: list[float] = []
        said: list[int] = []
        # First and last version of the weights that generated this sample.
        versions: dict[str, Any] = {}
        metrics: dict[str, Any] = {}
        # The last page is left out: nothing follows it.
        while episode.end is None and (left := limits.response_length - len(response) - len(said)) > 0:
            with simple_timer("generate_sequences", metrics):
                sampled = await self.server_manager.generate(
                    request_id=request,
                    prompt_ids=prompt + response + said,
                    sampling_params={**sampling_params, "max_tokens": min(self.action_tokens, left)},
                )
            response += said + sampled.token_ids
            mask += [0] * len(said) + [1] * len(sampled.token_ids)
            logprobs += [0.0] * len(said) + (sampled.log_probs or [])
            oldest = (versions or sampled.extra_fields).get("min_global_steps")
            versions = {**sampled.extra_fields, "min_global_steps": oldest}
            with simple_timer("tool_calls", metrics):
                page = await _wait(episode.step, self._decode(sampled.token_ids).strip())
            said = self._encode(self.page.format(page))
        with simple_timer("compute_score", metrics):
            score = await _wait(episode.score)
        return AgentLoopOutput(
            prompt_ids=prompt,
            response_ids=response,
            response_mask=mask,
            # None if rollout.calculate_log_probs is off.
            response_logprobs=logprobs if len(logprobs) == len(response) else None,
            reward_score=score.metrics[self.metric],
            # One page and one action per turn.
            num_turns=2 * len(episode.actions),
            metrics=metrics,
            extra_fields={**versions, "reward_extra_info": score.metrics, "turn_scores": [], "tool_rewards": []},
        )

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def _decode(self, ids: list[int]) -> str:
        # Drops the token that ends an action.
        return self.tokenizer.decode(ids, skip_special_tokens=True)


def main() -> None:
    """Writes tasks as a dataset for verl."""
    parser = argparse.ArgumentParser(description="Writes tasks of the shop as a dataset for verl.")
    parser.add_argument("file", help="output, a .parquet file")
    parser.add_argument("--scenario", nargs="+", default=["singleTurn"], help="scenarios, used in rotation")
    parser.add_argument("--split", default="train")
    parser.add_argument("--tasks", type=int, default=1000)
    given = parser.parse_args()
    rows = []
    for seed in range(given.tasks):
        task = Task(given.scenario[seed % len(given.scenario)], given.split, seed)
        task.to_wire()
        rows.append(
            {
                "data_source": f"shoprl/{task.scenario}",
                # verl requires a prompt; the real one comes from the shop.
                "prompt": [{"role": "user", "content": f"{task.scenario} {task.split} {seed}"}],
                "extra_info": {"index": seed, "scenario": task.scenario, "split": task.split, "seed": seed},
            }
        )
    Dataset.from_list(rows).to_parquet(given.file)


if __name__ == "__main__":
    main()
