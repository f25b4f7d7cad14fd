"""What the tidy tests share: the list of the repository's own files, and the report they print."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT_SUFFIXES = {
    ".cc", ".cmake", ".h", ".json", ".md", ".py", ".pyi", ".sh", ".toml", ".txt", ".yaml", ".yml",
}  # fmt: skip
SKIPPED_FOLDERS = {"build", "dist", ".git", ".venv"}

# Lines for the end of the run: conftest.py prints them.
report: list[str] = []


def own_files() -> list[Path]:
    """Every file of the repository, new ones included, ignored ones not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
        paths = [ROOT / name for name in names.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):  # A source archive has no .git.
        paths = list(ROOT.rglob("*"))
    return sorted(
        path
        for path in paths
        if path.is_file() and not SKIPPED_FOLDERS & set(path.relative_to(ROOT).parts)
    )


def text_files() -> list[Path]:
    """Files that people read as text: by suffix, or without one (Makefile, LAYERS, .ci/run)."""
    return [
        path
        for path in own_files()
        if "corpus" not in path.parts  # Fuzz inputs are bytes.
        and (path.suffix in TEXT_SUFFIXES or ("." not in path.name.lstrip(".") and is_text(path)))
    ]


def is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes()[:4096]


def cpp_files() -> list[Path]:
    return [path for path in own_files() if path.suffix in {".cc", ".h"}]


def python_files() -> list[Path]:
    return [path for path in own_files() if path.suffix in {".py", ".pyi"}]


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def joined(problems: list[str]) -> str:
    """The message of a failed check: what is wrong, one line each."""
    return f"{len(problems)} found:\n" + "\n".join(problems)
