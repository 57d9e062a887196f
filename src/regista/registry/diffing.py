"""What differs between two versions, from what `show` says of each. Pure.

Only what is in both views is compared: scores are those over all of the data that heads keep.
"""

from collections.abc import Mapping
from typing import Any

from regista.errors import InvalidInputError
from regista.model.names import shown
from regista.model.numbers import decimal_text, parse_decimal

View = Mapping[str, Any]
FACTS = ("status", "label", "uri", "run", "code")
TEXTS = ("card", "description")


def difference(one: View, other: View) -> dict[str, Any]:
    """Return what differs between two versions.

    Args:
        one: what `show` says of the first version.
        other: and of the second.

    Returns:
        `from` and `to` (name, version, digest), `same_artifacts`, `files`, `params`, `tags`
        (each added, removed and changed), `facts` and `texts` that changed, `lineage` (added and
        removed), and `scores` (those of either, with the difference where both have one).

    Raises:
        InvalidInputError: one of the two is an entry, not a version.
    """
    for view in (one, other):
        if "version" not in view:
            raise InvalidInputError(
                f"{shown(view['name'])} is an entry; a diff is of two versions",
                hint=f"write {view['name']}@latest or {view['name']}@prod",
            )
    return {
        "from": _identity(one),
        "to": _identity(other),
        "same_artifacts": one["digest"] == other["digest"],
        "files": _mapping_difference(_files(one), _files(other)),
        "params": _mapping_difference(one["params"], other["params"]),
        "tags": _mapping_difference(one["tags"], other["tags"]),
        "facts": {
            name: {"from": one[name], "to": other[name]}
            for name in FACTS
            if one[name] != other[name]
        },
        "texts": [name for name in TEXTS if _text(one, name) != _text(other, name)],
        "lineage": _lineage_difference(one, other),
        "scores": _score_difference(one, other),
    }


def _identity(view: View) -> dict[str, Any]:
    return {name: view[name] for name in ("name", "version", "digest")}


def _files(view: View) -> dict[str, dict[str, Any]]:
    return {
        item["path"]: {"sha256": item["sha256"], "size": item["size"]} for item in view["artifacts"]
    }


def _text(view: View, name: str) -> tuple[str, str]:
    # a purged text is known by its digest still
    return view[name] or "", view[f"{name}_digest"] or ""


def _mapping_difference(one: View, other: View) -> dict[str, Any]:
    return {
        "added": {key: other[key] for key in sorted(set(other) - set(one))},
        "removed": {key: one[key] for key in sorted(set(one) - set(other))},
        "changed": {
            key: {"from": one[key], "to": other[key]}
            for key in sorted(set(one) & set(other))
            if one[key] != other[key]
        },
    }


def _lineage_difference(one: View, other: View) -> dict[str, list[dict[str, str]]]:
    before, after = (
        {(item["relation"], item["target"]) for item in view["lineage"]} for view in (one, other)
    )
    return {
        name: [{"relation": relation, "target": target} for relation, target in sorted(targets)]
        for name, targets in (("added", after - before), ("removed", before - after))
    }


def _score_difference(one: View, other: View) -> list[dict[str, Any]]:
    before, after = _scores(one), _scores(other)
    result = []
    for suite, task, metric in sorted(set(before) | set(after)):
        old, new = (scores.get((suite, task, metric)) for scores in (before, after))
        result.append(
            {
                "suite": suite,
                "task": task,
                "metric": metric,
                "from": old,
                "to": new,
                "difference": _subtracted(new, old),
            }
        )
    return result


def _scores(view: View) -> dict[tuple[str, str, str], str]:
    return {
        (suite, score["task"], score["metric"]): score["value"]
        for suite, run in view["evals"].items()
        for score in run["main"]
    }


def _subtracted(new: str | None, old: str | None) -> str | None:
    if new is None or old is None:
        return None
    return decimal_text(parse_decimal(new, "a score") - parse_decimal(old, "a score"))
