"""OpenPACE's libeac (Debian package libeac3) through ctypes: somebody else's PACE, EAC and secure messaging.

Names and structures are those of its headers <eac/eac.h>, <eac/pace.h>, <eac/ca.h> and <eac/ta.h>.
"""

from __future__ import annotations

import ctypes
import weakref
from ctypes import POINTER, c_int, c_size_t, c_ulong, c_void_p
from typing import Any

PACE_MRZ, PACE_CAN = 1, 2
EAC_ID_PACE, EAC_ID_CA = 0, 1


class LibeacFailed(Exception):
    """libeac refused a step, or the card did."""


class _Buffer(ctypes.Structure):
    """BUF_MEM of OpenSSL."""

    _fields_ = (("length", c_size_t), ("data", c_void_p), ("max", c_size_t), ("flags", c_ulong))


class _Agreement(ctypes.Structure):
    """KA_CTX: one key agreement."""

    _fields_ = (
        ("md", c_void_p),
        ("md_engine", c_void_p),
        ("cmac_ctx", c_void_p),
        ("cipher", c_void_p),
        ("cipher_engine", c_void_p),
        ("iv", c_void_p),
        ("mac_keylen", c_int),
        ("enc_keylen", c_int),
        ("generate_key", c_void_p),
        ("compute_key", c_void_p),
        ("key", c_void_p),
        ("shared_secret", POINTER(_Buffer)),
    )


class _ChipAuthentication(ctypes.Structure):
    """CA_CTX."""

    _fields_ = (
        ("version", ctypes.c_ubyte),
        ("protocol", c_int),
        ("id", c_int),
        ("flags", c_int),
        ("ka_ctx", POINTER(_Agreement)),
    )


class _Pace(ctypes.Structure):
    """PACE_CTX."""

    _fields_ = (
        ("protocol", c_int),
        ("version", ctypes.c_ubyte),
        ("id", c_int),
        ("map_generate_key", c_void_p),
        ("map_compute_key", c_void_p),
        ("static_key", c_void_p),
        ("ka_ctx", POINTER(_Agreement)),
    )


class _Context(ctypes.Structure):
    """EAC_CTX."""

    _fields_ = (
        ("tr_version", c_int),
        ("bn_ctx", c_void_p),
        ("md_ctx", c_void_p),
        ("cipher_ctx", c_void_p),
        ("pace_ctx", POINTER(_Pace)),
        ("pace_ctxs", c_void_p),
        ("ri_ctx", c_void_p),
        ("ri_ctxs", c_void_p),
        ("ta_ctx", c_void_p),
        ("ca_ctx", POINTER(_ChipAuthentication)),
    )


_BufferPointer = POINTER(_Buffer)


class Library:
    """libeac and the libcrypto it is linked with; raises OSError where Debian's package is not installed."""

    def __init__(self) -> None:
        self.eac = ctypes.CDLL("libeac.so.3")
        self.crypto = ctypes.CDLL("libcrypto.so.3")
        self.crypto.BUF_MEM_new.restype = _BufferPointer
        self.crypto.BUF_MEM_grow.argtypes = (_BufferPointer, c_size_t)
        self.crypto.BUF_MEM_free.argtypes = (_BufferPointer,)
        self.eac.EAC_CTX_new.restype = POINTER(_Context)
        self.eac.PACE_SEC_new.restype = c_void_p
        self.eac.EAC_init()

    def number_of(self, protocol: str) -> int:
        """libeac's number of an object identifier; 0 for one that it does not know."""
        known: int = self.crypto.OBJ_txt2nid(protocol.encode())
        return known


