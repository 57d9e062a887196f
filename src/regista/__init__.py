"""Regista: a model and prompt registry with no server.

```python
import regista

reg = regista.open("registry_data")
reg.register("fraud/card", "model/", kind="model")
reg.log_eval("fraud/card@latest", "holdout", {"auc": "0.934"})
reg.promote("fraud/card@latest", "staging")
reg.resolve("fraud/card@prod").version
```

Names are loaded when they are first used, so importing this package costs nothing.
"""

from typing import TYPE_CHECKING, Any

from regista.version import __version__

if TYPE_CHECKING:
    from regista import errors
    from regista.registry.core import Registry, Transaction
    from regista.registry.opening import init_registry as init
    from regista.registry.opening import open_registry as open  # noqa: A004 - regista.open reads well
    from regista.registry.policy_tests import run_tests as test_policy
    from regista.registry.transfers import export_full, import_full, mirror

__all__ = [
    "Registry",
    "Transaction",
    "__version__",
    "errors",
    "export_full",
    "import_full",
    "init",
    "mirror",
    "open",
    "test_policy",
]

_HOMES = {
    "open": ("regista.registry.opening", "open_registry"),
    "init": ("regista.registry.opening", "init_registry"),
    "mirror": ("regista.registry.transfers", "mirror"),
    "export_full": ("regista.registry.transfers", "export_full"),
    "import_full": ("regista.registry.transfers", "import_full"),
    "Registry": ("regista.registry.core", "Registry"),
    "Transaction": ("regista.registry.core", "Transaction"),
    "errors": ("regista.errors", ""),
    "test_policy": ("regista.registry.policy_tests", "run_tests"),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what it loads decides
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'regista' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    loaded = import_module(module)
    return getattr(loaded, attribute) if attribute else loaded
