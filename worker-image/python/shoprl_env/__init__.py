"""The shop of ShopRL for Python: `gymnasium.make("ShopRL-v0", address=...)`, or `ShopClient` and `Episode` for scripts.

A server has to run: `shoprl environment --catalog fine --listen 127.0.0.1:7070`.
"""

import gymnasium

from shoprl_env.client import Episode, Score, ShopClient, ShopError, Task
from shoprl_env.env import ShopEnv
from shoprl_env.spaces import AnyText

__all__ = ["AnyText", "Episode", "Score", "ShopClient", "ShopEnv", "ShopError", "Task"]

gymnasium.register(
    id="ShopRL-v0",
    entry_point="shoprl_env.env:ShopEnv",
    # A session answers only the turn that is due, and says why; a second check would say less.
    order_enforce=False,
)
