"""One stage as a CloudFormation stack: upload the package, create or update, wait, read what came of it."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, WaiterError

from dev.settings import BadStart
from ops import gateway_responses, offline
from ops.account import Account
from ops.build import Package, digest

API_STAGE = "api"
LAYER, LAYER_NAME = "SortingLayer", "sortie-${Stage}-sorting"
Say = Callable[[str], None]
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
WAIT = {"Delay": 5, "MaxAttempts": 360}
QUICK_WAIT = {"Delay": 1, "MaxAttempts": 180}
NOTHING_CAME_OF_IT = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS")
NEVER_READY = ("DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")


class DeployFailed(BadStart):
    """The stack is not as it should be; the message says what CloudFormation said."""


def name_of(stage: str) -> str:
    return f"sortie-{stage}"


def deploy(account: Account, stage: str, package: Package, say: Say, **parameters: str) -> Mapping[str, str]:
    """Create the stage's stack, or bring it up to date; its outputs. Raises DeployFailed."""
    template = _upload(account, stage, package)
    say(f"Bringing the stack {name_of(stage)} up to date.")
    outputs = _bring(account, name_of(stage), {"Stage": stage, **parameters}, TemplateURL=template)
    if account.endpoint:
        responses = gateway_responses.of_template(package.template)
        gateway_responses.apply(account, outputs["RestAPIId"], API_STAGE, responses)
    allow_page(account, outputs["Bucket"], api_url(account, outputs))
    return outputs


def allow_page(account: Account, bucket: str, url: str) -> None:
    """Pages may use links to the bucket from the API's own origin alone."""
    store, origin = account.client("s3"), urlsplit(url)
    rules = store.get_bucket_cors(Bucket=bucket)["CORSRules"]
    narrowed = [rule | {"AllowedOrigins": [f"{origin.scheme}://{origin.netloc}"]} for rule in rules]
    store.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": narrowed})


def apply(account: Account, name: str, stage: str, template: str) -> Mapping[str, str]:
    """Create or update a stack of a small template; its outputs. Raises DeployFailed."""
    return _bring(account, name, {"Stage": stage}, TemplateBody=template)


def _bring(account: Account, name: str, parameters: Mapping[str, str], **template: str) -> Mapping[str, str]:
    cloud = account.client("cloudformation")
    before = _status(cloud, name)
    if before in NOTHING_CAME_OF_IT:
        _delete(account, cloud, name)
        before = None
    if before in NEVER_READY:
        raise DeployFailed(f"the stack {name} is {before}: look at it in CloudFormation's console first")
    kind = "create" if before is None else "update"
    if _start(cloud, kind, name, parameters, template):
        _wait(account, cloud, name, f"stack_{kind}_complete")
    return _outputs(cloud, name)


def _outputs(cloud: Any, name: str) -> Mapping[str, str]:
    stack = cloud.describe_stacks(StackName=name)["Stacks"][0]
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def delete(account: Account, stage: str) -> None:
    _delete(account, account.client("cloudformation"), name_of(stage))


def _delete(account: Account, cloud: Any, name: str) -> None:
    cloud.delete_stack(StackName=name)
    _wait(account, cloud, name, "stack_delete_complete")


def exists(account: Account, stage: str) -> bool:
    return _status(account.client("cloudformation"), name_of(stage)) is not None


def api_url(account: Account, outputs: Mapping[str, str]) -> str:
    """Without a slash at its end."""
    if account.endpoint:
        return f"{account.endpoint}/restapis/{outputs['RestAPIId']}/{API_STAGE}/_user_request_"
    return outputs["EndpointURL"].rstrip("/")


def artifacts(account: Account) -> str:
    """The bucket that packages are uploaded to, one for all stages of an account and region."""
    return f"sortie-artifacts-{account.number}-{account.region}"


