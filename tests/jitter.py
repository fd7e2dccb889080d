"""Jitter without chance, for tests of delays."""


class FixedJitter:
    """Jitter of a fixed number."""

    def __init__(self, number: float) -> None:
        self.number = number

    def random(self) -> float:
        """Return the number."""
        return self.number


LONGEST = FixedJitter(1.0)
SHORTEST = FixedJitter(0.0)
