"""A registry with secrets and addresses in every text that somebody can give."""

import json
from typing import Any

from regista.decide.operations.context import Payload
from regista.registry import requests
from regista.registry.core import Registry
from regista.storage.memory import MemoryStore
from support.registries import STAGES, apply_policy, new_registry, register
from support.scripted import put_files

_BODY = "MIIEowIBAAKCAQEA75GmQvS1xKq"
_BEGIN_RSA = "-----BEGIN RSA PRIVATE KEY-----"
_ENCRYPTED = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0F"
_BEGIN_PGP = "-----BEGIN PGP PRIVATE KEY BLOCK-----"
_END_PGP = "-----END PGP PRIVATE KEY BLOCK-----"
_WORD = "0123456789abcdefghijABCDEFGHIJ0123456789"
# for each pattern: a text that it is to find, and the part of it that must not be seen
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "an AWS access key": (("AKIAIOSFODNN7EXAMPLE",) * 2, ("ASIAIOSFODNN7EXAMPLE",) * 2),
    "a GitHub token": ((f"ghp_{_WORD}",) * 2, (f"github_pat_{_WORD}{_WORD}",) * 2),
    "a GitLab token": ((f"glpat-{_WORD[:20]}",) * 2,),
    "a Slack token": (("xoxb-123456789012-abcdefABCDEF",) * 2,),
    "an API key of OpenAI or Anthropic": ((f"sk-ant-{_WORD}",) * 2, (f"sk-{_WORD}",) * 2),
    "a Google API key": ((f"AIza{_WORD[:35]}",) * 2,),
    "a Hugging Face token": ((f"hf_{_WORD[:34]}",) * 2,),
    "a PyPI token": ((f"pypi-{_WORD}{_WORD}",) * 2,),
    "a Stripe key": ((f"sk_live_{_WORD[:24]}",) * 2, (f"rk_live_{_WORD[:24]}",) * 2),
    "a JSON web token": ((f"eyJ{_WORD}.eyJ{_WORD}.{_WORD}", f"eyJ{_WORD}"),),
    "a private key": (
        (f"-----BEGIN PRIVATE KEY-----\n{_BODY}\n-----END PRIVATE KEY-----", _BODY),
        (f"{_BEGIN_RSA}\n{_ENCRYPTED}\n\n{_BODY}\n-----END RSA PRIVATE KEY-----", _BODY),
        (f"-----BEGIN OPENSSH PRIVATE KEY-----\r\n{_BODY}\r\n-----END OPENSSH PRIVATE KEY-----",
         _BODY),
        (f"{_BEGIN_PGP}\nVersion: GnuPG v2 (1.0)\n\n{_BODY}=\n=ab1c\n{_END_PGP}", _BODY),
        (f"-----BEGIN EC PRIVATE KEY-----\n{_BODY}", _BODY),
    ),
    "a password in an address": (
        ("postgres://admin:hunter2secret@db.example/x", "hunter2secret"),
        ("redis://:hunter3secret@cache.example", "hunter3secret"),
        ("HTTPS://bob:hunter4secret@e.example/", "hunter4secret"),
        ("amqp://u:pw@rt:hunter5secret@mq.example", "hunter5secret"),
    ),
}  # fmt: skip
TEXTS = tuple(text for pairs in EXAMPLES.values() for text, _part in pairs)
PARTS = tuple(dict.fromkeys(part for pairs in EXAMPLES.values() for _text, part in pairs))
# values that are secrets only because of their names
BY_NAME = {"db.password": "swordfish one", "API_KEY": "swordfish two", "auth-token": "swordfish 3"}
ADDRESSES = ("alice@example.com", "first.last+tag@sub.example.org", "bob@bücher.example",
             "carol@пример.испытание")  # fmt: skip
DOMAINS = ("@example.com", "@sub.example.org", "@bücher.example", "@пример.испытание")

LINE = " ".join(text for text in TEXTS if "\n" not in text and "\r" not in text)
ALL = "\n".join((*TEXTS, *ADDRESSES))
LONG = f"{ALL}\n{'long ' * 300}\n{ALL}"


