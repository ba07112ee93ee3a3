"""Plays episodes with a scripted agent and prints the mean of each metric.

python play.py [--address HOST:PORT] [--agent random|simple] [--scenario NAME] [--split NAME] [--episodes N] [--show]
"""

import argparse

import gymnasium
from agents import RandomAgent, SimpleAgent

import shoprl_env


def main() -> None:
    """Parses the command line and plays."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1:7070")
    parser.add_argument("--agent", choices=["random", "simple"], default="simple")
    parser.add_argument("--scenario", choices=list(shoprl_env.client.SCENARIOS), default="singleTurn")
    parser.add_argument("--split", choices=list(shoprl_env.client.SPLITS), default="heldOut")
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--show", action="store_true", help="print every turn")
    given = parser.parse_args()

    env = gymnasium.make(
        "ShopRL-v0", address=given.address, scenario=given.scenario, split=given.split, render_mode="ansi"
    )
    sums = dict.fromkeys(shoprl_env.client.METRICS, 0.0)
    steps = characters = 0
    for seed in range(given.episodes):
        agent = (RandomAgent if given.agent == "random" else SimpleAgent)(seed)
        observation, info = env.reset(seed=seed)
        done = False
        while not done:
            if given.show:
                print(env.render())
            observation, _, done, _, info = env.step(agent.act(observation))
            steps, characters = steps + 1, characters + info["characters"]
        if given.show:
            print(env.render(), end="\n\n")
        for name, value in info["metrics"].items():
            sums[name] += value
    env.close()
    print(f"{given.episodes} episodes, {steps} steps, {characters / max(steps, 1):.0f} characters a step")
    print(", ".join(f"{name} {value / max(given.episodes, 1):.3f}" for name, value in sums.items()))


if __name__ == "__main__":
    main()
