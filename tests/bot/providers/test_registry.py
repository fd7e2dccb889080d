"""Plugins, installed as real distributions are: from a folder with entry points."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

import pytest

from bot.models import Change, Job, JobRef, Status
from bot.providers import compartment, registry
from bot.providers.registry import Plugin, Plugins, PluginState, load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., None]

PROVIDER = """
import bot
from typing import Any

class {name}(bot.Provider[bot.ConnectionSettings]):
    kind = {kind!r}
    Settings = bot.ConnectionSettings
    statuses = {{}}
    def connect(self): return bot.Endpoint("http://127.0.0.1")
    async def fetch_job(self, ref): raise bot.JobNotFound("No.")

@bot.hookimpl
def register_providers():
    return [{name}]
"""
HALF = """
import bot

class P(bot.Provider):
    kind = 'p'

@bot.hookimpl
def register_providers():
    return [P]
"""
LISTENER = """
import bot
heard = []

@bot.hookimpl
async def job_changed(change):
    heard.append(str(change.ref))
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install plugins: `install(zebra="source")`; the built-in ones stay."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def install_(distribution: str = "acme-jobs", **sources: str) -> None:
        about = tmp_path / f"{distribution.replace('-', '_')}-1.2.dist-info"
        about.mkdir()
        about.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n"
        )
        for name, source in sources.items():
            tmp_path.joinpath(f"acme_{name}.py").write_text(source)
        points = "\n".join(f"{name} = acme_{name}" for name in sources)
        about.joinpath("entry_points.txt").write_text(f"[jobthread]\n{points}\n")

    yield install_
    for name in set(sys.modules) - before:
        if name.startswith("acme_"):
            del sys.modules[name]


def named(plugins: Plugins, name: str) -> Plugin:
    return next(plugin for plugin in plugins.listing if plugin.name == name)


def why_broken(install: Install, source: str) -> str:
    """Install a plugin beside a sound one, see that only it is broken, and return why."""
    install(broken=source, sound=PROVIDER.format(name="Sound", kind="sound"))
    plugins = load_plugins()
    assert named(plugins, "sound").state is PluginState.READY
    assert "sound" in plugins.kinds
    broken = named(plugins, "broken")
    assert (broken.state, broken.kinds) == (PluginState.BROKEN, ())
    return broken.why


def change() -> Change:
    ref = JobRef(connection="deploys", id="JOB1")
    return Change(
        before=None,
        after=Job(ref=ref, name="deploy", status=Status.RUNNING),
        status_changed=True,
    )


def test_the_built_in_provider_comes_in_by_the_door_for_strangers() -> None:
    """Its entry point is in the same group as everybody's."""
    built_in = named(load_plugins(), "servicestage")
    assert built_in.state is PluginState.READY
    assert built_in.distribution == "jobthread"
    assert built_in.kinds == ("servicestage",)


def test_a_strangers_plugin_brings_its_provider(install: Install) -> None:
    """The listing tells where it came from."""
    install(zebra=PROVIDER.format(name="Zebra", kind="zebra"))
    plugins = load_plugins()
    assert plugins.kinds["zebra"].__name__ == "Zebra"
    assert named(plugins, "zebra") == Plugin(
        name="zebra", distribution="acme-jobs", version="1.2", kinds=("zebra",)
    )


def test_plugins_are_listed_by_name(install: Install) -> None:
    """The listing does not depend on the order of installation."""
    install(zebra=LISTENER, ant=LISTENER)
    names = [plugin.name for plugin in load_plugins().listing]
    assert names == sorted(names)


def test_a_plugin_that_is_switched_off_is_not_even_imported(install: Install) -> None:
    """The operator can get rid of a plugin without uninstalling it."""
    install(zebra="raise SystemExit('imported')")
    plugin = named(load_plugins(["zebra"]), "zebra")
    assert plugin.state is PluginState.DISABLED
    assert plugin.why == "switched off in the settings"
    assert "acme_zebra" not in sys.modules


