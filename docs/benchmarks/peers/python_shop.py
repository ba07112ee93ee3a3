"""The pages of the large shop in a small Python environment with SQLite FTS5: what a peer of its design costs.

It has the same catalog, actions and page text; search is FTS5 on bigrams with the weights of the public fork of
ShopSimulator, so rows come in another order. It has no tasks, personas, shopper or reward: less work a step than ShopRL's.

python_shop.py verify CATALOG EPISODES   renders the pages of ShopRL's episodes again: every byte must be the same
python_shop.py speed CATALOG SECONDS     whole episodes of the random agent; prints a row of a table

CATALOG is `shoprl catalog show --json`, EPISODES is `--example episodes -- fine random N`.
"""

import json
import random
import re
import sqlite3
import sys
import time
from pathlib import Path

from bigrams import bigrams

sys.path.insert(0, str(Path(__file__).parents[3] / "worker-image/python/examples"))
from agents import RandomAgent  # noqa: E402

ROWS, PAGES, TURNS = 20, 5, 30
CEILING = re.compile(r"¥(\d+)")


class Product:
    """A product with what its pages repeat."""

    def __init__(self, record):
        self.title, self.shop, self.brand = record["title"], record["shop"], record["brand"]
        self.category, self.fen = record["category"], record["fen"]
        self.attributes = [(it["axis"], it["value"]) for it in record["attributes"]]
        self.options = [(it["axis"], it["values"]) for it in record["options"]]
        self.variants = [(it["chosen"], it["fen"], it["stock"]) for it in record["variants"]]

    def offer(self, chosen):
        """Fen of the cheapest variant in stock with what is chosen (axis to value); None if it is sold out."""
        wanted = [chosen.get(axis) for axis, _ in self.options]
        fits = lambda values: all(want in (None, value) for want, value in zip(wanted, values))  # noqa: E731
        return min((fen for values, fen, stock in self.variants if stock and fits(values)), default=None)


def yuan(fen):
    whole, rest = divmod(fen, 100)
    return f"{whole}" if not rest else f"{whole}.{rest // 10}" if rest % 10 == 0 else f"{whole}.{rest:02}"


def results_page(products, page, pages, found):
    if not found:
        return "结果 没有找到"
    rows = (row_of(number, it) for number, it in enumerate(products, 1))
    return "\n".join([f"结果 共{found}件 第{page}/{pages}页", *rows])


def row_of(number, it):
    tags = "/".join(value for _, value in it.attributes[:2])
    return f"#{number} {it.title} ¥{yuan(it.fen)} {it.shop} {it.brand}" + (f" {tags}" if tags else "")


def item_page(it):
    attributes = "".join(f" {axis}:{value}" for axis, value in it.attributes)
    options = "".join(f" {axis}:{'/'.join(values)}" for axis, values in it.options)
    head = f"商品 {it.title}\n店铺 {it.shop}\n类目 {it.category}\n品牌 {it.brand}"
    return f"{head}\n参数{attributes}\n规格{options}\n价格 ¥{yuan(it.fen)}起"


def details_page(it):
    lines = ["详情"]
    for axis, values in it.options:
        offers = ((value, it.offer({axis: value})) for value in values)
        lines.append(axis + "".join(f" {v}:" + ("售罄" if fen is None else f"¥{yuan(fen)}起") for v, fen in offers))
    return "\n".join(lines)


def chosen_page(it, chosen):
    values = "".join(f" {axis}:{chosen[axis]}" for axis, _ in it.options if axis in chosen)
    return f"已选{values}\n价格 ¥{yuan(it.offer(chosen))}"


