"""The tests mirror the code: tests/bot/x/test_y.py tests bot/x/y.py."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIRRORED = ("bench", "bot", "chaos", "localslack", "plugins")
# Suites of a behaviour that several modules share, or of a whole package.
TOPICS = {
    "bot/cli/scaffold/test_installed.py": "a generated plugin after its installation",
    "bot/notifications/test_outcomes.py": "no policy hides an outcome",
    "bot/providers/test_third_party_plugins.py": "faults of plugins in a running bot",
    "bot/sdk/cards/test_hostile_jobs.py": "cards of any job content",
    "bot/store/test_deferred_decisions.py": "the deferred rows of decisions.py",
    "bot/store/test_inbox_model.py": "inbox.py against a model",
    "bot/store/test_outbox_model.py": "outbox.py against a model",
    "bot/store/test_properties.py": "delivery in order, whatever happens",
    "bot/store/test_speed.py": "costs that must not grow",
    "localslack/page/test_forms.py": "the page in a browser",
    "localslack/page/test_reactions.py": "the page in a browser",
    "localslack/test_bundle.py": "the page's bundle matches its source",
    "plugins/aicc_rpa/test_tokens.py": "sign-in, in a shared base class",
    "plugins/cph/test_batches.py": "batch polling",
    "plugins/http/test_nebula_example.py": "the example of the documentation",
    "plugins/http/test_recognition.py": "ids in text",
    "plugins/nebula_explorer/test_batches.py": "batch polling",
    "plugins/official_sdks/test_errors.py": "comparison with other clients",
    "plugins/official_sdks/test_jobs.py": "comparison with other clients",
    "plugins/official_sdks/test_signing_in.py": "comparison with other clients",
    "plugins/selfhosted/test_certificates.py": "TLS of a self-hosted API",
}
IN_EVERY_PLUGIN = {
    "test_contract.py": "the conformance suite",
    "test_docs.py": "the provider's page",
}


def test_every_test_file_stands_for_a_module(root: Path, sources: list[Path]) -> None:
    """The tests of a module are where its name says."""
    files = [PurePath(path.relative_to(root)) for path in sources]
    tests = [path.relative_to("tests") for path in files if path.match("tests/**/test_*.py")]
    mirrored = [path for path in tests if path.parts[0] in MIRRORED]
    assert mirrored
    wrong = [path for path in mirrored if not _is_topic(path) and not _module(root, path)]
    assert list(map(str, wrong)) == []


def test_every_topic_has_its_test_file(root: Path) -> None:
    """A list of exceptions must not outlive them."""
    assert [path for path in TOPICS if not (root / "tests" / path).is_file()] == []
    assert [path for path in TOPICS if _module(root, PurePath(path))] == []


def _is_topic(path: PurePath) -> bool:
    in_plugin = path.parts[0] == "plugins" and path.name in IN_EVERY_PLUGIN
    return in_plugin or path.as_posix() in TOPICS


def _module(root: Path, test: PurePath) -> bool:
    """Return whether there is such a module or package; a folder may stand for a module."""
    folder, name = root / test.parent, test.stem.removeprefix("test_")
    names = (folder / f"{name}.py", folder / name / "__init__.py", folder.with_suffix(".py"))
    return folder.name == name or any(path.is_file() for path in names)
