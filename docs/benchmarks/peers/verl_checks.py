"""verl's synchronous trainer and its loss, looked at while verl.trainer.main_ppo trains in the shop.

Loaded by VERL_USE_EXTERNAL_MODULES; docs/benchmarks/verl.sh starts everything. Appends a row per step to the file
SHOPRL_ROWS, and ends verl with an error where one of these does not hold:

* every rollout is played again from the tokens that verl trains on: what its mask has are actions, what it leaves out are
  the shop's pages, token by token, and verl's reward is what the server's replay says of those actions;
* the loss has no gradient at the log-probability of a token that is not in the mask, and one at every other where there is
  an advantage;
* the log-probabilities that the loop returned are those of the forward pass of verl's engine;
* a step with an advantage changes the weights of the server that generates, and the first weights sent change nothing.
"""

import functools
import os
import time

import ray
import torch
import transfer_queue
import transformers
import verl
from shop_replay import replay
from shoprl_env import ShopClient, Task
from verl.trainer.ppo.core_algos import get_policy_loss_fn, register_policy_loss
from verl.trainer.ppo.v1 import PPOTrainerSync
from verl.trainer.ppo.v1.trainer_base import TRAINER_REGISTRY

# As in verl_loop.yaml.
METRIC = "loose"
COLUMNS = (
    "step", "rollouts", "ended", "mean reward", "from, to", "at once", "sampled tokens", "with a gradient",
    "shop's tokens, masked", "log-probabilities apart", "a weight's largest change", "rollouts, s", "step, s",
)  # fmt: skip


@register_policy_loss("looked_at")
def loss_looked_at(*, log_prob, advantages, response_mask, **named):
    """verl's `vanilla`, and where its gradient goes."""
    vanilla = get_policy_loss_fn("vanilla")
    loss, metrics = vanilla(log_prob=log_prob, advantages=advantages, response_mask=response_mask, **named)
    (gradient,) = torch.autograd.grad(loss, log_prob, retain_graph=True)
    reached, own = gradient != 0, response_mask.bool()
    assert not (reached & ~own).any(), "a masked token has a gradient"
    assert reached[own & (advantages != 0)].all(), "a sampled token has no gradient"
    return loss, {**metrics, "trained": reached.sum().item()}


class Trainer(PPOTrainerSync):
    """Looks at every batch before verl's update, and at the server after it."""

    def on_init_end(self):
        super().on_init_end()
        self.client, self.trained = ShopClient(os.environ["SHOPRL_ENVIRONMENT"]), False
        change, _ = self.server()
        assert change == 0, f"verl's first weights are not those of the folder: {change}"
        versions = ", ".join(f"{module.__name__} {module.__version__}" for module in (verl, ray, transformers, torch))
        self.write(f"## {versions}\n\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")

    def server(self) -> tuple[float, int]:
        return ray.get(self.llm_server_manager.server_handles[0].seen.remote())

    def write(self, line: str) -> None:
        with open(os.environ["SHOPRL_ROWS"], "a") as rows:
            rows.write(line + "\n")

    def on_step_begin(self):
        super().on_step_begin()
        self.began = time.perf_counter()

    def _update_actor(self, batch, metrics):
        self.look(batch)
        batch = super()._update_actor(batch, metrics)
        self.cells["with a gradient"] = int(metrics["actor/trained"])
        return batch

    def look(self, batch) -> None:
        # Where samples failed, verl fills up with synthetic ones.
        wanted = self.config.data.train_batch_size * self.config.actor_rollout_ref.rollout.n
        played = sum(not tag.get("is_padding", False) for tag in batch.tags)
        assert played == wanted, f"{wanted - played} samples failed"
        names = [
            "prompts", "responses", "response_mask", "rm_scores", "rollout_log_probs", "old_log_probs", "advantages",
        ]  # fmt: skip
        data = transfer_queue.kv_batch_get(
            keys=batch.keys, partition_id=batch.partition_id, select_fields=[*names, "extra_info"]
        )
        rows = zip(*(data[name].unbind() for name in names), data["extra_info"], strict=True)
        rewards, apart, ended, sampled, shop, self.advantage = [], 0.0, 0, 0, 0, 0.0
        for prompt, ids, mask, scores, returned, forward, advantages, task in rows:
            assert not scores[:-1].any(), "the reward is not at the last token"
            reward, end = self.replay(task, prompt.tolist(), ids.tolist(), mask.tolist())
            assert abs(reward - scores[-1].item()) < 1e-6, f"verl has reward {scores[-1]}, the replay {reward}"
            own = mask.bool()
            apart = max(apart, (returned - forward)[own].abs().max().item())
            rewards.append(reward)
            ended += end is not None
            sampled += own.sum().item()
            shop += (~own).sum().item()
            self.advantage = max(self.advantage, advantages[own].abs().max().item())
        assert apart < 1e-3, f"log-probabilities differ by {apart}"
        self.cells = {
            "rollouts": len(rewards), "ended": ended, "mean reward": f"{sum(rewards) / len(rewards):.3f}",
            "from, to": f"{min(rewards):.2f}, {max(rewards):.2f}", "sampled tokens": sampled,
            "shop's tokens, masked": shop, "log-probabilities apart": f"{apart:.1e}",
        }  # fmt: skip

    def replay(self, task: dict, prompt: list[int], ids: list[int], mask: list[int]) -> tuple[float, str | None]:
        """Plays a rollout again from its tokens; returns its reward and how it ended."""
        encode = functools.partial(self.tokenizer.encode, add_special_tokens=False)
        decode = functools.partial(self.tokenizer.decode, skip_special_tokens=True)
        task = Task(task["scenario"], task["split"], task["seed"])
        metrics, end, late = replay(self.client, task, prompt, ids, mask, encode, decode)
        assert late == 0 and mask[-1] == 1, "the last token is not of the last action"
        return metrics[METRIC], end

    def on_step_end(self):
        super().on_step_end()
        seconds = time.perf_counter() - self.began
        change, most = self.server()
        assert change > 0 or self.advantage == 0, "the step changed no weight"
        self.trained |= self.advantage > 0
        self.cells |= {
            "step": self.global_steps, "at once": most, "a weight's largest change": f"{change:.1e}",
            "rollouts, s": f"{self.timing_raw['gen']:.1f}", "step, s": f"{seconds:.1f}",
        }  # fmt: skip
        self.write(f"| {' | '.join(str(self.cells[name]) for name in COLUMNS)} |")
        if self.global_steps == self.total_training_steps:
            assert self.trained, "no step had an advantage, so none was seen to train"


# `register_trainer` refuses a second class of a name, and by another name verl would take it for an asynchronous one.
TRAINER_REGISTRY["sync"] = Trainer
