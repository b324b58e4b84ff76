"""IAM policy documents: parse them, and decide requests as AWS does. Pure: no AWS is asked.

`Policy.parse` compiles a document once; `evaluate` gives a Decision with the kind of policy that
decided, the statements, and the context keys nobody knew.
"""

from __future__ import annotations

from preflight.policy.condition import OPERATORS, Condition, Qualifier
from preflight.policy.context import (
    Context,
    ContextValue,
    Missing,
    Principal,
    PrincipalType,
    Request,
    Truth,
)
from preflight.policy.decision import Decision, Grant, Layer, LayerDecision, Outcome
from preflight.policy.document import Policy, Statement
from preflight.policy.evaluate import evaluate
from preflight.policy.pattern import Pattern, plain_tokens, regex
from preflight.policy.span import Span

__all__ = [
    "OPERATORS",
    "Condition",
    "Context",
    "ContextValue",
    "Decision",
    "Grant",
    "Layer",
    "LayerDecision",
    "Missing",
    "Outcome",
    "Pattern",
    "Policy",
    "Principal",
    "PrincipalType",
    "Qualifier",
    "Request",
    "Span",
    "Statement",
    "Truth",
    "evaluate",
    "plain_tokens",
    "regex",
]
