"""The names AWS accepts, as one table, and the names a cluster's things get.

A cluster is called what its owner likes, within the vendor's rule: `team.a` is fine there and
not in EKS, 80 characters are fine there and not in IAM. `derive` turns it into a legal name of
each kind, so that no two clusters and no two things of one cluster ever share a name, and a
sweeper can tell `dev` from its neighbour `dev-2` by the name alone.
"""

from __future__ import annotations

import hashlib
import re

from preflight.namerule import NameRule, problems

__all__ = ["CLUSTER", "RULES", "NameRule", "derive", "problems"]

_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
_IAM_TEXT = "letters, digits and +=,.@_- are allowed"

#: The default vendor's rule for a cluster, word for word: a profile may have another.
CLUSTER = NameRule(
    kind="cluster",
    pattern=r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?",
    allowed=r"[a-z0-9.-]",
    minimum=1,
    maximum=253,
    text=(
        "lower case alphanumeric characters, '-' or '.' is allowed but not '_', "
        "and must start and end with an alphanumeric character"
    ),
    url="https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
)

EKS_CLUSTER = NameRule(
    kind="EKS cluster",
    pattern=r"[0-9A-Za-z][A-Za-z0-9_-]*",
    allowed=r"[A-Za-z0-9_-]",
    minimum=1,
    maximum=100,
    text="letters, digits, '-' and '_' are allowed, and it starts with a letter or digit",
    url="https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html",
)
NODE_GROUP = NameRule(
    kind="EKS node group",
    pattern=r"[0-9A-Za-z][A-Za-z0-9_-]*",
    allowed=r"[A-Za-z0-9_-]",
    minimum=1,
    maximum=63,
    text="letters, digits, '-' and '_' are allowed, and it starts with a letter or digit",
    url="https://docs.aws.amazon.com/eks/latest/userguide/create-managed-node-group.html",
)
ROLE = NameRule(
    kind="IAM role",
    pattern=r"[\w+=,.@-]+",
    allowed=r"[\w+=,.@-]",
    minimum=1,
    maximum=64,
    text=_IAM_TEXT,
    url=_IAM,
)
POLICY = NameRule(
    kind="IAM policy",
    pattern=r"[\w+=,.@-]+",
    allowed=r"[\w+=,.@-]",
    minimum=1,
    maximum=128,
    text=_IAM_TEXT,
    url=_IAM,
)
BUCKET = NameRule(
    kind="S3 bucket",
    pattern=r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?!.*\.\.)[a-z0-9.-]*[a-z0-9]",
    allowed=r"[a-z0-9.-]",
    minimum=3,
    maximum=63,
    text=(
        "lower case letters, digits, '.' and '-' are allowed, it starts and ends with a letter "
        "or digit, has no two dots in a row and is not an IP address"
    ),
    url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
    forbidden_prefixes=("xn--", "sthree-", "amzn-s3-demo-"),
    forbidden_suffixes=("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"),
    avoid_dots=True,  # the certificate of *.s3.amazonaws.com covers one label only
)
LAUNCH_TEMPLATE = NameRule(
    kind="EC2 launch template",
    pattern=r"[a-zA-Z0-9().\-/_]+",
    allowed=r"[a-zA-Z0-9().\-/_]",
    minimum=3,
    maximum=128,
    text="letters, digits and ().-/_ are allowed",
    url="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html",
)
SECURITY_GROUP = NameRule(
    kind="EC2 security group",
    pattern=r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+",
    allowed=r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]",
    minimum=1,
    maximum=255,
    text="letters, digits, spaces and ._-:/()#,@[]+=&;{}!$* are allowed",
    url="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
    forbidden_prefixes=("sg-",),
)
QUEUE = NameRule(
    kind="SQS queue",
    pattern=r"[A-Za-z0-9_-]+",
    allowed=r"[A-Za-z0-9_-]",
    minimum=1,
    maximum=80,
    text="letters, digits, '-' and '_' are allowed",
    url="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html",
)
TOPIC = NameRule(
    kind="SNS topic",
    pattern=r"[A-Za-z0-9_-]+",
    allowed=r"[A-Za-z0-9_-]",
    minimum=1,
    maximum=256,
    text="letters, digits, '-' and '_' are allowed",
    url="https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html",
)
EVENT_RULE = NameRule(
    kind="EventBridge rule",
    pattern=r"[.\-_A-Za-z0-9]+",
    allowed=r"[.\-_A-Za-z0-9]",
    minimum=1,
    maximum=64,
    text="letters, digits, '.', '-' and '_' are allowed",
    url="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html",
)
LOG_GROUP = NameRule(
    kind="CloudWatch log group",
    pattern=r"[.\-_/#A-Za-z0-9]+",
    allowed=r"[.\-_/#A-Za-z0-9]",
    minimum=1,
    maximum=512,
    text="letters, digits and .-_/# are allowed",
    url="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
    forbidden_prefixes=("aws/",),
)
KEY_ALIAS = NameRule(
    kind="KMS alias",
    pattern=r"alias/[a-zA-Z0-9:/_-]+",
    allowed=r"[a-zA-Z0-9:/_-]",
    minimum=7,
    maximum=256,
    text="after 'alias/', letters, digits, ':', '/', '_' and '-' are allowed",
    url="https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html",
    required_prefix="alias/",
    forbidden_prefixes=("alias/aws/",),
)
REPOSITORY = NameRule(
    kind="ECR repository",
    pattern=r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*",
    allowed=r"[a-z0-9._/-]",
    minimum=2,
    maximum=256,
    text=(
        "lower case letters and digits, parted by one '.', one or two '_', hyphens or one '/', "
        "are allowed"
    ),
    url="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html",
)
LOAD_BALANCER = NameRule(
    kind="load balancer",
    pattern=r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?",
    allowed=r"[A-Za-z0-9-]",
    minimum=1,
    maximum=32,
    text="letters, digits and '-' are allowed, and it starts and ends with a letter or digit",
    url="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html",
    forbidden_prefixes=("internal-",),
)
QUERY_LOG = NameRule(
    kind="Resolver query log configuration",
    pattern=r"(?![0-9]+$)[a-zA-Z0-9\-_' ]+",
    allowed=r"[a-zA-Z0-9\-_' ]",
    minimum=1,
    maximum=64,
    text="letters, digits, '-', '_', ''' and spaces are allowed, and not digits alone",
    url="https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_CreateResolverQueryLogConfig.html",
)
SESSION = NameRule(
    kind="role session",
    pattern=r"[\w+=,.@-]+",
    allowed=r"[\w+=,.@-]",
    minimum=2,
    maximum=64,
    text=_IAM_TEXT,
    url="https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
)
EXTERNAL_ID = NameRule(
    kind="external id",
    pattern=r"[\w+=,.@:\/-]+",
    allowed=r"[\w+=,.@:\/-]",
    minimum=2,
    maximum=1224,
    text="letters, digits and +=,.@:/_- are allowed",
    url="https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
)

#: Every rule of AWS's own, in the order of the table in the documentation.
RULES: tuple[NameRule, ...] = (
    EKS_CLUSTER,
    NODE_GROUP,
    ROLE,
    POLICY,
    BUCKET,
    LAUNCH_TEMPLATE,
    SECURITY_GROUP,
    QUEUE,
    TOPIC,
    EVENT_RULE,
    LOG_GROUP,
    KEY_ALIAS,
    REPOSITORY,
    LOAD_BALANCER,
    QUERY_LOG,
    SESSION,
    EXTERNAL_ID,
)

_BETWEEN = "--"
_HASH_LENGTH = 8
#: The least room a cluster keeps: three letters, a hyphen, the hash.
_CLUSTER_ROOM = 3 + 1 + _HASH_LENGTH


def derive(rule: NameRule, cluster: str, suffix: str = "") -> str:
    """Name the thing of `cluster` that is called `suffix`: legal under `rule`, always the same.

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
