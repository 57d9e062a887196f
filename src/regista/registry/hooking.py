"""Hooks around writes: found in `regista.toml`, asked before a commit, told after it.

Without hooks nothing of `regista.hooks` is imported. A configuration that is malformed stops a
write, but never the way back: that goes on without hooks, and says so.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from regista.errors import InvalidInputError, RegistaError
from regista.registry.locating import config_for, find_config

if TYPE_CHECKING:
    from regista.hooks.lifecycle import Lifecycle
    from regista.read.replica import Replica
    from regista.write.transaction import Writer


def config_here() -> Path | None:
    """Return the `regista.toml` that counts in the current folder, if there is one."""
    with suppress(OSError):
        return find_config(Path.cwd())
    return None


class Hooking:
    """The hooks of one registry, as a configuration says them.

    Args:
        config: a `regista.toml`; None for no hooks.
        deliver: whether post-hooks are tried right after a write.
    """

    def __init__(self, config: Path | None, *, deliver: bool = True) -> None:
        self._config, self._deliver = config, deliver
        self._found: Lifecycle | None = None

    def lifecycle(self, replica: "Replica") -> "Lifecycle":
        """Return the hooks, also when there are none.

        Raises:
            InvalidInputError: the configuration is malformed.
        """
        from regista.hooks.lifecycle import Lifecycle

        return self._configured(replica) or Lifecycle((), replica)

    @contextmanager
    def around(self, writer: "Writer", ops: Iterable[str]) -> Iterator[None]:
        """Let pre-hooks have a say in the write in the block, and post-hooks hear of it.

        Args:
            writer: of the write; told of what went wrong.
            ops: the operations that are asked for.

        Raises:
            InvalidInputError: the configuration is malformed.
        """
        hooks = self._for_ops(writer, ops)
        if hooks is None:
            yield
            return
        writer.start_asking = lambda: hooks.asking(writer.warnings)
        try:
            hooks.install()
        except RegistaError as error:
            writer.warnings.append(f"the cursors of hooks cannot be kept: {error.message}")
        yield
        if self._deliver:
            hooks.deliver_now(writer.warnings)

    def _for_ops(self, writer: "Writer", ops: Iterable[str]) -> "Lifecycle | None":
        try:
            return self._configured(writer.replica)
        except InvalidInputError as error:
            from regista.decide.prehooks import WAY_BACK

            if not WAY_BACK.issuperset(ops):
                raise
            writer.warnings.append(f"no hook was asked or told: {error.message}")
            return None

    def _configured(self, replica: "Replica") -> "Lifecycle | None":
        if self._found is None and self._config is not None:
            config = config_for(self._config, "hooks", replica.store.uri)
            if config:
                from regista.hooks.config import hooks_of
                from regista.hooks.lifecycle import Lifecycle

                self._found = Lifecycle(hooks_of(config, self._config), replica)
        return self._found
