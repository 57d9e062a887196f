"""`metadata`: what must be written down about a version before it goes anywhere."""

from collections.abc import Iterator
from unicodedata import normalize

from regista.decide.evidence import Case
from regista.decide.gates.field_types import BOOLEAN, TAGS, Params, texts
from regista.decide.gates.fields import CheckContext, Field, Problems, Stricter, exclusive
from regista.decide.gates.findings import clip, failed, listed, passed, ref
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows
from regista.decide.policy_problem import problem
from regista.decide.verdict import Finding

_LICENCE_TAGS = ("license", "licence")
_FLAGS = ("card", "description", "label")
_LONGEST_SHOWN = 60


def evaluate(params: Params, case: Case) -> Finding:
    """Judge tags, texts and parameters as they are at the decision."""
    asked = list(_asked(params, case))
    lacks = [(what, found, remedy) for what, found, remedy in asked if found is not None]
    required = clip(listed([what for what, _found, _remedy in asked], len(asked)))
    evidence = (f"version:{case.version.version}",)
    if not lacks:
        return passed(
            f"all {len(asked)} there", required, "all that was asked for is there", evidence
        )
    observed = clip(listed([found for _what, found, _remedy in lacks if found]))
    many = listed([what for what, _found, _remedy in lacks])
    reason = f"version {case.version.version} lacks {many}: {observed}"
    remedy = listed(list(dict.fromkeys(remedy for _what, _found, remedy in lacks)))
    return failed(observed, required, reason, remedy, evidence)


def evidence(params: Params, case: Case) -> Rows:
    """Return the tags, texts and parameters asked for, as they are now."""
    tags, version = {**case.entry.tags, **case.version.tags}, case.version
    keys = [item if isinstance(item, str) else next(iter(item)) for item in params.get("tags", [])]
    if {"licence", "license"} & set(params):
        keys += _LICENCE_TAGS
    rows: Rows = [{"tag": key, "value": tags.get(key)} for key in keys]
    rows += [
        {"param": name, "value": version.params.get(name)} for name in params.get("params", [])
    ]
    asked = {
        "card": [version.card, version.card_digest],
        "description": [
            version.description,
            version.description_digest,
            case.entry.description,
            case.entry.description_digest,
        ],
        "label": [version.label],
    }
    return [*rows, *({flag: asked[flag]} for flag in _FLAGS if params.get(flag))]


def _asked(params: Params, case: Case) -> Iterator[tuple[str, str | None, str]]:
    """Give what is asked, what was found instead (None when it is met), and what to do."""
    tags = {**case.entry.tags, **case.version.tags}
    for item in params.get("tags", []):
        key, wanted = (item, None) if isinstance(item, str) else next(iter(item.items()))
        yield _tag(case, tags, (key,), wanted)
    licences = params.get("licence", params.get("license"))
    if licences is not None:
        yield _tag(case, tags, _LICENCE_TAGS, licences)
    version = case.version
    texts_there = {
        "card": version.card or version.card_digest,
        "description": version.description
        or version.description_digest
        or case.entry.description
        or case.entry.description_digest,
        "label": version.label,
    }
    remedies = {
        "card": "register it again with --card FILE --force-new",
        "description": f"regista describe {ref(case)} TEXT",
        "label": "register it again with --label LABEL --force-new",
    }
    for flag in _FLAGS:
        if params.get(flag):
            yield f"a {flag}", None if texts_there[flag] else f"no {flag}", remedies[flag]
    for name in params.get("params", []):
        found = None if name in version.params else f"no param {name}"
        yield f"param {name}", found, f"register it again with --param {name}=… --force-new"


def _tag(
    case: Case, tags: dict[str, str], keys: tuple[str, ...], wanted: str | list[str] | None
) -> tuple[str, str | None, str]:
    allowed = [wanted] if isinstance(wanted, str) else wanted
    what = f"tag {keys[0]}" + (f" = {' or '.join(allowed)}" if allowed else "")
    remedy = f"regista tag {ref(case)} {keys[0]}={allowed[0] if allowed else '…'}"
    value = next((tags[key] for key in keys if key in tags), None)
    if value is None:
        return what, f"no tag {keys[0]}", remedy
    if allowed and normalize("NFC", value) not in allowed:
        return what, f"{keys[0]} = {clip(value, _LONGEST_SHOWN)}", remedy
    return what, None, remedy


def _cross_check(params: Params, _context: CheckContext) -> Problems:
    problems = exclusive(params, "licence", "license")
    asks = any(params.get(flag) for flag in _FLAGS)
    if not asks and not {"tags", "params", "licence", "license"} & set(params):
        problems += problem("the gate asks for nothing", "name tags, params, a licence or a card")
    return problems


_LICENCES = texts("licences")

KIND = GateKind(
    kind="metadata",
    revision=1,
    summary="The candidate has these tags, texts and parameters.",
    fields=(
        Field(
            "tags",
            TAGS,
            "tags that it must have, with a value, or one of a list of values",
            stricter=Stricter.MORE,
        ),
        Field(
            "card",
            BOOLEAN,
            "whether it must have a card",
            default="false",
            stricter=Stricter.TRUE,
            assumed=False,
        ),
        Field(
            "description",
            BOOLEAN,
            "whether it or its entry must have a description",
            default="false",
            stricter=Stricter.TRUE,
            assumed=False,
        ),
        Field(
            "label",
            BOOLEAN,
            "whether it must have a label",
            default="false",
            stricter=Stricter.TRUE,
            assumed=False,
        ),
        Field(
            "params",
            texts("params"),
            "parameters that it must have been registered with",
            stricter=Stricter.MORE,
        ),
        Field(
            "licence",
            _LICENCES,
            "values that the tag `license` (or `licence`) may have",
            stricter=Stricter.FEWER,
        ),
        Field("license", _LICENCES, "the same as `licence`", stricter=Stricter.FEWER),
    ),
    evaluate=evaluate,
    evidence=evidence,
    cross_check=_cross_check,
    notes="A tag of the entry counts for all of its versions that do not have their own.",
)
