"""The command line, as an operator types it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from bot.cli.main import app
from localslack import LocalSlack

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("log_output")  # the commands configure the log
JOBTHREAD = [sys.executable, "-m", "bot.cli.main"]
ENDED = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"


def run(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, words)


@pytest.fixture
def simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return settings that connect to simulators in another process."""
    monkeypatch.chdir(tmp_path)
    process = subprocess.Popen([*JOBTHREAD, "simulate"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    settings = tmp_path / "jobthread.toml"
    settings.write_text("".join(lines))
    yield settings
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)


def test_help_names_every_command() -> None:
    """`--help` lists every command."""
    output = run("--help").output
    for command in (
        "serve",
        "demo",
        "simulate",
        "show",
        "check",
        "plugins",
        "connections",
        "new-plugin",
        "backup",
        "status",
        "watches",
        "retry",
        "recover",
    ):
        assert command in output


@pytest.mark.whole
def test_simulate_prints_settings_that_show_a_job(simulated: Path) -> None:
    """The output is a valid jobthread.toml, comments included."""
    result = run("show", f"deploys:{ENDED}")
    assert result.exit_code == 0, result.output
    assert "succeeded" in result.output
    assert simulated.exists()


@pytest.mark.whole
def test_show_reports_an_unknown_job(simulated: Path) -> None:
    """An unknown id gives a sentence and exit code 1."""
    assert simulated.exists()
    result = run("show", f"deploys:{ENDED.replace('17', '18')}")
    assert result.exit_code == 1
    assert "knows no such job" in result.output


@pytest.mark.whole
def test_check_prints_a_line_for_each_result(simulated: Path) -> None:
    """The connection works, the tokens are missing, and the exit code is 1."""
    assert simulated.exists()
    result = run("check")
    assert result.exit_code == 1
    assert re.search(r"(?m)^ok +connection deploys: ", result.output)
    assert re.search(r"(?m)^FAILED +slack: slack.bot_token is missing", result.output)


def test_plugins_shows_state_and_distribution_of_each_plugin(tmp_path: Path) -> None:
    """Built-in providers are listed like any other plugin."""
    settings = tmp_path / "elsewhere.toml"
    settings.write_text('[connections.deploys]\nprovider = "servicestage"\n')
    listed = run("plugins", "--config", str(settings)).output
    assert re.search(r"servicestage +ready +jobthread \d", listed)
    assert re.search(r"nebula-explorer +not configured +jobthread \d", listed)


def test_plugins_reports_an_unknown_disabled_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A misspelt name in `disabled_plugins` is reported, not ignored."""
    monkeypatch.setenv("JOBTHREAD_DISABLED_PLUGINS", "aom,servicestag,")
    listed = run("plugins").output
    assert re.search(r"aom +disabled +jobthread \d\S* +switched off", listed)
    problem = "disabled_plugins: there is no plugin 'servicestag'; did you mean servicestage?"
    assert listed.count("there is no plugin") == 1
    assert problem in listed


def test_connections_without_any_says_how_to_add_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output names jobthread.toml."""
    monkeypatch.chdir(tmp_path)
    assert "jobthread.toml" in run("connections").output


def test_serve_lists_all_settings_problems_and_exits_with_2(tmp_path: Path) -> None:
    """All problems are listed at once."""
    settings = tmp_path / "jobthread.toml"
    settings.write_text('[connections.d]\nprovider = "servicestag"\n')
    result = run("serve", "--config", str(settings))
    assert result.exit_code == 2
    assert "did you mean servicestage?" in result.output
    assert "slack.app_token is missing" in result.output


@pytest.mark.parametrize("command", ["serve", "check"])
def test_settings_and_connection_problems_are_one_list(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong table or key does not hide other problems, and no secret is printed."""
    monkeypatch.setenv("JOBTHREAD_SLACK__BOT_TOKEN", "xoxb-hush")
    settings = tmp_path / "jobthread.toml"
    settings.write_text(
        f"""
        [slak]
        [connections.deploys]
        provider = "servicestage"
        region = "cn-north-4"
        project_id = "{"0" * 32}"
        access_key = "AKhush"
        colour = "hush"
        [connections.graphs]
        provider = "nebula-explorer"
        url = "http://127.0.0.1:1"
        user_name = "root"
        pasword = "hush"
        [connections.d]
        provider = "servicestag"
        """
    )
    result = run(command, "--config", str(settings))
    assert result.exit_code == 2
    for problem in [
        "slak is not a setting: remove it",
        "slack.app_token is missing: set JOBTHREAD_SLACK__APP_TOKEN",
        "connections.deploys.colour is not a setting: remove it",
        "connections.deploys: secret_key is missing: access_key is nothing without it. Set it",
        "connections.graphs.pasword is not a setting: remove it",
        "connections.graphs.password is missing: set JOBTHREAD_CONNECTIONS__GRAPHS__PASSWORD",
        "connections.d.provider: there is no provider 'servicestag'; did you mean servicestage?",
    ]:
        assert result.output.count(problem) == 1, result.output
    assert "bot_token" not in result.output
    assert "hush" not in result.output


def test_check_exits_with_2_if_the_settings_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is that of `serve`; working parts are reported too."""
    monkeypatch.setenv("JOBTHREAD_STORE__URL", f"sqlite:///{tmp_path / 'jobthread.db'}")
    settings = tmp_path / "jobthread.toml"
    settings.write_text('[connections.d]\nprovider = "servicestag"\n')
    result = run("check", "--config", str(settings))
    assert result.exit_code == 2
    assert "ok      store" in result.output
    assert "FAILED  settings: connections.d.provider: there is no provider" in result.output


def test_check_continues_after_a_wrong_database_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other checks still run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOBTHREAD_STORE__URL", "mysql://u:hush@host/x")
    result = run("check")
    assert result.exit_code == 1
    assert "FAILED  store: Only SQLite and PostgreSQL are known here." in result.output
    assert "FAILED  slack: slack.bot_token is missing" in result.output
    assert "hush" not in result.output


@pytest.mark.whole
def test_demo_reports_a_port_in_use() -> None:
    """The error is a sentence with a remedy, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*JOBTHREAD, "demo", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {port} cannot be listened on (Address already in use)")
    assert "Traceback" not in done.stderr


def test_demo_reports_a_bot_that_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error is a sentence after the bot's log."""
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    result = run("demo")
    assert result.exit_code == 1
    assert "The bot did not start (exit code 1); its log says why." in result.output


def test_demo_rejects_an_invalid_port() -> None:
    """The option is rejected before anything starts."""
    assert run("demo", "--port", "99999").exit_code == 2


@pytest.mark.whole
def test_simulate_starts_a_repeated_kind_once() -> None:
    """The printed settings are valid TOML."""
    with subprocess.Popen(
        [*JOBTHREAD, "simulate", "aom", "aom"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        output = "".join(iter(process.stdout.readline, "# Ctrl-C stops the simulators.\n"))
        process.send_signal(signal.SIGINT)
    assert len(tomllib.loads(output)["connections"]) == 1


def test_simulate_reports_an_unknown_kind() -> None:
    """The error names the known kinds."""
    result = run("simulate", "nothing")
    assert result.exit_code == 1
    assert "servicestage" in result.output


@pytest.mark.whole
def test_demo_check_completes_its_conversation() -> None:
    """The real bot posts every message that the script expects."""
    done = subprocess.run(
        [*JOBTHREAD, "demo", "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything that was expected was said." in done.stdout
    stopped = done.stdout.index("ada: [Stop following]")
    assert stopped < done.stdout.index("is no longer followed here")


@pytest.mark.whole
@pytest.mark.anyio
async def test_ctrl_c_stops_the_demo_and_its_bot() -> None:
    """No child process is left running."""
    process = await asyncio.create_subprocess_exec(
        *JOBTHREAD, "demo", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async for line in process.stdout:
        if b"Ctrl-C" in line:
            break
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), 15)
    assert children
    assert not any(Path(f"/proc/{child}").exists() for child in children)


@pytest.mark.anyio
async def test_serve_stops_while_it_is_still_connecting(tmp_path: Path) -> None:
    """SIGTERM stops a bot whose app token is wrong."""
    async with LocalSlack() as slack:
        tokens = {
            "JOBTHREAD_SLACK__API_URL": slack.api_url,
            "JOBTHREAD_SLACK__BOT_TOKEN": slack.bot_token,
            "JOBTHREAD_SLACK__APP_TOKEN": "xapp-wrong",
            "JOBTHREAD_STORE__URL": f"sqlite:///{tmp_path / 'jobthread.db'}",
        }
        process = await asyncio.create_subprocess_exec(
            *JOBTHREAD,
            "serve",
            env=os.environ | tokens,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await slack.until(lambda: slack.calls_of("apps.connections.open"), seconds=20)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
