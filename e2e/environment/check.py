"""The Python client against a server: Gymnasium's checker, whole episodes, a lost session, the examples.

Run by `check`: check.py ADDRESS EXAMPLES SECOND, where SECOND is another server of the same catalog.
"""

import sys
import threading
import warnings

import gymnasium
from gymnasium.utils.env_checker import check_env

import shoprl_env
from shoprl_env.client import LONGEST_ACTION, METRICS, SCENARIOS, SPLITS
from shoprl_env.env import LONGEST_OBSERVATION

address, examples, second = sys.argv[1:4]
sys.path.insert(0, examples)
from agents import RandomAgent, SimpleAgent  # noqa: E402
from trl_training import ShopTools, rollout_function, shop_reward  # noqa: E402


def make(**settings):
    return gymnasium.make("ShopRL-v0", address=address, **settings)


def play(env, agent, seed, **options):
    """Plays one episode: all observations, the rewards, the last info."""
    observation, info = env.reset(seed=seed, options=options)
    observations, rewards, done = [observation], [], False
    while not done:
        observation, reward, done, truncated, info = env.step(agent.act(observation))
        assert not truncated, "the turn limit is part of the task"
        assert observation in env.observation_space
        assert info["characters"] == len(observation) and info["turn"] == len(observations)
        observations.append(observation)
        rewards.append(reward)
    return observations, rewards, info


def the_checker_of_gymnasium_finds_no_fault():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = make(render_mode="ansi")
        check_env(env.unwrapped)
        env.close()
        env.close()


def episodes_of_all_scenarios_and_splits_are_repeatable_and_scored():
    env, longest = make(), 0
    for scenario in SCENARIOS:
        for split in SPLITS:
            for agent in (RandomAgent, SimpleAgent):
                runs = [play(env, agent(3), 11, scenario=scenario, split=split) for _ in range(2)]
                assert runs[0] == runs[1], (scenario, split)
                observations, rewards, info = runs[0]
                assert info["task"] == {"scenario": scenario, "split": split, "seed": 11}
                assert set(info["metrics"]) == set(METRICS)
                assert all(0 <= value <= 1 for value in info["metrics"].values())
                assert rewards[-1] == info["metrics"]["strict"] and not any(rewards[:-1])
                assert len(info["kinds"]) == len(rewards) <= info["turns"]
                assert (info["end"] == "turnLimit") == (info["metrics"]["finish"] == 0.0)
                assert observations[-1].endswith("结束"), observations[-1]
                longest = max(longest, *map(len, observations))
    assert longest < LONGEST_OBSERVATION / 2, f"{longest} characters: raise LONGEST_OBSERVATION"
    env.close()


def the_simple_agent_earns_the_measured_reward():
    # About a third of the tasks without missing information (docs/concepts/shop.md); the random agent earns nothing.
    env = make(split="heldOut", reward="success")
    earned = sum(play(env, SimpleAgent(0), seed)[1][-1] for seed in range(40))
    assert 4 <= earned <= 30, earned
    assert sum(play(env, RandomAgent(seed), seed)[1][-1] for seed in range(10)) <= 1
    env.close()


def a_long_action_is_truncated_and_reported_by_the_shop():
    env = make()
    env.reset(seed=1)
    long = "搜索" + "好" * 5 * LONGEST_ACTION
    observation = env.step(long)[0]
    assert observation.startswith("无效 动作没写完"), observation
    env.close()
    # The replay truncates in the same way.
    tools = ShopTools()
    tools.reset(scenario="singleTurn", split="train", seed=1)
    assert tools.act(long) == observation
    assert tools.get_reward() == 0.0


def errors_name_the_remedy():
    task = shoprl_env.Task("singleTurn", "train", 1)
    client = shoprl_env.ShopClient(address)
    ended = shoprl_env.Episode.start(client, task)
    ended.step("没有合适")
    unreachable = shoprl_env.ShopClient("127.0.0.1:1", patience=0.1)
    env = make()
    for mistake, kind, part in (
        (lambda: make(reward="fun"), ValueError, "reward: 'fun' is not known; write one of success"),
        (lambda: make(scenario="double"), ValueError, "scenario: 'double' is not known; write one of"),
        (lambda: env.reset(options={"seed": 3}), ValueError, "['seed'] are not known; write scenario"),
        (lambda: env.reset(options={"task": -1}), ValueError, "seed: -1 is out of range"),
        (lambda: env.unwrapped.step("购买"), RuntimeError, "call reset() first"),
        (lambda: ended.step("返回"), shoprl_env.ShopError, "the episode of"),
        (lambda: client.open("a b", task), shoprl_env.ShopError, "is not a valid name"),
        (unreachable.describe, shoprl_env.ShopError, "start `shoprl environment --listen 127.0.0.1:1`"),
    ):
        try:
            mistake()
        except kind as error:
            assert part in str(error), error
        else:
            raise AssertionError(f"nothing was raised: {part}")
    for closable in (env, client, unreachable):
        closable.close()