class EacContext:
    """One EAC_CTX: what a terminal, or a chip, knows in one session."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._context = library.eac.EAC_CTX_new()
        weakref.finalize(self, library.eac.EAC_CTX_clear_free, self._context)

    def does(self, name: str, *arguments: Any) -> None:
        """Call a function over this context that says 1 where it went well; octets become a BUF_MEM."""
        buffers, passed = self._passed(arguments)
        answer = getattr(self._library.eac, name)(self._context, *passed)
        self._free(buffers)
        if answer != 1:
            raise LibeacFailed(name)

    def gives(self, name: str, *arguments: Any) -> bytes:
        """Call a function over this context that gives a BUF_MEM."""
        return self._gives(name, self._context, *arguments)

    def unpadded(self, octets: bytes) -> bytes:
        """Octets without their ISO padding."""
        return self._gives("EAC_remove_iso_pad", octets)

    def reads_card_access(self, content: bytes) -> None:
        """EF.CardAccess chooses PACE and its domain parameters."""
        answer = self._library.eac.EAC_CTX_init_ef_cardaccess(content, c_size_t(len(content)), self._context)
        if answer != 1:
            raise LibeacFailed("EAC_CTX_init_ef_cardaccess")

    def begins_chain(self, certificate: bytes, key: bytes = b"") -> None:
        """Where the chain of certificates begins: a chip's trust point, or a terminal's own with its key."""
        answer = self._library.eac.EAC_CTX_init_ta(
            self._context, key or None, c_size_t(len(key)), certificate, c_size_t(len(certificate))
        )
        if answer != 1:
            raise LibeacFailed("EAC_CTX_init_ta")

    def imports(self, certificate: bytes) -> None:
        """The next certificate of the chain; libeac verifies it."""
        size = c_size_t(len(certificate))
        if self._library.eac.TA_STEP2_import_certificate(self._context, certificate, size) != 1:
            raise LibeacFailed("TA_STEP2_import_certificate")

    def password(self, secret: str, kind: int) -> c_void_p:
        """A card access number, or a whole machine readable zone."""
        made = c_void_p(self._library.eac.PACE_SEC_new(secret.encode(), c_size_t(len(secret)), kind))
        weakref.finalize(self, self._library.eac.PACE_SEC_clear_free, made)
        return made

    def derive_chip_authentication_keys(self) -> None:
        """Version 1: keys from the shared secret alone, without the nonce and token of version 2."""
        context = self._context.contents
        derive = self._library.eac.KA_CTX_derive_keys
        if derive(context.ca_ctx.contents.ka_ctx, None, c_void_p(context.md_ctx)) != 1:
            raise LibeacFailed("KA_CTX_derive_keys")

    def use_session(self, session: int) -> None:
        """Protect with the keys of PACE or of chip authentication from here on."""
        self.does("EAC_CTX_set_encryption_ctx", session)
        self.does("EAC_reset_ssc")

    @property
    def pace_secret(self) -> bytes:
        """The shared secret of PACE, as libeac derives keys from it."""
        return _secret(self._context.contents.pace_ctx)

    @property
    def chip_authentication_secret(self) -> bytes:
        """The shared secret of chip authentication, as libeac derives keys from it."""
        return _secret(self._context.contents.ca_ctx)

    def _gives(self, name: str, *arguments: Any) -> bytes:
        function = getattr(self._library.eac, name)
        function.restype = _BufferPointer
        buffers, passed = self._passed(arguments)
        found = function(*passed)
        self._free(buffers)
        if not found:
            raise LibeacFailed(name)
        octets = _octets(found)
        self._library.crypto.BUF_MEM_free(found)
        return octets

    def _passed(self, arguments: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
        passed = [self._buffer(given) if isinstance(given, bytes) else given for given in arguments]
        return [made for made in passed if isinstance(made, _BufferPointer)], passed

    def _buffer(self, octets: bytes) -> Any:
        buffer = self._library.crypto.BUF_MEM_new()
        self._library.crypto.BUF_MEM_grow(buffer, len(octets))
        ctypes.memmove(buffer.contents.data, octets, len(octets))
        return buffer

    def _free(self, buffers: list[Any]) -> None:
        for buffer in buffers:
            self._library.crypto.BUF_MEM_free(buffer)


def _octets(buffer: Any) -> bytes:
    return ctypes.string_at(buffer.contents.data, buffer.contents.length)


def _secret(protocol: Any) -> bytes:
    """What was agreed on; nothing before the protocol got that far."""
    agreement = protocol.contents.ka_ctx if protocol else None
    if not agreement or not agreement.contents.shared_secret:
        return b""
    return _octets(agreement.contents.shared_secret)
