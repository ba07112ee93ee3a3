"""The shop of ShopRL in Python: `gymnasium.make("ShopRL-v0", address=...)`, or `ShopClient` and `Episode` for scripts.

Start a server first: `shoprl environment --catalog fine --listen 127.0.0.1:7070`.
"""

import gymnasium

from shoprl_env.client import Episode, Score, ShopClient, ShopError, Task
from shoprl_env.env import ShopEnv
from shoprl_env.spaces import AnyText

__all__ = ["AnyText", "Episode", "Score", "ShopClient", "ShopEnv", "ShopError", "Task"]

gymnasium.register(
    id="ShopRL-v0",
    entry_point="shoprl_env.env:ShopEnv",
    # The environment itself refuses a step without an open episode, with a more specific error.
    order_enforce=False,
)