class Engine:
    """Search by SQLite FTS5."""

    def __init__(self, records):
        self.db = sqlite3.connect(":memory:")
        self.db.execute("CREATE VIRTUAL TABLE goods USING fts5(title, category, brand)")
        self.db.execute("CREATE TABLE prices(id INTEGER PRIMARY KEY, fen INTEGER)")
        for number, it in enumerate(records):
            texts = (it["title"], f'{it["category"]} {" ".join(it["aliases"])}', it["brand"])
            row = (number, *(" ".join(bigrams(text)) for text in texts))
            self.db.execute("INSERT INTO goods(rowid, title, category, brand) VALUES (?, ?, ?, ?)", row)
            self.db.execute("INSERT INTO prices VALUES (?, ?)", (number, it["fen"]))

    def search(self, text, ceiling):
        terms = " OR ".join(f'"{term}"' for term in dict.fromkeys(bigrams(text)))
        sql = (
            "SELECT goods.rowid FROM goods JOIN prices ON prices.id = goods.rowid WHERE goods MATCH ? AND fen <= ? "
            "ORDER BY bm25(goods, 3, 2, 2), goods.rowid LIMIT ?"
        )
        return [row for (row,) in self.db.execute(sql, (terms, ceiling, ROWS * PAGES))]


class Session:
    """One episode."""

    def __init__(self, products, engine):
        self.products, self.engine = products, engine
        self.found, self.page, self.item, self.chosen = None, 0, None, {}
        self.remaining, self.ended = TURNS, False

    def step(self, action):
        self.remaining -= 1
        page = self.answer(action.strip())
        self.ended = self.ended or self.remaining == 0
        return page + ("\n结束" if self.ended else f"\n剩余{self.remaining}轮")

    def answer(self, action):
        if action.startswith("搜索"):
            return self.search(action[2:])
        if action.startswith("打开#"):
            return self.open(action[3:])
        if action.startswith("选择"):
            return self.choose(action[2:].lstrip())
        if action in ("翻页", "返回"):
            return self.turn(action == "翻页")
        if action == "没有合适":
            self.ended = True
            return "未成交"
        if action in ("详情", "购买"):
            if self.item is None:
                return "无效 还没打开商品，请先打开"
            if action == "详情":
                return details_page(self.item)
            self.ended = True
            return f"成交 ¥{yuan(self.item.offer(self.chosen) or self.item.fen)}"
        return "无效 动作不明，可用：搜索 打开#k 详情 选择 翻页 返回 询问 推荐 购买 没有合适"

    def search(self, query):
        ceilings = [int(it) * 100 for it in CEILING.findall(query)]
        text = CEILING.sub(" ", query)
        if not any(it.isalnum() for it in text):
            return "无效 搜索词是空的，请写要找的东西"
        if len(query) > 200:
            return "无效 搜索词太长，请不超过200字"
        self.found = self.engine.search(text, min(ceilings, default=1 << 40))
        self.page, self.item = 0, None
        return self.listing()

    def listing(self):
        rows = self.found[self.page * ROWS : (self.page + 1) * ROWS]
        pages = -(-len(self.found) // ROWS)
        return results_page([self.products[row] for row in rows], self.page + 1, pages, len(self.found))

    def turn(self, forward):
        if self.found is None:
            return "无效 还没有搜索，请先搜索"
        if forward and (self.page + 1) * ROWS >= len(self.found):
            return "无效 已是末页，请换搜索词"
        self.page += forward
        self.item = None
        return self.listing()

    def open(self, row):
        if self.found is None:
            return "无效 还没有搜索，请先搜索"
        rows = self.found[self.page * ROWS : (self.page + 1) * ROWS]
        if not row.isdecimal() or not 1 <= int(row) <= len(rows):
            return "无效 没有这一行，请看#后的编号"
        self.item, self.chosen = self.products[rows[int(row) - 1]], {}
        return item_page(self.item)

    def choose(self, value):
        if self.item is None:
            return "无效 还没打开商品，请先打开"
        axis = next((axis for axis, values in self.item.options if value in values), None)
        if axis is None:
            return "无效 没有此规格，请看规格一行"
        chosen = {**self.chosen, axis: value}
        if self.item.offer(chosen) is None:
            return "无效 售罄，请换规格或商品"
        self.chosen = chosen
        return chosen_page(self.item, chosen)


HEAD = re.compile(r"结果 共(\d+)件 第(\d+)/(\d+)页")
ROW = re.compile(r"#\d+ (.+) ¥([\d.]+) (\S+) \S.*")


def results_again(alike, page):
    """A page of results, rendered from the products that it names."""
    if page == results_page([], 0, 0, 0):
        return page
    head, *rows = page.split("\n")
    found, number, pages = map(int, HEAD.fullmatch(head).groups())
    shown = []
    for at, row in enumerate(rows, 1):
        title, price, shop = ROW.fullmatch(row).groups()
        same = (it for it in alike[title, shop, price] if row_of(at, it) == row)
        shown.append(next(same, alike[title, shop, price][0]))
    return results_page(shown, number, pages, found)


def verify(products, episodes):
    """Every page of ShopRL's episodes that shows products, rendered here from the products that it names."""
    alike = {}
    for it in products:
        alike.setdefault((it.title, it.shop, yuan(it.fen)), []).append(it)
    count = 0
    for line in Path(episodes).read_text("utf-8").splitlines():
        episode = json.loads(line)
        # What may be open: a few products differ only in what later pages show.
        held, chosen = [], {}
        for action, observation in zip(episode["actions"], episode["observations"][1:]):
            page, _, _ = observation.rpartition("\n")
            if page.startswith("结果"):
                made = [results_again(alike, page)]
            elif page.startswith("商品"):
                said = dict(line.split(" ", 1) for line in page.split("\n") if " " in line)
                named = alike[said["商品"], said["店铺"], said["价格"][1:-1]]
                held, chosen = [it for it in named if item_page(it) == page], {}
                made = [item_page(it) for it in named]
            elif page.startswith("详情"):
                made = [details_page(it) for it in held]
            elif page.startswith("已选"):
                value = action.removeprefix("选择")
                axis = next(axis for axis, values in held[0].options if value in values)
                chosen = {**chosen, axis: value}
                made = [chosen_page(it, chosen) for it in held]
            else:
                continue
            if page not in made:
                sys.exit(f"not the same page:\n{page}\n--\n{made}")
            count += 1
    print(f"{count} pages of ShopRL's episodes rendered again: the same bytes")


def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS:")) * 1024


def speed(records, products, seconds):
    began = time.perf_counter()
    engine = Engine(records)
    opened = time.perf_counter() - began
    leaves = sorted({it["category"].rsplit("›")[-1] for it in records})
    times, episodes, began, processor = [], 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        draw = random.Random(episodes)
        session, agent = Session(products, engine), RandomAgent(episodes)
        observation = f"任务 {draw.choice(leaves)}\n剩余{TURNS}轮"
        while not session.ended:
            action = agent.act(observation)
            start = time.perf_counter_ns()
            observation = session.step(action)
            times.append(time.perf_counter_ns() - start)
        episodes += 1
    elapsed, processor = time.perf_counter() - began, time.process_time() - processor
    times.sort()
    before, held = resident(), []
    for _ in range(2000):
        session = Session(products, engine)
        for action in ("搜索乳胶枕", "打开#1"):
            session.step(action)
        held.append(session)
    each = (resident() - before) // len(held)
    at = lambda share: times[len(times) * share // 100] / 1000  # noqa: E731
    print(
        f"| random | 1 | {episodes / elapsed:.0f} | {len(times) / elapsed:.0f} | {len(times) / processor:.0f} | "
        f"{at(50):.0f} | {at(99):.0f} | {each} | {opened:.1f} s |"
    )


def main():
    mode, catalog, given = sys.argv[1:]
    records = [json.loads(line) for line in Path(catalog).read_text("utf-8").splitlines()]
    products = [Product(record) for record in records]
    if mode == "verify":
        verify(products, given)
    else:
        speed(records, products, float(given))


if __name__ == "__main__":
    main()
