"""Block Kit within Slack's limits, whatever the text."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SdkBlock

from bot.cards import blocks, grids
from bot.playground import limits

NOON = datetime(2026, 11, 3, 12, 3, tzinfo=UTC)
HOSTILE = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="<>&!@#|*_~`:> \n\u202e\u2066\x00\x1b", max_size=60),
    st.builds(lambda text: text * 3_000, st.sampled_from(["&", "a b ", "<!channel> ", "😀", "\n"])),
    st.sampled_from(["", " ", "\u200b", "<!here>", "<@U1>", ":fire:", "```", "> q", "\ud800"]),
)


@given(HOSTILE)
def test_every_block_is_within_the_limits_whatever_its_text(text: str) -> None:
    """Neither Slack's own classes nor the local Slack's rules find anything to refuse."""
    made = [
        blocks.header(text),
        blocks.section(blocks.escape(text)),
        blocks.section(blocks.plain(text)),
        *blocks.fields([(text, blocks.code(text))] * 13),
        blocks.context(*[blocks.escape(text)] * 12),
        blocks.divider(),
        *blocks.actions([blocks.button(text, "act", value=text, url=text)]),
        *blocks.actions([blocks.overflow("more", [(text, "one")] * 7)]),
        blocks.rich_text(
            blocks.line(blocks.text(text), blocks.link(text, text), blocks.date_part(NOON)),
            blocks.quote(text),
            blocks.preformatted(text),
        ),
        blocks.fence(text),
        blocks.plan(text, [blocks.task_card("1", text, "error", output=text)]),
        grids.table([[text] * 3] * 120),
    ]
    sealed = blocks.sealed(made)
    assert limits.problems(json.loads(json.dumps(sealed)), "message") == []
    for block in sealed:
        parsed = SdkBlock.parse(block)
        assert parsed is not None
        parsed.validate_json()


@given(HOSTILE, st.integers(2, 3_000))
def test_a_clipped_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    """The limit holds in UTF-16 units, and "…" says that something is missing."""
    kept = blocks.clip(text, limit)
    assert blocks.length(kept) <= limit
    assert kept == text or kept.endswith("…")


@given(HOSTILE, st.integers(20, 3_000))
def test_escaped_text_mentions_nobody_and_fits(text: str, limit: int) -> None:
    """No < or > survives, and & only where it starts an entity."""
    written = blocks.escape(text, limit)
    assert blocks.length(written) <= limit
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", written)


@given(HOSTILE)
def test_escaped_text_formats_nothing(text: str) -> None:
    """No mark is left where Slack would read it as bold, italic, struck, code or a quotation."""
    written = blocks.escape(text)
    assert not re.search(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`", written)
    assert not re.search(r"^(&gt;|>)", written, re.MULTILINE)


def test_ordinary_names_are_escaped_to_themselves() -> None:
    """A mark inside a word is a letter, and a time is no emoji."""
    for name in ("VMAPP_UPGRADE_002", "deploy-api", "at 12:30:45", "2*3", "https://a.b/c"):
        assert blocks.escape(name) == name


def test_the_three_signs_of_mrkdwn_become_entities() -> None:
    """What Slack would parse is shown as it was written."""
    assert blocks.escape("R&D <b> a>b") == "R&amp;D &lt;b&gt; a&gt;b"


def test_clean_text_has_no_controls_and_no_direction_overrides() -> None:
    """A name cannot hide what follows it, nor ring the bell."""
    dirty = "a\x00b\x1b[31mc\u202ed\u2066e\u2069\x85f\r\ng\th\ud800"
    assert blocks.clean(dirty) == "ab[31mcde\nf\ng\th"


def test_code_stays_on_one_line_and_cannot_be_left() -> None:
    """A backtick inside code would end it."""
    assert "`" not in blocks.code("a`b\nc").strip("`")
    assert "\n" not in blocks.code("a`b\nc")
    assert blocks.code("\u200b") == blocks.NOTHING


def test_a_long_log_keeps_its_end() -> None:
    """The reason for a failure stands in the last lines."""
    log = "\n".join(f"line {n}" for n in range(100))
    kept = blocks.tail(log).split("\n")
    assert kept[0] == "…"
    assert kept[1:] == [f"line {n}" for n in range(75, 100)]
    assert blocks.tail("x" * 9_000 + "the end").endswith("the end")
    assert blocks.tail("short\n") == "short"


@given(HOSTILE, st.integers(10, 2_500))
def test_the_end_of_a_log_fits(text: str, limit: int) -> None:
    """Neither many lines nor long ones break the limit."""
    kept = blocks.tail(text, limit=limit)
    assert blocks.length(kept) <= limit
    assert kept.count("\n") <= 25


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "ftp://host/x",
        "https://",
        "https://user:pw@host/",
        "https://host/<!channel>",
        "https://host/a|b",
        "https://host/a b",
        "https://host/\u202ex",
        "https://host/\n",
        "http://[::1",
        "https://host/" + "x" * 3_000,
    ],
)
def test_an_address_that_is_not_clean_is_no_link(url: str | None) -> None:
    """A link goes to the web, shows where, and cannot break out of its place."""
    assert blocks.web_address(url) is None
    assert "url" not in blocks.button("Open", "open", url=url)


def test_a_clean_address_is_a_link() -> None:
    """Queries, ports and fragments are ordinary."""
    url = "https://console.example.com:8443/jobs?id=1&region=eu#log"
    assert blocks.web_address(url) == url
    assert blocks.link(url, "<!here>") == {"type": "link", "url": url, "text": "<!here>"}


def test_a_date_is_told_in_the_readers_zone_with_an_english_fallback() -> None:
    """Slack replaces the token; whoever cannot, shows UTC."""
    assert blocks.date(NOON, "{time}") == "<!date^1793707380^{time}|3 Nov 2026, 12:03 UTC>"
    assert blocks.date_part(NOON)["timestamp"] == 1793707380


def test_only_a_user_id_can_be_mentioned() -> None:
    """Nothing else gets into the token."""
    assert blocks.mention("U0ADA") == "<@U0ADA>"
    assert blocks.mention("U0ADA> <!channel") == ""


def test_mrkdwn_is_never_cut_within_a_token() -> None:
    """Half a date or half an entity would be shown as letters."""
    for room in range(1, 60):
        cut = blocks.mrkdwn("x" + blocks.date(NOON) + "&amp;&amp;", room)["text"]
        assert cut.count("<") == cut.count(">")
        assert not re.search(r"&[a-z]*…", cut)


def test_no_actions_make_no_block() -> None:
    """Slack refuses a row without buttons."""
    assert blocks.actions([]) == []


def test_a_block_id_changes_with_its_block_and_only_then() -> None:
    """Slack's clients redraw a changed block because its id is new."""
    before = blocks.sealed([blocks.header("a"), blocks.section("b")])
    after = blocks.sealed([blocks.header("a"), blocks.section("c")])
    assert before == blocks.sealed([blocks.header("a"), blocks.section("b")])
    assert before[0]["block_id"] == after[0]["block_id"]
    assert before[1]["block_id"] != after[1]["block_id"]


def test_equal_blocks_have_ids_of_their_own() -> None:
    """Slack refuses a message in which a block_id stands twice."""
    ids = [block["block_id"] for block in blocks.sealed([blocks.divider()] * 60)]
    assert len(ids) == len(set(ids)) == blocks.MAX_BLOCKS
