"""csrc/LAYERS is true: an include goes to its own folder or to a lower rank."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tidy_tree import ROOT, joined, short

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
# Headers that one folder alone may see.
OWNED = {"uv.h": "net", "uv/": "net", "Python.h": "py", "pybind11/": "py"}


def read_layers(path: Path) -> dict[str, int]:
    ranks = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            rank, folder = line.split()[:2]
            ranks[folder] = int(rank)
    return ranks


def include_problem(folder: str, quote: str, name: str, ranks: dict[str, int]) -> str | None:
    """Says what is wrong when a file of `folder` includes `name`; None when nothing is."""
    for owned, owner in OWNED.items():
        if (name == owned or (owned.endswith("/") and name.startswith(owned))) and folder != owner:
            return f"only {owner}/ may include <{name}>"
    if quote == "<":
        return None
    target = name.split("/")[0]
    if "/" not in name:
        return f'write "{folder}/{name}": includes start at csrc/'
    if target not in ranks:
        return f'"{name}": no folder {target}/ in csrc/LAYERS'
    if target != folder and ranks[target] >= ranks[folder]:
        return f'"{name}": {folder}/ has rank {ranks[folder]}, {target}/ has {ranks[target]}'
    return None


def test_every_folder_has_a_rank() -> None:
    ranks = read_layers(ROOT / "csrc" / "LAYERS")
    folders = {path.name for path in (ROOT / "csrc").iterdir() if path.is_dir()}
    assert folders <= set(ranks), f"not in csrc/LAYERS: {sorted(folders - set(ranks))}"
    loose = [path.name for path in (ROOT / "csrc").glob("*.*")]
    assert not loose, f"move into a layer's folder: {loose}"


def test_includes_go_down() -> None:
    csrc = ROOT / "csrc"
    ranks = read_layers(csrc / "LAYERS")
    problems = []
    for path in sorted([*csrc.rglob("*.h"), *csrc.rglob("*.cc")]):
        folder = path.relative_to(csrc).parts[0]
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            problem = include_problem(folder, match[1], match[2], ranks)
            if problem:
                line = text.count("\n", 0, match.start(1)) + 1
                problems.append(f"{short(path)}:{line}: {problem}")
    assert not problems, joined(problems)


@pytest.mark.parametrize(
    ("folder", "quote", "name", "wrong"),
    [
        ("table", '"', "base/bytes.h", False),
        ("table", '"', "table/entry.h", False),
        ("base", '"', "table/table.h", True),
        ("mem", '"', "conf/conf.h", True),
        ("table", '"', "entry.h", True),
        ("table", '"', "nowhere/x.h", True),
        ("net", "<", "uv.h", False),
        ("engine", "<", "uv.h", True),
        ("py", "<", "pybind11/pybind11.h", False),
        ("embed", "<", "Python.h", True),
        ("base", "<", "stdint.h", False),
    ],
)
def test_the_check_itself(folder: str, quote: str, name: str, wrong: bool) -> None:
    ranks = read_layers(ROOT / "csrc" / "LAYERS")
    assert (include_problem(folder, quote, name, ranks) is not None) == wrong


def test_headers_are_guarded() -> None:
    problems = [
        short(path)
        for path in (ROOT / "csrc").rglob("*.h")
        if path.name != "rustypotato.h" and "#pragma once\n" not in path.read_text()
    ]
    assert not problems, "no #pragma once: " + ", ".join(problems)
