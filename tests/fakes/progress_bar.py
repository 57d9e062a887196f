"""A progress bar that remembers what it was told."""


class Bar:
    """Behind the real Progress protocol; `total` is -1 until it is started."""

    def __init__(self) -> None:
        self.total = -1
        self.done = 0

    def start(self, total_bytes: int) -> None:
        self.total = total_bytes

    def advance(self, n_bytes: int) -> None:
        self.done += n_bytes
