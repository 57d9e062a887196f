"""The writing operations, one method each, shared by `Registry` and `Transaction`.

A method prepares what must be in the store before the commit (artifacts, long texts, bulk rows),
builds a request, and submits it. Whoever inherits decides what submitting means. Every method
takes `txid`, which makes a repeat of the call return the recorded result.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from regista.registry import requests, results
from regista.registry.adding import NOTHING, Adding, AnyPath


class Writes(Adding):
    """Writing operations, over `submit`."""

    def promote(
        self,
        ref: str,
        stage: str,
        *,
        reason: str = "",
        again: bool = False,
        txid: str | None = None,
    ) -> results.Decided:
        """Ask for a stage. The gates decide; a refusal is recorded, and returned as a result."""
        request = requests.promote(ref, stage, reason=reason, again=again)
        return self._do(results.Decided, request, txid)

    def approve(
        self,
        ref: str,
        stage: str,
        *,
        meaning: str = "",
        until: str = "",
        txid: str | None = None,
    ) -> results.Approved:
        """Say yes to a version for a stage, as it is now and under the rules in force.

        Args:
            ref: the version, `NAME@SELECTOR`.
            stage: the stage, or an alias that the policy gates.
            meaning: what the yes stands for, on one line.
            until: when it ends: a time with a zone, or a date, whose end is meant.
            txid: transaction id.

        Raises:
            RefusedError: no gate asks for it, or none would count this person.
        """
        request = requests.approve(ref, stage, meaning=meaning, until=until)
        return self._do(results.Approved, request, txid)

    def waive(
        self, gate: str, ref: str, stage: str, *, reason: str, until: str, txid: str | None = None
    ) -> results.Waived:
        """Except a version from one gate, for a reason and a time.

        Args:
            gate: the gate's id, as `check` shows it.
            ref: the version, `NAME@SELECTOR`.
            stage: the stage, or an alias that the policy gates.
            reason: why; up to 1,000 characters.
            until: when it ends: a time with a zone, or a date, whose end is meant.
            txid: transaction id.

        Raises:
            NotFoundError: no such gate guards the stage.
            RefusedError: the policy does not let this person waive it, or not for so long.
        """
        request = requests.waive(gate, ref, stage, reason=reason, until=until)
        return self._do(results.Waived, request, txid)

    def demote(
        self, name: str, stage: str, *, reason: str = "", txid: str | None = None
    ) -> results.Moved:
        """Empty a slot."""
        return self._do(results.Moved, requests.demote(name, stage, reason=reason), txid)

    def rollback(
        self,
        name: str,
        stage: str,
        *,
        to: int | None = None,
        reason: str = "",
        txid: str | None = None,
    ) -> results.Moved:
        """Restore what a stage held before, or version `to` that is below on its stack.

        Raises:
            NotFoundError: there is nothing to go back to.
        """
        request = requests.rollback(name, stage, to=to, reason=reason)
        return self._do(results.Moved, request, txid)

    def drill(
        self, name: str, stage: str, *, smoke: str = "", txid: str | None = None
    ) -> results.Drilled:
        """Rehearse a rollback and record how it went; nothing moves.

        Args:
            name: the entry.
            stage: the stage.
            smoke: command to run in the folder with the fetched artifacts; it must exit 0.
            txid: transaction id.
        """
        return self._do(results.Drilled, requests.drill(name, stage, smoke=smoke), txid)

    def deprecate(
        self, ref: str, *, reason: str = "", txid: str | None = None
    ) -> results.StatusChanged:
        """Warn off a version: it resolves still, but can no longer be promoted."""
        request = requests.status("deprecate", ref, reason=reason)
        return self._do(results.StatusChanged, request, txid)

    def restore(
        self, ref: str, *, reason: str = "", txid: str | None = None
    ) -> results.StatusChanged:
        """Make a deprecated or archived version active again."""
        request = requests.status("restore", ref, reason=reason)
        return self._do(results.StatusChanged, request, txid)

    def archive(
        self, ref: str, *, reason: str = "", txid: str | None = None
    ) -> results.StatusChanged:
        """Take a version out of use."""
        request = requests.status("archive", ref, reason=reason)
        return self._do(results.StatusChanged, request, txid)

    def delete(
        self, ref: str, *, reason: str = "", purge: bool = False, txid: str | None = None
    ) -> results.StatusChanged:
        """Leave a tombstone of a version; with `purge`, `gc` may remove its artifacts."""
        request = requests.status("delete", ref, reason=reason, purge=purge)
        return self._do(results.StatusChanged, request, txid)

    def rename(self, name: str, to: str, *, txid: str | None = None) -> results.Renamed:
        """Give an entry another name; everything stays with it."""
        return self._do(results.Renamed, requests.rename(name, to), txid)

    def alias(self, ref: str, alias: str, *, txid: str | None = None) -> results.Aliased:
        """Point an alias at a version."""
        return self._do(results.Aliased, requests.alias(ref, alias), txid)

    def remove_alias(self, name: str, alias: str, *, txid: str | None = None) -> results.Aliased:
        """Remove an alias."""
        return self._do(results.Aliased, requests.remove_alias(name, alias), txid)

    def tag(
        self,
        subject: str,
        tags: Mapping[str, str] = NOTHING,
        *,
        remove: Sequence[str] = (),
        allow_secrets: bool = False,
        txid: str | None = None,
    ) -> results.Tagged:
        """Set and remove tags of an entry (`NAME`) or a version (`NAME@V`).

        Raises:
            InvalidInputError: a tag is malformed, or looks like a credential.
        """
        request = requests.tag(subject, tags, remove, allow_secrets=allow_secrets)
        return self._do(results.Tagged, request, txid)

    def describe(
        self, subject: str, description: str, *, txid: str | None = None
    ) -> results.Written:
        """Set the description of an entry (`NAME`) or a version (`NAME@V`)."""
        text = self.preparing.text("description", description)
        return self._do(results.Written, requests.describe(subject, text), txid)

    def apply_policy(
        self, policy: AnyPath, *, reason: str = "", txid: str | None = None
    ) -> results.PolicyApplied:
        """Put a policy file in force, with every file that it names.

        The `policy_change` gates of the policy in force decide; a refusal is recorded, and
        returned as a result.

        Raises:
            InvalidInputError: the policy has an error; the message says where.
            RefusedError: it drops a stage that is held.
        """
        digest = self.preparing.policy(Path(policy))
        return self._do(results.PolicyApplied, requests.apply_policy(digest, reason=reason), txid)

    def approve_policy(
        self, policy: AnyPath, *, meaning: str = "", until: str = "", txid: str | None = None
    ) -> results.PolicyApproved:
        """Say yes to a policy file, with every file that it names, before it is put in force.

        Args:
            policy: the policy file.
            meaning: what the yes stands for, on one line.
            until: when it ends: a time with a zone, or a date, whose end is meant.
            txid: transaction id.

        Raises:
            InvalidInputError: the policy has an error; the message says where.
            RefusedError: the policy in force asks for no approval, or not for this person's.
        """
        digest = self.preparing.policy(Path(policy))
        request = requests.approve_policy(digest, meaning=meaning, until=until)
        return self._do(results.PolicyApproved, request, txid)
