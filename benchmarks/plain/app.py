"""A plain Chalice app with one table and one queue, as small as such an app is: Sortie is held against it by
benchmarks/deployed.py. Its jobs have no owner, no retries and no list; a message that comes twice is worked on twice.
"""

import json
import os
import uuid

import boto3
from chalice.app import Chalice, Response, SQSEvent

app = Chalice(app_name="plain")
# Each on a line of its own: Chalice reads from it what the functions may do.
dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


@app.route("/jobs", methods=["POST"])
def submit() -> Response:
    assert app.current_request is not None
    job_id, array = uuid.uuid4().hex, json.dumps(app.current_request.json_body["array"])
    item = {"pk": {"S": job_id}, "status": {"S": "pending"}, "input": {"S": array}}
    dynamodb.put_item(TableName=os.environ["TABLE"], Item=item)
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=job_id)
    return Response({"id": job_id}, status_code=202)


@app.on_sqs_message(queue="plain-jobs", batch_size=10)
def work(event: SQSEvent) -> None:
    for record in event:
        key = {"pk": {"S": record.body}}
        item = dynamodb.get_item(TableName=os.environ["TABLE"], Key=key)["Item"]
        output = json.dumps(sorted(json.loads(item["input"]["S"])))
        dynamodb.update_item(
            TableName=os.environ["TABLE"], Key=key, UpdateExpression="SET #status = :status, #output = :output",
            ExpressionAttributeNames={"#status": "status", "#output": "output"},
            ExpressionAttributeValues={":status": {"S": "completed"}, ":output": {"S": output}},
        )  # fmt: skip
