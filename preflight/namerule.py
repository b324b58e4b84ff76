"""What a name may look like: one rule as a value, what is wrong with a name, and one that is right.

The table of AWS's own rules is `preflight.names`; a vendor's profile brings one more rule
of the same shape. Nothing here knows which rules there are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NameRule:
    """What AWS (or a vendor) accepts as the name of one kind of thing.

    `pattern` decides, over the whole name and in ASCII; `allowed` is the class of single
    characters in it, so that a message can point at the first wrong one. Lengths are in
    characters. `required_prefix` is what every such name starts with, as `alias/`.
    """

    kind: str
    pattern: str
    allowed: str
    minimum: int
    maximum: int
    text: str
    url: str
    required_prefix: str = ""
    forbidden_prefixes: tuple[str, ...] = ()
    forbidden_suffixes: tuple[str, ...] = ()
    #: AWS accepts a dot here, but a derived name has none, because something else breaks.
    avoid_dots: bool = False

    @property
    def allows_dots(self) -> bool:
        """Say whether a derived name may hold a dot."""
        return not self.avoid_dots and re.fullmatch(self.allowed, ".") is not None


def problems(rule: NameRule, name: str) -> tuple[str, ...]:
    """Say what is wrong with `name` and where, a sentence each; empty when it is legal.

    Positions count from 1.
    """
    if not name:
        return (f"The name is empty; {_article(rule.kind)} needs {_span(rule)}.",)
    found = (*_length(rule, name), *_characters(rule, name), *_ends(rule, name))
    if not found and re.fullmatch(rule.pattern, name, re.ASCII) is None:
        return (f"{name!r} does not fit: {rule.text}.",)
    return found


def _span(rule: NameRule) -> str:
    return f"{rule.minimum} to {rule.maximum} characters"


def _article(kind: str) -> str:
    vowel = kind[0].lower() in "aeio" or kind.split(maxsplit=1)[0] in {"SQS", "SNS", "S3"}
    return f"{'an' if vowel else 'a'} {kind} name"


def _length(rule: NameRule, name: str) -> Iterator[str]:
    length = len(name)
    if length > rule.maximum:
        yield (
            f"It is {length} characters long, {length - rule.maximum} more than the "
            f"{rule.maximum} of {_article(rule.kind)}: cut it after {name[: rule.maximum]!r}."
        )
    elif length < rule.minimum:
        yield f"It is {length} characters long; {_article(rule.kind)} needs {_span(rule)}."


def _characters(rule: NameRule, name: str) -> Iterator[str]:
    wrong: dict[str, int] = {}
    for position, character in enumerate(name, start=1):
        if re.fullmatch(rule.allowed, character, re.ASCII) is None:
            wrong.setdefault(character, position)
    for character, position in wrong.items():
        yield f"{character!a} at position {position} is not allowed: {rule.text}."


def _ends(rule: NameRule, name: str) -> Iterator[str]:
    if not name.startswith(rule.required_prefix):
        yield f"It must start with {rule.required_prefix!r}."
    for prefix in rule.forbidden_prefixes:
        if name.startswith(prefix):
            yield f"It must not start with {prefix!r}: AWS keeps that for itself."
    for suffix in rule.forbidden_suffixes:
        if name.endswith(suffix):
            yield f"It must not end with {suffix!r}: AWS keeps that for itself."
    for character, position, word in ((name[0], 1, "start"), (name[-1], len(name), "end")):
        if _cannot(rule, word, character):
            yield f"It must not {word} with {character!a} (position {position}): {rule.text}."


def _cannot(rule: NameRule, word: str, character: str) -> bool:
    """Say whether no legal name starts (or ends) with an otherwise allowed character."""
    if rule.required_prefix or re.fullmatch(rule.allowed, character, re.ASCII) is None:
        return False
    filler = "a" * max(rule.minimum, 3)
    if re.fullmatch(rule.pattern, f"a{filler}", re.ASCII) is None:
        return False  # the rule wants more than certain characters, such as a beginning of its own
    sample = character + filler if word == "start" else filler + character
    return re.fullmatch(rule.pattern, sample, re.ASCII) is None


_BETWEEN = "--"
_HASH_LENGTH = 8
#: The least room a cluster keeps: three letters, a hyphen, the hash.
_CLUSTER_ROOM = 3 + 1 + _HASH_LENGTH


def derive(rule: NameRule, cluster: str, suffix: str = "") -> str:
    """Name the thing of `cluster` that is called `suffix`: legal under `rule`, always the same.

    No two clusters and no two things of one cluster ever share a name, and a sweeper can tell `dev`
    from its neighbour `dev-2` by the name alone.

    `dev` and `node` give `dev--node`. No cluster or suffix keeps a double hyphen of its own, so
    that the first one always ends the cluster: `dev--node-a` and `dev-node--a` differ. What
    cannot be kept (a dot in EKS, upper case, too many characters) is replaced or cut, and
    8 hex digits of the SHA-256 of the original follow. So does every part that already ends
    like that, so that no name can be made to look like another one's.
    """
    plain = _join(rule, cluster, suffix, forced=False)
    if not problems(rule, plain):
        return plain
    hashed = _join(rule, cluster, suffix, forced=True)
    if not problems(rule, hashed):
        return hashed
    # A beginning that AWS keeps for itself is the one thing a hash behind it does not cure.
    return _join(rule, cluster, suffix, forced=True, shield="c-")


def _join(rule: NameRule, cluster: str, suffix: str, *, forced: bool, shield: str = "") -> str:
    room = rule.maximum - len(rule.required_prefix)
    tail = ""
    if suffix:
        tail_room = room - len(_BETWEEN) - _CLUSTER_ROOM
        tail = _BETWEEN + _part(rule, suffix, tail_room, forced=forced)
    head = _part(rule, cluster, room - len(tail) - len(shield), forced=forced)
    return rule.required_prefix + shield + head + tail


def _part(rule: NameRule, text: str, room: int, *, forced: bool) -> str:
    dots = "." if rule.allows_dots else ""
    keeps = re.fullmatch(rf"[a-z0-9]+([{dots}-][a-z0-9]+)*", text)
    hashed_already = re.search(rf"(^|[.-])[0-9a-f]{{{_HASH_LENGTH}}}$", text)
    if keeps and not hashed_already and len(text) <= room and not forced:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    words = re.sub(r"[^a-z0-9]+", "-", text.lower())[: room - _HASH_LENGTH - 1].strip("-")
    return f"{words}-{digest}" if words else f"c-{digest}"
