"""The template that Chalice makes, with resources.yaml merged in: what matters is there, and cfn-lint is content."""

import json
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dev.template import Template
from ops import cloudformation
from ops.build import Package, build
from ops.deploy import SHARDS

FUNCTIONS = ("Work", "Quick", "Dispatch", "Ended", "APIHandler", "Authorize")
LANES = pytest.mark.parametrize(("function", "queue"), [("Work", "Queue"), ("Quick", "QuickQueue")])


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return build("prod", tmp_path_factory.mktemp("package"), for_aws=False)


@pytest.fixture(scope="module")
def raw(package: Package) -> dict[str, Any]:
    resources: dict[str, Any] = package.template["Resources"]
    return resources


def resolved(package: Package, name: str, stage: str = "prod") -> dict[str, Any]:
    return Template(package.template, Stage=stage).properties(name)


def mapping(raw: dict[str, Any], function: str) -> dict[str, Any]:
    source: dict[str, Any] = raw[function]["Properties"]["Events"][f"{function}SqsEventSource"]["Properties"]
    return source


@LANES
def test_messages_fail_one_by_one_and_workers_are_bounded(
    package: Package, raw: dict[str, Any], function: str, queue: str
) -> None:
    source = mapping(raw, function)
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    bound = package.template["Parameters"][source["ScalingConfig"]["MaximumConcurrency"]["Ref"]]
    assert 2 <= bound["MinValue"] <= bound["Default"] <= 1000
    assert "ReservedConcurrentExecutions" not in raw[function]["Properties"]
    assert source["Queue"]["Fn::Sub"].endswith(":" + resolved(package, queue)["QueueName"])


def test_the_long_lane_takes_one_message_an_invocation_and_the_quick_one_a_batch(raw: dict[str, Any]) -> None:
    assert mapping(raw, "Work")["BatchSize"] == 1
    assert mapping(raw, "Quick")["BatchSize"] == 10


@LANES
def test_a_queue_outlasts_its_worker_and_dead_letters_are_kept(
    package: Package, raw: dict[str, Any], function: str, queue: str
) -> None:
    lane, dead = resolved(package, queue), resolved(package, "DeadQueue")
    assert lane["VisibilityTimeout"] >= 6 * raw[function]["Properties"]["Timeout"]
    assert lane["RedrivePolicy"]["maxReceiveCount"] >= 5
    assert lane["RedrivePolicy"]["deadLetterTargetArn"].endswith(":sortie-prod-dead")
    assert dead["MessageRetentionPeriod"] == 14 * 86_400
    assert lane["SqsManagedSseEnabled"]
    assert dead["SqsManagedSseEnabled"]


@pytest.mark.parametrize(("stage", "safe"), [("prod", True), ("dev", False)])
def test_prod_rows_outlive_mistakes(package: Package, stage: str, safe: bool) -> None:
    table = resolved(package, "Table", stage)
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is safe
    assert table["DeletionProtectionEnabled"] is safe
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["SSESpecification"]["SSEEnabled"]


