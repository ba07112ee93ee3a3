"""Text spaces."""

from typing import Any

from gymnasium.spaces import Text

# Samples are drawn from the words of the grammar, so that some of them begin like valid actions.
SAMPLED = "搜索打开详情选择翻页返回询问推荐购买没有合适属性品牌规格预算#¥0123456789"


class AnyText(Text):
    """All texts of at most `max_length` characters. A language model may write anything, and the shop answers it.

    `gymnasium.spaces.Text` needs a character set; this one is used for sampling only.
    """

    def __init__(self, max_length: int, *, seed: int | None = None) -> None:
        super().__init__(max_length, min_length=0, charset=SAMPLED, seed=seed)

    def contains(self, x: Any) -> bool:
        """Whether `x` is a text of at most `max_length` characters."""
        return isinstance(x, str) and len(x) <= self.max_length

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Draws a text of at most 64 characters; longer ones would not test more."""
        if mask is None and probability is None:
            mask = (int(self.np_random.integers(0, min(64, self.max_length) + 1)), None)
        return super().sample(mask=mask, probability=probability)

    def __repr__(self) -> str:
        return f"AnyText({self.max_length})"
