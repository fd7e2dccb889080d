"""Settings: valid, or all problems at once, and never a secret in a message."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from bot.notifications.effective_settings import resolve
from bot.notifications.policy import FollowUps
from bot.sdk.errors import SettingsError
from bot.sdk.settings import error_sentences, missing_secret, read_secret_files
from bot.settings import SlackSettings, load, read

if TYPE_CHECKING:
    from collections.abc import Callable

    WriteSettings = Callable[[str], Path]

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
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset all of the bot's variables."""
    for name in [name for name in os.environ if name.startswith("JOBTHREAD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def write_settings(tmp_path: Path) -> WriteSettings:
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


def test_documented_example_is_read(
    write_settings: WriteSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its tokens from the environment."""
    monkeypatch.setenv("JOBTHREAD_SLACK__BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("JOBTHREAD_SLACK__APP_TOKEN", "xapp-1")
    monkeypatch.setenv("JOBTHREAD_CONNECTIONS__DEPLOYS__SECRET_KEY", "hush")
    read = load(write_settings(EXAMPLE))
    assert read.slack.problems() == []
    assert read.slack.mode == "socket"
    assert read.store.url == "sqlite+aiosqlite:///jobthread.db"
    assert read.connections["deploys"]["region"] == "ap-southeast-3"
    assert read.connections["deploys"]["secret_key"] == "hush"


def test_documented_quiet_hours_and_budget_are_read(write_settings: WriteSettings) -> None:
    """They hold everywhere; a channel's own settings take precedence there."""
    page = Path(__file__).parents[2].joinpath("docs", "operating.md").read_text("utf-8")
    table = next(part for part in page.split("```") if part.startswith("toml\n[notify]"))
    notify = load(write_settings(table.removeprefix("toml\n"))).notify
    assert notify.quiet_hours
    assert (notify.quiet_hours.zone, notify.quiet_hours.allow_failures) == ("Europe/Berlin", True)
    policies = [resolve(notify, channel, None).policy for channel in ("C0123ABCD", "C1")]
    assert [policy.posts_per_hour for policy in policies] == [20, 20]
    assert [policy.follow_ups for policy in policies] == [FollowUps.OUTCOMES, FollowUps.EVERY]


def test_http_mode_has_a_secret_a_host_and_a_port(write_settings: WriteSettings) -> None:
    """It needs the signing secret instead of the app token."""
    text = '[slack]\nmode = "http"\nsigning_secret = "s"\nbot_token = "xoxb-1"\n'
    read = load(write_settings(f'{text}[web]\nhost = "127.0.0.2"\nport = 8443\n'))
    assert read.slack.required_secrets == ("bot_token", "signing_secret")
    assert read.slack.problems() == []
    assert (read.web.host, read.web.port) == ("127.0.0.2", 8443)


def test_settings_without_a_file_have_their_defaults() -> None:
    """The environment alone can configure a bot."""
    read = load(None)
    assert read.connections == {}
    assert read.slack.command == "/job"
    assert read.web.host == "127.0.0.1"


def test_environment_takes_precedence_over_the_file(
    write_settings: WriteSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can replace one key of a table."""
    monkeypatch.setenv("JOBTHREAD_CONNECTIONS__DEPLOYS__REGION", "eu-west-101")
    table = load(write_settings(EXAMPLE)).connections["deploys"]
    assert (table["region"], table["provider"]) == ("eu-west-101", "servicestage")


@pytest.mark.parametrize("name", ["MY_DEPLOYS", "my_deploys", "My_Deploys", "MY-DEPLOYS"])
def test_underscore_replaces_the_hyphen_of_a_name(
    name: str, write_settings: WriteSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shell variables cannot contain hyphens; case does not matter."""
    monkeypatch.setenv(f"JOBTHREAD_CONNECTIONS__{name}__SECRET_KEY", "hush")
    read = load(write_settings('[connections.my-deploys]\nprovider = "servicestage"'))
    assert read.connections == {"my-deploys": {"provider": "servicestage", "secret_key": "hush"}}


def test_unmatched_variable_defines_its_own_connection(
    write_settings: WriteSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment alone can configure a bot."""
    monkeypatch.setenv("JOBTHREAD_CONNECTIONS__MY_DEPLOYS__PROVIDER", "aom")
    assert load(None).connections == {"my_deploys": {"provider": "aom"}}
    assert set(load(write_settings("[connections.mydeploys]")).connections) == {
        "my_deploys",
        "mydeploys",
    }


@pytest.mark.parametrize("other", ["my_deploys", "my-big_deploys"])
def test_variable_that_matches_two_connections_is_reported(
    other: str, write_settings: WriteSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither gets the other's secret; without such a variable there is no problem."""
    first = other.replace("_", "-")
    path = write_settings(f"[connections.{first}]\n[connections.{other}]")
    assert set(load(path).connections) == {first, other}
    name = f"JOBTHREAD_CONNECTIONS__{other.replace('-', '_').upper()}__SECRET_KEY"
    monkeypatch.setenv(name, "hush")
    result = read(path)
    assert result.problems == (
        f"{name} can mean the connections {first} and {other}: rename one of them.",
    )
    assert result.settings is not None
    assert result.settings.connections == {first: {}, other: {}}


@pytest.mark.parametrize("value", ["12345678901234567890123456789012", "true", "null", "1e5"])
def test_value_from_the_environment_stays_text(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ID of digits only is no number."""
    monkeypatch.setenv("JOBTHREAD_CONNECTIONS__DEPLOYS__PROJECT_ID", value)
    assert load(None).connections["deploys"]["project_id"] == value


@pytest.mark.parametrize("names", ['"zebra, ant"', '["zebra", "ant"]'])
def test_plugins_are_disabled_by_a_list_or_by_commas(
    names: str, write_settings: WriteSettings
) -> None:
    """The environment has no lists."""
    assert load(write_settings(f"disabled_plugins = {names}")).disabled_plugins == {"zebra", "ant"}


def test_plugins_are_disabled_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names separated by commas, as in the file."""
    monkeypatch.setenv("JOBTHREAD_DISABLED_PLUGINS", "zebra,ant")
    assert load(None).disabled_plugins == {"zebra", "ant"}


def test_api_url_gets_its_trailing_slash(write_settings: WriteSettings) -> None:
    """Slack's client needs it; both spellings work."""
    read = load(write_settings('[slack]\napi_url = "http://127.0.0.1:9/api"'))
    assert read.slack.api_url == "http://127.0.0.1:9/api/"


def test_secret_can_come_from_a_file(write_settings: WriteSettings, tmp_path: Path) -> None:
    """Without the newline at its end."""
    tmp_path.joinpath("token").write_text("xoxb-from-file\n")
    read = load(write_settings(f'[slack]\nbot_token_file = "{tmp_path / "token"}"'))
    assert read.slack.bot_token
    assert read.slack.bot_token.get_secret_value() == "xoxb-from-file"


def test_secret_file_can_be_named_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers mount secrets as files."""
    tmp_path.joinpath("token").write_text("xapp-from-file")
    monkeypatch.setenv("JOBTHREAD_SLACK__APP_TOKEN_FILE", str(tmp_path / "token"))
    app_token = load(None).slack.app_token
    assert app_token
    assert app_token.get_secret_value() == "xapp-from-file"


def test_only_secrets_come_from_files(write_settings: WriteSettings, tmp_path: Path) -> None:
    """`mode_file` is a misspelling, not a feature."""
    assert problems(write_settings(f'[slack]\nmode_file = "{tmp_path}"')) == (
        "slack.mode_file is not a setting: remove it, or check its spelling.",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
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
def test_each_problem_names_its_key_and_its_remedy(
    text: str, expected: str, write_settings: WriteSettings
) -> None:
    """The operator knows what to change."""
    (problem,) = problems(write_settings(text))
    assert expected in problem
    assert problem.endswith(".")


def test_all_problems_are_reported_at_once(
    write_settings: WriteSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No problem hides another, not even one of its own table."""
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
    reported = "\n".join(problems(write_settings(text)))
    for part in [
        "JOBTHREAD_SLCK__BOT_TOKEN is not a setting",
        "slack.mod is not",
        "slack.mode:",
        "bot_token_file cannot be read (FileNotFoundError)",
        "app_token_file cannot be read (IsADirectoryError)",
        "web.port:",
        "'Deploys', 'my jobs'",
    ]:
        assert part in reported


def test_valid_settings_are_read_beside_invalid_ones(write_settings: WriteSettings) -> None:
    """Later checks run on them, so that one run reports every problem."""
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
    result = read(write_settings(text))
    assert len(result.problems) == 5
    assert result.settings is not None
    assert result.settings.slack.mode == "http"
    assert result.settings.connections == {"deploys": {"provider": "servicestage"}}
    assert result.settings.web.port is None


def test_invalid_toml_gives_no_settings(write_settings: WriteSettings) -> None:
    """There is nothing else to check."""
    assert read(write_settings("[")).settings is None


def test_misspelt_variable_is_reported_beside_a_broken_file(
    write_settings: WriteSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreadable file hides no other problem."""
    monkeypatch.setenv("JOBTHREAD_SLCK__MODE", "http")
    assert len(problems(write_settings("["))) == 2
    assert len(problems(tmp_path / "nowhere.toml")) == 2


def test_misspelt_key_in_a_variable_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table was right, the key was not."""
    monkeypatch.setenv("JOBTHREAD_SLACK__BOT_TOKN", "xoxb-1")
    assert problems(None) == ("slack.bot_tokn is not a setting: remove it, or check its spelling.",)


def test_variables_of_other_programs_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes sets such variables for a service named jobthread."""
    monkeypatch.setenv("JOBTHREAD_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("JOBTHREAD_PORT", "tcp://10.0.0.1:8080")
    load(None)


def test_table_in_a_variable_must_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """The problem does not quote the value."""
    monkeypatch.setenv("JOBTHREAD_SLACK", "{xoxb-secret")
    assert problems(None) == ("JOBTHREAD_SLACK is not JSON: set JOBTHREAD_SLACK__… .",)


def test_missing_file_is_reported(tmp_path: Path) -> None:
    """A file that was named must exist."""
    assert problems(tmp_path / "nowhere.toml") == (
        f"{tmp_path / 'nowhere.toml'} does not exist: name the file with --config.",
    )


def test_folder_is_no_settings_file(tmp_path: Path) -> None:
    """The problem does not claim that it does not exist."""
    assert problems(tmp_path) == (f"{tmp_path} is no file: name the file with --config.",)


def test_binary_file_is_reported(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 give a clear sentence."""
    path = tmp_path / "jobthread.toml"
    path.write_bytes(b"a = '\xff'")
    (problem,) = problems(path)
    assert "cannot be read (UnicodeDecodeError)" in problem


def test_missing_secret_names_its_variable_and_file_key() -> None:
    """The sentence has both ways to set it."""
    first, second = SlackSettings().problems()
    assert first == (
        "slack.bot_token is missing: set JOBTHREAD_SLACK__BOT_TOKEN,"
        " or slack.bot_token_file to a file's path."
    )
    assert second == missing_secret("slack", "app_token")


def test_variable_of_a_hyphenated_name_can_be_set_in_a_shell() -> None:
    """The sentence can be followed as it is."""
    assert "set JOBTHREAD_CONNECTIONS__MY_DEPLOYS__TOKEN," in missing_secret(
        "connections.my-deploys", "token"
    )


def test_empty_secret_is_a_missing_one() -> None:
    """A container passes an unset variable as an empty text."""
    empty = SlackSettings(bot_token=SecretStr(""), app_token=SecretStr("x"))
    assert empty.problems() == [missing_secret("slack", "bot_token")]


SECRETS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=40)


@given(SECRETS)
def test_no_secret_is_shown_by_settings_or_problems(secret: str) -> None:
    """Not in a sentence, a representation or a cause."""
    table = {"bot_token": secret, "app_token": {"wrong": secret}, "tokn": secret}
    with pytest.raises(ValidationError) as caught:
        SlackSettings.model_validate(table)
    assert secret not in " ".join(error_sentences(caught.value))
    assert secret not in f"{caught.value}{caught.value!r}"
    assert secret not in repr(SlackSettings.model_validate({"bot_token": secret}))


@given(SECRETS)
def test_broken_value_shows_no_secret(secret: str) -> None:
    """The line with the mistake may be the line with the token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOBTHREAD_SLACK", f'{{"bot_token": "{secret}", ')
        patch.setenv("JOBTHREAD_SLCK__X", secret)
        with pytest.raises(SettingsError) as caught:
            load(None)
    assert secret not in f"{caught.value}{caught.value!r}"
    assert caught.value.__cause__ is None


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_content_is_settings_or_problems(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Reading raises only SettingsError."""
    path = tmp_path_factory.getbasetemp() / "anything.toml"
    path.write_bytes(content)
    with suppress(SettingsError):
        load(path)


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=10) | st.integers(), max_size=4))
def test_any_table_is_settings_or_problems(table: dict[str, object]) -> None:
    """Each problem of any table becomes a sentence."""
    messages: list[str] = []
    try:
        SlackSettings.model_validate(table)
    except ValidationError as error:
        messages = error_sentences(error, "slack")
    assert all(sentence.endswith(".") for sentence in messages)


def test_invalid_path_is_reported_like_a_missing_file() -> None:
    """A null character in a path is a problem, not a crash."""

    class Model(BaseModel):
        key: SecretStr

    table = read_secret_files({"key_file": "a\x00b"}, Model)
    assert table["key"] == "key_file cannot be read (ValueError): check the path and its rights"


def test_host_and_port_of_http_mode_can_stand_in_slack(tmp_path: Path) -> None:
    """Beside the signing secret they mean the bot's own server."""
    path = tmp_path / "jobthread.toml"
    path.write_text('[slack]\nmode = "http"\nhost = "127.0.0.2"\nport = 8443\n')
    listens = load(path).http_server
    assert (listens.host, listens.port) == ("127.0.0.2", 8443)


def test_policy_is_set_for_all_channels_and_for_one(write_settings: WriteSettings) -> None:
    """A channel inherits what its own table does not set."""
    text = """
    [notify]
    follow_ups = "outcomes"
    quiet_hours = {begins = "22:00", ends = "07:00", zone = "Europe/Berlin"}
    who_may_change = "admins"
    [notify.channels.C0123]
    posts_per_hour = 20
    """
    notify = load(write_settings(text)).notify
    assert notify.who_may_change == "admins"
    assert set(notify.defaults) == {"follow_ups", "quiet_hours"}
    policy = resolve(notify, "C0123", None).policy
    assert (policy.follow_ups, policy.posts_per_hour) == (FollowUps.OUTCOMES, 20)
    assert policy.quiet_hours
    assert policy.quiet_hours.begins.hour == 22
    assert resolve(notify, "C0999", None).policy.posts_per_hour is None


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
def test_invalid_policy_is_reported_with_its_remedy(
    write_settings: WriteSettings, text: str, sentence: str
) -> None:
    """One sentence for each key."""
    assert problems(write_settings(text)) == (sentence,)


def test_channel_can_mention_the_group_of_the_general_table(write_settings: WriteSettings) -> None:
    """Both tables together are consistent."""
    text = '[notify]\ngroup = "S0123"\n[notify.channels.C0123]\nmention = "group"\n'
    assert resolve(load(write_settings(text)).notify, "C0123", None).policy.group == "S0123"
