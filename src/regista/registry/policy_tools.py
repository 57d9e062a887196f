"""Policies compared and tried out: `test_policy`, `diff_policy`, `backtest_policy`.

None of them writes. A policy is named as for `apply_policy`: a file, or the name of a starter.
"""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regista.registry.reads import Reads

if TYPE_CHECKING:
    from regista.decide.policy_bundle import PolicyBundle
    from regista.decide.policy_diff import PolicyDifference
    from regista.registry.backtesting import Backtest
    from regista.registry.policy_tests import FileResult

AnyPath = str | PathLike[str]


class PolicyTools(Reads):
    """Tools for policies, over what a registry holds."""

    def test_policy(self, file: AnyPath, *, policy: AnyPath | None = None) -> "FileResult":
        """Run the tests of a policy; see `docs/policy.md` for what a test file says.

        Args:
            file: the test file.
            policy: the policy to test; else the one that the file names, else the one in force.

        Raises:
            InvalidInputError: a file is missing or malformed, or a test says what cannot be.
        """
        from regista.registry.policy_tests import run_tests

        named = None if policy is None else Path(policy)
        return run_tests(Path(file), named, self.policy_bundle)

    def diff_policy(
        self, one: AnyPath | None = None, other: AnyPath | None = None
    ) -> "PolicyDifference":
        """Return what differs between two policies, and what of it loosens.

        Args:
            one: the policy to compare; without `other`, it is what the policy in force would be
                replaced by.
            other: the policy that would replace `one`. Without both, the policy in force is
                compared with the one before it.

        Raises:
            InvalidInputError: a file is missing or is no policy.
            NotFoundError: there was no policy before the one in force.
        """
        from regista.decide.policy_diff import difference
        from regista.policyfile.loading import read_policy

        if one is None:
            old, new = self._policy_before(), self.policy_bundle()
        elif other is None:
            old, new = self.policy_bundle(), read_policy(Path(one))
        else:
            old, new = read_policy(Path(one)), read_policy(Path(other))
        return difference(old.policy, new.policy)

    def backtest_policy(
        self,
        policy: AnyPath,
        *,
        limit: int = 1_000,
        progress: Any = None,  # noqa: ANN401 - see storage.artifacts.Progress
    ) -> "Backtest":
        """Judge all past promotions by another policy, on the evidence of then.

        Args:
            policy: the policy.
            limit: how many findings are listed; all are counted.
            progress: told of commits walked over.

        Raises:
            InvalidInputError: the file is missing or is no policy.
            IntegrityError: the log cannot be followed to its head.
        """
        from regista.policyfile.loading import read_policy
        from regista.registry.backtesting import backtest

        bundle = read_policy(Path(policy))
        return backtest(self.replica, bundle, limit=limit, progress=progress)

    def _policy_before(self) -> "PolicyBundle":
        from regista.errors import NotFoundError

        seq = self._ask(None, lambda state: state.facts.get("policy_seq", 0))
        if seq <= 1:
            raise NotFoundError("the policy in force is the first", hint="regista policy diff FILE")
        return self.policy_bundle(as_of=seq - 1)
