"""One hook, as a configuration describes it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from regista.decide.prehooks import OnError

DEFAULT_TIMEOUT_S = 10.0


class When(StrEnum):
    """Whether a hook may veto, or hears of what was committed."""

    PRE = "pre"
    POST = "post"


@dataclass(frozen=True, slots=True)
class Match:
    """Which operations a hook is for; patterns as in a policy, and () for all.

    Attributes:
        kind: kinds of entries.
        entry: patterns of entries' names.
        stage: patterns of stages.
    """

    kind: tuple[str, ...] = ()
    entry: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook.

    Attributes:
        id: what it is called; its cursor has that name.
        on: operations (`promote`), outcomes (`refused`), both (`promote.refused`), or `*`.
        when: before the commit or after it.
        match: which of them.
        folder: where a command runs: that of the configuration.
        command: program and arguments; () for a webhook.
        url: where a webhook goes; '' when a variable says so.
        url_env: name of the environment variable that holds the URL.
        secret_env: names of the variables that hold the signing secrets, the current one first.
        timeout_s: seconds that one attempt may take.
        on_error: what follows when a pre-hook does not answer.
        allow_http: whether the URL may be without TLS.
        allow_private: whether the receiver's address may be private, such as 10.0.0.7.
        emails: whether e-mail addresses are sent whole.
    """

    id: str
    on: tuple[str, ...]
    when: When
    match: Match
    folder: Path
    command: tuple[str, ...] = ()
    url: str = ""
    url_env: str = ""
    secret_env: tuple[str, ...] = ()
    timeout_s: float = DEFAULT_TIMEOUT_S
    on_error: OnError = OnError.REFUSE
    allow_http: bool = False
    allow_private: bool = False
    emails: bool = False
