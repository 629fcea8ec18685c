"""What a machine needs before its programs start: keys, a ceremony, databases, officers, partners.

Each step leaves what it finds in place: a second start changes nothing but lists that grow old.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from monitoring.site import (
    BANK_COUNTER,
    OFFICE_COUNTER,
    OFFICE_PARTNER,
    OFFICE_PURPOSES,
    PARTNER,
    PARTNER_PURPOSES,
    Counter,
    SiteSettings,
    environment,
)
from monitoring.staff import APPROVER, CAPTURE, OFFICERS, SUPERVISOR, Post
from monitoring.supervisor import ProgramFailed
from verification.messages.national_time import vietnam_date

PREPARE_SECONDS = 180
GALLERY = "national"
CITIZENS = 200
CITIZEN_SEED = 2026
COMMUNE = "Phường Trúc Bạch, Quận Ba Đình, Hà Nội"
"""Where those who come to the counters live."""

CERTIFIER = "PC06 Hà Nội"
"""Who certified the officers who capture and approve there."""

COMMUNE_MAP = Path(__file__).parent / "stand/commune.json"
_KEY_PAIRS = ("gateway_log", "agent_device", "partner", "office_gateway_log", "office_agent_device", "office")

# Which caller may do what at which service; each caller proves itself with its own secret token.
RECEIVER = "social_insurance"
RECEIVED = ("full_name", "date_of_birth", "sex", "permanent_residence")

SERVICE_CALLERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "registry": {
        "gateway": ("person.query",),
        "issuance": (
            *("person.query", "person.match", "registry.read", "registry.extract", "events.life-event"),
            *("registry.read_log", "person.correct", "dc01.work", "quality.read"),
            *("person.publish", "person.merge", "person.register"),
        ),
        # An agency that receives what is published: no program of this machine, it is given the token.
        RECEIVER: ("person.receive",),
    },
    "issuance": {
        "gateway": ("status.query", "events.credential-status"),
        "kits": ("packet.deliver",),
        "status_page": ("application.status",),
        # Where citizens sign in with their accounts: no program of this machine, it is given the token.
        "citizen_sign_in": ("account.activate",),
    },
}


class Preparation:
    """Makes what is missing under a site's folder."""

    def __init__(self, settings: SiteSettings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._folder = settings.folder
        self._keys = settings.keys
        self._say = say

    def make(self) -> None:
        """Everything, in order; raises ProgramFailed."""
        self._make_keys()
        self._hold_ceremony()
        self._fill()

    def _fill(self) -> None:
        """What needs nothing of each other, as many at once as there are processors."""
        offices = (self._open_gallery, self._make_packet_keys, self._enrol_officers, self._register_partners)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for step in [
                pool.submit(each) for each in (self._fill_registry, self._make_picture_store, *offices)
            ]:
                step.result()
        self._make_list_key()
        (self._folder / "enrolled").touch()

    def _make_keys(self) -> None:
        self._keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self._folder / "cards").mkdir(exist_ok=True, mode=0o700)
        (self._folder / "log_trust").mkdir(exist_ok=True)
        for gateway in ("gateway", "office_gateway"):
            self._settings.metrics(gateway).mkdir(parents=True, exist_ok=True)
            self._once(f"{gateway}_seal", lambda: secrets.token_bytes(32))
        for name in _KEY_PAIRS:
            self._once(f"{name}.pem", _new_key)
            _write(self._keys / f"{name}.jwk", _public_jwk(self._keys / f"{name}.pem"))
        shutil.copyfile(self._keys / "gateway_log.jwk", self._folder / "log_trust" / "log_key.jwk")
        passwords = (f"{officer}.password" for officer in OFFICERS)
        for name in ("admin_secret", "gateway_operator.token", "kit.passphrase", *passwords):
            self._once(name, _new_secret)
        for service, callers in SERVICE_CALLERS.items():
            for caller in callers:
                self._once(f"{caller}.token", _new_secret)
            table = {
                caller: {"sha256": _sha256(self._keys / f"{caller}.token"), "roles": list(roles)}
                for caller, roles in callers.items()
            }
            _write(self._keys / f"{service}_callers.json", json.dumps(table).encode())

    def _once(self, name: str, make: Callable[[], bytes]) -> None:
        if not (self._keys / name).exists():
            _write(self._keys / name, make())

    def _hold_ceremony(self) -> None:
        pki, trust = self._folder / "pki", self._folder / "trust"
        if not (pki / "ds.der").exists():
            self._say("key ceremony: country signing CA, document signer, revocation list")
            run("issuance_backend.csca", "ceremony", "--out", pki)
        else:
            # A list older than ninety days is stale, and without a current one nothing is verified;
            # a document signer of that age signs no more.
            run("issuance_backend.csca", "crl", "--out", pki)
            run("issuance_backend.csca", "rotate", "--out", pki)
        self._admit_quality_control(pki)
        trust.mkdir(exist_ok=True)
        for name in ("csca.der", "csca.crl"):
            shutil.copyfile(pki / name, trust / name)

    def _admit_quality_control(self, pki: Path) -> None:
        """Who may read fingerprints: the production line alone, anew at every start."""
        authority, terminal = pki / "cvc" / "cvca.cvcert", pki / "cvc" / "quality-control"
        if not authority.exists():
            run("issuance_backend.csca", "cvca", "--out", pki)
        run("issuance_backend.csca", "document-verifier", "--out", pki)
        shutil.rmtree(terminal, ignore_errors=True)
        run("issuance_backend.csca", "terminal", "--out", pki, "--terminal", terminal)

    def _fill_registry(self) -> None:
        settings = self._settings.registry()
        self._make_store_keys("issuance_backend.population_registry", settings, "REGISTRY")
        self._load_communes(settings)
        if not (self._folder / "people.json").exists():
            self._say(f"population registry: {CITIZENS} synthetic citizens")
            run(
                "issuance_backend.population_registry",
                *("generate", "--count", CITIZENS, "--seed", CITIZEN_SEED, "--commune", COMMUNE),
                *("--export", self._folder / "people.json"),
                settings=settings,
            )
            receives = ("--name", RECEIVER, "--attributes", *RECEIVED)
            run("issuance_backend.population_registry", "receiver", *receives, settings=settings)
            # The kit asks for the commune's people right away.
            run("issuance_backend.population_registry", "housekeeping", "--once", settings=settings)

    def _load_communes(self, settings: Mapping[str, str]) -> None:
        """The map of this version, also into a registry that an older one filled."""
        loaded = self._folder / COMMUNE_MAP.name
        if loaded.exists() and loaded.read_bytes() == COMMUNE_MAP.read_bytes():
            return
        load = ("load", COMMUNE_MAP, "--actor", "demo")
        run("issuance_backend.population_registry.units", *load, settings=settings)
        shutil.copyfile(COMMUNE_MAP, loaded)

    def _make_picture_store(self) -> None:
        self._make_store_keys("issuance_backend", self._settings.issuance(), "ISSUANCE")

    @staticmethod
    def _make_store_keys(program: str, settings: Mapping[str, str], prefix: str) -> None:
        keys = Path(settings[f"{prefix}_BLOB_KEYS_FILE"])
        if not keys.exists():
            run(program, "store", "new-key", "--keys", keys, "--id", "first", settings=settings)

    def _open_gallery(self) -> None:
        """Everybody who gets a card is enrolled there, and every applicant is looked for in it."""
        if not (self._folder / "search_keys").exists():
            gallery = ("search", "open-gallery", "--code", GALLERY, "--kind", GALLERY)
            run("issuance_backend", *gallery, settings=self._settings.issuance())

    def _make_packet_keys(self) -> None:
        """Kits encrypt to the one, and check receipts with the other."""
        keys = self._folder / "packet_keys"
        if not keys.exists():
            new_key = ("packets", "new-key", "--keys", keys, "--id", "first")
            run("issuance_backend", *new_key, settings=self._settings.issuance())

    def _make_list_key(self) -> None:
        """Local approvals are signed with it; a supervisor, enrolled by now, lets the centre take it."""
        key = self._keys / "approval_key.pem"
        if not key.exists():
            new_key = ("dossiers", "new-list-key", "--key", key, "--by", SUPERVISOR)
            run("issuance_backend", *new_key, settings=self._settings.issuance())

    @property
    def _is_enrolled(self) -> bool:
        return (self._folder / "enrolled").exists()

    def _enrol_officers(self) -> None:
        """Whoever is not enrolled yet, also at a site that an older version made."""
        enrolled, joining = self._keys / "officers.json", self._keys / "officers_joining.json"
        known = {each["id"] for each in json.loads(enrolled.read_bytes())} if self._is_enrolled else set()
        roster = [self._entry(officer, post) for officer, post in OFFICERS.items()]
        missing = [each for each in roster if each["id"] not in known]
        if not missing:
            return
        self._say(f"issuance office: {len(missing)} officers, a gallery, a store of pictures, keys for kits")
        _write(joining, json.dumps(missing).encode())
        run("issuance_backend", "officer", "add-all", "--roster", joining, settings=self._settings.issuance())
        _write(enrolled, json.dumps(roster).encode())

    def _entry(self, officer: str, post: Post) -> dict[str, object]:
        return {
            "id": officer,
            "roles": list(post.roles),
            "unit": post.unit,
            "password_file": str(self._keys / f"{officer}.password"),
            "certificate": _certificate() if {CAPTURE, APPROVER} & set(post.roles) else None,
        }

    def _register_partners(self) -> None:
        if self._is_enrolled:
            return
        self._say("two gateways: a bank and the issuing office, each with its counter's device key")
        self._register(BANK_COUNTER, PARTNER, "partner", "Demo bank", PARTNER_PURPOSES)
        self._register(OFFICE_COUNTER, OFFICE_PARTNER, "office", "Issuing office", OFFICE_PURPOSES)

    def _register(self, counter: Counter, partner: str, key: str, name: str, purposes: Sequence[str]) -> None:
        """Make a partner and its counter, with their public keys, known to the gateway."""
        settings = self._settings.gateway(counter.gateway)
        listed = (part for purpose in purposes for part in ("--purpose", purpose))
        add = ("partner", "add", "--id", partner, "--name", name, "--jwk", self._keys / f"{key}.jwk")
        run("gateway", *add, *listed, settings=settings)
        enrol = ("agent", "add", "--id", counter.agent, "--partner", partner)
        run("gateway", *enrol, "--jwk", self._keys / f"{counter.key}.jwk", settings=settings)


def run(module: str, *arguments: object, settings: Mapping[str, str] | None = None) -> str:
    """Run a command of ours to its end and return what it printed; raises ProgramFailed."""
    command = [sys.executable, "-m", module, *(str(argument) for argument in arguments)]
    done = subprocess.run(
        command,
        env=environment(settings or {}),
        capture_output=True,
        timeout=PREPARE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ProgramFailed(f"{module} {arguments[0]}: {done.stderr.decode(errors='replace')[-800:]}")
    return done.stdout.decode(errors="replace").strip()


def _certificate() -> dict[str, str]:
    """The certificate of somebody who captures or approves in a demonstration, for a year from today."""
    today = vietnam_date(datetime.now(UTC))
    until = today + timedelta(days=365)
    return {"valid_from": today.isoformat(), "valid_until": until.isoformat(), "issuer": CERTIFIER}


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_jwk(private_key: Path) -> bytes:
    """The public half of a private key file, as a JSON Web Key."""
    return json.dumps(ECKey.import_key(private_key.read_bytes()).as_dict(private=False)).encode()


def _new_secret() -> bytes:
    return secrets.token_urlsafe(32).encode()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().strip()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
