"""From what a caller gives to requests: every argument is validated here, once.

The functions are pure; texts too long for a row and artifacts have become digests before.
Arguments that were not given are left out, so that the recorded intent is short and a repeat with
the same arguments has the same digest.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from regista.decide.operations.context import Payload, Request
from regista.decide.operations.evaluating import RUN_STATUSES
from regista.errors import InvalidInputError
from regista.model import names
from regista.model.manifest import Manifest
from regista.model.secrets import find_secret
from regista.model.selectors import VersionRef
from regista.model.times import format_time, parse_time


def given(**arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    """Return the arguments that say something."""
    return {
        name: value
        for name, value in arguments.items()
        # not `in (…, False)`: zero is equal to False, and says something
        if value is not None and value is not False and value not in ("", [], {})
    }


def create(name: str, kind: str, description: Mapping[str, str]) -> Request:
    """Request an entry without versions."""
    return Request(
        "create",
        {
            "name": names.entry_name(name),
            "kind": names.kind(kind),
            **description,
        },
    )


def register(
    name: str,
    manifest: Manifest,
    *,
    kind: str | None,
    label: str | None,
    run: str | None,
    code: str | None,
    relations: Mapping[str, Iterable[str]],
    params: Mapping[str, str],
    tags: Mapping[str, str],
    card: Mapping[str, str],
    source: Mapping[str, str],
    force_new: bool,
    payload: Payload,
    allow_secrets: bool = False,
) -> Request:
    """Request a version whose artifacts are stored already."""
    if manifest.uri and not allow_secrets:
        refuse_secret("uri", manifest.uri)
    args = {
        "name": names.entry_name(name),
        "manifest": manifest.digest,
        "files": len(manifest.files),
        "bytes": manifest.size,
        **given(
            kind=names.kind(kind) if kind else None,
            uri=manifest.uri,
            label=names.label(label) if label else None,
            run=names.identifier(run, "a run") if run else None,
            code=names.identifier(code, "a code revision") if code else None,
            params=pairs(params, allow_secrets=allow_secrets),
            tags=pairs(tags, allow_secrets=allow_secrets),
            source=dict(source),
            force_new=force_new,
            **{relation: references(refs) for relation, refs in relations.items()},
        ),
        **card,
    }
    return Request("register", args, payload)


def eval_log(
    ref: str,
    suite: str,
    *,
    status: str,
    dataset: str,
    facts: Mapping[str, str],
    source_digest: str,
    payload: Payload,
    evaluated_at: str = "",
    texts_digest: str = "",
    imported: bool = False,
    force_new: bool = False,
) -> Request:
    """Request an eval run; facts are harness, harness_version, code and note.

    An imported one is the run that was imported before, when all of it is equal, unless
    `force_new` asks for another.
    """
    if status not in RUN_STATUSES:
        raise InvalidInputError(
            f"{names.shown(status)} is not a run status", hint=f"use {', '.join(RUN_STATUSES)}"
        )
    texts = {
        key: names.plain_text(value, key, names.MAX_REASON) for key, value in facts.items() if value
    }
    args = {
        "ref": reference(ref),
        "suite": names.identifier(suite, "a suite"),
        "status": status,
        "source_digest": source_digest,
        **given(
            dataset=names.plain_text(dataset, "a dataset", names.MAX_NAME),
            evaluated_at=evaluated_at,
            texts_digest=texts_digest,
            imported=imported,
            force_new=force_new,
        ),
        **texts,
    }
    return Request("eval log", args, payload)


def promote(ref: str, stage: str, *, reason: str, again: bool) -> Request:
    """Request a version for a stage."""
    if again and not reason.strip():
        raise InvalidInputError(
            "--again needs a reason", hint="add --reason WHY: it was rolled back before"
        )
    return Request(
        "promote",
        {
            "ref": reference(ref),
            "stage": stage,
            **given(reason=names.reason(reason), again=again),
        },
    )


def approve(ref: str, stage: str, *, meaning: str, until: str) -> Request:
    """Request a person's yes to a version for a stage or gated alias."""
    return Request("approve", {"ref": reference(ref), "stage": stage, **_signed(meaning, until)})


def approve_policy(digest: str, *, meaning: str, until: str) -> Request:
    """Request a person's yes to a stored policy."""
    return Request("policy approve", {"policy": digest, **_signed(meaning, until)})


def _signed(meaning: str, until: str) -> dict[str, str]:
    return given(
        meaning=names.identifier(meaning, "a meaning") if meaning else "",
        until=format_time(parse_time(until)) if until else "",
    )


