"""A server of tokens for verl on a processor, where vLLM and SGLang have none: the rollout `transformers`.

One request after the other through `model.generate`, in one process of Ray. verl finds it by its registries, reaches it by
its own client and load balancer, and sends it the weights of every step.
"""

import asyncio
import collections
import zlib

import ray
import torch
from transformers import AutoModelForCausalLM
from verl.workers.rollout import base
from verl.workers.rollout.replica import RolloutReplica, RolloutReplicaRegistry, TokenOutput

NAME = "transformers"


class Server:
    """What verl calls of its servers."""

    def __init__(self, folder: str) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.version, self.turn = None, asyncio.Lock()
        self.asked = collections.Counter()
        self.waiting = self.most = 0
        self.change = None

    async def generate(self, request_id: str, *, prompt_ids: list[int], sampling_params: dict, **_media) -> TokenOutput:
        plain = {"temperature": 1.0, "top_p": 1.0, "top_k": -1, "repetition_penalty": 1.0, "logprobs": True}
        limit = sampling_params["max_tokens"]
        assert sampling_params == {**plain, "max_tokens": limit}, f"this server does not sample so: {sampling_params}"
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        async with self.turn:
            ids, logprobs = await asyncio.to_thread(self.sample, prompt_ids, limit)
        self.waiting -= 1
        return TokenOutput(
            token_ids=ids, log_probs=logprobs, stop_reason="completed", extra_fields={"global_steps": self.version}
        )

    @torch.no_grad()
    def sample(self, prompt: list[int], limit: int) -> tuple[list[int], list[float]]:
        # By what is asked and how often it was, so that the order in which episodes come changes no group.
        asked = (self.version, tuple(prompt))
        self.asked[asked] += 1
        torch.manual_seed(zlib.crc32(repr((asked, self.asked[asked])).encode()))
        out = self.model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            do_sample=True,
            temperature=1.0,
            top_k=0,
            max_new_tokens=limit,
            output_logits=True,
            return_dict_in_generate=True,
        )
        sampled = out.sequences[0, len(prompt) :]
        logprobs = torch.cat(out.logits).log_softmax(-1).gather(1, sampled[:, None])[:, 0]
        return sampled.tolist(), logprobs.tolist()

    async def load(self, weights: dict[str, torch.Tensor], version: int) -> None:
        before = {name: weight.clone() for name, weight in self.model.state_dict().items()}
        self.model.load_state_dict(weights)
        self.version = version
        self.change = max((weight - before[name]).abs().max().item() for name, weight in self.model.state_dict().items())

    async def seen(self) -> tuple[float, int]:
        """The largest change by the last `load`, and how many requests stood at once at most since this was asked."""
        most, self.most = self.most, 0
        return self.change, most

    async def wake_up(self) -> None:
        """There is no memory of a GPU to share."""

    sleep = wake_up


class Replica(RolloutReplica):
    """verl's handle of the server."""

    async def launch_servers(self) -> None:
        server = ray.remote(Server).options(name=NAME, num_cpus=0, max_concurrency=self.max_concurrency)
        self._server_handle, self._server_address = server.remote(self.model_config.path), NAME
        self.servers = [self._server_handle]


class Sender(base.BaseRollout):
    """In the process that trains: sends the weights."""

    async def update_weights(self, weights, global_steps: int | None = None, **_adapters) -> None:
        await ray.get_actor(NAME).load.remote({name: weight.detach().clone() for name, weight in weights}, global_steps)

    async def resume(self, tags: list[str]) -> None:
        """Nothing was released."""

    async def release(self) -> None:
        """Nothing is held."""


RolloutReplicaRegistry.register(NAME, lambda: Replica)
# verl registers the part in the training process in a table alone.
base._ROLLOUT_REGISTRY[NAME, "async"] = f"{__name__}.{Sender.__name__}"