def test_the_bucket_is_encrypted_closed_and_named_for_one_account(package: Package) -> None:
    bucket = resolved(package, "Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["BucketName"] == "sortie-prod-payloads-000000000000-us-east-1"
    assert resolved(package, "Bucket", "local")["BucketName"] == "sortie-local-payloads"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_its_role_its_log_and_its_environment(raw: dict[str, Any], name: str) -> None:
    function = raw[name]["Properties"]
    role = raw[function["Role"]["Fn::GetAtt"][0]]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    groups = {
        raw[each]["Properties"]["LogGroupName"]["Fn::Sub"]: raw[each] for each in raw if each.endswith("LogGroup")
    }
    log = f"/aws/lambda/{function['FunctionName']['Fn::Sub']}"
    assert groups[log]["Properties"]["RetentionInDays"] == 30
    assert {key for key, each in raw.items() if each is groups[log]} <= set(raw[name]["DependsOn"])
    assert role[0]["Resource"] == f"arn:aws:logs:*:*:log-group:{log.replace('${Stage}', 'prod')}:*"
    variables = function["Environment"]["Variables"]
    of_containers = {key for key in variables if key.startswith("CONTAINER_")}
    of_shards = {key: variables[key] for key in variables if key.endswith("_SHARDS")}
    assert {key: variables[key] for key in variables.keys() - of_containers - of_shards.keys()} == {
        "SORTIE_STAGE": "prod", "PYTHONTZPATH": "", "BUCKET_NAME": {"Ref": "Bucket"},
    }  # fmt: skip
    parameters = {key: {"Ref": parameter} for key, parameter in SHARDS.items()}
    assert of_shards == ({} if name == "Authorize" else parameters)  # whoever writes or reads the lists
    needed = {f"CONTAINER_{what}" for what in ("IMAGES", "SECRETS", "ROLE", "GROUP", "SUBNETS")}
    assert of_containers == (set() if name in ("Authorize", "Quick") else needed)


def test_nothing_of_container_jobs_is_made_unless_a_stage_says_what_may_run(raw: dict[str, Any]) -> None:
    kinds = ("AWS::ECS::", "AWS::EC2::", "AWS::IAM::Policy")
    optional = {name: each for name, each in raw.items() if each["Type"].startswith(kinds)} | {
        name: raw[name] for name in ("ContainerRole", "ContainerLog")
    }
    assert len(optional) == 14
    assert {each.get("Condition") for each in optional.values()} == {"HasContainers", "HasSecrets", "MakesNetwork"}
    assert not [each for each in raw.values() if each["Type"] == "AWS::EC2::NatGateway"]
    group = raw["ContainerGroup"]["Properties"]
    assert "SecurityGroupIngress" not in group
    assert raw["ContainerLog"]["Properties"]["RetentionInDays"] == 30


def test_times_and_memory_are_as_designed(raw: dict[str, Any]) -> None:
    settings = {name: (raw[name]["Properties"]["Timeout"], raw[name]["Properties"]["MemorySize"]) for name in FUNCTIONS}
    assert settings["Work"] == (900, 3008)
    assert settings["Quick"] == (60, 1769)
    assert settings["Dispatch"][0] == 55
    assert settings["APIHandler"][0] == settings["Authorize"][0] == 29


def test_the_api_is_regional_and_answers_in_problems(raw: dict[str, Any]) -> None:
    api = raw["RestAPI"]["Properties"]
    assert api["EndpointConfiguration"] == "REGIONAL"
    assert api["MinimumCompressionSize"] == 1024
    body = api["DefinitionBody"]
    answers = body["x-amazon-apigateway-gateway-responses"]
    for kind, status in {"UNAUTHORIZED": 401, "ACCESS_DENIED": 401, "MISSING_AUTHENTICATION_TOKEN": 404}.items():
        assert answers[kind]["statusCode"] == str(status)
        assert json.loads(answers[kind]["responseTemplates"]["application/json"])["status"] == status
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND"} <= set(answers)
    for answer in answers.values():
        assert answer["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert answer["responseParameters"]["gatewayresponse.header.X-Request-Id"] == "context.requestId"
        assert '"request_id": "$context.requestId"' in answer["responseTemplates"]["application/json"]


def test_what_does_not_look_like_a_token_starts_no_function(raw: dict[str, Any]) -> None:
    guards = raw["RestAPI"]["Properties"]["DefinitionBody"]["securityDefinitions"]
    assert list(guards) == ["authorize"]
    form = guards["authorize"]["x-amazon-apigateway-authorizer"]["identityValidationExpression"]
    assert "authorizerUri" in guards["authorize"]["x-amazon-apigateway-authorizer"]
    for scheme in ("Bearer", "bearer"):
        assert re.fullmatch(form, f"{scheme} {secrets.token_urlsafe(32)}")
    for junk in ("", "Bearer", "Bearer x", f"Basic {secrets.token_urlsafe(32)}", "Bearer " + "x" * 44):
        assert not re.fullmatch(form, junk)


def test_the_api_is_throttled_by_parameters(package: Package, raw: dict[str, Any]) -> None:
    (every,) = raw["RestAPI"]["Properties"]["MethodSettings"]
    assert (every["ResourcePath"], every["HttpMethod"]) == ("/*", "*")
    assert (every["ThrottlingRateLimit"], every["ThrottlingBurstLimit"]) == (
        {"Ref": "ThrottleRate"},
        {"Ref": "ThrottleBurst"},
    )
    assert package.template["Parameters"]["ThrottleRate"]["Default"] > 0


def test_the_bucket_takes_tls_alone_and_no_page_of_another_origin(package: Package) -> None:
    (statement,) = resolved(package, "BucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2
    for stage in ("prod", "local"):
        (rule,) = resolved(package, "Bucket", stage)["CorsConfiguration"]["CorsRules"]
        assert "*" not in rule["AllowedOrigins"]


def test_every_route_but_the_public_ones_asks_for_a_token(raw: dict[str, Any]) -> None:
    paths = raw["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    open_paths = {
        path for path, methods in paths.items() for method, it in methods.items()
        if method != "options" and "security" not in it
    }  # fmt: skip
    assert open_paths == {"/", "/docs", "/health", "/openapi.json", "/web/{folder}/{name}"}


def test_somebody_is_told_when_something_is_wrong(raw: dict[str, Any]) -> None:
    alarms = {name: each["Properties"] for name, each in raw.items() if each["Type"] == "AWS::CloudWatch::Alarm"}
    watched = {(each["Namespace"], each["MetricName"]) for each in alarms.values()}
    assert watched >= {
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "Invocations"),
    }
    assert alarms["DispatcherAlarm"]["TreatMissingData"] == "breaching"
    assert all("AlarmActions" in each for each in alarms.values())


def test_the_dashboard_is_json(package: Package) -> None:
    body = package.template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert len(json.loads(body)["widgets"]) >= 6


def test_only_the_long_lane_carries_the_layer(package: Package) -> None:
    located = cloudformation.located(package.template, "bucket", "code.zip", "layer.zip")["Resources"]
    assert located[cloudformation.LAYER]["Properties"]["Content"] == {"S3Bucket": "bucket", "S3Key": "layer.zip"}
    functions = [name for name, each in located.items() if each["Type"] == "AWS::Serverless::Function"]
    assert [name for name in functions if "Layers" in located[name]["Properties"]] == ["Work"]
    assert {located[name]["Properties"]["CodeUri"]["Key"] for name in functions} == {"code.zip"}


def test_cfn_lint_has_no_complaint(package: Package, tmp_path: Path) -> None:
    file = tmp_path / "template.json"
    file.write_text(json.dumps(cloudformation.located(package.template, "bucket", "code.zip", "layer.zip")))
    lint = [sys.executable, "-c", "import sys; from cfnlint.runner import main; sys.exit(main())"]
    # A parameter that is empty unless containers are wanted stands only in what is made when they are.
    done = subprocess.run([*lint, "--ignore-checks", "W1030", "--", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
