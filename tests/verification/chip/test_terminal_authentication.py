"""Terminal authentication, version 1: every command to the octet, every refusal by its own code."""

from __future__ import annotations

import pytest

from tests.support.scripted_card import ScriptedCard
from tests.support.terminal_pki import cvca, issue, link, terminal_chain
from tests.support.vectors import load
from verification.chip.terminal_authentication import Terminal, authenticate
from verification.errors import (
    CardRemoved,
    CardUnresponsive,
    TerminalAuthenticationFailed,
    TerminalNotTrusted,
    VerificationError,
)
from verification.iso7816.channel import Channel
from verification.iso7816.command import CommandApdu
from verification.lds.card_verifiable import CardVerifiableCertificate, HolderRole, parse_cv_certificate
from verification.lds.card_verifiable_path import EffectiveRights

CASE = load("eacv1_ca_ta_synthetic")
ROOT, VERIFIER, OWN = (
    parse_cv_certificate(bytes.fromhex(CASE["cv_chain"][name])) for name in ("cvca", "dv", "is_dg3")
)
ID_PICC = CASE["id_picc"].encode()
EPHEMERAL = bytes.fromhex(CASE["comp_pk_pcd_x"])
CHALLENGE = CASE["r_picc"]
SIGNATURE = CASE["ta_signature_plain"]
OK = "9000"

# TR-03110-3, B.12 and B.13: Set DST, VERIFY CERTIFICATE, Set AT, GET CHALLENGE, EXTERNAL AUTHENTICATE.
SET_DST_OF_ROOT = "002281b611830f" + b"VNTESTCVCA00001".hex()
SET_DST_OF_VERIFIER = "002281b60f830d" + b"VNTESTDV00001".hex()
SET_AT = "002281a40f830d" + b"VNTESTIS00001".hex()
GET_CHALLENGE = "0084000008"
EXTERNAL_AUTHENTICATE = "0082000040" + SIGNATURE


def verify(certificate: CardVerifiableCertificate) -> str:
    content = certificate.encoded[5 if certificate.encoded[2] == 0x82 else 4 :]
    return f"002a00be{len(content):02x}{content.hex()}"


EXCHANGES = [
    (SET_DST_OF_ROOT, OK),
    (verify(VERIFIER), OK),
    (SET_DST_OF_VERIFIER, OK),
    (verify(OWN), OK),
    (SET_AT, OK),
    (GET_CHALLENGE, CHALLENGE + OK),
    (EXTERNAL_AUTHENTICATE, OK),
]


