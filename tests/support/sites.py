"""The sites that tests look at: each registry and site is built once for all processes of a run."""

import fcntl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from support import site_registries
from support.browser import file_base, serve
from support.site_building import build_site

MAKERS: dict[str, Callable[[Path], Path]] = {
    "empty": site_registries.empty,
    "demo": site_registries.demo,
    "waived": site_registries.waived,
    "hard": site_registries.hard,
    "hostile": site_registries.hostile,
}


@dataclass
class Sites:
    """Registries and their sites by name, made when they are first asked for."""

    root: Path
    stack: ExitStack
    _served: dict[str, str] = field(default_factory=dict)

    def registry(self, name: str) -> Path:
        """Return the folder of a registry."""
        return self._once(f"{name}-registry", MAKERS[name])

    def folder(self, name: str) -> Path:
        """Return the folder of a registry's site."""
        registry = self.registry(name)
        return self._once(f"{name}-site", lambda out: build_site(registry, out))

    def http(self, name: str) -> str:
        """Return the URL at which a site is served, below a path of its own."""
        if name not in self._served:
            self._served[name] = self.stack.enter_context(serve(self.folder(name)))
        return self._served[name]

    def file(self, name: str) -> str:
        """Return the URL of a site on the disk."""
        return file_base(self.folder(name))

    def _once(self, name: str, make: Callable[[Path], Path]) -> Path:
        done, target = self.root / f"{name}.done", self.root / name
        with (self.root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                make(target)
                done.touch()
        return target
