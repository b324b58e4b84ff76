"""The names AWS accepts, as one table: a rule for each kind of thing, with the page it rests on.

A cluster is called what its owner likes, within the vendor's rule: `team.a` is fine there and
not in EKS, 80 characters are fine there and not in IAM. `derive` turns it into a legal name of
each kind; what the owner called it stays in the tag `preflight:cluster`.
"""

from __future__ import annotations

from dataclasses import replace

from preflight.namerule import NameRule, derive, problems

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
USER = replace(ROLE, kind="IAM user")
INSTANCE_PROFILE = replace(POLICY, kind="IAM instance profile")
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
KEY_PAIR = NameRule(
    kind="EC2 key pair",
    pattern=r"[ -~]+",
    allowed=r"[ -~]",
    minimum=1,
    maximum=255,
    text="printable ASCII characters are allowed",
    url="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateKeyPair.html",
)
AUTO_SCALING_GROUP = NameRule(
    kind="Auto Scaling group",
    pattern=r"[!-9;-~]+",
    allowed=r"[!-9;-~]",
    minimum=1,
    maximum=255,
    text="printable ASCII characters but ':' and the space are allowed",
    url="https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html",
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
TARGET_GROUP = replace(LOAD_BALANCER, kind="target group", forbidden_prefixes=())
STACK = NameRule(
    kind="CloudFormation stack",
    pattern=r"[a-zA-Z][-a-zA-Z0-9]*",
    allowed=r"[a-zA-Z0-9-]",
    minimum=1,
    maximum=128,
    text="letters, digits and '-' are allowed, and it starts with a letter",
    url="https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html",
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
    USER,
    POLICY,
    INSTANCE_PROFILE,
    BUCKET,
    LAUNCH_TEMPLATE,
    SECURITY_GROUP,
    KEY_PAIR,
    AUTO_SCALING_GROUP,
    QUEUE,
    TOPIC,
    EVENT_RULE,
    LOG_GROUP,
    KEY_ALIAS,
    REPOSITORY,
    LOAD_BALANCER,
    TARGET_GROUP,
    STACK,
    QUERY_LOG,
    SESSION,
    EXTERNAL_ID,
)
