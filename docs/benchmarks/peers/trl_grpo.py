"""TRL's GRPOTrainer trains a saved policy of ShopRL in the shop, by one door of examples/trl_training.py.

trl_grpo.py DOOR MODEL STEPS OUTPUT, where DOOR is rollout_func or environment_factory and the server is at
SHOPRL_ENVIRONMENT; docs/benchmarks/trl.sh starts it. Prints a row per step, and ends with an error where one of these
does not hold:

* every rollout is played again from the tokens that TRL trains on: what is not masked are actions, what is masked are
  the shop's pages, token by token, and TRL's reward is what the server's replay says of those actions;
* the loss has no gradient at the log-probability of a masked token, and one at every other where there is an advantage;
* the log-probabilities that rollout_func returns are those of a forward pass;
* a step with an advantage changes the weights, and there is one.
"""

import json
import sys
import time

import torch
import transformers
import trl
from datasets import Dataset
from shop_replay import ACT, replay
from shoprl_env import ShopClient, Task
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback, TrainerCallback
from trl_training import ADDRESS, ShopTools, rollout_function, shop_reward

SCENARIOS = ("singleTurn", "singleTurnPersona", "multiTurn", "multiTurnPersona")
GROUP, TASKS, ACTION, CONTEXT = 8, 4, 24, 480
# So young a policy is hardly ever right altogether, as in docs/examples/smoke.yaml.
METRIC = "loose"
END = "<|end|>"

# A policy of ShopRL knows neither chat nor JSON, only a page, <|act|>, an action, <|end|>. That as a chat template:
# whatever it writes is a call of `act`, and after the last page it is not asked to.
CHAT_TEMPLATE = """
{%- for message in messages %}
    {%- if message.role != "assistant" %}
        {{- message.content }}
    {%- else %}
        {{- "<|act|>" }}
        {%- for call in message.tool_calls %}
            {%- if call.function.name == "act" %}
                {{- call.function.arguments.action }}
            {%- else %}
                {{- call.function.name + (call.function.arguments | tojson) }}
            {%- endif %}
        {%- endfor %}
        {{- "<|end|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt and not messages[-1].content.endswith("结束") %}
    {{- "<|act|>" }}
{%- endif %}
"""
RESPONSE_TEMPLATE = {
    "defaults": {"role": "assistant"},
    "start_anchor_pattern": r"(?=<\|act\|>|结束)",
    "fields": {
        "tool_calls": {
            "open_pattern": r"\A<\|act\|>",
            "close": END,
            "repeats": True,
            "content": "text",
            "transform": {"type": "function", "function": {"name": "act", "arguments": {"action": "{content}"}}},
        },
        "content": {"content": "text"},
    },
}


class Tools(ShopTools):
    metric = METRIC


class Policy:
    """A saved folder, and what rollout_func needs of it."""

    def __init__(self, folder: str) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids).removesuffix(END)

    @torch.no_grad()
    def generate(self, context: list[int]) -> tuple[list[int], list[float]]:
        out = self.model.generate(
            torch.tensor([context]),
            attention_mask=torch.ones(1, len(context), dtype=torch.long),
            do_sample=True,
            temperature=1.0,
            top_k=0,
            max_new_tokens=ACTION,
            output_logits=True,
            return_dict_in_generate=True,
        )
        sampled = out.sequences[0, len(context) :]
        logprobs = torch.cat(out.logits).log_softmax(-1).gather(1, sampled[:, None])[:, 0]
        return sampled.tolist(), logprobs.tolist()

    @torch.no_grad()
    def logprobs(self, prompt: list[int], completion: list[int]) -> torch.Tensor:
        """The same by one forward pass over everything."""
        logits = self.model(torch.tensor([prompt + completion])).logits[0, len(prompt) - 1 : -1]
        return logits.log_softmax(-1).gather(1, torch.tensor(completion)[:, None])[:, 0]


