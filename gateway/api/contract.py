"""The contract itself, for partners' tools."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

CONTRACT = Path(__file__).parents[1] / "openapi.yaml"


def contract_blueprint() -> Blueprint:
    """GET of the OpenAPI document."""
    blueprint = Blueprint("contract", __name__)
    text = CONTRACT.read_bytes()

    @blueprint.get("/openapi.yaml")
    def get_contract() -> ResponseReturnValue:
        return Response(text, mimetype="application/yaml")

    return blueprint
