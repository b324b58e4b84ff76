"""The ordered list of kinds a plan is made of; a new one is one file and one line here."""

from __future__ import annotations

from preflight.resource import Resource
from provision.resources.access import AccessEntry
from provision.resources.addons import Addon
from provision.resources.addresses import ElasticIp
from provision.resources.ecr import Repository
from provision.resources.eks import Cluster
from provision.resources.endpoints import VpcEndpoint
from provision.resources.events import Rule
from provision.resources.gateways import InternetGateway, NatGateway
from provision.resources.guardduty import Detector
from provision.resources.kms import Alias, Key
from provision.resources.launch import LaunchTemplate
from provision.resources.logs import LogGroup
from provision.resources.nodes import Nodegroup
from provision.resources.oidc import OidcProvider
from provision.resources.policies import Policy
from provision.resources.resolver import QueryLogAssociation, QueryLogConfig
from provision.resources.roles import Role
from provision.resources.routes import Route, RouteTable, RouteTableAssociation
from provision.resources.s3 import Bucket
from provision.resources.security import SecurityGroup, SecurityGroupRule
from provision.resources.sns import Topic
from provision.resources.sqs import Queue
from provision.resources.vpc import Subnet, Vpc

KINDS: tuple[type[Resource], ...] = (
    Role,
    Policy,
    OidcProvider,
    Vpc,
    Subnet,
    InternetGateway,
    ElasticIp,
    NatGateway,
    RouteTable,
    Route,
    RouteTableAssociation,
    VpcEndpoint,
    SecurityGroup,
    SecurityGroupRule,
    LaunchTemplate,
    Key,
    Alias,
    LogGroup,
    Cluster,
    Addon,
    AccessEntry,
    Nodegroup,
    Bucket,
    Repository,
    Queue,
    Rule,
    Topic,
    QueryLogConfig,
    QueryLogAssociation,
    Detector,
)
