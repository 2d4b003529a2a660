"""How AWS is called: clients with short time-outs, and botocore's errors turned into Sortie's."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import ResourceMissing, Unavailable

REFUSED = "ConditionalCheckFailedException"
MISSING = {
    "ResourceNotFoundException": "table",
    "AWS.SimpleQueueService.NonExistentQueue": "queue",
    "QueueDoesNotExist": "queue",
    "NoSuchBucket": "bucket",
    "ClusterNotFoundException": "cluster",
}
BATCH_READ_ROWS, BATCH_READ_TRIES = 100, 5
KEPT_CONNECTIONS = 20
"""More than calls go side by side: one that is not kept is made anew for each call."""
REGIONAL = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
"""Else botocore presigns for S3's global address, which knows no newer regions and redirects for a new bucket."""
USER_AGENT = "Sortie"
"""botocore puts one together anew for each request, which takes a tenth of the client's time."""
Client = Any


def client(service: str, endpoint: str | None, tries: int = 3, read_timeout: float = 7) -> Client:
    """`tries`: how often a request is sent before its failure is the caller's. Objects may be large and travel slowly:
    S3 gets more time, and signatures that presigned links need."""
    from botocore.config import Config  # routes without AWS calls (the page, the spec) do not pay for these

    from chalicelib.aws.session import create_client

    config = Config(
        connect_timeout=2, read_timeout=read_timeout, retries={"mode": "standard", "total_max_attempts": tries},
        max_pool_connections=KEPT_CONNECTIONS, parameter_validation=False, user_agent=USER_AGENT,
    )  # fmt: skip
    if service == "s3":
        s3 = {"addressing_style": "path"} if endpoint else REGIONAL
        config = config.merge(Config(read_timeout=60, signature_version="s3v4", s3=s3))
    new_client = create_client(service, endpoint, config)
    new_client.meta.events.register("before-parameter-build", _remember_resource)
    if service != "logs":  # where a stream that is not there is one that nothing was written to
        new_client.meta.events.register("after-call", lambda **call: _refuse_missing(endpoint, **call))
    if tries == 1:  # nobody makes good a connection that was kept and has died meanwhile
        new_client.meta.events.register("before-send", _close_connection)
    return new_client


def _close_connection(request: Any, **_: Any) -> None:
    request.headers["Connection"] = "close"


def _remember_resource(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    named = (params.get(key) for key in ("TableName", "QueueName", "QueueUrl", "Bucket", "cluster"))
    context["resource"] = str(next(filter(None, named), "")).rpartition("/")[2]


def _refuse_missing(endpoint: str | None, parsed: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
    """Raises ResourceMissing where AWS says that a table, queue, bucket or cluster is not there: no retry mends it."""
    code = str(parsed.get("Error", {}).get("Code", ""))
    kind = "bucket" if model.name == "HeadBucket" and code in ("404", "NoSuchBucket") else MISSING.get(code)
    if kind:
        mend = f"at {endpoint}: make resources" if endpoint else "in this account and region: make deploy"
        raise ResourceMissing(f"the {kind} {context.get('resource', '')} does not exist {mend}")


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Whatever AWS answers that the caller did not expect becomes errors.Unavailable."""
    try:
        yield
    except ClientError as error:
        raise Unavailable(f"{what}: {code_of(error)}") from error
    except BotoCoreError as error:
        raise Unavailable(f"{what}: {type(error).__name__}") from error


def read_once(client: Client, table: str, pks: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """BatchGetItem, consistent and sent once: the rows in no order, and the pks that were left out."""
    with translated("read rows"):
        keys = [{"pk": {"S": pk}} for pk in pks]
        answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    left = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    return answer["Responses"].get(table, []), [key["pk"]["S"] for key in left]


def read_rows(client: Client, table: str, pks: Sequence[str], *, consistent: bool = False) -> list[dict[str, Any]]:
    """BatchGetItem, a hundred at once, asking again for what was left out. In no order."""
    rows: list[dict[str, Any]] = []
    for start in range(0, len(pks), BATCH_READ_ROWS):
        keys = [{"pk": {"S": pk}} for pk in pks[start : start + BATCH_READ_ROWS]]
        left: Any = {table: {"Keys": keys, "ConsistentRead": consistent}}
        for _ in range(BATCH_READ_TRIES):
            with translated("read rows"):
                answer = client.batch_get_item(RequestItems=left)
            rows += answer["Responses"].get(table, [])
            left = answer.get("UnprocessedKeys")
            if not left:
                break
        else:
            raise Unavailable("read rows: the table answers no more reads now")
    return rows


def query_all(client: Client, what: str, **query: Any) -> list[dict[str, Any]]:
    """Every page of a query."""
    rows: list[dict[str, Any]] = []
    start: Any = {}
    while True:
        with translated(what):
            answer = client.query(**query, **start)
        rows += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return rows
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
