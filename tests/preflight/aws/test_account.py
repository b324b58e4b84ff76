from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from preflight import errors
from preflight.aws import ATTEMPTS, FIRST_ATTEMPTS, Aws, as_principal, translate
from preflight.sandbox.faults.rules import Faults
from preflight.sandbox.server import Sandbox

LOST = None
Told = tuple[int, str] | None
VPC = "<CreateVpcResponse><vpc><vpcId>vpc-1</vpcId></vpc></CreateVpcResponse>"
NO_VPCS = "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>"


class Diary:
    """A clock on which waiting takes no time and is written down."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._now = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds
        if seconds:
            self.slept.append(seconds)


def ec2_error(code: str, message: str = "because") -> str:
    return (
        f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        "</Errors><RequestID>r-1</RequestID></Response>"
    )


@pytest.fixture
def teller(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Aws]]:
    """Give the AWS that says this: `teller((500, xml), None, (200, xml))`."""
    answers: list[Told] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            told = answers.pop(0)
            if told is None:
                self.close_connection = True
                return
            self.send_response(told[0])
            self.send_header("Content-Length", str(len(told[1].encode())))
            self.end_headers()
            self.wfile.write(told[1].encode())

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_PROFILE", raising=False)

    def tell(*told: Told) -> Aws:
        answers.extend(told)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        return Aws("us-west-2", clock=Diary())

    yield tell
    server.shutdown()
    thread.join()
    server.server_close()
    assert not answers, "AWS was not asked for everything it had to say"


def create(aws: Aws) -> str:
    return str(aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.mark.parametrize("lost", [LOST, (500, ec2_error("InternalError"))], ids=["cut", "500"])
def test_a_call_that_changes_something_is_never_sent_again_when_its_answer_got_lost(
    teller: Callable[..., Aws], lost: Told
) -> None:
    aws = teller(lost)
    with pytest.raises(errors.AwsError) as raised:
        create(aws)
    assert isinstance(raised.value, errors.Unreachable) is (lost is LOST)
    assert aws.calls.by_operation == {"ec2:CreateVpc": 1}


@pytest.mark.parametrize("lost", [LOST, (503, ec2_error("Unavailable"))], ids=["cut", "503"])
def test_a_call_that_only_looks_is_sent_again_when_its_answer_got_lost(
    teller: Callable[..., Aws], lost: Told
) -> None:
    aws = teller((200, NO_VPCS), lost, lost, (200, NO_VPCS))
    assert aws.call("ec2", "DescribeVpcs")["Vpcs"] == []
    assert aws.call("ec2", "DescribeVpcs")["Vpcs"] == []
    assert aws.calls.by_operation == {"ec2:DescribeVpcs": 4}


def test_an_endpoint_that_never_answered_is_not_asked_for_long(teller: Callable[..., Aws]) -> None:
    aws = teller(*[LOST] * FIRST_ATTEMPTS)
    with pytest.raises(errors.Unreachable):
        aws.call("ec2", "DescribeVpcs")


def test_throttling_is_waited_out_also_for_calls_that_change_something(
    teller: Callable[..., Aws],
) -> None:
    throttled = (503, ec2_error("RequestLimitExceeded", "Request limit exceeded."))
    aws = teller(throttled, throttled, (200, VPC))
    assert create(aws) == "vpc-1"
    diary = aws.clock
    assert isinstance(diary, Diary)
    assert len([seconds for seconds in diary.slept if seconds > 0.1]) >= 2


def test_after_throttling_requests_come_more_slowly(teller: Callable[..., Aws]) -> None:
    throttled = (503, ec2_error("RequestLimitExceeded"))

    def seconds_for_thirty(*before: Told) -> float:
        aws = teller(*before, *[(200, VPC)] * 31)
        create(aws)
        began = aws.clock.monotonic()
        for _ in range(30):
            create(aws)
        return aws.clock.monotonic() - began

    assert seconds_for_thirty(throttled, throttled) > 1.5 * seconds_for_thirty()


def test_endless_throttling_is_given_up_and_told(teller: Callable[..., Aws]) -> None:
    aws = teller(*[(503, ec2_error("RequestLimitExceeded"))] * ATTEMPTS)
    with pytest.raises(errors.Throttled) as raised:
        create(aws)
    assert raised.value.hint is not None
    assert "request rate" in raised.value.hint


@pytest.mark.parametrize("code", ["LimitExceededException", "VpcLimitExceeded"])
def test_a_used_up_quota_is_no_throttling_and_asked_for_once(
    teller: Callable[..., Aws], code: str
) -> None:
    aws = teller((400, ec2_error(code, "The maximum number of VPCs has been reached.")))
    with pytest.raises(errors.QuotaExceeded) as raised:
        create(aws)
    assert raised.value.code == code
    assert aws.calls.total == 1


def test_a_denial_names_the_action_to_allow(teller: Callable[..., Aws]) -> None:
    passing = (
        "User: arn:aws:iam::1:user/a is not authorized to perform: iam:PassRole on resource: x"
    )
    aws = teller(
        (403, ec2_error("UnauthorizedOperation")), (403, ec2_error("AccessDenied", passing))
    )
    with pytest.raises(errors.AccessDenied) as plain:
        create(aws)
    assert (plain.value.action, plain.value.code) == ("ec2:CreateVpc", "UnauthorizedOperation")
    assert plain.value.hint == "allow ec2:CreateVpc for this principal"
    assert plain.value.request_id == "r-1"
    with pytest.raises(errors.AccessDenied) as told:
        create(aws)
    assert told.value.action == "iam:PassRole"


def page(number: int, token: str = "") -> tuple[int, str]:
    following = f"<nextToken>{token}</nextToken>" if token else ""
    vpcs = f"<vpcSet><item><vpcId>vpc-{number}</vpcId></item></vpcSet>"
    return 200, f"<DescribeVpcsResponse>{vpcs}{following}</DescribeVpcsResponse>"


def test_pages_are_followed_to_the_last(teller: Callable[..., Aws]) -> None:
    aws = teller(page(1, "a"), page(2, "b"), page(3))
    assert list(aws.each("ec2", "DescribeVpcs", "Vpcs[].VpcId")) == ["vpc-1", "vpc-2", "vpc-3"]
    assert aws.examined == 3


def test_a_token_that_comes_back_ends_the_pages(teller: Callable[..., Aws]) -> None:
    aws = teller(page(1, "a"), page(2, "b"), page(3, "a"))
    assert list(aws.each("ec2", "DescribeVpcs", "Vpcs[].VpcId")) == ["vpc-1", "vpc-2", "vpc-3"]


def test_a_page_that_fails_is_an_error_and_no_shorter_list(teller: Callable[..., Aws]) -> None:
    aws = teller(page(1, "a"), (403, ec2_error("UnauthorizedOperation")))
    with pytest.raises(errors.AccessDenied):
        list(aws.each("ec2", "DescribeVpcs", "Vpcs"))


def test_without_credentials_it_says_how_to_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(errors.CredentialsError) as raised:
        Aws("us-west-2", clock=Diary()).call("ec2", "DescribeVpcs")
    assert "aws sso login" in str(raised.value.hint)


def test_a_dead_endpoint_is_unreachable_and_says_what_to_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    aws = as_principal("us-west-2", "key", "secret")
    with pytest.raises(errors.Unreachable) as raised:
        aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    assert "AWS_ENDPOINT_URL" in str(raised.value.hint)


def test_an_unknown_profile_is_a_mistake_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(errors.UsageError, match="nobody"):
        Aws("us-west-2", profile="nobody").call("ec2", "DescribeVpcs")


def test_views_share_the_calls_and_count_for_themselves_what_they_look_at(
    sandbox: Sandbox,
) -> None:
    aws = Aws(sandbox.region)
    view = aws.watching()
    found = list(view.each("ec2", "DescribeAvailabilityZones", "AvailabilityZones"))
    assert (view.examined, aws.examined) == (len(found), 0)
    other = aws.at("eu-west-1")
    other.call("ec2", "DescribeVpcs")
    assert aws.calls.by_operation == {"ec2:DescribeAvailabilityZones": 1, "ec2:DescribeVpcs": 1}
    assert aws.calls.actions == {"ec2:DescribeAvailabilityZones", "ec2:DescribeVpcs"}


def test_one_look_at_everything_asks_each_question_once_but_makes_every_change(
    sandbox: Sandbox,
) -> None:
    aws = Aws(sandbox.region).remembering()
    for _ in range(2):
        aws.call("ec2", "DescribeVpcs")
        create(aws)
    assert aws.calls.by_operation == {"ec2:CreateVpc": 2, "ec2:DescribeVpcs": 1}


def test_who_calls_is_asked_once(sandbox: Sandbox) -> None:
    aws = Aws(sandbox.region)
    assert aws.identity.account == aws.identity.account == sandbox.account
    assert aws.identity.partition == "aws"
    assert aws.calls.by_operation == {"sts:GetCallerIdentity": 1}


def test_a_fault_of_the_account_arrives_as_its_class(sandbox: Sandbox) -> None:
    rule = {"action": "eks:ListClusters", "error": "AccessDeniedException"}
    sandbox.world.part(Faults).replace([rule])
    with pytest.raises(errors.AccessDenied) as raised:
        list(Aws(sandbox.region).each("eks", "ListClusters", "clusters"))
    assert raised.value.action == "eks:ListClusters"


#: An error of each class as AWS words it, the ambiguous ones with their message.
EXAMPLES: tuple[tuple[str, str, type[errors.AwsError]], ...] = (
    (
        "ExpiredToken",
        "The security token included in the request is expired",
        errors.CredentialsError,
    ),
    (
        "AuthFailure",
        "AWS was not able to validate the provided credentials",
        errors.CredentialsError,
    ),
    (
        "AuthFailure",
        "You do not have permission to access the specified resource.",
        errors.Dependency,
    ),
    ("UnauthorizedOperation", "You are not authorized", errors.AccessDenied),
    ("AccessDeniedException", "no", errors.AccessDenied),
    ("RequestLimitExceeded", "Request limit exceeded.", errors.Throttled),
    ("TooManyRequestsException", "Rate exceeded", errors.Throttled),
    ("LimitExceededException", "limit", errors.QuotaExceeded),
    ("ServiceQuotaExceededException", "quota", errors.QuotaExceeded),
    ("ConcurrentModificationException", "again", errors.Busy),
    ("ResourceInUseException", "Cluster has an update in progress", errors.Busy),
    ("ResourceInUseException", "Cluster already exists with name: dev", errors.AlreadyExists),
    ("ResourceInUseException", "Cluster has nodegroups attached", errors.Dependency),
    ("DependencyViolation", "has a dependent object", errors.Dependency),
    ("DeleteConflict", "Cannot delete entity, must detach all policies first.", errors.Dependency),
    ("EntityAlreadyExists", "Role with name x already exists.", errors.AlreadyExists),
    ("InvalidGroup.Duplicate", "exists", errors.AlreadyExists),
    ("NoSuchEntity", "The role cannot be found.", errors.NotFound),
    ("InvalidVpcID.NotFound", "The vpc ID does not exist", errors.NotFound),
    ("InvalidSubnetID.Malformed", "Invalid id", errors.NotFound),
    ("SomethingNewNotFoundException", "gone", errors.NotFound),
    (
        "InvalidParameterException",
        "The role with name x cannot be found.",
        errors.Propagating,
    ),
    ("MalformedPolicyDocument", "Invalid principal in policy", errors.Propagating),
    ("MalformedPolicyDocument", "Syntax errors in policy.", errors.AwsError),
    ("RegionDisabledException", "STS is not activated in this region", errors.RegionDisabled),
    ("InvalidParameterException", "The subnet is too small", errors.AwsError),
    ("SomethingElse", "entirely", errors.AwsError),
)


@pytest.mark.parametrize(("code", "message", "kind"), EXAMPLES)
def test_an_error_becomes_one_class(code: str, message: str, kind: type[errors.AwsError]) -> None:
    answer: dict[str, Any] = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"RequestId": "r-7", "HTTPStatusCode": 400},
    }
    error = translate.from_response("eks", "CreateCluster", answer)
    assert type(error) is kind
    assert (error.service, error.operation, error.code, error.request_id) == (
        "eks",
        "CreateCluster",
        code,
        "r-7",
    )
    assert message in str(error)
    assert str(error).startswith(f"eks:CreateCluster [{code}]")


def test_every_class_of_answers_has_an_example() -> None:
    kinds = {kind for _, kind in translate.BY_CODE} | {kind for *_, kind in translate.BY_MESSAGE}
    assert kinds <= {kind for *_, kind in EXAMPLES}


def test_no_code_is_in_two_classes() -> None:
    seen = [code for codes, _ in translate.BY_CODE for code in codes]
    assert len(seen) == len(set(seen))
