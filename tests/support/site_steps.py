"""A registry for sites, and every kind of step that it can take, with the pages that it touches."""

from collections.abc import Callable

from regista.registry.core import Registry
from support.registries import GATED, OPEN, apply_policy, new_registry, register

Step = Callable[[Registry], object]
LONG = "long text " * 200


def grown() -> Registry:
    """Make a registry with two models that have come through the gates, and who refers to them."""
    registry = new_registry(GATED)
    register(registry, "data", "rows", kind="dataset")
    for number, score in enumerate(("0.90", "0.95", "0.5"), 1):
        register(registry, "model", f"m{number}", dataset=["data@1"], params={"n": str(number)},
                 card=registry.preparing.text("card", f"{LONG} {number}"))  # fmt: skip
        registry.log_eval(f"model@{number}", "holdout", {"acc": score}, dataset="data@1")
        registry.promote(f"model@{number}", "staging")
        registry.promote(f"model@{number}", "prod")
    register(registry, "other", "o1", base=["model@1"])
    register(registry, "bundle", "b1", kind="bundle", member=["model@2"])
    register(registry, "prompt", "Say {word}", kind="prompt")
    registry.alias("model@1", "best")
    registry.describe("model", "The model.")
    return registry


NEW = ("entries/new/", "api/v1/entries/new/", "badges/new/")
OWN = ("entries/model/", "api/v1/entries/model/", "badges/model/")
# what is about the whole registry
LISTS = (
    "index.html", "models.html", "prompts.html", "datasets.html", "bundles.html", "search",
    "drills.html", "gates.html", "as-of/", "audit/", "404.html", "sql.html", "data/", "feed.xml",
    "sitemap.xml", "api/v1/index.json", "api/v1/events.json", "api/v1/drills.json",
    "api/v1/policy.json", "api/v1/stages/",
)  # fmt: skip
REST = ("entries/", "api/v1/entries/", "badges/")
STEPS: dict[str, tuple[Step, tuple[str, ...]]] = {
    "register": (lambda r: register(r, "model", "m4"), OWN),
    "register the first": (lambda r: register(r, "new", "n"), NEW),
    "register from another": (
        lambda r: register(r, "data", "rows 2", kind="dataset"),
        ("entries/data/", "api/v1/entries/data/", "badges/data/"),
    ),
    "use in another": (
        lambda r: register(r, "other", "o2", base=["model@1"]),
        (*OWN, "entries/other/", "api/v1/entries/other/", "badges/other/"),
    ),
    "create": (lambda r: r.create("new", "prompt"), NEW),
    "eval log": (lambda r: r.log_eval("model@3", "holdout", {"acc": "0.99"}), OWN),
    "eval log on data": (
        lambda r: r.log_eval("model@3", "holdout", {"acc": "0.99"}, dataset="data@1"),
        (*OWN, "entries/data/", "api/v1/entries/data/"),
    ),
    "refused": (lambda r: r.promote("model@3", "prod"), OWN),
    "promote": (lambda r: r.promote("model@2", "staging"), OWN),
    "rollback": (lambda r: r.rollback("model", "prod", reason="slow"), OWN),
    "demote": (lambda r: r.demote("model", "prod"), OWN),
    "drill": (lambda r: r.drill("model", "prod"), OWN),
    "failed drill": (lambda r: r.drill("model", "prod", smoke="exit 1"), OWN),
    "tag": (lambda r: r.tag("model", {"owner": "ann"}), OWN),
    "tag a version": (lambda r: r.tag("model@1", {"owner": "ann"}), OWN),
    "rename": (
        lambda r: r.rename("model", "renamed"),
        (*OWN, "entries/renamed/", "api/v1/entries/renamed/", "badges/renamed/", "entries/other/",
         "api/v1/entries/other/", "entries/bundle/", "api/v1/entries/bundle/", "entries/data/",
         "api/v1/entries/data/"),
    ),
    "alias": (lambda r: r.alias("model@2", "best"), OWN),
    "remove an alias": (lambda r: r.remove_alias("model", "best"), OWN),
    "deprecate": (lambda r: r.deprecate("model@2", reason="old"), OWN),
    "archive": (lambda r: r.archive("model@1", reason="old"), OWN),
    "delete": (lambda r: r.delete("model@1", reason="old"), OWN),
    "delete and purge": (lambda r: _purge(r, "model@1"), OWN),
    "describe": (lambda r: r.describe("model", f"{LONG} told"), OWN),
    "describe a version": (lambda r: r.describe("model@1", "told"), OWN),
    "apply a policy": (lambda r: apply_policy(r, OPEN), REST),
}  # fmt: skip


def _purge(registry: Registry, ref: str) -> None:
    registry.remove_alias("model", "best")
    registry.delete(ref, reason="private", purge=True)
