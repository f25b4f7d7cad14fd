"""The interactive prompt, on prompt_toolkit: editing, history, completion, hints, many lines."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus, is_done
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout.processors import AfterInput, ConditionalProcessor
from prompt_toolkit.shortcuts import clear

from .docs import Command, groups_of, load_commands
from .hints import complete, find_command, hint
from .history import LineHistory, path_of_history
from .lines import Console
from .session import Session, write
from .words import BadQuotes, split


def commands_of(text: str) -> list[str]:
    """The commands of a text of several lines: a line end inside of quotes belongs to its word."""
    found: list[str] = []
    begun = ""
    for line in text.split("\n"):
        begun = f"{begun}\n{line}" if begun else line
        if not _is_open(begun):
            found.append(begun)
            begun = ""
    return found + ([begun] if begun else [])


def _is_open(text: str) -> bool:
    """Whether a quote is open at the end."""
    try:
        split(os.fsencode(text))
    except BadQuotes as error:
        return error.is_open
    return False


class CommandCompleter(Completer):
    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        text = document.text_before_cursor
        for word, start in complete(self.prompt.commands, self.prompt.groups, text):
            yield Completion(word, start)


class Prompt:
    """One run of the prompt.

    Attributes:
        commands: of the server that is connected; asked for once per connection to another one.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.console = Console(session)
        self.console.clear = clear
        self.console.connected = self.learn
        self.commands: list[Command] = []
        self.groups: list[str] = []
        self.completer = CommandCompleter(self)

    def learn(self) -> None:
        """Takes the names and syntax of commands from the server."""
        self.commands = load_commands(self.session)
        self.groups = groups_of(self.commands)

    def text(self) -> str:
        """127.0.0.1:6379[1](TX)>"""
        if self.session.conn is None:
            return "not connected> "
        address = self.session.address
        place = f"redis {address.unix}" if address.unix else address.bracketed
        db = f"[{self.session.db}]" if self.session.db else ""
        return f"{place}{db}{'(TX)' if self.session.in_multi else ''}> "

    def hint(self, document: Document) -> str:
        """What is shown behind the cursor."""
        text = document.text
        if not self.console.hints or not document.is_cursor_at_the_end or "\n" in text:
            return ""
        try:
            words = [os.fsdecode(word) for word in split(os.fsencode(text))]
        except BadQuotes:
            return ""
        if text[-1:].isspace():
            return hint(self.commands, words)
        command = find_command(self.commands, words)
        if command is None or len(command.words) < len(words):
            words = words[:-1]  # the last one may go on
        found = hint(self.commands, words)
        return found and f" {found}"

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter", filter=has_focus(DEFAULT_BUFFER))
        def _(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if _is_open(buffer.text):
                buffer.insert_text("\n")
            else:
                buffer.validate_and_handle()

        @keys.add("tab", filter=has_focus(DEFAULT_BUFFER))
        def _(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.complete_state:
                buffer.complete_next()
                return
            found = list(self.completer.get_completions(buffer.document, CompleteEvent()))
            if len(found) == 1:  # no menu of one
                buffer.apply_completion(found[0])
                buffer.insert_text(" ")
            else:
                buffer.start_completion(insert_common_part=True)

        return keys

    def reader(self) -> PromptSession[str]:
        def hint_now() -> StyleAndTextTuples:
            return [("ansibrightblack", self.hint(reader.default_buffer.document))]

        reader: PromptSession[str] = PromptSession(
            history=LineHistory(path_of_history()),
            completer=self.completer,
            complete_while_typing=False,
            multiline=Condition(lambda: True),
            key_bindings=self._keys(),
            prompt_continuation=lambda width, number, soft: "... ".rjust(width),
            input_processors=[ConditionalProcessor(AfterInput(hint_now), ~is_done)],
            enable_open_in_editor=False,
        )
        return reader

    def run(self) -> int:
        """Until quit, Ctrl-D, or Ctrl-C on an empty line."""
        self.session.connect()
        self.learn()
        self.console.load_preferences()
        reader = self.reader()
        while True:
            try:
                text = reader.prompt(self.text())
            except EOFError:
                return 0
            except KeyboardInterrupt:
                if reader.default_buffer.text:
                    continue  # that line is dropped
                return 0
            if not all(map(self._run, commands_of(text))):
                return 0

    def _run(self, line: str) -> bool:
        had_none = not self.commands
        try:
            return self.console.run(os.fsencode(line))
        except KeyboardInterrupt:
            # A reply was awaited. It would be taken for the next command's: start anew.
            write(b"\n")
            self.session.connect()
            return True
        finally:
            if had_none and self.session.conn is not None and not self.session.in_multi:
                self.learn()


def run_prompt(session: Session) -> int:
    """Returns the exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return Prompt(session).run()
