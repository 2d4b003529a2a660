"""The answers that API Gateway gives by itself, as problems: what resources.yaml says, put on an API by hand.

CloudFormation takes them from the template. `chalice deploy` knows nothing of them, and MiniStack does not read them.
"""

from collections.abc import Mapping
from typing import Any

from ops.account import Account

EXTENSION = "x-amazon-apigateway-gateway-responses"


def of_template(template: Mapping[str, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"][EXTENSION]
    return responses


def apply(account: Account, api_id: str, stage_name: str, responses: Mapping[str, Any]) -> bool:
    """Put those that differ and deploy them; False when none did."""
    gateway = account.client("apigateway")
    there = {each["responseType"]: each for each in gateway.get_gateway_responses(restApiId=api_id)["items"]}
    differ = [kind for kind, response in responses.items() if not _same(there.get(kind, {}), response)]
    for kind in differ:
        gateway.put_gateway_response(restApiId=api_id, responseType=kind, **responses[kind])
    if differ:
        gateway.create_deployment(restApiId=api_id, stageName=stage_name, description="gateway responses")
    return bool(differ)


def _same(there: Mapping[str, Any], response: Mapping[str, Any]) -> bool:
    return all(there.get(key) == value for key, value in response.items())