def waive(gate: str, ref: str, stage: str, *, reason: str, until: str) -> Request:
    """Request an exception to a gate of a version's way into a stage or gated alias."""
    if not reason.strip():
        raise InvalidInputError("a waiver needs a reason", hint="add --reason WHY")
    return Request(
        "waive",
        {
            "gate": names.plain_text(gate, "a gate", names.MAX_REASON),
            "ref": reference(ref),
            "stage": stage,
            "reason": names.plain_text(reason, "a waiver's reason", names.SHORT_TEXT),
            "until": format_time(parse_time(until)),
        },
    )


def demote(name: str, stage: str, *, reason: str) -> Request:
    """Request that a slot be emptied."""
    return Request(
        "demote",
        {
            "name": names.entry_name(name),
            "stage": stage,
            **given(reason=names.reason(reason)),
        },
    )


def rollback(name: str, stage: str, *, to: int | None, reason: str) -> Request:
    """Request the way back."""
    if to is not None and (isinstance(to, bool) or to < 1):
        raise InvalidInputError(f"{to} is not a version number", hint="versions count from 1")
    return Request(
        "rollback",
        {
            "name": names.entry_name(name),
            "stage": stage,
            **given(to=to, reason=names.reason(reason)),
        },
    )


def drill(name: str, stage: str, *, smoke: str) -> Request:
    """Request a rehearsal of the way back."""
    return Request(
        "drill",
        {
            "name": names.entry_name(name),
            "stage": stage,
            **given(smoke=names.plain_text(smoke, "a smoke command", names.MAX_REASON)),
        },
    )


def status(op: str, ref: str, *, reason: str, purge: bool = False) -> Request:
    """Request `deprecate`, `restore`, `archive` or `delete`."""
    return Request(
        op,
        {
            "ref": reference(ref),
            **given(reason=names.reason(reason), purge=purge),
        },
    )


def rename(name: str, to: str) -> Request:
    """Request another name for an entry."""
    return Request("rename", {"name": names.entry_name(name), "to": names.entry_name(to)})


def alias(ref: str, alias_name: str) -> Request:
    """Request that an alias point at a version."""
    return Request("alias", {"ref": reference(ref), "alias": names.slug(alias_name, "an alias")})


def remove_alias(name: str, alias_name: str) -> Request:
    """Request that an alias be removed."""
    return Request(
        "alias",
        {
            "name": names.entry_name(name),
            "alias": names.slug(alias_name, "an alias"),
            "remove": True,
        },
    )


def tag(
    subject: str,
    changes: Mapping[str, str],
    remove: Iterable[str],
    *,
    allow_secrets: bool = False,
) -> Request:
    """Request changed tags of an entry or a version."""
    removed = [names.tag_key(key) for key in remove]
    if not changes and not removed:
        raise InvalidInputError("no tag is given", hint="write key=value, or --remove key")
    return Request(
        "tag",
        {
            "ref": entry_or_reference(subject),
            **given(set=pairs(changes, allow_secrets=allow_secrets), remove=removed),
        },
    )


def describe(subject: str, description: Mapping[str, str]) -> Request:
    """Request a description of an entry or a version."""
    return Request("describe", {"ref": entry_or_reference(subject), **description})


def apply_policy(digest: str, *, reason: str) -> Request:
    """Request that a stored policy be put in force."""
    return Request("policy apply", {"policy": digest, **given(reason=names.reason(reason))})


def pairs(items: Mapping[str, str], *, allow_secrets: bool = False) -> dict[str, str]:
    """Validate tags or parameters.

    Raises:
        InvalidInputError: one is malformed, or looks like a credential and that is not allowed:
            what is in the log can be read by everybody who has the registry, for ever.
    """
    valid = {names.tag_key(key): names.tag_value(value) for key, value in items.items()}
    if not allow_secrets:
        for key, value in valid.items():
            refuse_secret(key, value)
    return valid


def refuse_secret(name: str, value: str) -> None:
    """Refuse a value that looks like a credential.

    Raises:
        InvalidInputError: it does.
    """
    found = find_secret(name, value)
    if found:
        raise InvalidInputError(
            f"{names.shown(name)} looks like {found}, and a registry keeps it for ever",
            hint="keep secrets elsewhere; if it is none, add --allow-secrets",
        )


def reference(ref: str) -> str:
    """Validate `NAME@SELECTOR`."""
    return str(VersionRef.parse(ref))


def references(refs: Iterable[str]) -> list[str]:
    """Validate several `NAME@SELECTOR`."""
    return [reference(ref) for ref in refs]


def entry_or_reference(subject: str) -> str:
    """Validate `NAME` or `NAME@SELECTOR`."""
    return reference(subject) if "@" in subject else names.entry_name(subject)
