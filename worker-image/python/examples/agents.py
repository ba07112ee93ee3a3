"""Two scripted agents for the large shop: random actions, and searching once and buying the first result."""

from __future__ import annotations

import random
import re

ROW = re.compile(r"^#(\d+) ", re.MULTILINE)
PRICE = re.compile(r"(\d+)元")


class RandomAgent:
    """Chooses uniformly among the actions that look possible."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._query: str | None = None
        self._rows = 0
        self._values: list[str] | None = None
        self._shopper = False

    def act(self, observation: str) -> str:
        """Returns the action that follows `observation`."""
        if self._query is None:
            self._query = query_of(observation)
            self._shopper = "顾客 " in observation
        if observation.startswith("结果"):
            self._rows, self._values = len(ROW.findall(observation)), None
        elif observation.startswith("商品"):
            self._values = option_values(observation)
        possible = [f"搜索{self._query}"]
        if self._rows:
            possible += ["翻页", *(f"打开#{row}" for row in range(1, self._rows + 1))]
        if self._shopper:
            possible += ["询问属性", "询问品牌", "询问规格", "询问预算"]
        if self._values is not None:
            possible += ["详情", "返回", "购买", *(f"选择{value}" for value in self._values)]
        return self._draw.choice(possible)


class SimpleAgent:
    """Searches for the text of the first observation, opens the first result, chooses the options mentioned in the text, buys."""

    def __init__(self, seed: int) -> None:
        del seed
        self._said: str | None = None
        self._wanted: list[str] | None = None

    def act(self, observation: str) -> str:
        """Returns the action that follows `observation`."""
        if self._said is None:
            self._said = query_of(observation)
            price = PRICE.search(self._said)
            return f"搜索{self._said}" + (f" ¥{price[1]}" if price else "")
        if observation.startswith("结果"):
            return "打开#1" if ROW.search(observation) else "没有合适"
        if observation.startswith("商品"):
            self._wanted = [value for value in option_values(observation) if value in self._said]
        # The shopper would refuse the same purchase again.
        if self._wanted is None or observation.startswith("顾客"):
            return "没有合适"
        return f"选择{self._wanted.pop()}" if self._wanted else "购买"


def query_of(observation: str) -> str:
    """The sentence of the instruction or the shopper, cut to the length that a query may have."""
    lines = [line for line in observation.splitlines() if line.startswith(("任务 ", "顾客 "))]
    return lines[-1][3:180] if lines else "商品"


def option_values(observation: str) -> list[str]:
    """The option values listed on a product's page."""
    line = next((line for line in observation.splitlines() if line.startswith("规格")), "")
    return [value for axis in line.split()[1:] for value in axis.partition(":")[2].split("/")]