def test_a_switched_off_name_that_no_plugin_has_is_a_problem() -> None:
    """It is told to whoever asks; it stops nothing."""
    plugins = load_plugins(["aom", "servicestag", "xyzzy"])
    assert plugins.disabled == ("aom",)
    assert plugins.not_installed == ("servicestag", "xyzzy")
    near, far = plugins.problems()
    assert near == "disabled_plugins: there is no plugin 'servicestag'; did you mean servicestage?"
    assert far == "disabled_plugins: there is no plugin 'xyzzy'; `jobthread plugins` lists them."


def test_a_plugin_that_no_connection_uses_is_not_configured(install: Install) -> None:
    """One that only listens needs no connection; a disabled or broken one stays so."""
    install(zebra=PROVIDER.format(name="Zebra", kind="zebra"), ear=LISTENER, broken="1/0")
    listing = load_plugins(["aom"]).listing_for(["servicestage", "lion"])
    states = {plugin.name: plugin.state for plugin in listing}
    assert states["servicestage"] is states["ear"] is PluginState.READY
    assert states["zebra"] is PluginState.NOT_CONFIGURED
    assert (states["aom"], states["broken"]) == (PluginState.DISABLED, PluginState.BROKEN)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("def (", "SyntaxError"),
        (
            "import bot\n@bot.hookimpl\ndef register_providers(): raise KeyError('oops')",
            "KeyError: 'oops'",
        ),
        ("import bot\n@bot.hookimpl\ndef register_providers(): return 7", "TypeError"),
        (
            "import bot\n@bot.hookimpl\ndef job_changed(change): pass",
            "job_changed must be an `async def`",
        ),
        (
            "import bot\n@bot.hookimpl(specname='job_changed')\ndef listen(change): pass",
            "job_changed must be an `async def`",
        ),
        ("import bot\n@bot.hookimpl\nasync def job_chnaged(change): pass", "unknown hook"),
        ("import bot\n@bot.hookimpl\nasync def job_changed(change, more): pass", "more"),
        ("async def job_changed(change): pass", "job_changed is not marked with @hookimpl"),
        ("def register_providers(): return []", "not marked with @hookimpl"),
        (
            "import bot\n@bot.hookimpl\ndef register_providers(): return ['x']",
            "'x' is not a class of Provider",
        ),
        (
            HALF,
            "P lacks Settings, statuses, connect, fetch_job",
        ),
    ],
)
def test_a_broken_plugin_stops_nobody_and_the_listing_says_why(
    install: Install, source: str, why: str
) -> None:
    """Its neighbours are ready, and its author reads what is wrong."""
    assert why in why_broken(install, source)


def test_of_two_plugins_with_one_kind_the_first_by_name_wins(install: Install) -> None:
    """The other one is broken, and says which kind was taken."""
    source = PROVIDER.format(name="Twin", kind="twin")
    install(ant=source, bee=source)
    plugins = load_plugins()
    assert named(plugins, "ant").kinds == ("twin",)
    assert named(plugins, "bee").why == (
        "ValueError: another plugin already brings the provider twin"
    )


def test_one_module_under_two_names_is_taken_once(install: Install, tmp_path: Path) -> None:
    """The second name is broken, and the first one goes on listening."""
    install(ant=LISTENER)
    install("other-jobs", bee="")
    points = tmp_path / "other_jobs-1.2.dist-info" / "entry_points.txt"
    points.write_text("[jobthread]\nbee = acme_ant\n")
    plugins = load_plugins()
    assert named(plugins, "ant").state is PluginState.READY
    assert named(plugins, "bee").state is PluginState.BROKEN
    asyncio.run(plugins.job_changed(change()))
    assert sys.modules["acme_ant"].heard == ["deploys:JOB1"]


