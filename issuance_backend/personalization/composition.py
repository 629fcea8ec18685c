"""The machines of the production centre, put together for a worker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.moments import Clock
from issuance_backend.personalization.card_faces.face_inspection import FaceControl
from issuance_backend.personalization.card_faces.fonts import CardFonts
from issuance_backend.personalization.card_faces.printed_faces import print_job
from issuance_backend.personalization.card_printer import CardWriter
from issuance_backend.personalization.chip_key_pool import ChipKeyPool
from issuance_backend.personalization.data_preparation import SodSigner, ordered_faces
from issuance_backend.personalization.finger_access import finger_access
from issuance_backend.personalization.portrait_pictures import chip_portrait
from issuance_backend.personalization.quality_control import QualityControl
from issuance_backend.personalization.service import Workshop
from issuance_backend.refusals import ProductionUnavailable
from monitoring.environment import ConfigurationFault
from verification.lds.files import LdsFile
from verification.pki.trust_store import TrustStore


def workshop(
    pki_dir: Path, writer: CardWriter, pictures: Pictures, keys: ChipKeyPool, clock: Clock
) -> Workshop:
    """What makes cards; raises ConfigurationFault for a folder without trust anchors."""

    def anchors_now() -> TrustStore:
        # Read for every card: revocation lists are renewed while the line works.
        try:
            return trust_anchors(pki_dir)
        except (ConfigurationFault, OSError) as fault:
            raise ProductionUnavailable(f"trust anchors: {type(fault).__name__}") from None

    trust_anchors(pki_dir)  # a folder without anchors stops the start, not the first card
    fonts = CardFonts()  # and so does a machine without the card's typefaces
    return Workshop(
        sign=_sod_signer(pki_dir, clock),
        writer=writer,
        control=QualityControl(anchors_now, os.urandom, FaceControl(fonts)),
        captured_picture=pictures.read,
        chip_portrait=chip_portrait,
        draw_faces=lambda order: print_job(ordered_faces(order), fonts),
        keys=keys,
        finger_access=lambda: finger_access(pki_dir, clock().date()),
        require_ready=anchors_now,
    )


def trust_anchors(pki_dir: Path) -> TrustStore:
    """The issuer's own anchors and revocation lists; raises ConfigurationFault when there are none."""
    anchors = [*sorted(pki_dir.glob("csca*.der")), *sorted(pki_dir.glob("*.crl"))]
    if not anchors:
        raise ConfigurationFault("ISSUANCE_PKI_DIR holds no CSCA certificate")
    return TrustStore.from_files([path.read_bytes() for path in anchors])


def _sod_signer(pki_dir: Path, clock: Clock) -> SodSigner:
    signers = PkiDirectory(pki_dir).open_document_signers()

    def sign(hashes: Mapping[LdsFile, bytes]) -> bytes:
        moment = clock()
        return sign_security_object(hashes, signers.signer_for(moment), signing_time=moment)

    return sign
