"""What a fault does to a connection, from the stage that decides it to the one that carries it out.

`connection-reset` answers nothing and resets; `truncated-body` sends half of the answer; `time-out`
is silent for as long as the fault says and then ends the connection. The request may have been
carried out before: its sender cannot know.
"""

from __future__ import annotations

CONNECTION_RESET, TRUNCATED_BODY, TIME_OUT = "connection-reset", "truncated-body", "time-out"
BREAKS = frozenset({CONNECTION_RESET, TRUNCATED_BODY, TIME_OUT})
# How long `time-out` is silent when the fault does not say.
SILENT_MS = 60_000.0

Answer = tuple[str, list[tuple[str, str]], bytes]


class Broken(Exception):
    """Raised past the application to the connection: end it, after this much of an answer."""

    def __init__(self, *, is_reset: bool = False, answer: Answer | None = None) -> None:
        super().__init__("the connection is to be broken")
        self.is_reset = is_reset
        self.answer = answer
