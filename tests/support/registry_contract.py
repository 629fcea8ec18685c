"""Asking the office about the registry: every answer is held against the published contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

import issuance_backend
from tests.support.issuance_office import OfficerClient

CONTRACT = OpenAPI.from_file_path(
    str(Path(issuance_backend.__file__ or "").parent / "openapi/registry_work.yaml"),
    config=Config(extra_media_type_deserializers={"application/problem+json": json.loads}),
)


def judged(answer: Any) -> Any:
    """An answer, held against the contract."""
    asked = EnvironBuilder(
        path=answer.request.path, method=answer.request.method, base_url="http://localhost"
    )
    request = WerkzeugOpenAPIRequest(asked.get_request(Request))
    CONTRACT.validate_response(request, WerkzeugOpenAPIResponse(answer))
    return answer


def get(officer: OfficerClient, path: str) -> Any:
    return judged(officer.get(path))


def post(officer: OfficerClient, path: str, said: dict[str, Any], key: str | None = None) -> Any:
    return judged(officer.post(path, said, key=key))


def told(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]
