"""The formatters agree with every file: clang-format 14 and ruff. `make format` repairs."""

from __future__ import annotations

import subprocess
import sys

from tidy_tree import ROOT, cpp_files, python_files, short


def run(*command: str) -> None:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, (result.stdout + result.stderr)[-8000:]


def test_cpp_is_formatted() -> None:
    setup = subprocess.run(
        [str(ROOT / ".ci" / "setup"), "clang-format"], capture_output=True, text=True
    )
    assert setup.returncode == 0, setup.stderr
    files = [short(path) for path in cpp_files()]
    if files:
        run(setup.stdout.strip(), "--dry-run", "-Werror", "--ferror-limit=3", *files)


def test_python_is_formatted() -> None:
    run(sys.executable, "-m", "ruff", "format", "--check", "--diff", *map(str, python_files()))


def test_python_passes_ruff() -> None:
    run(sys.executable, "-m", "ruff", "check", *map(str, python_files()))


def test_python_passes_mypy() -> None:
    if (ROOT / "python" / "rustypotato" / "__init__.py").exists():
        run(sys.executable, "-m", "mypy", "--no-error-summary")
