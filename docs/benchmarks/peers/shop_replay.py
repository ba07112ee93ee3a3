"""A rollout of a peer, played again from the tokens that the peer trains on."""

import itertools
from collections.abc import Callable

from shoprl_env import Episode, ShopClient, Task

# How a page is put to a policy of ShopRL, and how the shop's last page ends.
ACT, OVER = "<|act|>", "结束"


def replay(
    client: ShopClient,
    task: Task,
    prompt: list[int],
    ids: list[int],
    mask: list[int],
    encode: Callable[[str], list[int]],
    decode: Callable[[list[int]], str],
) -> tuple[dict[str, float], str | None, int]:
    """Where the mask is 1 there must be actions, elsewhere the pages that the shop answers them with, token by token.

    Returns the metrics of the server's replay, how the episode ended, and how many tokens came after its end.
    """
    episode = Episode.start(client, task)
    assert prompt == encode(episode.observation + ACT), "the prompt is not the first page"
    runs = [
        (own, [token for token, _ in run])
        for own, run in itertools.groupby(zip(ids, mask, strict=True), lambda pair: pair[1])
    ]
    assert [own for own, _ in runs] == [1 - at % 2 for at in range(len(runs))], "actions and pages take turns"
    late = 0
    for at in range(0, len(runs), 2):
        if episode.end is not None:
            assert at == len(runs) - 1, "the peer went on after the end"
            late += len(runs[at][1])
            break
        page = episode.step(decode(runs[at][1]).strip())
        if at + 1 < len(runs):
            said = encode(page if page.endswith(OVER) else page + ACT)
            assert runs[at + 1][1] == said, f"masked: {decode(runs[at + 1][1])}, the shop said: {page}"
    metrics = episode.score().metrics
    episode.close()
    return metrics, episode.end, late
