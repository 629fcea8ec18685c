"""Settings of a counter: every fault is said at once, before a customer stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from monitoring.environment import ConfigurationFault
from reader_agent.app import make_parts, settings_from
from reader_agent.cameras.choose import choose_camera
from reader_agent.device_key import load_device_key

COMPLETE = {
    "AGENT_GATEWAY_URL": "https://gateway.example",
    "AGENT_TRUST_DIR": "/nowhere",
    "AGENT_DEVICE_KEY": "/nowhere/key.pem",
    "AGENT_ID": "counter-1",
}


def test_defaults_are_those_of_a_counter_with_a_reader() -> None:
    settings = settings_from(COMPLETE)
    assert (settings.host, settings.port, settings.reader, settings.language) == (
        "127.0.0.1",
        8642,
        "*",
        "vi",
    )
    assert settings.purpose_list == ("bank.counter.identify",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AGENT_LISTEN", "0.0.0.0:8642"),
        ("AGENT_LISTEN", "192.168.1.5:8642"),
        ("AGENT_LISTEN", "127.0.0.1"),
        ("AGENT_LISTEN", "127.0.0.1:0"),
        ("AGENT_LISTEN", "127.0.0.1:70000"),
        ("AGENT_GATEWAY_URL", "ftp://gateway"),
        ("AGENT_LANGUAGE", "fr"),
        ("AGENT_PURPOSES", " , "),
        ("AGENT_SESSION_SECONDS", "0"),
        ("AGENT_GATEWAY_SECONDS", "nan"),
        ("AGENT_CARD_WAIT_SECONDS", "9999"),
        ("AGENT_STATUS_LIST_HOURS", "0"),
        ("AGENT_STATUS_LIST_HOURS", "169"),
    ],
)
def test_a_setting_that_would_fail_later_is_refused_now(name: str, value: str) -> None:
    with pytest.raises(ConfigurationFault, match=name):
        settings_from(COMPLETE | {name: value})


def test_several_faults_are_said_together() -> None:
    with pytest.raises(ConfigurationFault) as faults:
        settings_from(COMPLETE | {"AGENT_LISTEN": "0.0.0.0:1", "AGENT_LANGUAGE": "fr"})
    assert "AGENT_LISTEN" in str(faults.value)
    assert "AGENT_LANGUAGE" in str(faults.value)


def _write(path: Path, key: object, mode: int = 0o600) -> Path:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))  # type: ignore[attr-defined]
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_device_keys_of_both_kinds_are_loaded(tmp_path: Path, key: object) -> None:
    assert load_device_key(_write(tmp_path / "key.pem", key)) is not None


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)],
    ids=["p384", "rsa"],
)
def test_other_kinds_of_key_are_refused(tmp_path: Path, key: object) -> None:
    with pytest.raises(ConfigurationFault, match="P-256 or Ed25519"):
        load_device_key(_write(tmp_path / "key.pem", key))


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    key = _write(tmp_path / "key.pem", ec.generate_private_key(ec.SECP256R1()), 0o644)
    with pytest.raises(ConfigurationFault, match="mode 600"):
        load_device_key(key)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_broken_key_file_is_refused_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationFault) as fault:
        load_device_key(path)
    assert "AAAA" not in str(fault.value)


def test_a_trust_folder_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationFault, match="AGENT_TRUST_DIR"):
        make_parts(settings_from(COMPLETE))


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "opencv",
        "opencv:x",
        "folder:",
        "https://127.0.0.1/f.jpg",
        "http://192.168.1.9/f.jpg",
        "http://u@127.0.0.1/f",
    ],
)
def test_a_camera_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        choose_camera(setting)


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("none", "none"),
        ("opencv:1", "opencv:1"),
        ("folder:/x", "folder"),
        ("http://127.0.0.1:9/frame.jpg", "snapshot"),
    ],
)
def test_cameras_are_chosen_without_loading_opencv(setting: str, name: str) -> None:
    assert choose_camera(setting).name == name
