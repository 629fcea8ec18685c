"""What only the issuance backend refuses, or cannot do; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import LimitExceeded, MalformedDocument, Refused, Unavailable, UntrustedDocument


class ServiceNotPermitted(Refused):
    """The calling program did not prove who it is, or may not ask this."""

    code = "SERVICE_NOT_PERMITTED"


class SignInFailed(Refused):
    """No officer of that name with that password; which of the two is not told."""

    code = "OFFICER_SIGN_IN_FAILED"


class SignInBlocked(Refused):
    """Too many wrong passwords: this officer must wait."""

    code = "OFFICER_SIGN_IN_BLOCKED"


class RoleMissing(Refused):
    """The officer's roles do not allow this step."""

    code = "OFFICER_ROLE_MISSING"


class SameOfficer(Refused):
    """Four eyes: this officer already took part in this dossier."""

    code = "SAME_OFFICER"


class OfficerNotCertified(Refused):
    """Only who is certified to capture, and still is, seals what was captured."""

    code = "OFFICER_NOT_CERTIFIED"


class ApproverNotCertified(Refused):
    """Only who is certified to approve, and still is, approves."""

    code = "APPROVER_NOT_CERTIFIED"


class CertificateInOwnName(Refused):
    """Nobody certifies themselves."""

    code = "CERTIFICATE_IN_OWN_NAME"


class DossierNotChecked(Refused):
    """At a province nobody approves what no processor has checked."""

    code = "DOSSIER_NOT_CHECKED"


class HitStillOpen(Refused):
    """The search for duplicates, or the examiners who look at what it found, are not done."""

    code = "DOSSIER_HIT_OPEN"


class HolderNotRegistered(Refused):
    """The registry knows nobody who lives under this very number any more: annulled, merged, or dead."""

    code = "HOLDER_NOT_REGISTERED"


class ReceiptUnknown(Refused):
    """No application that the centre knows has this receipt code; or it is no code at all."""

    code = "RECEIPT_UNKNOWN"


class PacketDossierClosed(Refused):
    """A packet of a dossier that no longer waits for one."""

    code = "PACKET_DOSSIER_CLOSED"


class CardHandedOverSince(Refused):
    """A packet was sealed before its person got a card: it would make a second one."""

    code = "PACKET_CARD_SINCE"


class RegistryPersonUnknown(Refused):
    """The population registry holds no person with this number."""

    code = "REGISTRY_PERSON_UNKNOWN"


class HandPhotoUnknown(Refused):
    """The dossier has no photograph of this hand, or has none any more."""

    code = "HAND_PHOTO_UNKNOWN"


class NumberReservationUnknown(Refused):
    """No number is kept for this request: it was never made, or its number went back to the block."""

    code = "NUMBER_RESERVATION_UNKNOWN"


class IdentityUnknown(Refused):
    """There is no such identity."""

    code = "IDENTITY_UNKNOWN"


class MergeUnknown(Refused):
    """There is no such merge, or no such proposal of one."""

    code = "MERGE_UNKNOWN"


class LifeEventUnknown(Refused):
    """There is no such life event."""

    code = "LIFE_EVENT_UNKNOWN"


class PublicationUnknown(Refused):
    """There is no such publication."""

    code = "PUBLICATION_UNKNOWN"


class DeliveryUnknown(Refused):
    """This receiver was sent no such delivery."""

    code = "DELIVERY_UNKNOWN"


class LegacyFileMalformed(MalformedDocument):
    """A file of older records cannot be read; nothing of it was imported."""

    code = "LEGACY_FILE_MALFORMED"


class NumberBlockExhausted(Unavailable):
    """Every number of a province, sex and year is drawn: the ministry must decide."""

    code = "NUMBER_BLOCK_EXHAUSTED"
    retryable = False


class DossierUnknown(Refused):
    """There is no such dossier."""

    code = "DOSSIER_UNKNOWN"


class CaptureReplayed(Refused):
    """This capture id was already used for other content."""

    code = "CAPTURE_REPLAYED"


class CredentialUnknown(Refused):
    """There is no such card."""

    code = "CREDENTIAL_UNKNOWN"


