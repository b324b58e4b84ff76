"""What EKS checks before it makes a node group."""

from __future__ import annotations

from typing import Any

Account = Any
Refusal = Any


def test_a_node_group_that_cannot_be_is_refused(account: Account, refusal: Refusal) -> None:
    account.cluster()
    typed = {"InstanceType": "m5.large"}
    too_few = {"minSize": 2, "maxSize": 3, "desiredSize": 1}
    wrong: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        (typed, {"instanceTypes": ["m5.large"]}, "not in both"),
        ({"InstanceType": "m5.nano"}, {}, "do not exist"),
        (typed, {"diskSize": 50}, "within the launch template"),
        ({"IamInstanceProfile": {"Name": "x"}}, {}, "instance profile"),
        ({"ImageId": "ami-0"}, {"amiType": "AL2023_x86_64_STANDARD"}, "other than CUSTOM"),
        (typed, {"launchTemplate": {"name": "absent"}}, "not found"),
        (typed, {"nodeRole": "arn:aws:iam::111122223333:role/no"}, "cannot be found"),
        (typed, {"nodeRole": account.role}, "ec2.amazonaws.com"),
        (typed, {"subnets": ["subnet-0"]}, "does not exist"),
        (typed, {"scalingConfig": too_few}, "greater than"),
    ]
    for number, (contents, change, words) in enumerate(wrong):
        id = account.template(name=f"t{number:02}", **contents)
        code, _, message = refusal(
            account.create_nodes, **({"launchTemplate": {"id": id}} | change)
        )
        assert (code, words in message) == ("InvalidParameterException", True), message
