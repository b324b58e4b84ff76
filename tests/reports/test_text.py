"""What the user reads, word for word."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from preflight.finding import Finding, Status
from reports.formats import Options, render
from reports.view import Outcome, Report

TERMINAL = Options(width=80)
PIPE = Options()


def test_a_check_reads_like_this(check_report: Report) -> None:
    assert render("text", check_report, options=TERMINAL) == snapshot("""\
preflight check  account 111122223333  us-west-2  cluster demo

✗ fail     quotas  1 failed, 1 passed
  ✗ fail     VPCs per Region (us-west-2)
             1 needed, 5 of 5 used
             fix  preflight quotas request --service vpc --code L-F678F1CE --value 6
             see  https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
✗ fail     existing  1 failed
  ✗ fail     demo  (waived)
             a log group of that name exists
             waived  kept for the auditors
? unknown  permissions  1 unknown
  ? unknown  arn:aws:iam::111122223333:role/platform/byoc/grid-managed-cluster-creator
             could not be simulated: iam:SimulatePrincipalPolicy is denied
             fix  grant iam:SimulatePrincipalPolicy to the caller
! warn     recommended-quotas  1 warned
  ! warn     Auto Scaling groups per region
             the vendor recommends 800, the limit is 500; that is no problem for
             this plan, which needs 6, but clusters grow
- skip     naming  1 skipped
  - skip     demo
             no bucket is wanted
✓ pass     sts  1 passed

gate closed: 1 failed, 1 unknown, 1 warning, 1 waived (of 7 findings)
7 AWS calls in 1.8 s
""")


def test_a_scan_reads_like_this(scan_report: Report) -> None:
    assert render("text", scan_report, options=TERMINAL) == snapshot("""\
preflight scan  account 111122223333  us-west-2  cluster demo

Leftovers  2 things, $40.85 a month

✗ leftover ec2/nat-gateway  1, $32.85 a month
  nat-0a1b2c3d4e5f60718  $32.85 a month, high severity, 3 days old
    a NAT gateway of cluster demo, which is gone
    arn     arn:aws:ec2:us-west-2:111122223333:natgateway/nat-0a1b2c3d4e5f60718
    why     A: kubernetes.io/cluster/demo=owned
    blocks  vpc-0f00
    fix     aws ec2 delete-nat-gateway --nat-gateway-id nat-0a1b2c3d4e5f60718

✗ leftover ec2/volume  1, $8.00 a month
  vol-0123456789abcdef0  $8.00 a month, medium severity, 2 hours old
    a volume of claim default/data-0
    why     B: name kubernetes-dynamic-pvc-1
    why     B: claim default/data-0
    first   snap-1
    fix     aws ec2 delete-volume --volume-id vol-0123456789abcdef0

Possible  1
belongs to some cluster; not counted, never deleted
  ~ possible eipalloc-1  ec2/elastic-ip  $3.65 a month
             some cluster allocated it; nothing says which

Wait  1
is on its way out; look again later
  … wait     eni-1  ec2/network-interface
             AWS is deleting it; look again in an hour

Keep  1
is shared or kept on purpose
  = keep     /aws/eks/demo/cluster  logs/log-group
             kept: audit, until 2027-01-01

looked at 3 rules, 1,204 things; could not look: load-balancers (needs
elasticloadbalancing:DescribeLoadBalancers)

2 leftovers, $40.85 a month; 1 possible, not counted; incomplete: 1 rule could not look
1 AWS call in 12 s
""")


def test_the_clusters_read_like_this(clusters_report: Report) -> None:
    assert render("text", clusters_report, options=TERMINAL) == snapshot("""\
preflight clusters  account 111122223333

id          name        type   region      status    created
───────────────────────────────────────────────────────────────
grid-prod   grid-prod   byoc   us-west-2   running   2 days ago
dev         dev         byoc   eu-west-2   failed    unknown

2 clusters
""")


def test_a_plan_reads_like_this(plan_report: Report) -> None:
    assert render("text", plan_report, options=TERMINAL) == snapshot("""\
preflight plan  account 111122223333  us-west-2  cluster demo

Resources
service   kind          change   count   a month
────────────────────────────────────────────────
ec2       vpc           adopt        1         -
          subnet        create       1         -
          nat-gateway   create       1    $32.85
iam       role          create       1         -
eks       cluster       create       1    $73.00
          nodegroup     create       1         ?

Demand on quotas
quota                                       code          needed
────────────────────────────────────────────────────────────────
ec2: Running On-Demand Standard instances   L-1216C47A   64 vCPU
vpc: VPCs per Region                        L-F678F1CE         1

Permissions  3 actions
list them with `-v`

Price  at least $105.85 a month; 1 not priced (prices of 2026-01-15)
  not in it  nodes: Spot prices change by the hour

plan: 6 resources (1 to adopt, 5 to create); at least $105.85 a month; 1 not priced
""")


def test_a_failed_build_reads_like_this(provision_report: Report) -> None:
    assert render("text", provision_report, options=TERMINAL) == snapshot("""\
preflight provision  account 111122223333  us-west-2  cluster demo

3 resources: 1 ready, 1 failed, 1 cancelled
  ✗ failed    nat-a    1.0 s
              AddressLimitExceeded: 5 of 5 Elastic IPs are used
              fix  preflight quotas request --service ec2 --code L-0263D0A3
  ✗ cancelled nodes
              nat-a failed