class Trainer(trl.GRPOTrainer):
    """Looks at every batch after it was scored, and at the gradient of every loss."""

    def __init__(self, policy: Policy, **settings) -> None:
        super().__init__(model=policy.model, processing_class=policy.tokenizer, **settings)
        self.policy, self.client, self.seen = policy, ShopClient(ADDRESS), {}

    def _generate_and_score_completions(self, inputs):
        began = time.perf_counter()
        batch = super()._generate_and_score_completions(inputs)
        (rewards,) = (list(column)[-len(inputs) :] for column in self._logs["rewards"].values())
        self.seen = {
            "seconds": time.perf_counter() - began,
            "rewards": rewards,
            "advantage": batch["advantages"].abs().max().item(),
            "ended": 0,
            "late": 0,
            "apart": 0.0,
        }
        for row, given in enumerate(inputs):
            length = batch["completion_mask"][row].sum()
            ids, mask = (batch[name][row, :length].tolist() for name in ("completion_ids", "tool_mask"))
            prompt = batch["prompt_ids"][row][batch["prompt_mask"][row].bool()].tolist()
            reward = self.replay(given, prompt, ids, mask)
            assert abs(reward - rewards[row]) < 1e-6, f"TRL has reward {rewards[row]}, the replay {reward}"
            if "sampling_per_token_logps" in batch:
                own = torch.tensor(mask).bool()
                apart = (self.policy.logprobs(prompt, ids) - batch["sampling_per_token_logps"][row, :length])[own]
                self.seen["apart"] = max(self.seen["apart"], apart.abs().max().item())
        assert self.seen["apart"] < 1e-3, f"log-probabilities differ by {self.seen['apart']}"
        return batch

    def replay(self, given: dict, prompt: list[int], ids: list[int], mask: list[int]) -> float:
        """Plays a rollout again from its tokens; returns its reward."""
        task = given if "seed" in given else json.loads(given["prompt"])
        task = Task(task["scenario"], task["split"], task["seed"])
        metrics, end, late = replay(self.client, task, prompt, ids, mask, self.policy.encode, self.policy.decode)
        self.seen["ended"] += end is not None
        self.seen["late"] += late
        return metrics[METRIC]

    def _compute_loss(self, model, inputs):
        self.own = (inputs["completion_mask"] * inputs["tool_mask"]).bool()
        self.acting = self.own & (inputs["advantages"] != 0)[:, None]
        self.seen["sampled"] = self.own.sum().item()
        self.seen["shop"] = inputs["completion_mask"].sum().item() - self.seen["sampled"]
        return super()._compute_loss(model, inputs)

    def _get_per_token_logps_and_entropies(self, *arguments, **named):
        found = super()._get_per_token_logps_and_entropies(*arguments, **named)
        if found[0].requires_grad:
            found[0].register_hook(self.look_at_gradient)
        return found

    def look_at_gradient(self, gradient: torch.Tensor) -> None:
        reached = gradient != 0
        assert not (reached & ~self.own).any(), "a masked token has a gradient"
        assert reached[self.acting].all(), "a sampled token has no gradient"
        self.seen["trained"] = reached.sum().item()


class Rows(TrainerCallback):
    """Prints what a step did."""

    COLUMNS = (
        "step", "rollouts", "ended", "mean reward", "from, to", "sampled tokens", "with a gradient",
        "after the end", "shop's tokens, masked", "a weight's largest change", "rollouts, s", "step, s",
    )  # fmt: skip

    def __init__(self, trainer: Trainer) -> None:
        self.trainer, self.trained, self.apart = trainer, False, 0.0

    def on_train_begin(self, args, state, control, **_):
        print(f"| {' | '.join(self.COLUMNS)} |\n|{'---|' * len(self.COLUMNS)}")

    def on_step_begin(self, args, state, control, model, **_):
        self.began = time.perf_counter()
        self.before = [weight.detach().clone() for weight in model.parameters()]

    def on_step_end(self, args, state, control, model, **_):
        seconds, seen = time.perf_counter() - self.began, self.trainer.seen
        changes = (now - before for now, before in zip(model.parameters(), self.before, strict=True))
        change = max(difference.abs().max().item() for difference in changes)
        assert change > 0 or seen["advantage"] == 0, "the step changed no weight"
        self.trained |= seen["advantage"] > 0
        self.apart = max(self.apart, seen["apart"])
        rewards = seen["rewards"]
        cells = (
            state.global_step, len(rewards), seen["ended"], f"{sum(rewards) / len(rewards):.3f}",
            f"{min(rewards):.2f}, {max(rewards):.2f}", seen["sampled"], seen["trained"],
            seen["late"], seen["shop"], f"{change:.1e}", f"{seen['seconds']:.1f}", f"{seconds:.1f}",
        )  # fmt: skip
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


def main() -> None:
    door, folder, steps, output = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    transformers.utils.logging.disable_progress_bar()
    versions = ", ".join(f"{module.__name__} {module.__version__}" for module in (trl, transformers, torch))
    print(f"\n## {door}, {versions}\n")
    policy = Policy(folder)
    settings = {
        "args": trl.GRPOConfig(
            output_dir=output,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            seed=0,
            max_steps=steps,
            learning_rate=1e-4,
            lr_scheduler_type="constant",
            num_generations=GROUP,
            per_device_train_batch_size=GROUP * TASKS,
            gradient_accumulation_steps=1,
            max_completion_length=CONTEXT,
            generation_kwargs={"max_new_tokens": ACTION},
        )
    }
    rows = [{"scenario": SCENARIOS[seed % 4], "split": "train", "seed": seed} for seed in range(steps * TASKS)]
    if door == "rollout_func":
        settings["rollout_func"] = rollout_function(
            policy.generate, policy.encode, policy.decode, CONTEXT, before="", page="{}" + ACT, metric=METRIC
        )
        settings["reward_funcs"] = shop_reward
        rows = [{"prompt": json.dumps(row)} for row in rows]
    else:
        settings["environment_factory"] = Tools
        rows = [{"prompt": [{"role": "user", "content": ""}], **row} for row in rows]
    settings["train_dataset"] = Dataset.from_list(rows)

    if door == "environment_factory":
        try:
            Trainer(policy, **settings)
        except ValueError as error:
            print(f"With the folder as it was saved: {error}\n")
        policy.tokenizer.chat_template = CHAT_TEMPLATE
        policy.tokenizer.response_template = RESPONSE_TEMPLATE
    trainer = Trainer(policy, **settings)
    trainer.remove_callback(PrinterCallback)
    seen = Rows(trainer)
    trainer.add_callback(seen)
    trainer.train()
    assert seen.trained, "no step had an advantage, so none was seen to train"
    if door == "rollout_func":
        print(f"\nlog-probabilities returned and of a forward pass: at most {seen.apart:.1e} apart")


if __name__ == "__main__":
    main()
