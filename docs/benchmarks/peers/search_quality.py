"""Mean reciprocal rank and recall at 20 of the wanted product: our ranks beside SQLite FTS5 on bigrams and bm25s.

All three index title, category path with its other names, and brand, and get the same sentences as queries. FTS5 has the
weights of the public fork (title 3, brand and category 2). Equal scores: the lower product id first.
Usage: search_quality.py DIR, where DIR holds products.jsonl and queries.jsonl (examples/search.rs export).
"""

import json
import logging
import sqlite3
import sys
import time
from pathlib import Path

import bm25s
import jieba
import numpy
from bigrams import bigrams

DEEPEST = 100


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def texts(product):
    return product["title"], f'{product["category"]} {" ".join(product["aliases"])}', product["brand"]


class Fts5:
    name = "SQLite FTS5, bigrams"

    def __init__(self, products):
        self.db = sqlite3.connect(":memory:")
        self.db.execute("CREATE VIRTUAL TABLE goods USING fts5(title, category, brand)")
        rows = ([i, *(" ".join(bigrams(text)) for text in texts(it))] for i, it in enumerate(products))
        self.db.executemany("INSERT INTO goods(rowid, title, category, brand) VALUES (?, ?, ?, ?)", rows)

    def search(self, query):
        terms = " OR ".join(f'"{term}"' for term in dict.fromkeys(bigrams(query)))
        sql = "SELECT rowid FROM goods WHERE goods MATCH ? ORDER BY bm25(goods, 3, 2, 2), rowid LIMIT ?"
        return [row for (row,) in self.db.execute(sql, (terms, DEEPEST))]


class Bm25s:
    name = "bm25s, jieba"

    def __init__(self, products):
        jieba.setLogLevel(logging.ERROR)
        self.engine = bm25s.BM25(method="lucene")
        self.engine.index([self.cut(" ".join(texts(it))) for it in products], show_progress=False)

    @staticmethod
    def cut(text):
        return [word for word in jieba.cut(text.lower()) if word.strip()]

    def search(self, query):
        known = [word for word in dict.fromkeys(self.cut(query)) if word in self.engine.vocab_dict]
        scores = self.engine.get_scores(known)
        return numpy.argsort(-scores, kind="stable")[:DEEPEST].tolist()


def report(name, ranks, queries, micros):
    for persona in (False, True):
        of = [rank for rank, query in zip(ranks, queries) if query["persona"] == persona]
        mrr = sum(1 / rank for rank in of if rank) / len(of)
        first = sum(rank == 1 for rank in of) / len(of)
        within = sum(bool(rank) and rank <= 20 for rank in of) / len(of)
        kind = "persona" if persona else "full text"
        median = sorted(micros)[len(micros) // 2]
        tail = sorted(micros)[len(micros) * 99 // 100]
        print(f"| {name} | {kind} | {mrr:.3f} | {first:.1%} | {within:.1%} | {median:,.0f} | {tail:,.0f} |")


def main():
    folder = Path(sys.argv[1])
    products, queries = lines(folder / "products.jsonl"), lines(folder / "queries.jsonl")
    print(f"{len(products)} products, {len(queries)} queries\n")
    print("| engine | queries | mean reciprocal rank | first | within 20 | p50 µs | p99 µs |")
    print("|---|---|---|---|---|---|---|")
    report("ShopRL", [it["rank"] for it in queries], queries, [it["micros"] for it in queries])
    for engine in (Fts5, Bm25s):
        built = engine(products)
        ranks, micros = [], []
        for query in queries:
            start = time.perf_counter()
            found = built.search(query["query"])
            micros.append(1e6 * (time.perf_counter() - start))
            ranks.append(found.index(query["target"]) + 1 if query["target"] in found else None)
        report(engine.name, ranks, queries, micros)


main()
