"""Whatever a plan, a stray or a scenario can put into an account is seen in its state, and gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import jmespath
import pytest

from preflight.sandbox.account.snapshot import difference
from preflight.sandbox.server import Sandbox

Client = Callable[..., Any]
Call = tuple[str, str, dict[str, Any]]


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


TRUST = document(
    {
        "Effect": "Allow",
        "Principal": {"Service": ["eks.amazonaws.com", "ec2.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }
)
DENIAL = document({"Effect": "Deny", "Action": "*", "Resource": "*"})
PLACE = {"LocationConstraint": "us-west-2"}
LAUNCH = {"ImageId": "ami-1", "InstanceType": "t3.micro"}
QUEUE = "https://sqs.us-west-2.amazonaws.com/111122223333/q"
NODE_POLICIES = (
    "AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryReadOnly", "AmazonEKS_CNI_Policy",
)  # fmt: skip
# A thing -> how it is made, what of the answer names it in the state (JMESPath, or a word as
# '"word"'), and how it is unmade. {it} is that name; the others are in `account`.
THINGS: dict[str, tuple[Call, str, list[Call]]] = {
    "autoscaling group": (
        ("autoscaling", "create_auto_scaling_group", {
            "AutoScalingGroupName": "group-4711", "MinSize": 0, "MaxSize": 1,
            "VPCZoneIdentifier": "{subnet}", "LaunchTemplate": {"LaunchTemplateId": "{template}"},
        }),
        "`group-4711`",
        [("autoscaling", "delete_auto_scaling_group", {"AutoScalingGroupName": "group-4711"})],
    ),
    "dynamodb table": (
        ("dynamodb", "create_table", {
            "TableName": "table-4711", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        }),
        "`table-4711`",
        [("dynamodb", "delete_table", {"TableName": "table-4711"})],
    ),
    "ec2 address": (
        ("ec2", "allocate_address", {}), "AllocationId",
        [("ec2", "release_address", {"AllocationId": "{it}"})],
    ),
    "ec2 flow log": (
        ("ec2", "create_flow_logs", {
            "ResourceIds": ["{vpc}"], "ResourceType": "VPC", "TrafficType": "ALL",
            "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::there",
        }),
        "FlowLogIds[0]",
        [("ec2", "delete_flow_logs", {"FlowLogIds": ["{it}"]})],
    ),
    "ec2 instance": (
        ("ec2", "run_instances", {**LAUNCH, "MinCount": 1, "MaxCount": 1, "SubnetId": "{subnet}"}),
        "Instances[0].InstanceId",
        [("ec2", "terminate_instances", {"InstanceIds": ["{it}"]})],
    ),
    "ec2 interface": (
        ("ec2", "create_network_interface", {"SubnetId": "{subnet}"}),
        "NetworkInterface.NetworkInterfaceId",
        [("ec2", "delete_network_interface", {"NetworkInterfaceId": "{it}"})],
    ),
    "ec2 internet gateway": (
        ("ec2", "create_internet_gateway", {}), "InternetGateway.InternetGatewayId",
        [("ec2", "delete_internet_gateway", {"InternetGatewayId": "{it}"})],
    ),
    "ec2 key pair": (
        ("ec2", "create_key_pair", {"KeyName": "k"}), "KeyPairId",
        [("ec2", "delete_key_pair", {"KeyName": "k"})],
    ),
    "ec2 launch template": (
        ("ec2", "create_launch_template", {
            "LaunchTemplateName": "t", "LaunchTemplateData": LAUNCH,
        }),
        "LaunchTemplate.LaunchTemplateId",
        [("ec2", "delete_launch_template", {"LaunchTemplateId": "{it}"})],
    ),
    "ec2 NAT gateway": (
        ("ec2", "create_nat_gateway", {"SubnetId": "{subnet}", "AllocationId": "{address}"}),
        "NatGateway.NatGatewayId",
        [("ec2", "delete_nat_gateway", {"NatGatewayId": "{it}"})],
    ),
    "ec2 network ACL": (
        ("ec2", "create_network_acl", {"VpcId": "{vpc}"}), "NetworkAcl.NetworkAclId",
        [("ec2", "delete_network_acl", {"NetworkAclId": "{it}"})],
    ),
    "ec2 prefix list": (
        ("ec2", "create_managed_prefix_list", {
            "PrefixListName": "p", "MaxEntries": 1, "AddressFamily": "IPv4",
        }),
        "PrefixList.PrefixListId",
        [("ec2", "delete_managed_prefix_list", {"PrefixListId": "{it}"})],
    ),
    "ec2 route": (
        ("ec2", "create_route", {
            "RouteTableId": "{table}", "DestinationCidrBlock": "10.47.11.0/24",
            "GatewayId": "{gateway}",
        }),
        "`10.47.11.0/24`",
        [("ec2", "delete_route", {
            "RouteTableId": "{table}", "DestinationCidrBlock": "10.47.11.0/24",
        })],
    ),
    "ec2 route table": (
        ("ec2", "create_route_table", {"VpcId": "{vpc}"}), "RouteTable.RouteTableId",
        [("ec2", "delete_route_table", {"RouteTableId": "{it}"})],
    ),
    "ec2 route table association": (
        ("ec2", "associate_route_table", {"RouteTableId": "{table}", "SubnetId": "{subnet}"}),
        "AssociationId",
        [("ec2", "disassociate_route_table", {"AssociationId": "{it}"})],
    ),
    "ec2 security group": (
        ("ec2", "create_security_group", {
            "GroupName": "g", "Description": "d", "VpcId": "{vpc}",
        }),
        "GroupId",
        [("ec2", "delete_security_group", {"GroupId": "{it}"})],
    ),
    "ec2 security group rule": (
        ("ec2", "authorize_security_group_ingress", {"GroupId": "{group}", "IpPermissions": [
            {"IpProtocol": "tcp", "FromPort": 4711, "ToPort": 4711,
             "IpRanges": [{"CidrIp": "10.1.2.3/32"}]},
        ]}),
        "SecurityGroupRules[0].SecurityGroupRuleId",
        [("ec2", "revoke_security_group_ingress", {
            "GroupId": "{group}", "SecurityGroupRuleIds": ["{it}"],
        })],
    ),
    "ec2 snapshot": (
        ("ec2", "create_snapshot", {"VolumeId": "{volume}"}), "SnapshotId",
        [("ec2", "delete_snapshot", {"SnapshotId": "{it}"})],
    ),
    "ec2 Spot request": (
        ("ec2", "request_spot_instances", {"LaunchSpecification": LAUNCH}),
        "SpotInstanceRequests[0].SpotInstanceRequestId",
        [("ec2", "cancel_spot_instance_requests", {"SpotInstanceRequestIds": ["{it}"]})],
    ),
    "ec2 subnet": (
        ("ec2", "create_subnet", {"VpcId": "{vpc}", "CidrBlock": "10.0.9.0/24"}),
        "Subnet.SubnetId",
        [("ec2", "delete_subnet", {"SubnetId": "{it}"})],
    ),
    "ec2 tag": (
        ("ec2", "create_tags", {"Resources": ["{vpc}"], "Tags": [{"Key": "k", "Value": "v-4711"}]}),
        "`v-4711`",
        [("ec2", "delete_tags", {"Resources": ["{vpc}"], "Tags": [{"Key": "k"}]})],
    ),
    "ec2 volume": (
        ("ec2", "create_volume", {"Size": 1, "AvailabilityZone": "us-west-2a"}), "VolumeId",
        [("ec2", "delete_volume", {"VolumeId": "{it}"})],
    ),
    "ec2 VPC": (
        ("ec2", "create_vpc", {"CidrBlock": "10.9.0.0/16"}), "Vpc.VpcId",
        [("ec2", "delete_vpc", {"VpcId": "{it}"})],
    ),
    "ec2 VPC endpoint": (
        ("ec2", "create_vpc_endpoint", {
            "VpcId": "{vpc}", "ServiceName": "com.amazonaws.us-west-2.sts",
            "VpcEndpointType": "Interface", "SubnetIds": ["{subnet}"],
        }),
        "VpcEndpoint.VpcEndpointId",
        [("ec2", "delete_vpc_endpoints", {"VpcEndpointIds": ["{it}"]})],
    ),
    "ec2 VPC peering": (
        ("ec2", "create_vpc_peering_connection", {"VpcId": "{vpc}", "PeerVpcId": "{other}"}),
        "VpcPeeringConnection.VpcPeeringConnectionId",
        [("ec2", "delete_vpc_peering_connection", {"VpcPeeringConnectionId": "{it}"})],
    ),
    "ecr repository": (
        ("ecr", "create_repository", {"repositoryName": "rr"}), "repository.repositoryArn",
        [("ecr", "delete_repository", {"repositoryName": "rr"})],
    ),
    "eks access entry": (
        ("eks", "create_access_entry", {"clusterName": "prod", "principalArn": "{someone}"}),
        "accessEntry.accessEntryArn",
        [("eks", "delete_access_entry", {"clusterName": "prod", "principalArn": "{someone}"})],
    ),
    "eks access policy": (
        ("eks", "associate_access_policy", {
            "clusterName": "prod", "principalArn": "{admin}", "accessScope": {"type": "cluster"},
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        }),
        "associatedAccessPolicy.policyArn",
        [("eks", "disassociate_access_policy", {
            "clusterName": "prod", "principalArn": "{admin}", "policyArn": "{it}",
        })],
    ),
    "eks add-on": (
        ("eks", "create_addon", {"clusterName": "prod", "addonName": "vpc-cni"}), "addon.addonArn",
        [("eks", "delete_addon", {"clusterName": "prod", "addonName": "vpc-cni"})],
    ),
    "eks cluster": (
        ("eks", "create_cluster", {
            "name": "other", "roleArn": "{role}", "resourcesVpcConfig": {"subnetIds": "{subnets}"},
        }),
        "cluster.arn",
        [("eks", "delete_cluster", {"name": "other"})],
    ),
    "eks node group": (
        ("eks", "create_nodegroup", {
            "clusterName": "prod", "nodegroupName": "n", "nodeRole": "{role}",
            "subnets": "{subnets}", "scalingConfig": {"minSize": 1, "maxSize": 1, "desiredSize": 1},
        }),
        "nodegroup.nodegroupArn",
        [
            ("eks", "delete_nodegroup", {"clusterName": "prod", "nodegroupName": "n"}),
            ("eks", "delete_access_entry", {"clusterName": "prod", "principalArn": "{role}"}),
        ],
    ),
    "eks pod identity association": (
        ("eks", "create_pod_identity_association", {
            "clusterName": "prod", "namespace": "n", "serviceAccount": "s", "roleArn": "{pods}",
        }),
        "association.associationId",
        [("eks", "delete_pod_identity_association", {
            "clusterName": "prod", "associationId": "{it}",
        })],
    ),
    "elb load balancer": (
        ("elb", "create_load_balancer", {
            "LoadBalancerName": "balancer-4711", "Subnets": ["{subnet}"],
            "SecurityGroups": ["{group}"],
            "Listeners": [{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}],
        }),
        "`balancer-4711`",
        [("elb", "delete_load_balancer", {"LoadBalancerName": "balancer-4711"})],
    ),
    "elbv2 load balancer": (
        ("elbv2", "create_load_balancer", {"Name": "l", "Type": "network", "Subnets": "{subnets}"}),
        "LoadBalancers[0].LoadBalancerArn",
        [("elbv2", "delete_load_balancer", {"LoadBalancerArn": "{it}"})],
    ),
    "elbv2 target group": (
        ("elbv2", "create_target_group", {
            "Name": "t", "Protocol": "TCP", "Port": 80, "VpcId": "{vpc}", "TargetType": "ip",
        }),
        "TargetGroups[0].TargetGroupArn",
        [("elbv2", "delete_target_group", {"TargetGroupArn": "{it}"})],
    ),
    "events bus": (
        ("events", "create_event_bus", {"Name": "b"}), "EventBusArn",
        [("events", "delete_event_bus", {"Name": "b"})],
    ),
    "events rule": (
        ("events", "put_rule", {"Name": "rule-4711", "ScheduleExpression": "rate(1 day)"}),
        "`rule-4711`",
        [("events", "delete_rule", {"Name": "rule-4711"})],
    ),
    "events target": (
        ("events", "put_targets", {"Rule": "r", "Targets": [
            {"Id": "target-1", "Arn": "arn:aws:sqs:us-west-2:111122223333:q"},
        ]}),
        "`target-1`",
        [("events", "remove_targets", {"Rule": "r", "Ids": ["target-1"]})],
    ),
    "guardduty detector": (
        ("guardduty", "create_detector", {"Enable": True}), "DetectorId",
        [("guardduty", "delete_detector", {"DetectorId": "{it}"})],
    ),
    "iam access key": (
        ("iam", "create_access_key", {"UserName": "somebody"}), "AccessKey.AccessKeyId",
        [("iam", "delete_access_key", {"UserName": "somebody", "AccessKeyId": "{it}"})],
    ),
    "iam alias": (
        ("iam", "create_account_alias", {"AccountAlias": "acme-dev"}), "`acme-dev`",
        [("iam", "delete_account_alias", {"AccountAlias": "acme-dev"})],
    ),
    "iam attached policy": (
        ("iam", "attach_role_policy", {
            "RoleName": "someone", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        }),
        "`ReadOnlyAccess`",
        [("iam", "detach_role_policy", {
            "RoleName": "someone", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        })],
    ),
    "iam group": (
        ("iam", "create_group", {"GroupName": "g"}), "Group.GroupId",
        [("iam", "delete_group", {"GroupName": "g"})],
    ),
    "iam inline policy": (
        ("iam", "put_role_policy", {
            "RoleName": "someone", "PolicyName": "inline-1", "PolicyDocument": DENIAL,
        }),
        "`inline-1`",
        [("iam", "delete_role_policy", {"RoleName": "someone", "PolicyName": "inline-1"})],
    ),
    "iam instance profile": (
        ("iam", "create_instance_profile", {"InstanceProfileName": "p"}),
        "InstanceProfile.InstanceProfileId",
        [("iam", "delete_instance_profile", {"InstanceProfileName": "p"})],
    ),
    "iam OIDC provider": (
        ("iam", "create_open_id_connect_provider", {
            "Url": "https://example.com", "ThumbprintList": ["a" * 40],
        }),
        "OpenIDConnectProviderArn",
        [("iam", "delete_open_id_connect_provider", {"OpenIDConnectProviderArn": "{it}"})],
    ),
    "iam policy": (
        ("iam", "create_policy", {"PolicyName": "d", "PolicyDocument": DENIAL}), "Policy.PolicyId",
        [("iam", "delete_policy", {"PolicyArn": "arn:aws:iam::111122223333:policy/d"})],
    ),
    "iam role": (
        ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST}),
        "Role.RoleId",
        [("iam", "delete_role", {"RoleName": "r"})],
    ),
    "iam user": (
        ("iam", "create_user", {"UserName": "u"}), "User.UserId",
        [("iam", "delete_user", {"UserName": "u"})],
    ),
    "kms alias": (
        ("kms", "create_alias", {"AliasName": "alias/a", "TargetKeyId": "{key}"}), "`alias/a`",
        [("kms", "delete_alias", {"AliasName": "alias/a"})],
    ),
    "logs group": (
        ("logs", "create_log_group", {"logGroupName": "/aws/l"}), "`/aws/l`",
        [("logs", "delete_log_group", {"logGroupName": "/aws/l"})],
    ),
    "route53 zone": (
        ("route53", "create_hosted_zone", {"Name": "example.org", "CallerReference": "c"}),
        "`example.org`",
        [("route53", "delete_hosted_zone", {"Id": "{answer}"})],
    ),
    "route53resolver configuration": (
        ("route53resolver", "create_resolver_query_log_config", {
            "Name": "c", "DestinationArn": "arn:aws:s3:::there", "CreatorRequestId": "c",
        }),
        "ResolverQueryLogConfig.Id",
        [("route53resolver", "delete_resolver_query_log_config", {
            "ResolverQueryLogConfigId": "{it}",
        })],
    ),
    "route53resolver association": (
        ("route53resolver", "associate_resolver_query_log_config", {
            "ResolverQueryLogConfigId": "{config}", "ResourceId": "{vpc}",
        }),
        "ResolverQueryLogConfigAssociation.Id",
        [("route53resolver", "disassociate_resolver_query_log_config", {
            "ResolverQueryLogConfigId": "{config}", "ResourceId": "{vpc}",
        })],
    ),
    "s3 bucket": (
        ("s3", "create_bucket", {"Bucket": "bucket-4711", "CreateBucketConfiguration": PLACE}),
        "`bucket-4711`",
        [("s3", "delete_bucket", {"Bucket": "bucket-4711"})],
    ),
    "s3 object": (
        ("s3", "put_object", {"Bucket": "there", "Key": "object-4711", "Body": b"x"}),
        "`object-4711`",
        [("s3", "delete_object", {"Bucket": "there", "Key": "object-4711"})],
    ),
    "secret": (
        ("secretsmanager", "create_secret", {"Name": "s", "SecretString": "x"}), "ARN",
        [("secretsmanager", "delete_secret", {
            "SecretId": "s", "ForceDeleteWithoutRecovery": True,
        })],
    ),
    "sns subscription": (
        ("sns", "subscribe", {
            "TopicArn": "{topic}", "Protocol": "sqs",
            "Endpoint": "arn:aws:sqs:us-west-2:111122223333:q",
        }),
        "SubscriptionArn",
        [("sns", "unsubscribe", {"SubscriptionArn": "{it}"})],
    ),
    "sns topic": (
        ("sns", "create_topic", {"Name": "s"}), "TopicArn",
        [("sns", "delete_topic", {"TopicArn": "{it}"})],
    ),
    "sqs queue": (
        ("sqs", "create_queue", {"QueueName": "queue-4711"}), "`queue-4711`",
        [("sqs", "delete_queue", {"QueueUrl": QUEUE[:-1] + "queue-4711"})],
    ),
    "ssm parameter": (
        ("ssm", "put_parameter", {"Name": "/mine-4711", "Value": "v", "Type": "String"}),
        "`mine-4711`",
        [("ssm", "delete_parameter", {"Name": "/mine-4711"})],
    ),
}  # fmt: skip


class Account:
    """An account with what the things above need; `names` are its ids."""

    def __init__(self, sandbox: Sandbox, client: Client) -> None:
        self.sandbox, self.client = sandbox, client
        self.names: dict[str, Any] = {}

    def state(self) -> dict[str, Any]:
        with urlopen(f"{self.sandbox.endpoint}/_sandbox/state") as answer:  # noqa: S310
            told: dict[str, Any] = json.load(answer)
            return told

    def wait(self) -> None:
        self.sandbox.world.clock.advance(7200)

    def call(self, call: Call) -> Any:
        service, method, parameters = call
        return getattr(self.client(service), method)(**self._known(parameters))

    def _known(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._known(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._known(inner) for inner in value]
        is_name = isinstance(value, str) and value[:1] == "{" and value[1:-1] in self.names
        return self.names[value[1:-1]] if is_name else value


@pytest.fixture
def account(sandbox: Sandbox, client: Client) -> Account:
    quotas = [
        {"service": "ec2", "code": code, "applied": 64} for code in ("L-1216C47A", "L-34B43A08")
    ]
    # Spot requests stay open: an instance would outlive them.
    faults = [{"action": "sandbox:SpotCapacity", "error": "capacity-not-available"}]
    sandbox.reset({"rates": "off", "quotas": quotas, "faults": faults})
    made = Account(sandbox, client)
    ec2, iam = client("ec2"), client("iam")
    names = made.names
    names["vpc"] = vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    names["other"] = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    names["subnets"] = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{zone}"
        )["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    names["subnet"] = names["subnets"][0]
    names["gateway"] = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=names["gateway"], VpcId=vpc)
    names["table"] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    group = {"GroupName": "before", "Description": "d", "VpcId": vpc}
    names["group"] = ec2.create_security_group(**group)["GroupId"]
    names["address"] = ec2.allocate_address()["AllocationId"]
    names["volume"] = ec2.create_volume(Size=1, AvailabilityZone="us-west-2a")["VolumeId"]
    names["template"] = ec2.create_launch_template(
        LaunchTemplateName="before", LaunchTemplateData=LAUNCH
    )["LaunchTemplate"]["LaunchTemplateId"]
    for name in ("role", "someone", "admin", "pods"):
        trust = TRUST if name != "pods" else TRUST.replace("ec2.", "pods.eks.")
        trust = trust.replace('"sts:AssumeRole"', '["sts:AssumeRole", "sts:TagSession"]')
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        names[name] = role["Role"]["Arn"]
    for policy in ("AmazonEKSClusterPolicy", *NODE_POLICIES):
        iam.attach_role_policy(RoleName="role", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    iam.create_user(UserName="somebody")
    names["key"] = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("s3").create_bucket(Bucket="there", CreateBucketConfiguration=PLACE)
    client("sqs").create_queue(QueueName="q")
    client("events").put_rule(Name="r", ScheduleExpression="rate(1 day)")
    names["topic"] = client("sns").create_topic(Name="before")["TopicArn"]
    config = {"Name": "b", "DestinationArn": "arn:aws:s3:::there", "CreatorRequestId": "b"}
    names["config"] = client("route53resolver").create_resolver_query_log_config(**config)[
        "ResolverQueryLogConfig"
    ]["Id"]
    eks = client("eks")
    eks.create_cluster(
        name="prod",
        roleArn=names["role"],
        resourcesVpcConfig={"subnetIds": names["subnets"]},
        accessConfig={"authenticationMode": "API"},
    )
    made.wait()
    eks.create_access_entry(clusterName="prod", principalArn=names["admin"])
    made.wait()
    return made


@pytest.mark.parametrize("thing", sorted(THINGS))
def test_it_is_seen_in_the_state_and_gone_when_it_is_unmade(account: Account, thing: str) -> None:
    make, path, unmake = THINGS[thing]
    before = account.state()
    answer = account.call(make)
    account.names["answer"] = jmespath.search("HostedZone.Id", answer)
    it = account.names["it"] = path.strip("`") if "`" in path else jmespath.search(path, answer)
    during = account.state()
    told = difference(before, during)
    assert told, "nothing of it is in the state"
    assert str(it) in json.dumps(during)
    assert str(it) not in json.dumps(before)
    account.wait()
    for call in unmake:
        account.call(call)
        account.wait()
    assert difference(before, account.state()) == []