def _upload(account: Account, stage: str, package: Package) -> str:
    """The template's address. Everything is named by its contents, so what is old stays to go back to."""
    store, bucket = account.client("s3"), artifacts(account)
    ours = {"Bucket": bucket, "ExpectedBucketOwner": account.number}
    _ensure_bucket(store, ours, account.region)
    keys = [f"{stage}/{digest(file)}.zip" for file in (package.zip, package.layer)]
    for key, file in zip(keys, (package.zip, package.layer), strict=True):
        if not _exists(store.head_object, **ours, Key=key):
            store.put_object(**ours, Key=key, Body=file.read_bytes())
    described = located(package.template, bucket, *keys)
    if account.endpoint:
        offline.adapt(described)
    template = json.dumps(described, separators=(",", ":"))
    store.put_object(**ours, Key=f"{stage}/template.json", Body=template.encode())
    if account.endpoint:
        return f"{account.endpoint}/{bucket}/{stage}/template.json"
    return f"https://{bucket}.s3.{account.region}.amazonaws.com/{stage}/template.json"


def located(template: Mapping[str, Any], bucket: str, code: str, layer: str) -> dict[str, Any]:
    """The template with where its functions' code is, and the layer of `work`. Both are keys in the bucket."""
    copy: dict[str, Any] = json.loads(json.dumps(template))
    functions = [each for each in copy["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
    for function in functions:
        function["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": code}
    work = copy["Resources"]["Work"]["Properties"]
    work["Layers"] = [{"Ref": LAYER}]
    content = {"S3Bucket": bucket, "S3Key": layer}
    properties = {"LayerName": {"Fn::Sub": LAYER_NAME}, "CompatibleRuntimes": [work["Runtime"]], "Content": content}
    copy["Resources"][LAYER] = {"Type": "AWS::Lambda::LayerVersion", "Properties": properties}
    return copy


def _ensure_bucket(store: Any, ours: Mapping[str, str], region: str) -> None:
    """Anybody can guess its name and take it first: what is deployed would be theirs to say. Raises DeployFailed."""
    try:
        if _exists(store.head_bucket, **ours):
            return
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("403", "AccessDenied"):
            raise
        where = f"the bucket {ours['Bucket']} belongs to another account than {ours['ExpectedBucketOwner']}"
        raise DeployFailed(f"{where}, or you may not look at it: nothing was uploaded") from error
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    store.create_bucket(Bucket=ours["Bucket"], **location)
    closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    store.put_public_access_block(**ours, PublicAccessBlockConfiguration=dict.fromkeys(closed, True))


def _exists(head: Callable[..., Any], **named: str) -> bool:
    try:
        head(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchBucket", "NotFound"):
            return False
        raise
    return True


def _start(cloud: Any, kind: str, name: str, parameters: Mapping[str, str], template: Mapping[str, str]) -> bool:
    """False when there is nothing to do."""
    listed = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    call = cloud.create_stack if kind == "create" else cloud.update_stack
    try:
        call(StackName=name, Parameters=listed, Capabilities=CAPABILITIES, **template)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise DeployFailed(str(error)) from error
    return True


def _wait(account: Account, cloud: Any, name: str, waiter: str) -> None:
    """AWS takes minutes, an emulator seconds."""
    try:
        pace = QUICK_WAIT if account.endpoint else WAIT
        cloud.get_waiter(waiter).wait(StackName=name, WaiterConfig=pace)
    except WaiterError as error:
        raise DeployFailed(_reasons(cloud, name) or str(error)) from error


def _reasons(cloud: Any, name: str) -> str:
    try:
        events = cloud.describe_stack_events(StackName=name)["StackEvents"]
    except ClientError:
        return ""
    failed = [each for each in events if each.get("ResourceStatus", "").endswith("_FAILED")]
    return "\n".join(f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '?')}" for each in failed)


def _status(cloud: Any, name: str) -> str | None:
    """What state the stack is in once nothing moves it; None when there is none."""
    while True:
        try:
            status = str(cloud.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        if status == "DELETE_COMPLETE":
            return None
        if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
            return status
        time.sleep(2)
