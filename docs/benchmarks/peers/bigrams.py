"""How the public fork of ShopSimulator cuts Chinese for SQLite FTS5."""


def bigrams(text):
    """Pairs of neighbouring characters of every run of letters and digits."""
    runs = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return [run[i : i + 2] for run in runs for i in range(max(1, len(run) - 1))]
