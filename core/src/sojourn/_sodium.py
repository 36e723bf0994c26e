"""XChaCha20-Poly1305 from PyNaCl's libsodium, called as directly as this PyNaCl allows.

The public binding spends most of its time in argument checks that our callers have made already.
Where PyNaCl's private module is not as we know it, the public binding does the work; a test holds
both to the same bytes.
"""

from __future__ import annotations

from typing import Any

from nacl import bindings
from nacl.exceptions import CryptoError

NONCE_BYTES = 24
TAG_BYTES = 16
KEY_BYTES = 32


def encrypt_checked(message: bytes, aad: bytes, nonce: bytes, key: bytes) -> bytes:
    """Ciphertext and tag, by the public binding."""
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(message, aad, nonce, key)


def decrypt_checked(sealed: bytes, aad: bytes, nonce: bytes, key: bytes) -> bytes | None:
    """The message, or None if a single bit is wrong; by the public binding."""
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, aad, nonce, key)
    except (CryptoError, ValueError):
        return None


def _direct(ffi: Any, lib: Any) -> Any:
    null, from_buffer = ffi.NULL, ffi.from_buffer
    seal = lib.crypto_aead_xchacha20poly1305_ietf_encrypt
    unseal = lib.crypto_aead_xchacha20poly1305_ietf_decrypt

    def encrypt(message: bytes, aad: bytes, nonce: bytes, key: bytes) -> bytes:
        # C reads these lengths from our memory without looking: check them before it does.
        if len(nonce) != NONCE_BYTES or len(key) != KEY_BYTES:
            raise ValueError("nonce of 24 bytes and key of 32 bytes needed")
        out = bytearray(len(message) + TAG_BYTES)
        seal(from_buffer(out), null, message, len(message), aad, len(aad), null, nonce, key)
        return bytes(out)

    def decrypt(sealed: bytes, aad: bytes, nonce: bytes, key: bytes) -> bytes | None:
        size = len(sealed)
        if size < TAG_BYTES or len(nonce) != NONCE_BYTES or len(key) != KEY_BYTES:
            return None
        out = bytearray(size - TAG_BYTES)
        failed = unseal(from_buffer(out), null, null, sealed, size, aad, len(aad), nonce, key)
        return None if failed else bytes(out)

    return encrypt, decrypt


def choose() -> Any:
    """The pair (encrypt, decrypt): direct if it agrees with the public binding, else that one."""
    try:
        from nacl._sodium import ffi, lib  # type: ignore[import-not-found]  # noqa: PLC0415

        encrypt, decrypt = _direct(ffi, lib)
        probe = (b"sojourn", b"aad", bytes(NONCE_BYTES), bytes(KEY_BYTES))
        sealed = encrypt(*probe)
        if sealed == encrypt_checked(*probe) and decrypt(sealed, *probe[1:]) == probe[0]:
            return encrypt, decrypt
    except Exception:  # noqa: BLE001, S110 - whatever a future PyNaCl raises, the public one works
        pass
    return encrypt_checked, decrypt_checked


encrypt, decrypt = choose()
