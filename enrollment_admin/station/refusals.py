"""What only a kit refuses; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused, Unavailable, UntrustedDocument


class CaptureUnknown(Refused):
    """This kit has no such capture."""

    code = "KIT_CAPTURE_UNKNOWN"


class CaptureOfAnother(Refused):
    """The capture was begun by another officer, who alone may go on with it."""

    code = "KIT_CAPTURE_OF_ANOTHER"


class CapturedAlready(Refused):
    """This kit has a capture of the same person in hand, or is to answer a return of theirs."""

    code = "KIT_CAPTURED_ALREADY"


class ReturnUnknown(Refused):
    """Nothing of this dossier is to be captured again at this kit, or somebody has begun to."""

    code = "KIT_RETURN_UNKNOWN"


class GateNotPassed(Refused):
    """Something is wrong with who the citizen said they are: nothing is captured before it is right."""

    code = "KIT_GATE_NOT_PASSED"


class ExtractMissing(Refused):
    """No extract of the commune was ever brought to this kit: nobody can be checked."""

    code = "KIT_EXTRACT_MISSING"


class OfficerNotCertified(Refused):
    """The centre's list names the officer for no capture of today."""

    code = "KIT_OFFICER_NOT_CERTIFIED"


class OfficerListInvalid(UntrustedDocument):
    """The list of officers that was brought is not this centre's, or not for this kit."""

    code = "KIT_OFFICER_LIST_INVALID"


class FormOutdated(Refused):
    """The form that the kit prints is not in force today: the centre would return the dossier."""

    code = "KIT_FORM_OUTDATED"


class FormNotFaithful(Refused):
    """The form would not show the prints as they were accepted: it is not printed before it does."""

    code = "KIT_FORM_NOT_FAITHFUL"


class FormNotJudged(Refused):
    """The form was printed without being judged, or under other limits: it is printed again."""

    code = "KIT_FORM_NOT_JUDGED"


class FontMissing(Unavailable):
    """This machine has no font that the form can be printed in."""

    code = "KIT_FONT_MISSING"


class PassphraseWrong(Refused):
    """The officer's key does not open with this passphrase, or the kit has no key of this officer."""

    code = "KIT_PASSPHRASE_WRONG"


class PassphraseBlocked(PassphraseWrong):
    """Too many wrong passphrases: this officer's key is not tried for a while."""

    code = "KIT_PASSPHRASE_BLOCKED"


class KitAlreadyMade(Refused):
    """The folder holds a kit already: its numbers may not begin anew."""

    code = "KIT_ALREADY_MADE"


class CentreRefused(Refused):
    """The centre refused what a kit sent, for the reason ``answered_code``."""

    code = "KIT_CENTRE_REFUSED"

    def __init__(self, answered_code: str) -> None:
        super().__init__(answered_code)
        self.answered_code = answered_code


class StickMissing(Refused):
    """The stick that an officer chose is not plugged in."""

    code = "KIT_STICK_MISSING"


class KitStoreAltered(UntrustedDocument):
    """What the kit keeps does not open: it was altered, or the key is another kit's."""

    code = "KIT_STORE_ALTERED"


class ReturnsInvalid(UntrustedDocument):
    """A list of returned dossiers was not sealed by the centre for this kit."""

    code = "KIT_RETURNS_INVALID"


class RefusalUnknown(Refused):
    """No refusal of this packet waits here, or another officer has seen to it."""

    code = "KIT_REFUSAL_UNKNOWN"


class RefusalsInvalid(UntrustedDocument):
    """A list of refused packets was not signed by the centre for this kit."""

    code = "KIT_REFUSALS_INVALID"


class ReceiptOfAnother(UntrustedDocument):
    """A receipt is for a packet that this kit did not seal."""

    code = "KIT_RECEIPT_OF_ANOTHER"


class CentreUnavailable(Unavailable):
    """The centre does not answer: the packet waits."""

    code = "KIT_CENTRE_UNAVAILABLE"


class KitStorageUnavailable(Unavailable):
    """The kit's disk, or the stick, cannot be read or written."""

    code = "KIT_STORAGE_UNAVAILABLE"