def a_lost_session_continues_on_the_same_or_another_server():
    actions = ["搜索乳胶枕", "打开#2", "详情", "返回", "打开#1", "购买"]
    task = shoprl_env.Task("singleTurn", "train", 5)
    clients = [shoprl_env.ShopClient(address), shoprl_env.ShopClient(second)]
    kept = shoprl_env.Episode.start(clients[0], task)
    lost = shoprl_env.Episode.start(clients[0], task)
    for turn, action in enumerate(actions):
        if turn == 2:
            lost.close()
        if turn == 4:
            lost.client = clients[1]
        assert lost.step(action) == kept.step(action), action
    assert lost.end == kept.end == "bought"
    assert lost.score() == kept.score()
    for client in clients:
        client.close()


def many_threads_share_a_client():
    client = shoprl_env.ShopClient(address)
    expected = [shoprl_env.Episode.start(client, shoprl_env.Task(seed=seed)).observation for seed in range(16)]
    found = [""] * 16

    def start(seed):
        episode = shoprl_env.Episode.start(client, shoprl_env.Task(seed=seed))
        found[seed] = episode.observation
        episode.close()

    threads = [threading.Thread(target=start, args=(seed,)) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected
    client.close()


def a_rollout_for_trl_returns_the_samples_and_masks_the_rest():
    # The policy is the simple agent with bytes as tokens: it reads the last page of its context.
    encode = lambda text: list(text.encode())  # noqa: E731
    decode = lambda ids: bytes(ids).decode()  # noqa: E731
    agents, sampled = [], []

    def generate(context):
        ids = encode(agents[-1].act(last_page(decode(context))))
        sampled.extend(ids)
        return ids, [-0.5] * len(ids)

    starts = ("任务 ", "顾客 ", "结果 ", "商品 ", "已选", "详情", "无效 ", "成交 ", "未成交")

    def last_page(text):
        lines = text.rstrip("\n").split("\n")
        begin = max(at for at, line in enumerate(lines) if line.startswith(starts))
        return "\n".join(lines[begin:])

    prompts = ['{"scenario": "singleTurn", "split": "train", "seed": %d}' % seed for seed in (3, 4)]
    rollout = rollout_function(generate, encode, decode, context=100_000, address=address)
    short = rollout_function(generate, encode, decode, context=1, address=address)
    for prompt, seed in zip(prompts, (3, 4)):
        agents.append(SimpleAgent(0))
        sampled.clear()
        played = rollout([prompt], None)
        ids, mask, logprobs = (played[name][0] for name in ("completion_ids", "env_mask", "logprobs"))
        assert len(ids) == len(mask) == len(logprobs) > 0
        assert [token for token, own in zip(ids, mask) if own] == sampled
        assert all((value != 0.0) == bool(own) for value, own in zip(logprobs, mask))
        assert mask[-1] == 1, "only the last page is left out"
        assert shop_reward(["x"], **{name: played[name] for name in ("shop_reward",)}) == played["shop_reward"]
        env = make()
        assert played["shop_reward"] == [play(env, SimpleAgent(0), seed)[1][-1]]
        env.close()
        assert 0 <= played["shop_success"][0] <= played["shop_reward"][0] <= 1
        # If no page fits the context, the episode is its first action.
        agents.append(SimpleAgent(0))
        sampled.clear()
        played = short([prompt], None)
        assert played["completion_ids"] == [sampled] and played["env_mask"] == [[1] * len(sampled)]
        assert played["shop_reward"] == [0.0]


def an_environment_for_trl_scores_the_actions():
    tools = ShopTools()
    for seed in (3, 4):
        observation = tools.reset(scenario="singleTurn", split="train", seed=seed, prompt="ignored")
        agent, page = SimpleAgent(0), observation[observation.index("任务 ") :]
        while not page.endswith("结束"):
            page = tools.act(agent.act(page))
        env = make()
        expected = play(env, SimpleAgent(0), seed)[1][-1]
        env.close()
        assert tools.get_reward() == expected
        assert tools.act("购买") == "结束"


CHECKS = (
    the_checker_of_gymnasium_finds_no_fault,
    episodes_of_all_scenarios_and_splits_are_repeatable_and_scored,
    the_simple_agent_earns_the_measured_reward,
    a_long_action_is_truncated_and_reported_by_the_shop,
    errors_name_the_remedy,
    a_lost_session_continues_on_the_same_or_another_server,
    many_threads_share_a_client,
    a_rollout_for_trl_returns_the_samples_and_masks_the_rest,
    an_environment_for_trl_scores_the_actions,
)
for check in CHECKS:
    check()
    print(f"ok: {check.__name__.replace('_', ' ')}", flush=True)
