"""Loading and validation of plugins, which are installed as real distributions."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

import pytest

from bot.providers import plugin_loader, plugin_thread
from bot.providers.plugin_loader import Plugin, Plugins, PluginState, load_plugins
from bot.sdk.models import Change, Job, JobRef, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., None]

PROVIDER = """
from bot import sdk
from typing import Any

class {name}(sdk.Provider[sdk.ConnectionSettings]):
    kind = {kind!r}
    Settings = sdk.ConnectionSettings
    statuses = {{}}
    def connect(self): return sdk.Endpoint("http://127.0.0.1")
    async def fetch_job(self, ref): raise sdk.JobNotFound("No.")

@sdk.hookimpl
def register_providers():
    return [{name}]
"""
INCOMPLETE = """
from bot import sdk

class P(sdk.Provider):
    kind = 'p'

@sdk.hookimpl
def register_providers():
    return [P]
"""
LISTENER = """
from bot import sdk
refs = []

@sdk.hookimpl
async def job_changed(change):
    refs.append(str(change.ref))
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs plugins: `install(zebra="source")`; the built-in ones stay."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def install_(distribution: str = "acme-jobs", **sources: str) -> None:
        dist_info = tmp_path / f"{distribution.replace('-', '_')}-1.2.dist-info"
        dist_info.mkdir()
        dist_info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n"
        )
        for name, source in sources.items():
            tmp_path.joinpath(f"acme_{name}.py").write_text(source)
        points = "\n".join(f"{name} = acme_{name}" for name in sources)
        dist_info.joinpath("entry_points.txt").write_text(f"[jobthread]\n{points}\n")

    yield install_
    for name in set(sys.modules) - before:
        if name.startswith("acme_"):
            del sys.modules[name]


def plugin_named(plugins: Plugins, name: str) -> Plugin:
    return next(plugin for plugin in plugins.listing if plugin.name == name)


def broken_reason(install: Install, source: str) -> str:
    """Install a broken plugin and a valid one; return why the first is broken."""
    install(broken=source, valid=PROVIDER.format(name="Valid", kind="valid"))
    plugins = load_plugins()
    assert plugin_named(plugins, "valid").state is PluginState.READY
    assert "valid" in plugins.kinds
    broken = plugin_named(plugins, "broken")
    assert (broken.state, broken.kinds) == (PluginState.BROKEN, ())
    return broken.reason


def change() -> Change:
    ref = JobRef(connection="deploys", id="JOB1")
    return Change(
        before=None,
        after=Job(ref=ref, name="deploy", status=Status.RUNNING),
        status_changed=True,
    )


def test_built_in_provider_is_loaded_by_its_entry_point() -> None:
    """It is in the same group as those of third-party plugins."""
    built_in = plugin_named(load_plugins(), "servicestage")
    assert built_in.state is PluginState.READY
    assert built_in.distribution == "jobthread"
    assert built_in.kinds == ("servicestage",)


def test_third_party_plugin_registers_its_provider(install: Install) -> None:
    """The listing shows its distribution and version."""
    install(zebra=PROVIDER.format(name="Zebra", kind="zebra"))
    plugins = load_plugins()
    assert plugins.kinds["zebra"].__name__ == "Zebra"
    assert plugin_named(plugins, "zebra") == Plugin(
        name="zebra", distribution="acme-jobs", version="1.2", kinds=("zebra",)
    )


def test_plugins_are_listed_by_name(install: Install) -> None:
    """The listing does not depend on the order of installation."""
    install(zebra=LISTENER, ant=LISTENER)
    names = [plugin.name for plugin in load_plugins().listing]
    assert names == sorted(names)


def test_disabled_plugin_is_not_imported(install: Install) -> None:
    """The operator need not uninstall it."""
    install(zebra="raise SystemExit('imported')")
    plugin = plugin_named(load_plugins(["zebra"]), "zebra")
    assert plugin.state is PluginState.DISABLED
    assert plugin.reason == "switched off in the settings"
    assert "acme_zebra" not in sys.modules


