"""What the operator decides: read whole, or every problem told at once, and no secret ever."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from bot.errors import SettingsError
from bot.noise.contracts import contract
from bot.noise.policy import FollowUps
from bot.problems import missing_secret, read_secret_files, sentences
from bot.settings import SlackSettings, load, read

if TYPE_CHECKING:
    from collections.abc import Callable

    Written = Callable[[str], Path]

EXAMPLE = """
[slack]
mode = "socket"                      # or "http": then signing_secret, host, port
api_url = "https://slack.com/api/"   # tokens: from the environment
[store]
url = "sqlite+aiosqlite:///jobthread.db"
[connections.deploys]
provider = "servicestage"
region = "ap-southeast-3"            # or endpoint = "https://…"
project_id = "0123456789abcdef0123456789abcdef"
access_key = "…"                     # secret_key from the environment or secret_key_file
"""


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with no variable of ours, whatever machine this is."""
    for name in [name for name in os.environ if name.startswith("JOBTHREAD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write a settings file and return its path."""

    def write(text: str) -> Path:
        path = tmp_path / "jobthread.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def problems(path: Path | None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(path)
    return caught.value.problems


def test_the_documented_example_is_read(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the documentation shows works, its tokens from the environment."""
    monkeypatch.setenv("JOBTHREAD_SLACK__BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("JOBTHREAD_SLACK__APP_TOKEN", "xapp-1")
    monkeypatch.setenv("JOBTHREAD_CONNECTIONS__DEPLOYS__SECRET_KEY", "hush")
    read = load(written(EXAMPLE))
    assert read.slack.problems() == []
    assert read.slack.mode == "socket"
    assert read.store.url == "sqlite+aiosqlite:///jobthread.db"
    assert read.connections["deploys"]["region"] == "ap-southeast-3"
    assert read.connections["deploys"]["secret_key"] == "hush"


def test_the_documented_quiet_hours_and_budget_are_read(written: Written) -> None:
    """What the page for operators shows holds everywhere, and a channel's own wins there."""
    page = Path(__file__).parents[2].joinpath("docs", "operating.md").read_text("utf-8")
    table = next(part for part in page.split("```") if part.startswith("toml\n[notify]"))
    notify = load(written(table.removeprefix("toml\n"))).notify
    assert notify.quiet_hours
    assert (notify.quiet_hours.zone, notify.quiet_hours.failures_pass) == ("Europe/Berlin", True)
    policies = [contract(notify, channel, None).policy for channel in ("C0123ABCD", "C1")]
    assert [policy.posts_per_hour for policy in policies] == [20, 20]
    assert [policy.follow_ups for policy in policies] == [FollowUps.OUTCOMES, FollowUps.EVERY]


def test_http_mode_has_a_secret_a_host_and_a_port(written: Written) -> None:
    """The other way to reach Slack needs the signing secret instead of the app's token."""
    text = '[slack]\nmode = "http"\nsigning_secret = "s"\nbot_token = "xoxb-1"\n'
    read = load(written(f'{text}[web]\nhost = "127.0.0.2"\nport = 8443\n'))
    assert read.slack.needed == ("bot_token", "signing_secret")
    assert read.slack.problems() == []
    assert (read.web.host, read.web.port) == ("127.0.0.2", 8443)


def test_without_a_file_everything_has_its_default() -> None:
    """A bot may be set up by the environment alone."""
    read = load(None)
    assert read.connections == {}
    assert read.slack.command == "/job"
    assert read.web.host == "127.0.0.1"


def test_the_environment_wins_over_the_file(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One key of a table can be changed without writing the table again."""
    monkeypatch.setenv("JOBTHREAD_CONNECTIONS__DEPLOYS__REGION", "eu-west-101")
    table = load(written(EXAMPLE)).connections["deploys"]
    assert (table["region"], table["provider"]) == ("eu-west-101", "servicestage")


@pytest.mark.parametrize("name", ["MY_DEPLOYS", "my_deploys", "My_Deploys", "MY-DEPLOYS"])
def test_an_underscore_stands_for_the_hyphen_of_a_connections_name(
    name: str, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No shell has variables with hyphens; the case does not matter."""
    monkeypatch.setenv(f"JOBTHREAD_CONNECTIONS__{name}__SECRET_KEY", "hush")
    read = load(written('[connections.my-deploys]\nprovider = "servicestage"'))
    assert read.connections == {"my-deploys": {"provider": "servicestage", "secret_key": "hush"}}


def test_without_such_a_connection_in_the_file_a_variable_makes_one_of_its_own_name(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot may be set up by the environment alone."""
    monkeypatch.setenv("JOBTHREAD_CONNECTIONS__MY_DEPLOYS__PROVIDER", "aom")
    assert load(None).connections == {"my_deploys": {"provider": "aom"}}
    assert set(load(written("[connections.mydeploys]")).connections) == {"my_deploys", "mydeploys"}


@pytest.mark.parametrize("other", ["my_deploys", "my-big_deploys"])
def test_a_variable_that_can_mean_two_connections_is_told(
    other: str, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither gets the other's secret; names alike are no problem where no variable means them."""
    first = other.replace("_", "-")
    path = written(f"[connections.{first}]\n[connections.{other}]")
    assert set(load(path).connections) == {first, other}
    name = f"JOBTHREAD_CONNECTIONS__{other.replace('-', '_').upper()}__SECRET_KEY"
    monkeypatch.setenv(name, "hush")
    reading = read(path)
    assert reading.problems == (
        f"{name} can mean the connections {first} and {other}: rename one of them.",
    )
    assert reading.settings is not None
    assert reading.settings.connections == {first: {}, other: {}}


@pytest.mark.parametrize("value", ["12345678901234567890123456789012", "true", "null", "1e5"])
def test_a_value_from_the_environment_stays_the_text_it_is(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id of digits alone is no number."""
    monkeypatch.setenv("JOBTHREAD_CONNECTIONS__DEPLOYS__PROJECT_ID", value)
    assert load(None).connections["deploys"]["project_id"] == value


@pytest.mark.parametrize("names", ['"zebra, ant"', '["zebra", "ant"]'])
def test_plugins_are_switched_off_by_a_list_or_by_names_with_commas(
    names: str, written: Written
) -> None:
    """The environment has no lists."""
    assert load(written(f"disabled_plugins = {names}")).disabled_plugins == {"zebra", "ant"}


def test_plugins_are_switched_off_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names with commas, as in the file."""
    monkeypatch.setenv("JOBTHREAD_DISABLED_PLUGINS", "zebra,ant")
    assert load(None).disabled_plugins == {"zebra", "ant"}


def test_an_address_gets_the_slash_that_slacks_client_needs(written: Written) -> None:
    """Both spellings of the address work."""
    read = load(written('[slack]\napi_url = "http://127.0.0.1:9/api"'))
    assert read.slack.api_url == "http://127.0.0.1:9/api/"


def test_a_secret_can_come_from_a_file(written: Written, tmp_path: Path) -> None:
    """The newline at the file's end is not part of it."""
    tmp_path.joinpath("token").write_text("xoxb-from-file\n")
    read = load(written(f'[slack]\nbot_token_file = "{tmp_path / "token"}"'))
    assert read.slack.bot_token
    assert read.slack.bot_token.get_secret_value() == "xoxb-from-file"


def test_a_secret_file_can_be_named_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where containers mount their secrets."""
    tmp_path.joinpath("token").write_text("xapp-from-file")
    monkeypatch.setenv("JOBTHREAD_SLACK__APP_TOKEN_FILE", str(tmp_path / "token"))
    app_token = load(None).slack.app_token
    assert app_token
    assert app_token.get_secret_value() == "xapp-from-file"


def test_only_secrets_come_from_files(written: Written, tmp_path: Path) -> None:
    """`mode_file` is a misspelling, not a feature."""
    assert problems(written(f'[slack]\nmode_file = "{tmp_path}"')) == (
        "slack.mode_file is not a setting: remove it, or check its spelling.",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[slak]\nmode = 'http'", "slak is not a setting: remove it, or check its spelling."),
        ("[slack]\nmod = 1", "slack.mod is not a setting: remove it, or check its spelling."),
        ("[slack]\nmode = 'fax'", "slack.mode: input should be 'socket' or 'http'."),
        ("[slack]\ncommand = 'job'", "slack.command: must be a slash and up to 31 of a-z"),
        ("[slack]\napi_url = 'slack.com'", "slack.api_url: must begin with https://"),
        ("[web]\nport = 70000", "web.port: input should be less than or equal to 65535."),
        ("[follow]\npoll_seconds = 0", "follow.poll_seconds: input should be greater than"),
        (
            "[notify]\nquiet_hours = { begins = '07:00', ends = '07:00' }",
            "notify.quiet_hours: must end at another time than they begin.",
        ),
        ("connections = 7", "connections must be a table: write [connections]"),
        ("slack = 7", "slack must be a table: write [slack]"),
        ("[connections]\ndeploys = 'x'", "connections.deploys must be a table: write [conn"),
        ("[connections.'My Jobs']", "connections: 'My Jobs': a name must be lower-case letters"),
        ("slack = ", "is not TOML (at "),
    ],
)
def test_each_problem_names_its_key_and_its_remedy(text: str, told: str, written: Written) -> None:
    """The operator knows where to look and what would be right."""
    (problem,) = problems(written(text))
    assert told in problem
    assert problem.endswith(".")


def test_all_problems_are_told_at_once(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mending is one round, and no problem hides another, not even one of its own table."""
    monkeypatch.setenv("JOBTHREAD_SLCK__BOT_TOKEN", "xoxb-1")
    text = f"""
        [slack]
        mod = "http"
        mode = "fax"
        bot_token_file = "{tmp_path / "nowhere"}"
        app_token_file = "{tmp_path}"
        [web]
        port = -1
        [connections.Deploys]
        [connections."my jobs"]
    """
    told = "\n".join(problems(written(text)))
    for part in [
        "JOBTHREAD_SLCK__BOT_TOKEN is not a setting",
        "slack.mod is not",
        "slack.mode:",
        "bot_token_file cannot be read (FileNotFoundError)",
        "app_token_file cannot be read (IsADirectoryError)",
        "web.port:",
        "'Deploys', 'my jobs'",
    ]:
        assert part in told


def test_what_is_sound_is_read_beside_what_is_not(written: Written) -> None:
    """So that the rest can be looked at further, and every problem told in one run."""
    text = """
        disabled_plugins = ["aom", 7]
        [slak]
        [slack]
        mode = "http"
        mod = 1
        [web]
        port = -1
        [connections.deploys]
        provider = "servicestage"
        [connections."my jobs"]
    """
    reading = read(written(text))
    assert len(reading.problems) == 5
    assert reading.settings is not None
    assert reading.settings.slack.mode == "http"
    assert reading.settings.connections == {"deploys": {"provider": "servicestage"}}
    assert reading.settings.web.port is None


def test_of_what_is_no_toml_nothing_is_read(written: Written) -> None:
    """There is nothing to look at further."""
    assert read(written("[")).settings is None


def test_a_misspelt_variable_is_told_beside_a_broken_file(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be read hides nothing else."""
    monkeypatch.setenv("JOBTHREAD_SLCK__MODE", "http")
    assert len(problems(written("["))) == 2
    assert len(problems(tmp_path / "nowhere.toml")) == 2


def test_a_misspelt_key_in_a_variable_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table was right, the key was not."""
    monkeypatch.setenv("JOBTHREAD_SLACK__BOT_TOKN", "xoxb-1")
    assert problems(None) == ("slack.bot_tokn is not a setting: remove it, or check its spelling.",)


def test_another_programs_variables_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes gives a service named jobthread variables of that prefix."""
    monkeypatch.setenv("JOBTHREAD_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("JOBTHREAD_PORT", "tcp://10.0.0.1:8080")
    load(None)


def test_a_whole_table_in_a_variable_must_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be parsed is told without its text."""
    monkeypatch.setenv("JOBTHREAD_SLACK", "{xoxb-secret")
    assert problems(None) == ("JOBTHREAD_SLACK is not JSON: set JOBTHREAD_SLACK__… .",)


def test_a_file_that_does_not_exist_is_told(tmp_path: Path) -> None:
    """Whoever names a file means it."""
    assert problems(tmp_path / "nowhere.toml") == (
        f"{tmp_path / 'nowhere.toml'} does not exist: name the file with --config.",
    )


def test_a_folder_is_no_settings(tmp_path: Path) -> None:
    """It does exist, so nobody is told that it does not."""
    assert problems(tmp_path) == (f"{tmp_path} is no file: name the file with --config.",)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 come as a sentence."""
    path = tmp_path / "jobthread.toml"
    path.write_bytes(b"a = '\xff'")
    (problem,) = problems(path)
    assert "cannot be read (UnicodeDecodeError)" in problem


def test_a_missing_secret_names_the_variable_and_the_file_key() -> None:
    """Both ways to set it are in the sentence."""
    first, second = SlackSettings().problems()
    assert first == (
        "slack.bot_token is missing: set JOBTHREAD_SLACK__BOT_TOKEN,"
        " or slack.bot_token_file to a file's path."
    )
    assert second == missing_secret("slack", "app_token")


def test_the_variable_of_a_name_with_a_hyphen_is_one_that_a_shell_can_set() -> None:
    """What the sentence says can be typed."""
    assert "set JOBTHREAD_CONNECTIONS__MY_DEPLOYS__TOKEN," in missing_secret(
        "connections.my-deploys", "token"
    )


def test_an_empty_secret_is_a_missing_one() -> None:
    """An unset variable of a container arrives as an empty text."""
    empty = SlackSettings(bot_token=SecretStr(""), app_token=SecretStr("x"))
    assert empty.problems() == [missing_secret("slack", "bot_token")]


SECRETS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=40)


@given(SECRETS)
def test_no_secret_is_shown_by_settings_or_by_their_problems(secret: str) -> None:
    """Neither in a sentence, nor in a representation, nor in what lies beneath."""
    table = {"bot_token": secret, "app_token": {"wrong": secret}, "tokn": secret}
    with pytest.raises(ValidationError) as caught:
        SlackSettings.model_validate(table)
    assert secret not in " ".join(sentences(caught.value))
    assert secret not in f"{caught.value}{caught.value!r}"
    assert secret not in repr(SlackSettings.model_validate({"bot_token": secret}))


@given(SECRETS)
def test_a_broken_file_shows_no_secret(secret: str) -> None:
    """Not the line with the mistake, which may be the line with the token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOBTHREAD_SLACK", f'{{"bot_token": "{secret}", ')
        patch.setenv("JOBTHREAD_SLCK__X", secret)
        with pytest.raises(SettingsError) as caught:
            load(None)
    assert secret not in f"{caught.value}{caught.value!r}"
    assert caught.value.__cause__ is None


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_a_file_holds_is_settings_or_problems(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nothing but our own error comes out of reading."""
    path = tmp_path_factory.getbasetemp() / "anything.toml"
    path.write_bytes(content)
    with suppress(SettingsError):
        load(path)


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=10) | st.integers(), max_size=4))
def test_whatever_a_table_holds_is_settings_or_problems(table: dict[str, object]) -> None:
    """Every problem of any table becomes a sentence."""
    said: list[str] = []
    try:
        SlackSettings.model_validate(table)
    except ValidationError as error:
        said = sentences(error, "slack")
    assert all(sentence.endswith(".") for sentence in said)


def test_a_path_that_is_none_is_told_like_a_missing_file() -> None:
    """A null character in a path is a problem, not a crash."""

    class Model(BaseModel):
        key: SecretStr

    table = read_secret_files({"key_file": "a\x00b"}, Model)
    assert table["key"] == "key_file cannot be read (ValueError): check the path and its rights"


def test_the_host_and_port_of_http_mode_may_stand_with_slack(tmp_path: Path) -> None:
    """Whoever writes them beside the signing secret means the bot's own server."""
    path = tmp_path / "jobthread.toml"
    path.write_text('[slack]\nmode = "http"\nhost = "127.0.0.2"\nport = 8443\n')
    listens = load(path).listens
    assert (listens.host, listens.port) == ("127.0.0.2", 8443)


def test_how_loud_the_bot_is_can_be_set_for_all_channels_and_for_one(written: Written) -> None:
    """What is not set in a channel's own table is as in the general one."""
    text = """
    [notify]
    follow_ups = "outcomes"
    quiet_hours = {begins = "22:00", ends = "07:00", zone = "Europe/Berlin"}
    who_may_change = "admins"
    [notify.channels.C0123]
    posts_per_hour = 20
    """
    notify = load(written(text)).notify
    assert notify.who_may_change == "admins"
    assert set(notify.defaults) == {"follow_ups", "quiet_hours"}
    policy = contract(notify, "C0123", None).policy
    assert (policy.follow_ups, policy.posts_per_hour) == (FollowUps.OUTCOMES, 20)
    assert policy.quiet_hours
    assert policy.quiet_hours.begins.hour == 22
    assert contract(notify, "C0999", None).policy.posts_per_hour is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[notify]\nloud = true",
            "notify.loud is not a setting: remove it, or check its spelling.",
        ),
        (
            "[notify.channels.C0123]\nloud = true",
            "notify.channels: in C0123, loud is not a setting: remove it, or check its spelling.",
        ),
        (
            '[notify.channels.deploys]\ntasks = "all"',
            "notify.channels: 'deploys': a channel goes by its id in Slack, such as C0123.",
        ),
        (
            '[notify]\nquiet_hours = {begins = "22:00", ends = "07:00", zone = "Mars/Base"}',
            "notify.quiet_hours.zone: must name a time zone, such as Europe/Berlin.",
        ),
        (
            '[notify]\nquiet_hours = {begins = "22:00"}',
            "notify.quiet_hours.ends is missing: set it.",
        ),
        (
            '[notify]\nfollow_ups = "some"',
            "notify.follow_ups: input should be 'every', 'outcomes', 'failures' or 'turns'.",
        ),
        (
            '[notify]\nmention = "group"',
            'notify: mention is "group", so group must name one by its id, such as S0123ABC.',
        ),
        (
            '[notify.channels.C0123]\nmention = "group"',
            (
                'notify: mention is "group" in C0123, so group must name one by its id, such as'
                " S0123ABC."
            ),
        ),
        (
            '[notify]\nquiet_hours = {begins = "07:00", ends = "07:00"}',
            "notify.quiet_hours: must end at another time than they begin.",
        ),
        (
            '[notify]\nwho_may_change = "nobody"',
            "notify.who_may_change: input should be 'members' or 'admins'.",
        ),
    ],
)
def test_what_is_wrong_about_the_noise_is_told_with_its_remedy(
    written: Written, text: str, sentence: str
) -> None:
    """A sentence each, by the key."""
    assert problems(written(text)) == (sentence,)


def test_a_channel_may_call_the_group_of_the_general_table(written: Written) -> None:
    """Both tables together make sense."""
    text = '[notify]\ngroup = "S0123"\n[notify.channels.C0123]\nmention = "group"\n'
    assert contract(load(written(text)).notify, "C0123", None).policy.group == "S0123"
