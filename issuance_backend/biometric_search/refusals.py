"""What only galleries and searches in them refuse; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused, Unavailable


class ModalityUnknown(Refused):
    """No plug-in of this kind of biometrics is installed."""

    code = "MODALITY_UNKNOWN"


class TemplateRefused(Refused):
    """A biometric template is not one that the installed engine made for this position."""

    code = "TEMPLATE_REFUSED"


class GalleryUnknown(Refused):
    """There is no such gallery."""

    code = "GALLERY_UNKNOWN"


class GalleryPurposeRefused(Refused):
    """This gallery is not there for this purpose, or not for this caller."""

    code = "GALLERY_PURPOSE_REFUSED"


class GallerySubjectUnknown(Refused):
    """Nobody is enrolled in this gallery under this name."""

    code = "GALLERY_SUBJECT_UNKNOWN"


class GalleryKeyUnavailable(Unavailable):
    """The key of a gallery cannot be read: what lies in it stays sealed."""

    code = "GALLERY_KEY_UNAVAILABLE"
    retryable = False


class GalleryRecordsBroken(Unavailable):
    """Something in a gallery, or in its own record of who asked, is not what was written."""

    code = "GALLERY_RECORDS_BROKEN"
    retryable = False


class SearchTaskUnknown(Refused):
    """There is no such search task, or it is another caller's."""

    code = "SEARCH_TASK_UNKNOWN"


class SearchTaskReplayed(Refused):
    """This task id was already used for another request."""

    code = "SEARCH_TASK_REPLAYED"


class WarrantRefused(Refused):
    """The warrant is not in force, or does not cover this."""

    code = "WARRANT_REFUSED"


class AdjudicationCaseUnknown(Refused):
    """There is no such case, or it is not before this examiner."""

    code = "ADJUDICATION_CASE_UNKNOWN"


class CasePrintUnknown(Refused):
    """There are no two prints of this position to be compared in this case."""

    code = "CASE_PRINT_UNKNOWN"