class HandOverProofMissing(Refused):
    """Neither a receipt of the gateway nor another officer says that the card's holder stands here."""

    code = "HANDOVER_PROOF_MISSING"


class HandOverProofRefused(Refused):
    """The gateway's receipt is genuine, but does not prove this hand-over."""

    code = "HANDOVER_PROOF_REFUSED"


class HandOverProofUsed(Refused):
    """This proof was good for one hand-over, and that has been."""

    code = "HANDOVER_PROOF_USED"


class HolderDeceased(Refused):
    """The registry says that the holder died: nothing of theirs becomes good."""

    code = "HOLDER_DECEASED"


class BoxUnknown(Refused):
    """There is no such box of cards."""

    code = "BOX_UNKNOWN"


class BoxSealBroken(Refused):
    """What the courier reads on the box is not the seal that was put on it."""

    code = "BOX_SEAL_BROKEN"


class CardElsewhere(Refused):
    """A card or box of another unit than the officer's."""

    code = "CARD_ELSEWHERE"


class AccountUnknown(Refused):
    """There is no such electronic account."""

    code = "ACCOUNT_UNKNOWN"


class SlotUnknown(Refused):
    """The virtual reader has no such slot."""

    code = "SLOT_UNKNOWN"


class SoftwareCardUnknown(Refused):
    """The drawer of software cards holds no card of this name."""

    code = "SOFTWARE_CARD_UNKNOWN"


class TamperingImpossible(Refused):
    """This card lacks the file that was to be tampered with."""

    code = "TAMPERING_IMPOSSIBLE"


class OfficerSuspended(Refused):
    """The officer's account was blocked by whoever runs the office."""

    code = "OFFICER_SUSPENDED"


class EventPositionUnknown(Refused):
    """No event has this number yet, or the subscriber was told another history."""

    code = "EVENT_POSITION_UNKNOWN"


class IdempotencyConflict(Refused):
    """The idempotency key was used with another request before."""

    code = "IDEMPOTENCY_CONFLICT"


class RequestStillRunning(Refused):
    """The same request is being worked on at this moment."""

    code = "REQUEST_STILL_RUNNING"
    retryable = True


class AnswerLost(Refused):
    """The same request took effect, but the program stopped before its answer was kept."""

    code = "ANSWER_LOST"


class LeaseLost(Refused):
    """A piece of work was held longer than its lease and may be somebody else's by now."""

    code = "LEASE_LOST"


class BlobUnknown(Unavailable):
    """The store does not hold what the database says it holds."""

    code = "BLOB_UNKNOWN"
    retryable = False


class BlobAltered(UntrustedDocument):
    """What lies in the store is not what was put there."""

    code = "BLOB_ALTERED"


class PictureErased(Refused):
    """The application ended without a card, and the time to keep its pictures was over."""

    code = "PICTURE_ERASED"


class BlobTooLarge(LimitExceeded):
    """Larger than the store takes."""

    code = "BLOB_TOO_LARGE"


class BlobStoreUnavailable(Unavailable):
    """The store's disk, bucket or keys cannot be used now; nothing was kept."""

    code = "BLOB_STORE_UNAVAILABLE"


class DeduplicationUnavailable(Unavailable):
    """No gallery is open, or no engine makes templates here: dossiers wait for their search."""

    code = "DEDUPLICATION_UNAVAILABLE"
    retryable = False


class ProductionUnavailable(Unavailable):
    """The document signer or the card writer cannot be used now; the order waits."""

    code = "PRODUCTION_UNAVAILABLE"


class BlankStockEmpty(Unavailable):
    """No blank lies in the stock that this batch may use; the order waits."""

    code = "BLANK_STOCK_EMPTY"


class ProductionInterrupted(Unavailable):
    """A worker stopped while it wrote a card: the blank is spoiled, the order goes on with the next."""

    code = "PRODUCTION_INTERRUPTED"


class CardNotFetched(Refused):
    """A card that nobody fetched was destroyed: its order is held until somebody asks for the next."""

    code = "CARD_NOT_FETCHED"


class CardMissing(Refused):
    """A card never arrived at its office: its order is held until an operator lets the next be made."""

    code = "CARD_MISSING"


