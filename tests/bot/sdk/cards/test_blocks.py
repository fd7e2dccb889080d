"""Block Kit builders within Slack's limits for any text."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SdkBlock

from bot.sdk.cards import blocks, tables
from localslack.blockkit import validation

NOON = datetime(2026, 11, 3, 12, 3, tzinfo=UTC)
HOSTILE = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="<>&!@#|*_~`:> \n\u202e\u2066\x00\x1b", max_size=60),
    st.builds(lambda text: text * 3_000, st.sampled_from(["&", "a b ", "<!channel> ", "😀", "\n"])),
    st.sampled_from(["", " ", "\u200b", "<!here>", "<@U1>", ":fire:", "```", "> q", "\ud800"]),
)


@given(HOSTILE)
def test_blocks_stay_within_the_limits_for_any_text(text: str) -> None:
    """slack_sdk's classes and the local Slack find no violation."""
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
            blocks.line(blocks.text(text), blocks.link(text, text), blocks.date_element(NOON)),
            blocks.quote(text),
            blocks.preformatted(text),
        ),
        blocks.fence(text),
        blocks.plan(text, [blocks.task_card("1", text, "error", output=text)]),
        tables.table([[text] * 3] * 120),
    ]
    sealed = blocks.with_block_ids(made)
    assert validation.problems(json.loads(json.dumps(sealed)), "message") == []
    for block in sealed:
        parsed = SdkBlock.parse(block)
        assert parsed is not None
        parsed.validate_json()


@given(HOSTILE, st.integers(2, 3_000))
def test_clipped_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    """The limit is in UTF-16 units, and "…" marks a shortened text."""
    kept = blocks.clip(text, limit)
    assert blocks.length(kept) <= limit
    assert kept == text or kept.endswith("…")


@given(HOSTILE, st.integers(20, 3_000))
def test_escaped_text_mentions_nobody_and_fits(text: str, limit: int) -> None:
    """No < or > survives, and & only starts an entity."""
    written = blocks.escape(text, limit)
    assert blocks.length(written) <= limit
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", written)


@given(HOSTILE)
def test_escaped_text_formats_nothing(text: str) -> None:
    """Slack finds no mark for bold, italic, strike, code or a quote."""
    written = blocks.escape(text)
    assert not re.search(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`", written)
    assert not re.search(r"^(&gt;|>)", written, re.MULTILINE)


def test_ordinary_names_need_no_escaping() -> None:
    """Marks inside a word and times stay as they are."""
    for name in ("VMAPP_UPGRADE_002", "deploy-api", "at 12:30:45", "2*3", "https://a.b/c"):
        assert blocks.escape(name) == name


def test_mrkdwn_control_characters_become_entities() -> None:
    """Slack shows them as they were written."""
    assert blocks.escape("R&D <b> a>b") == "R&amp;D &lt;b&gt; a&gt;b"


def test_clean_removes_controls_and_bidirectional_overrides() -> None:
    """A name cannot hide what follows it."""
    dirty = "a\x00b\x1b[31mc\u202ed\u2066e\u2069\x85f\r\ng\th\ud800"
    assert blocks.clean(dirty) == "ab[31mcde\nf\ng\th"


def test_inline_code_stays_on_one_line_and_has_no_backtick() -> None:
    """A backtick inside would end the code."""
    assert "`" not in blocks.code("a`b\nc").strip("`")
    assert "\n" not in blocks.code("a`b\nc")
    assert blocks.code("\u200b") == blocks.PLACEHOLDER


def test_a_long_log_keeps_its_end() -> None:
    """The last lines hold the reason for a failure."""
    log = "\n".join(f"line {n}" for n in range(100))
    kept = blocks.tail(log).split("\n")
    assert kept[0] == "…"
    assert kept[1:] == [f"line {n}" for n in range(75, 100)]
    assert blocks.tail("x" * 9_000 + "the end").endswith("the end")
    assert blocks.tail("short\n") == "short"


@given(HOSTILE, st.integers(10, 2_500))
def test_tail_of_a_log_fits(text: str, limit: int) -> None:
    """Neither many lines nor long lines exceed the limit."""
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
def test_unsafe_url_is_no_link(url: str | None) -> None:
    """A link is http(s), shows its host, and cannot break out of the markup."""
    assert blocks.web_address(url) is None
    assert "url" not in blocks.button("Open", "open", url=url)


def test_safe_url_is_a_link() -> None:
    """Queries, ports and fragments are allowed."""
    url = "https://console.example.com:8443/jobs?id=1&region=eu#log"
    assert blocks.web_address(url) == url
    assert blocks.link(url, "<!here>") == {"type": "link", "url": url, "text": "<!here>"}


def test_date_uses_the_readers_zone_and_an_english_fallback() -> None:
    """Slack replaces the token; other clients show UTC."""
    assert blocks.date(NOON, "{time}") == "<!date^1793707380^{time}|3 Nov 2026, 12:03 UTC>"
    assert blocks.date_element(NOON)["timestamp"] == 1793707380


def test_only_a_user_id_can_be_mentioned() -> None:
    """Other text does not become a mention."""
    assert blocks.mention("U0ADA") == "<@U0ADA>"
    assert blocks.mention("U0ADA> <!channel") == ""


def test_mrkdwn_is_never_cut_inside_a_token() -> None:
    """Half a date or entity would be shown as plain letters."""
    for room in range(1, 60):
        cut = blocks.mrkdwn("x" + blocks.date(NOON) + "&amp;&amp;", room)["text"]
        assert cut.count("<") == cut.count(">")
        assert not re.search(r"&[a-z]*…", cut)


def test_empty_actions_make_no_block() -> None:
    """Slack rejects an actions block without elements."""
    assert blocks.actions([]) == []


def test_block_id_changes_only_with_its_block() -> None:
    """Slack's clients redraw a changed block because its id is new."""
    before = blocks.with_block_ids([blocks.header("a"), blocks.section("b")])
    after = blocks.with_block_ids([blocks.header("a"), blocks.section("c")])
    assert before == blocks.with_block_ids([blocks.header("a"), blocks.section("b")])
    assert before[0]["block_id"] == after[0]["block_id"]
    assert before[1]["block_id"] != after[1]["block_id"]


def test_equal_blocks_get_different_ids() -> None:
    """Slack rejects a message with a duplicate block_id."""
    ids = [block["block_id"] for block in blocks.with_block_ids([blocks.divider()] * 60)]
    assert len(ids) == len(set(ids)) == blocks.MAX_BLOCKS