failed: 1 of 3 resources built in 3 min 20 s; 1 failed, 1 cancelled
""")


def test_the_last_lines_of_a_tear_down_say_what_is_left(delete_report: Report) -> None:
    last = render("text", delete_report, options=PIPE).splitlines()[-2]
    assert last.split("; ") == snapshot(
        [
            "1 resource deleted in 13 min 10 s",
            "2 leftovers, $40.85 a month",
            "1 possible, not counted",
            "incomplete: 1 rule could not look",
        ]
    )


def test_a_role_is_shown_without_its_secret(role_report: Report) -> None:
    assert render("text", role_report, options=TERMINAL) == snapshot("""\
preflight role  account 111122223333

role_name    grid-byoc
role_arn     arn:aws:iam::111122223333:role/grid-byoc
external_id  in ~/.local/state/preflight/grid-byoc.external-id

role grid-byoc
""")


def test_a_pipe_gets_neither_colour_nor_broken_lines(any_report: Report) -> None:
    text = render("text", any_report, options=PIPE)
    assert "\x1b" not in text
    assert not any(line != line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("width", [20, 40, 80, None])
def test_an_arn_is_never_broken(scan_report: Report, width: int | None) -> None:
    arn = "arn:aws:ec2:us-west-2:111122223333:natgateway/nat-0a1b2c3d4e5f60718"
    long = replace(scan_report.findings[0], message=f"the thing {arn} is left")
    report = replace(scan_report, findings=(long,))
    text = render("text", report, options=Options(width=width))
    assert text.count(arn) == 2
    assert "aws ec2 delete-nat-gateway --nat-gateway-id nat-0a1b2c3d4e5f60718\n" in text


def test_a_sentence_is_broken_between_words_on_a_terminal_only(check_report: Report) -> None:
    sentence = "the vendor recommends 800, the limit is 500; that is no problem for this plan"
    assert sentence not in render("text", check_report, options=TERMINAL)
    assert sentence in render("text", check_report, options=PIPE)


def test_colour_only_repeats_what_the_words_say(any_report: Report) -> None:
    coloured = render("text", any_report, options=Options(width=80, color=True))
    assert "\x1b[" in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    plain = render("text", any_report, options=TERMINAL)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


def test_what_one_deed_mends_is_told_once(check_report: Report) -> None:
    one = next(each for each in check_report.findings if each.status is Status.FAIL)
    three = tuple(
        replace(one, subject=name, hint="allow it", url="https://a.b/c")
        for name in ("ec2:CreateVpc", "ec2:DeleteVpc", "iam:CreateRole")
    )
    text = render("text", replace(check_report, findings=three), options=PIPE)
    assert text.count("allow it") == 1
    assert "fix all 3  allow it" in text
    assert text.index("iam:CreateRole") < text.index("fix all 3")
    assert text.count("https://a.b/c") == 1


def test_what_passed_is_one_line_unless_asked_for(check_report: Report) -> None:
    assert "the regional endpoint answers" not in render("text", check_report, options=PIPE)
    verbose = render("text", check_report, options=Options(verbose=True))
    assert "the regional endpoint answers" in verbose


def test_an_unknown_alone_closes_the_gate(check_report: Report) -> None:
    unknown = Finding(check="sts", status=Status.UNKNOWN, subject="x", message="denied")
    report = replace(check_report, verdict=Outcome.INCOMPLETE, findings=(unknown,))
    assert "\ngate closed: 1 unknown (of 1 finding)\n" in render("text", report, options=PIPE)


def test_an_open_gate_says_what_passed(check_report: Report) -> None:
    fine = tuple(each for each in check_report.findings if each.status in {"pass", "warn"})
    report = replace(check_report, verdict=Outcome.OPEN, findings=fine)
    text = render("text", report, options=PIPE)
    assert "\ngate open: 2 passed, 1 warning (of 3 findings)\n" in text


def test_a_clean_scan_that_could_not_look_does_not_say_clean(scan_report: Report) -> None:
    report = replace(scan_report, findings=(), verdict=Outcome.INCOMPLETE)
    text = render("text", report, options=PIPE)
    assert "no leftovers; incomplete: 1 rule could not look" in text
    assert "needs elasticloadbalancing:DescribeLoadBalancers" in text


def test_each_resource_of_a_plan_is_in_its_graph_once(plan_report: Report) -> None:
    text = render("text", plan_report, options=Options(verbose=True))
    graph = text.split("What needs what\n")[1].split("\n\n")[0]
    assert graph == snapshot("""\
vpc  ec2/vpc demo-vpc
  subnet-a  ec2/subnet demo-subnet-a
    nat-a  ec2/nat-gateway demo-nat-a
      nodes  eks/nodegroup demo-nodes  also needs cluster
    cluster  eks/cluster demo-cluster  also needs role
role  iam/role demo-role\
""")


def test_quotas_are_a_table_before_what_is_wrong(quotas_report: Report) -> None:
    assert render("text", quotas_report, options=TERMINAL) == snapshot("""\
preflight quotas  account 111122223333  us-west-2  cluster demo

         quota             code         used   limit   needed   free
────────────────────────────────────────────────────────────────────
✗ fail   VPCs per Region   L-F678F1CE      5       5        1      0
✓ pass   IAM roles                        83   1,000       15    917

✗ fail     quotas  1 failed, 1 passed
  ✗ fail     VPCs per Region (us-west-2)
             1 needed, 5 of 5 used
             fix  preflight quotas request --service vpc --code L-F678F1CE --value 6
             see  https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html

quotas short: 1 failed (of 2 findings)
7 AWS calls in 1.8 s
""")


def test_a_list_of_clusters_that_is_not_whole_says_so(clusters_report: Report) -> None:
    text = render("text", replace(clusters_report, complete=False), options=PIPE)
    assert text.endswith("\n2 clusters; incomplete\n")
