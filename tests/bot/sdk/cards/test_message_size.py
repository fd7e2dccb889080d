"""Size of a message's blocks, and what is left out of a message that is too large."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from bot.sdk.cards import blocks, message_size
from bot.sdk.models import Message


def message_of(letters: int) -> Message:
    """Return a message with one section."""
    return Message(text=str(letters), blocks=(blocks.section("x" * letters),))


def test_size_counts_non_ascii_text_escaped() -> None:
    """The strictest count is used: six characters for a letter outside ASCII."""
    assert message_size.json_size([{"a": "x"}]) == 11
    assert message_size.json_size([{"a": "ж"}]) == 16


@given(st.text(max_size=200), st.integers(6, 400))
def test_clipped_text_has_at_most_its_size(text: str, size: int) -> None:
    """A text that fits is unchanged; a cut one ends with an ellipsis."""
    clipped = message_size.clip(text, size)
    assert message_size.json_size(clipped) - 2 <= size
    assert clipped == text or clipped.endswith("…")
    assert message_size.clip(clipped, size) == clipped


@given(st.lists(st.text(max_size=20)), st.integers(0, 300))
def test_first_lines_stay_within_the_size(lines: list[str], size: int) -> None:
    """They are the longest beginning of the list that fits."""
    kept = list(message_size.first_lines(lines, size))
    assert kept == lines[: len(kept)]
    assert sum(map(message_size.json_size, kept)) <= size
    more = lines[: len(kept) + 1]
    assert more == kept or sum(map(message_size.json_size, more)) > size


def test_first_message_that_fits_is_taken_and_no_other_rendered() -> None:
    """Later candidates cost nothing."""
    rendered: list[int] = []

    def candidates() -> Iterator[Message]:
        for letters in (2_900, 300, 3):
            rendered.append(letters)
            yield message_of(letters)

    chosen = message_size.first_that_fits(candidates(), room=message_size.MAX_JSON_SIZE - 1_000)
    assert chosen.text == "300"
    assert rendered == [2_900, 300]


def test_last_message_is_taken_if_none_fits() -> None:
    """Slack's client then falls back to the text."""
    none = message_size.MAX_JSON_SIZE
    assert message_size.first_that_fits(map(message_of, (9, 8)), room=none).text == "8"


def test_classic_blocks_count_as_well() -> None:
    """Either rendering may be sent."""
    large = tuple(blocks.section("x" * 2_900) for _ in range(5))
    assert not message_size.fits(Message(text="x", blocks=large[:1], classic=large))
    assert message_size.fits(Message(text="x", blocks=large[:1], classic=large[:2]))