def test_disabled_name_without_a_plugin_is_a_problem() -> None:
    """It is reported but is no error."""
    plugins = load_plugins(["aom", "servicestag", "xyzzy"])
    assert plugins.disabled == ("aom",)
    assert plugins.not_installed == ("servicestag", "xyzzy")
    typo, unknown = plugins.problems()
    assert typo == "disabled_plugins: there is no plugin 'servicestag'; did you mean servicestage?"
    assert (
        unknown == "disabled_plugins: there is no plugin 'xyzzy'; `jobthread plugins` lists them."
    )


def test_plugin_without_a_connection_is_not_configured(install: Install) -> None:
    """One with only a listener is ready; a disabled or broken one stays so."""
    install(zebra=PROVIDER.format(name="Zebra", kind="zebra"), listener=LISTENER, broken="1/0")
    listing = load_plugins(["aom"]).listing_for(["servicestage", "lion"])
    states = {plugin.name: plugin.state for plugin in listing}
    assert states["servicestage"] is states["listener"] is PluginState.READY
    assert states["zebra"] is PluginState.NOT_CONFIGURED
    assert (states["aom"], states["broken"]) == (PluginState.DISABLED, PluginState.BROKEN)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("def (", "SyntaxError"),
        (
            "from bot import sdk\n@sdk.hookimpl\ndef register_providers(): raise KeyError('oops')",
            "KeyError: 'oops'",
        ),
        ("from bot import sdk\n@sdk.hookimpl\ndef register_providers(): return 7", "TypeError"),
        (
            "from bot import sdk\n@sdk.hookimpl\ndef job_changed(change): pass",
            "job_changed must be an `async def`",
        ),
        (
            "from bot import sdk\n@sdk.hookimpl(specname='job_changed')\ndef listen(change): pass",
            "job_changed must be an `async def`",
        ),
        ("from bot import sdk\n@sdk.hookimpl\nasync def job_chnaged(change): pass", "unknown hook"),
        ("from bot import sdk\n@sdk.hookimpl\nasync def job_changed(change, more): pass", "more"),
        ("async def job_changed(change): pass", "job_changed is not marked with @hookimpl"),
        ("def register_providers(): return []", "not marked with @hookimpl"),
        (
            "from bot import sdk\n@sdk.hookimpl\ndef register_providers(): return ['x']",
            "'x' is not a class of Provider",
        ),
        (
            INCOMPLETE,
            "P lacks Settings, statuses, connect, fetch_job",
        ),
    ],
)
def test_broken_plugin_does_not_affect_others(install: Install, source: str, reason: str) -> None:
    """The listing shows why it is broken."""
    assert reason in broken_reason(install, source)


def test_first_of_two_plugins_with_one_kind_is_loaded(install: Install) -> None:
    """First by name; the other one is broken, and its reason names the kind."""
    source = PROVIDER.format(name="Twin", kind="twin")
    install(ant=source, bee=source)
    plugins = load_plugins()
    assert plugin_named(plugins, "ant").kinds == ("twin",)
    assert plugin_named(plugins, "bee").reason == (
        "ValueError: another plugin already brings the provider twin"
    )


def test_module_with_two_names_is_loaded_once(install: Install, tmp_path: Path) -> None:
    """The second name is broken, and the first one still gets changes."""
    install(ant=LISTENER)
    install("other-jobs", bee="")
    points = tmp_path / "other_jobs-1.2.dist-info" / "entry_points.txt"
    points.write_text("[jobthread]\nbee = acme_ant\n")
    plugins = load_plugins()
    assert plugin_named(plugins, "ant").state is PluginState.READY
    assert plugin_named(plugins, "bee").state is PluginState.BROKEN
    asyncio.run(plugins.job_changed(change()))
    assert sys.modules["acme_ant"].refs == ["deploys:JOB1"]