def in_one_line(texts: tuple[str, ...], limit: int) -> list[str]:
    """Return texts without line breaks that are no longer than a field takes."""
    return [text for text in texts if text.isprintable() and len(text) <= limit]


def secret_registry() -> Registry:
    """Make a registry whose every text holds what must not be published."""
    registry = new_registry(_policy(), store=MemoryStore("secrets"), actor=ADDRESSES[0])
    apply_policy(registry, {**_policy(), "side_stages": ["shadow", "canary"]})
    _model(registry)
    _prompt(registry)
    _told(registry)
    return registry


def _policy() -> dict[str, Any]:
    return {
        **STAGES,
        "ungated": "allow",
        "rules": [
            {
                "match": {"name": ["guarded*", f"never-{TEXTS[0]}"]},
                "stage": "prod",
                "gates": [
                    {"threshold": {"suite": ADDRESSES[0], "metric": TEXTS[0], "min": "0.8",
                                   "id": f"asked-by-{TEXTS[0]}"}},
                ],
            }
        ],
    }  # fmt: skip


def _named() -> dict[str, str]:
    """Return every example as a value, inside a value, and as a key."""
    found = {f"value {number}": text for number, text in enumerate((*TEXTS, *ADDRESSES))}
    found |= {f"within {key}": f"first line\n{text}\nlast" for key, text in found.items()}
    found |= {f'quoted {key}"\\': f'"{text}"\\' for key, text in list(found.items())[:60]}
    found |= dict.fromkeys(in_one_line((*TEXTS, *ADDRESSES), 250), "as a key")
    return {**found, **BY_NAME, "http://host": ADDRESSES[0]}


def _model(registry: Registry) -> None:
    named = _named()
    for number, card in enumerate((ALL[:900], LONG)):
        register(
            registry, "model", f"{number}", params=named, tags=named, source=named,
            card=registry.preparing.text("card", card), run=TEXTS[0], code=ADDRESSES[0],
            label=f"{number}.{TEXTS[2]}", allow_secrets=True,
        )  # fmt: skip
    registry.register("model", uri=TEXTS[-3], allow_secrets=True)
    registry.tag("model", named, allow_secrets=True)
    registry.describe("model", ALL[:900])
    registry.describe("model@1", LONG)
    registry.describe("model@2", ALL[:900])


def _prompt(registry: Registry) -> None:
    store = registry.replica.store
    # JSON and source code write a line break as two characters
    escaped = json.dumps({"system": f"be kind\n{ALL}", "keys": [f"\n{text}" for text in TEXTS]})
    for number in range(2):
        contents = {"prompt.txt": f"{number} {ALL}", "config.json": f"{escaped}{number}"}
        manifest, rows = put_files(store, contents)
        registry.submit(
            requests.register(
                "prompt", manifest, kind="prompt", label=None, run=None, code=None, relations={},
                params={}, tags={}, card={}, source={}, force_new=False,
                payload=Payload({"files": rows}),
            )
        )  # fmt: skip


def _told(registry: Registry) -> None:
    registry.log_eval(
        "model@1", ADDRESSES[0], {"acc": "0.9", TEXTS[0]: "0.5"}, dataset=LINE[:200],
        harness=TEXTS[1], harness_version=ADDRESSES[1], code=TEXTS[2], note=LONG,
        samples=[{"sample_id": f"sample-{ADDRESSES[0]}", "metric": "acc", "value": 1}],
    )  # fmt: skip
    register(registry, "guarded", "g")
    registry.promote("guarded@1", "prod", reason=ALL)
    registry.log_eval("guarded@1", ADDRESSES[0], {TEXTS[0]: "0.5"})
    registry.promote("guarded@1", "prod", reason=ALL)
    for ref in ("model@1", "model@2"):
        registry.promote(ref, "prod", reason=ALL)
    registry.drill("model", "prod", smoke=f"echo '{LINE} {ADDRESSES[0]}'; exit 1")
    registry.rollback("model", "prod", reason=LONG[:9000])
    registry.demote("model", "prod", reason=ALL)
    registry.deprecate("model@1", reason=ALL)
    registry.restore("model@1", reason=ALL)
    registry.archive("model@2", reason=LONG[:9000])
    registry.delete("model@1", reason=ALL)
