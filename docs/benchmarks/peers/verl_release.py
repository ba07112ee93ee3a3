"""A sample gives its session back however it ends: verl_release.py ADDRESS MODEL, at a server that holds one session.

The loop is made as verl makes it; the server of tokens plays the simplest part that ends a sample so.
"""

import asyncio
import sys

from omegaconf import OmegaConf
from shoprl_env import Episode, ShopClient, ShopError, Task
from transformers import AutoTokenizer
from verl.experimental.agent_loop.agent_loop import DictConfigWrap
from verl.workers.rollout.replica import TokenOutput
from verl_agent_loop import ShopLoop

address, model = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(model)
task = {"scenario": "singleTurn", "split": "train", "seed": 1}
# One that does not wait for room.
client = ShopClient(address, patience=0.0)


class Tokens:
    """Answers an action that changes nothing; from the `last` turn on it does what `then` does."""

    def __init__(self, last: int, then) -> None:
        self.left, self.then = last, then

    async def generate(self, request_id, *, prompt_ids, sampling_params) -> TokenOutput:
        self.left -= 1
        if self.left < 0:
            await self.then()
        return TokenOutput(token_ids=tokenizer.encode("看", add_special_tokens=False)[: sampling_params["max_tokens"]])


def sample(tokens: Tokens, response_length: int = 480, prompt_length: int = 480):
    config = OmegaConf.create({"prompt_length": prompt_length, "response_length": response_length})
    config = OmegaConf.create({"actor_rollout_ref": {"rollout": config}})
    wrapped, data = DictConfigWrap(config), DictConfigWrap(OmegaConf.create({}))
    loop = ShopLoop(
        wrapped, tokens, tokenizer, None, None, data, address=address, before="", page="{}<|act|>", hf_model_type="qwen3"
    )
    return loop.run({}, extra_info=task, raw_prompt=[])


def is_free() -> bool:
    try:
        Episode.start(client, Task(**task)).close()
    except ShopError as error:
        assert error.code == "RESOURCE_EXHAUSTED", error
        return False
    return True


async def fail():
    raise RuntimeError("the server of tokens is gone")


async def hang():
    assert not is_free(), "one session is all that this server holds"
    await asyncio.sleep(3600)


async def main() -> None:
    out = await sample(Tokens(100, fail), response_length=60)
    assert out.response_logprobs is None and len(out.response_ids) == len(out.response_mask) <= 60
    assert out.reward_score == 0.0 and out.response_mask[-1] == 1 and out.num_turns > 2
    assert is_free(), "a sample that had no room for the next page"
    for tokens, limits, kind in (
        (Tokens(0, fail), {}, RuntimeError),
        (Tokens(2, fail), {}, RuntimeError),
        (Tokens(0, fail), {"prompt_length": 5}, ValueError),
    ):
        try:
            await sample(tokens, **limits)
            raise AssertionError("the sample did not fail")
        except kind:
            assert is_free(), f"a sample that failed by {kind.__name__}"
    running = asyncio.create_task(sample(Tokens(1, hang)))
    await asyncio.sleep(1)
    running.cancel()
    try:
        await running
        raise AssertionError("the sample was not cancelled")
    except asyncio.CancelledError:
        assert is_free(), "a sample that was cancelled"
    print("a sample gives its session back: without room, when it fails, when it is cancelled")


asyncio.run(main())