class Signer:
    """Signs what the vector says, and nothing else."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, data: bytes) -> bytes:
        assert data.hex() == CASE["ta_signed_data"]
        self.calls += 1
        return bytes.fromhex(SIGNATURE)


def run(exchanges: list[tuple[str, str]], **changes: object) -> tuple[EffectiveRights, ScriptedCard, Signer]:
    card, signer = ScriptedCard(exchanges), Signer()
    given = {"certificates": (ROOT, VERIFIER, OWN), "trusted_references": ["VNTESTCVCA00001"], **changes}
    rights = authenticate(
        Channel(card),
        Terminal(given["certificates"], signer),  # type: ignore[arg-type]
        ID_PICC,
        EPHEMERAL,
        trusted_references=given["trusted_references"],  # type: ignore[arg-type]
    )
    return rights, card, signer


def test_the_worked_values_command_by_command() -> None:
    rights, card, signer = run(EXCHANGES)
    assert card.is_finished
    assert signer.calls == 1
    assert rights == EffectiveRights(0b01)


@pytest.mark.parametrize("certificates", [(VERIFIER, OWN), (VERIFIER, ROOT, OWN)])
def test_the_trust_point_is_never_sent(certificates: tuple[CardVerifiableCertificate, ...]) -> None:
    _, card, _ = run(EXCHANGES, certificates=certificates)
    assert card.is_finished


def test_a_chip_that_keeps_ef_cvca_to_itself_is_taken_to_trust_our_authority() -> None:
    _, card, _ = run(EXCHANGES, trusted_references=())
    assert card.is_finished


@pytest.mark.parametrize(
    ("certificates", "trusted"),
    [
        ((ROOT, VERIFIER, OWN), ["DECVCA00001"]),
        ((ROOT, OWN), ["VNTESTCVCA00001"]),
        ((VERIFIER, OWN), []),
        ((), ["VNTESTCVCA00001"]),
    ],
)
def test_a_chip_that_trusts_somebody_else_gets_no_command(
    certificates: tuple[CardVerifiableCertificate, ...], trusted: list[str]
) -> None:
    with pytest.raises(TerminalNotTrusted):
        run([], certificates=certificates, trusted_references=trusted)


@pytest.mark.parametrize("status", ["6300", "6982", "6985", "6a80", "6a88", "6d00", "6f00"])
@pytest.mark.parametrize("step", range(len(EXCHANGES)))
def test_a_refusal_at_any_step_ends_it(step: int, status: str) -> None:
    exchanges = [*EXCHANGES[:step], (EXCHANGES[step][0], status)]
    card = ScriptedCard(exchanges)
    is_unknown_authority = step in (0, 2) and status == "6a88"
    with pytest.raises(
        TerminalNotTrusted if is_unknown_authority else TerminalAuthenticationFailed
    ) as refusal:
        authenticate(
            Channel(card),
            Terminal((ROOT, VERIFIER, OWN), Signer()),
            ID_PICC,
            EPHEMERAL,
            trusted_references=["VNTESTCVCA00001"],
        )
    assert card.is_finished
    for secret in (ID_PICC.decode(), EPHEMERAL.hex(), SIGNATURE, "VNTEST"):
        assert secret not in str(refusal.value)


@pytest.mark.parametrize("challenge", ["", "00" * 7, "00" * 9])
def test_a_challenge_of_another_length_is_not_signed(challenge: str) -> None:
    exchanges = [*EXCHANGES[:5], (GET_CHALLENGE, challenge + OK)]
    with pytest.raises(TerminalAuthenticationFailed, match="challenge"):
        run(exchanges)


class Recorder:
    """Takes every command and notes it; the challenge is eight zeros."""

    def __init__(self) -> None:
        self.commands: list[CommandApdu] = []

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(CommandApdu.parse(command))
        return (bytes(8) if command[1] == 0x84 else b"") + b"\x90\x00"


def test_a_long_certificate_goes_in_a_chain() -> None:
    root, verifier, terminal = terminal_chain("0.4.0.127.0.7.2.2.2.1.4")
    card = Recorder()
    chain = tuple(party.certificate for party in (root, verifier, terminal))
    authenticate(
        Channel(card), Terminal(chain, terminal.sign), ID_PICC, EPHEMERAL, trusted_references=[root.name]
    )
    sent = [command for command in card.commands if command.ins == 0x2A]
    assert all(len(command.data) <= 255 and command.expected is None for command in sent)
    contents, content = [], b""
    for command in sent:
        content += command.data
        if not command.cla & 0x10:
            contents.append(content)
            content = b""
    assert contents == [verifier.certificate.content_octets, terminal.certificate.content_octets]
    assert len(sent) > len(contents)
    signature = card.commands[-1]
    assert len(signature.data) == terminal.private.key_size // 8


def test_a_chip_with_an_old_trust_point_is_brought_forward() -> None:
    old, new = cvca("VNCVCA00001"), cvca("VNCVCA00002")
    verifier = issue(new, "VNDV00001", HolderRole.DV_DOMESTIC)
    terminal = issue(verifier, "VNIS00001", HolderRole.IS, rights=0b10)
    between = link(old, new)
    held = (old.certificate, new.certificate, between, verifier.certificate, terminal.certificate)
    for trusted, expected in (
        (["VNCVCA00001"], [b"VNCVCA00001", b"VNCVCA00002", b"VNDV00001"]),
        (["VNCVCA00002", "VNCVCA00001"], [b"VNCVCA00002", b"VNDV00001"]),
    ):
        card = Recorder()
        rights = authenticate(
            Channel(card), Terminal(held, terminal.sign), ID_PICC, EPHEMERAL, trusted_references=trusted
        )
        authorities = [command.data[2:] for command in card.commands if command[1:4] == (0x22, 0x81, 0xB6)]
        assert authorities == expected
        assert rights == EffectiveRights(0b10)


@pytest.mark.parametrize("refused", [(0x22, 0x6A88), (0x2A, 0x6A80), (0x2A, 0x6300)])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_link_that_the_chip_refuses_matters_only_where_it_is_needed(
    refused: tuple[int, int], *, is_known: bool
) -> None:
    """A chip that holds the new key already refuses the link, and takes the rest."""
    old, new = cvca("VNCVCA00001"), cvca("VNCVCA00002")
    verifier = issue(new, "VNDV00001", HolderRole.DV_DOMESTIC)
    terminal = issue(verifier, "VNIS00001", HolderRole.IS)
    held = (link(old, new), verifier.certificate, terminal.certificate)
    instruction, status = refused

    class Refusing(Recorder):
        def transmit(self, command: bytes) -> bytes:
            answer = super().transmit(command)
            if [one.ins for one in self.commands].count(instruction) == 1 and command[1] == instruction:
                return status.to_bytes(2, "big")
            is_set_dst = command[1:4] == b"\x22\x81\xb6"
            return b"\x6a\x88" if is_set_dst and command.endswith(b"00002") and not is_known else answer

    def run() -> EffectiveRights:
        return authenticate(
            Channel(Refusing()),
            Terminal(held, terminal.sign),
            ID_PICC,
            EPHEMERAL,
            trusted_references=["VNCVCA00001"],
        )

    if is_known:
        assert run() == EffectiveRights(0b11)
    else:
        with pytest.raises(TerminalNotTrusted):
            run()


@pytest.mark.parametrize("fault", [CardRemoved("pulled"), CardUnresponsive("silent")])
@pytest.mark.parametrize("step", range(len(EXCHANGES)))
def test_faults_of_the_transport_pass_unchanged(step: int, fault: VerificationError) -> None:
    script = ScriptedCard(EXCHANGES[:step])

    class Failing:
        def transmit(self, command: bytes) -> bytes:
            if script.is_finished:
                raise fault
            return script.transmit(command)

    with pytest.raises(type(fault)):
        authenticate(
            Channel(Failing()),
            Terminal((ROOT, VERIFIER, OWN), Signer()),
            ID_PICC,
            EPHEMERAL,
            trusted_references=["VNTESTCVCA00001"],
        )


def test_a_terminal_shows_nothing_of_its_key() -> None:
    assert "sign" not in repr(Terminal((OWN,), Signer()))