class CardRevokedOnItsWay(Refused):
    """A card was revoked before its holder had it: its order is held, to go on or to be given up."""

    code = "CARD_REVOKED_ON_ITS_WAY"


class ProductionBatchUnknown(Refused):
    """There is no such batch."""

    code = "PRODUCTION_BATCH_UNKNOWN"


class BlankUnknown(Refused):
    """A blank is not where this step needs it to be."""

    code = "BLANK_UNKNOWN"


class BlankDestructionUnknown(Refused):
    """There is no such destruction."""

    code = "BLANK_DESTRUCTION_UNKNOWN"


class SigningKeyUnavailable(Unavailable):
    """A signing key cannot be read, opened or used: nothing is signed."""

    code = "SIGNING_KEY_UNAVAILABLE"
    retryable = False


class DocumentSignerExhausted(Unavailable):
    """No document signer may sign now: all are past their period of use or their quota."""

    code = "DOCUMENT_SIGNER_EXHAUSTED"
    retryable = False


class DualControlMissing(Refused):
    """The issuer's root keys are used by two custodians together, never by one."""

    code = "DUAL_CONTROL_MISSING"


class CustodianNotProven(Refused):
    """No custodian of this name with this passphrase; which of the two is not told."""

    code = "CUSTODIAN_NOT_PROVEN"


class IssuingRecordsBroken(Unavailable):
    """The ceremony's log is not what was written, or what is published is not what it says was issued."""

    code = "ISSUING_RECORDS_BROKEN"
    retryable = False


class FigureUnknown(Refused):
    """No counter, share or figure of this name is defined, or this moment is not over yet."""

    code = "FIGURE_UNKNOWN"


class FiguresOutdated(Unavailable):
    """The figures that stand were counted by other rules, or are being counted again: none is told."""

    code = "FIGURES_OUTDATED"


class CountersMixed(Refused):
    """Amounts of different counters, or of different moments, make no figure together."""

    code = "COUNTERS_MIXED"


class ReportFontMissing(Unavailable):
    """The type with Vietnamese letters that reports are printed in is not on this machine."""

    code = "REPORT_FONT_MISSING"
    retryable = False


class CardFontMissing(Unavailable):
    """A typeface that cards are printed in is not on this machine."""

    code = "CARD_FONT_MISSING"
    retryable = False


class OldCardNotTaken(Refused):
    """The citizen kept the older card: it is taken, or reported lost, before the new one is handed over."""

    code = "OLD_CARD_NOT_TAKEN"


class CardTextUnprintable(Refused):
    """A letter that the card's typeface does not have, or a text that fits its place at no size."""

    code = "CARD_TEXT_UNPRINTABLE"


class CardLayoutUnknown(Refused):
    """No layout of the card was in force on the day of issue."""

    code = "CARD_LAYOUT_UNKNOWN"


class FormUnknown(Refused):
    """No form of this code is in force on that day, or it is none of this dossier's."""

    code = "FORM_UNKNOWN"


class UnitUnknown(Refused):
    """There is no such administrative unit on that day."""

    code = "UNIT_UNKNOWN"


class UnitTablesRefused(Refused):
    """Units and successions that would leave the map with a hole or an overlap."""

    code = "UNIT_TABLES_REFUSED"


class Dc01FormUnknown(Refused):
    """There is no such DC01 form."""

    code = "DC01_FORM_UNKNOWN"


class Dc01BarcodeTaken(Refused):
    """This barcode stands on another form."""

    code = "DC01_BARCODE_TAKEN"


class Dc01PageUnknown(Refused):
    """The picture of this form has no such page."""

    code = "DC01_PAGE_UNKNOWN"


class Dc01ScanOutside(Refused):
    """Of this form only a reference is kept here; its picture lies outside."""

    code = "DC01_SCAN_OUTSIDE"


class Dc01BatchUnknown(Refused):
    """There is no such batch of DC01 forms."""

    code = "DC01_BATCH_UNKNOWN"


class Dc01BatchNotReady(Refused):
    """Forms of the batch still wait for an earlier step."""

    code = "DC01_BATCH_NOT_READY"


class PlanNotFound(Unavailable):
    """No plan of the campaign was found in the time that there is."""

    code = "PLAN_NOT_FOUND"
