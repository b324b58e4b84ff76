"""The only code that talks to AWS: paced, recorded, retried where that is safe, errors translated.

Everything else says what it wants in AWS's own words and gets plain dictionaries back:

    aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for subnet in aws.each("ec2", "DescribeSubnets", "Subnets", Filters=[...]): ...
"""

from preflight.aws.account import ATTEMPTS, FIRST_ATTEMPTS, Aws, Identity, as_principal
from preflight.aws.calls import Calls
from preflight.aws.failures import READS
from preflight.aws.fresh import while_fresh
from preflight.aws.regions import home_region, known_regions, partition_of
from preflight.aws.sessions import configured_region
from preflight.aws.spelling import cli_word

__all__ = [
    "ATTEMPTS",
    "FIRST_ATTEMPTS",
    "READS",
    "Aws",
    "Calls",
    "Identity",
    "as_principal",
    "cli_word",
    "configured_region",
    "home_region",
    "known_regions",
    "partition_of",
    "while_fresh",
]
