"""What the counter needs from the outside, as narrow interfaces; adapters and tests' doubles fit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from verification.iso7816.transport import CardTransport
from verification.messages.decision import Answer
from verification.messages.evidence import Evidence
from verification.messages.verification_session import (
    ChipCommands,
    ChipSessionRequest,
    SessionOpened,
    SessionRequest,
)

if TYPE_CHECKING:
    # numpy costs 12 MB and is not in memory before the first face.
    import numpy as np
    from numpy.typing import NDArray

Pixels: TypeAlias = "NDArray[np.uint8]"
"""Rows, columns and the colours blue, green, red."""


class ConnectedCard(CardTransport, Protocol):
    """A powered card; the one who connected closes it."""

    def close(self) -> None:
        """Give the reader back; never raises, also when the card is gone."""
        ...


class CardReader(Protocol):
    """One reader at the counter."""

    @property
    def name(self) -> str:
        """The reader's name as the system lists it."""
        ...

    def wait_for_card(self, timeout: float) -> bool:
        """Whether a card lies on the reader within ``timeout`` seconds; 0 asks without waiting.

        Raises ReaderNotFound or ReaderUnplugged.
        """
        ...

    def connect(self) -> ConnectedCard:
        """Power the card. Raises CardNotPresent, ReaderBusy or another CardCommunication."""
        ...


class Frame(NamedTuple):
    """One picture of the person at the counter: BGR pixels, and the JPEG that the page shows."""

    pixels: Pixels
    jpeg: bytes


class Camera(Protocol):
    """A source of live pictures. ``start`` returns at once; the camera warms up meanwhile."""

    @property
    def name(self) -> str:
        """What kind of camera, for the status address and the log."""
        ...

    def start(self) -> None:
        """Begin to deliver; does nothing when it delivers already."""
        ...

    def frame(self, timeout: float) -> Frame:
        """A picture not handed out before; raises CameraUnavailable after ``timeout`` seconds."""
        ...

    def stop(self) -> None:
        """End delivering; never raises and never waits for the device."""
        ...


class ListedStanding(NamedTuple):
    """What the counter's own list says of a card: whether it is on it, and how old the list is."""

    is_listed: bool
    age_seconds: int


class VerificationGateway(Protocol):
    """The gateway's endpoints that a counter uses.

    Each raises Unavailable when no answer comes in time, GatewayRefusal on a problem answer and
    GatewayAnswerMalformed on anything that is not the contract's answer.
    """

    def open_session(self, request: SessionRequest) -> SessionOpened:
        """Say why the card will be read, and learn what is needed."""
        ...

    def start_chip_session(self, session: str, request: ChipSessionRequest) -> ChipCommands:
        """Ask for the commands by which the gateway itself proves the chip."""
        ...

    def submit_evidence(self, evidence: Evidence) -> Answer:
        """Hand over what was read; the answer is the decision."""
        ...


class FaceResult(NamedTuple):
    """A comparison by an engine, in the engine's own measure."""

    score: float
    threshold: float
    matched: bool
    code: str | None


class FaceTurn(Protocol):
    """A head-turn challenge: straight pictures first, then turns in an order drawn anew."""

    @property
    def direction(self) -> str | None:
        """``left`` or ``right`` as the person sees it, None while looking straight ahead."""
        ...

    @property
    def straight(self) -> Sequence[Pixels]:
        """The straight pictures of this very challenge."""
        ...

    def compare(self) -> FaceResult:
        """Compare those straight pictures with the remembered portrait. Raises FaceNotVerified."""
        ...

    @property
    def is_turning(self) -> bool:
        """Whether enough straight pictures are taken and turns are asked for."""
        ...

    def observe(self, pixels: Pixels) -> str | None:
        """Look at one picture: ``passed``, ``failed`` or None to go on."""
        ...

    def expire(self) -> str:
        """Time is up: the code of the failure."""
        ...

    @property
    def code(self) -> str | None:
        """Why it failed."""
        ...


class FaceMatcher(Protocol):
    """Everything that the counter asks of a face engine; holds one portrait's template at a time."""

    @property
    def engine(self) -> str:
        """The engine's id as evidence states it."""
        ...

    @property
    def model_digests(self) -> tuple[str, ...]:
        """SHA-256 of every model in use."""
        ...

    def get_ready(self) -> None:
        """Make ready what the next portrait needs, in the background of the reading."""
        ...

    def remember_portrait(self, dg2: bytes) -> None:
        """Make the template of the portrait in DG2. Raises MalformedDocument or FaceNotVerified."""
        ...

    def fault_of(self, pixels: Pixels) -> str | None:
        """Why this picture cannot be compared (a quality code), or None."""
        ...

    def compare(self, frames: Sequence[Pixels]) -> FaceResult:
        """Compare the mean of the frames with the remembered portrait. Raises FaceNotVerified."""
        ...

    def begin_turn(self) -> FaceTurn:
        """A fresh head-turn challenge."""
        ...
