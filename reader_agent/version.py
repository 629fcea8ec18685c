"""The agent's release, as evidence and the status address state it."""

AGENT_VERSION = "0.1.0"
API_LEVEL = 1
"""Raised by one with every change that an existing caller of the local HTTP API could notice."""