@pytest.mark.parametrize("wrong", ["def register_providers(more): return []", "raise OSError"])
def test_a_broken_plugin_hears_nothing(install: Install, wrong: str) -> None:
    """It is out as a whole, although one of its hooks was sound."""
    source = f"{LISTENER}\n@bot.hookimpl\n{wrong}" if "def" in wrong else f"{LISTENER}\n{wrong}"
    install(zebra=source)
    plugins = load_plugins()
    assert named(plugins, "zebra").state is PluginState.BROKEN
    assert not plugins.hooks.hook.job_changed.get_hookimpls()


def test_every_listener_hears_of_a_change(install: Install) -> None:
    """One change, all listeners, once each."""
    install(ant=LISTENER, bee=LISTENER)
    asyncio.run(load_plugins().job_changed(change()))
    assert [sys.modules[name].heard for name in ("acme_ant", "acme_bee")] == [["deploys:JOB1"]] * 2


def test_strangers_plugins_have_a_compartment_and_ours_have_none(install: Install) -> None:
    """A compartment for each plugin, not for each kind or connection: its code needs no locks."""
    both = PROVIDER.format(name="Zebra", kind="zebra") + LISTENER
    install(zebra=both, lion=PROVIDER.format(name="Lion", kind="lion"))
    compartments = load_plugins().compartments()
    assert {kind: compartment.name for kind, compartment in compartments.items()} == {
        "zebra": "zebra",
        "lion": "lion",
    }


def test_a_strangers_listener_hears_in_its_own_thread(install: Install) -> None:
    """If it blocks, it holds up itself."""
    where = LISTENER.replace("str(change.ref)", "__import__('threading').current_thread().name")
    install(ant=where)
    plugins = load_plugins()

    async def hear() -> None:
        await plugins.job_changed(change())
        await plugins.close()

    asyncio.run(hear())
    assert sys.modules["acme_ant"].heard == ["plugin ant"]


def test_a_listener_that_blocks_holds_up_only_itself(
    install: Install, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others hear the change; while it blocks it is given up at once."""
    monkeypatch.setattr(compartment, "HELD_SECONDS", 0.2)
    monkeypatch.setattr(compartment, "TURN_SECONDS", 0.0)
    gate = "__import__('threading').Event()"
    blocking = LISTENER.replace("heard.append(str(change.ref))", "gate.wait()")
    install(ant=blocking.replace("heard = []", f"gate = {gate}"), bee=LISTENER)
    plugins = load_plugins()

    async def hear() -> None:
        await plugins.job_changed(change())
        await plugins.job_changed(change())
        sys.modules["acme_ant"].gate.set()
        await plugins.close()

    asyncio.run(hear())
    assert len(sys.modules["acme_bee"].heard) == 2
    assert caplog.text.count("a plugin failed to hear of deploys:JOB1: HeldError") == 2


def test_a_listener_that_hangs_is_given_up_and_the_others_hear(
    install: Install, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it for ever, least of all the polling of a connection."""
    monkeypatch.setattr(registry, "HOOK_SECONDS", 0.05)
    hanging = LISTENER.replace(
        "heard.append(str(change.ref))", "await __import__('asyncio').Event().wait()"
    )
    install(ant=hanging, bee=LISTENER)
    with caplog.at_level(logging.ERROR):
        asyncio.run(load_plugins().job_changed(change()))
    assert sys.modules["acme_bee"].heard == ["deploys:JOB1"]
    assert "a plugin failed to hear of deploys:JOB1: TimeoutError" in caplog.text


def test_a_listener_that_fails_is_logged_and_the_others_hear(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    """What a listener raises goes no further, and the log has no word of its text."""
    failing = LISTENER.replace("heard.append(str(change.ref))", "raise KeyError('xoxb-secret')")
    install(ant=failing, bee=LISTENER)
    with caplog.at_level(logging.ERROR):
        asyncio.run(load_plugins().job_changed(change()))
    assert sys.modules["acme_bee"].heard == ["deploys:JOB1"]
    assert "a plugin failed to hear of deploys:JOB1: KeyError" in caplog.text
    assert "xoxb" not in caplog.text
