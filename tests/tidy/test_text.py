"""Checks over the text of every file: links, paths, hosts, white space, size."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import tidy_tree
from tidy_tree import ROOT, cpp_files, joined, own_files, python_files, short, text_files

LINE_MAX = 100
FUNCTION_GUIDE = 70  # Longer ones are listed,
FUNCTION_MAX = 120  # longer than this fails.
FILE_GUIDE = 600

# The needles are put together here, so that this file passes its own checks.
MACHINE_PATHS = re.compile(
    "|".join([r"(?<![\w.])/" + "work/", "/" + r"tmp/", "/" + r"root/", "/" + r"(home|Users)/\w"])
)
REGISTRY_HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "crates" + ".io",
    "ruby" + "gems.org",
    "docker" + ".io",
    "deb." + "debian.org",
    "proxy." + "golang.org",
    "anaconda" + ".org",
]
MARKDOWN_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)")
NAMESPACE = re.compile(r'(inline )?namespace\b|extern "C" \{')
NOT_FUNCTION = re.compile(r"(typedef )?(struct|class|enum|union)\b[^(]*$")
MARKDOWN_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def lines_with(needle: re.Pattern[str]) -> list[str]:
    return [
        f"{short(path)}:{number}: {line.strip()[:120]}"
        for path in text_files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if needle.search(line) and "tidy: allow" not in line
    ]


def test_no_machine_paths() -> None:
    problems = lines_with(MACHINE_PATHS)
    assert not problems, joined(problems)


def test_no_registry_hosts() -> None:
    problems = lines_with(re.compile("|".join(map(re.escape, REGISTRY_HOSTS))))
    assert not problems, joined(problems)


def test_no_marks_left() -> None:
    marks = re.compile(r"\b(" + "TO" + "DO|FIX" + "ME|XX" + r"X)\b(:|\(| [a-z])")
    code = re.compile(r"[^:]+\.(cc|h|py|pyi|cmake):")
    problems = [line for line in lines_with(marks) if code.match(line)]
    assert not problems, joined(problems)


def test_markdown_links_exist() -> None:
    problems = []
    for path in own_files():
        if path.suffix != ".md":
            continue
        for match in MARKDOWN_LINK.finditer(MARKDOWN_CODE.sub("", path.read_text())):
            target = match[1].split("#")[0]
            if not target or re.match(r"[a-z]+:", target):
                continue
            if not (path.parent / target).exists():
                problems.append(f"{short(path)}: {match[1]}")
    assert not problems, joined(problems)


def test_scripts_are_executable() -> None:
    scripts = [path for path in text_files() if path.read_bytes()[:2] == b"#!"]
    assert ROOT / ".ci" / "run" in scripts
    problems = [short(path) for path in scripts if not os.access(path, os.X_OK)]
    assert not problems, "chmod +x " + " ".join(problems)


def test_white_space() -> None:
    problems = []
    for path in text_files():
        data = path.read_bytes()
        if data and not data.endswith(b"\n"):
            problems.append(f"{short(path)}: no newline at the end")
        if b"\r\n" in data:
            problems.append(f"{short(path)}: CR LF line ends")
        if re.search(rb"[ \t]+$", data, re.MULTILINE) and path.suffix != ".md":
            problems.append(f"{short(path)}: white space at the end of a line")
    assert not problems, joined(problems)


def cpp_functions(path: Path) -> Iterator[tuple[int, int, str]]:
    """(first line, lines, signature) of each function.

    Namespaces are not indented and the format is checked, so a function starts and ends in column
    0; its signature may take several lines.
    """
    start, signature, inside = 0, "", False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("}"):
            if inside and signature and line.rstrip() == "}":
                yield start, number - start + 1, signature
            inside = False
        elif not inside and line.strip():
            if line[0] not in " \t#/":
                start, signature = number, line.rstrip(" {")
            if line.rstrip().endswith("{"):
                if NOT_FUNCTION.match(signature) or "=" in signature:
                    signature = ""
                inside = not NAMESPACE.match(line)


def python_functions(path: Path) -> Iterator[tuple[int, int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1, node.name


def test_function_length() -> None:
    found = [
        (lines, f"{lines:5} lines  {short(path)}:{first}  {name[:70]}")
        for paths, functions in ((cpp_files(), cpp_functions), (python_files(), python_functions))
        for path in paths
        for first, lines, name in functions(path)
        if lines > FUNCTION_GUIDE
    ]
    found.sort(reverse=True)
    tidy_tree.report.append(f"functions over {FUNCTION_GUIDE} lines: {len(found)}")
    tidy_tree.report.extend(text for _, text in found)
    too_long = [text for lines, text in found if lines > FUNCTION_MAX]
    assert not too_long, joined(too_long)


def test_line_and_file_length() -> None:
    for path in [*cpp_files(), *python_files()]:
        widths = [len(line) for line in path.read_text().splitlines()]
        wide = [width for width in widths if width > LINE_MAX]
        if len(widths) > FILE_GUIDE:
            tidy_tree.report.append(f"{len(widths):5} lines  {short(path)}")
        if wide:
            text = f"{len(wide):5} lines over {LINE_MAX} columns, the widest {max(wide)}"
            tidy_tree.report.append(f"{text}  {short(path)}")


def test_function_length_sees_long_functions(tmp_path: Path) -> None:
    body = "    x();\n" * 130
    path = tmp_path / "long.cc"
    path.write_text(
        "namespace rp {\n"
        f"void one(int a) {{\n{body}}}\n"
        f"Row kRows[] = {{\n{body}}};\n"
        f"struct S {{\n{body}}};\n"
        f"static void two(int a,\n                int b) {{\n{body}}}\n"
        "}  // namespace rp\n"
    )
    found = [(lines, name.split("(")[0]) for _, lines, name in cpp_functions(path)]
    assert found == [(132, "void one"), (133, "static void two")]
