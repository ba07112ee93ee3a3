"""What pages cost a language model: characters, and tokens of Qwen's vocabulary (qwen.tiktoken, shipped by dashscope).

page_tokens.py NAME EPISODES, where EPISODES is `--example episodes -- mini|fine expert N`. Prints rows of a table. Of a
page the turn counter counts, what a chat template adds does not; an episode is its pages and its actions.
"""

import json
import sys
from pathlib import Path

from dashscope import get_tokenizer

KINDS = "档案 最近搜索 任务 顾客 结果 商品 详情 卖家 已选 列表 无效 成交 未成交".split()


def main():
    name, episodes = sys.argv[1:]
    tokenizer = get_tokenizer("qwen-turbo")
    pages, whole = {}, []
    for line in Path(episodes).read_text("utf-8").splitlines():
        episode = json.loads(line)
        costs = [(len(page), len(tokenizer.encode(page))) for page in episode["observations"]]
        for page, cost in zip(episode["observations"], costs):
            kind = next((kind for kind in KINDS if page.startswith(kind)), None)
            if kind is None:
                sys.exit(f"a page of no known kind: {page}")
            pages.setdefault(kind, []).append(cost)
        actions = sum(len(tokenizer.encode(action)) for action in episode["actions"])
        whole.append((sum(it[0] for it in costs), sum(it[1] for it in costs) + actions))
    for kind in (*(kind for kind in KINDS if kind in pages), "an episode"):
        costs = pages.get(kind, whole)
        row = []
        for column in zip(*costs):
            row.append(f"{sum(column) / len(column):.0f} | {sorted(column)[len(column) * 99 // 100]}")
        print(f"| {name} | {kind} | {len(costs)} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