@pytest.mark.parametrize("wrong", ["def register_providers(more): return []", "raise OSError"])
def test_broken_plugin_gets_no_changes(install: Install, wrong: str) -> None:
    """Its valid hooks are unregistered too."""
    source = f"{LISTENER}\n@sdk.hookimpl\n{wrong}" if "def" in wrong else f"{LISTENER}\n{wrong}"
    install(zebra=source)
    plugins = load_plugins()
    assert plugin_named(plugins, "zebra").state is PluginState.BROKEN
    assert not plugins.hooks.hook.job_changed.get_hookimpls()


def test_every_listener_gets_a_change(install: Install) -> None:
    """Each one once."""
    install(ant=LISTENER, bee=LISTENER)
    asyncio.run(load_plugins().job_changed(change()))
    assert [sys.modules[name].refs for name in ("acme_ant", "acme_bee")] == [["deploys:JOB1"]] * 2


def test_only_third_party_plugins_have_a_thread(install: Install) -> None:
    """One for each plugin, not for each kind or connection: its code needs no locks."""
    both = PROVIDER.format(name="Zebra", kind="zebra") + LISTENER
    install(zebra=both, lion=PROVIDER.format(name="Lion", kind="lion"))
    threads = load_plugins().threads()
    assert {kind: thread.name for kind, thread in threads.items()} == {
        "zebra": "zebra",
        "lion": "lion",
    }


def test_third_party_listener_runs_in_its_plugin_thread(install: Install) -> None:
    """The thread has the plugin's name."""
    source = LISTENER.replace("str(change.ref)", "__import__('threading').current_thread().name")
    install(ant=source)
    plugins = load_plugins()

    async def send_changes() -> None:
        await plugins.job_changed(change())
        await plugins.close()

    asyncio.run(send_changes())
    assert sys.modules["acme_ant"].refs == ["plugin ant"]


def test_blocking_listener_does_not_block_others(
    install: Install, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others get the change; further calls of the blocked plugin fail at once."""
    monkeypatch.setattr(plugin_thread, "PING_INTERVAL_SECONDS", 0.2)
    monkeypatch.setattr(plugin_thread, "PING_TIMEOUT_SECONDS", 0.0)
    gate = "__import__('threading').Event()"
    blocking = LISTENER.replace("refs.append(str(change.ref))", "gate.wait()")
    install(ant=blocking.replace("refs = []", f"gate = {gate}"), bee=LISTENER)
    plugins = load_plugins()

    async def send_changes() -> None:
        await plugins.job_changed(change())
        await plugins.job_changed(change())
        sys.modules["acme_ant"].gate.set()
        await plugins.close()

    asyncio.run(send_changes())
    assert len(sys.modules["acme_bee"].refs) == 2
    assert caplog.text.count("a job_changed hook failed for deploys:JOB1: PluginBlocked") == 2


def test_hanging_listener_times_out(
    install: Install, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others get the change, and polling goes on."""
    monkeypatch.setattr(plugin_loader, "HOOK_TIMEOUT_SECONDS", 0.05)
    hanging = LISTENER.replace(
        "refs.append(str(change.ref))", "await __import__('asyncio').Event().wait()"
    )
    install(ant=hanging, bee=LISTENER)
    with caplog.at_level(logging.ERROR):
        asyncio.run(load_plugins().job_changed(change()))
    assert sys.modules["acme_bee"].refs == ["deploys:JOB1"]
    assert "a job_changed hook failed for deploys:JOB1: TimeoutError" in caplog.text


def test_failing_listener_is_logged(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    """The others get the change, and the log does not show the exception's text."""
    failing = LISTENER.replace("refs.append(str(change.ref))", "raise KeyError('xoxb-secret')")
    install(ant=failing, bee=LISTENER)
    with caplog.at_level(logging.ERROR):
        asyncio.run(load_plugins().job_changed(change()))
    assert sys.modules["acme_bee"].refs == ["deploys:JOB1"]
    assert "a job_changed hook failed for deploys:JOB1: KeyError" in caplog.text
    assert "xoxb" not in caplog.text
