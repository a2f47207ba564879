"""What this machine and this build of the core offer."""

from __future__ import annotations

from fastfunnel import _core


def available_isas() -> list[str]:
    """Return the instruction-set levels this machine can run, lowest first.

    Of scalar, avx2, avx512, avx512_vnni and avx512_vpopcntdq on x86-64, of scalar, neon and
    neon_dotprod on AArch64; every level includes the ones before it.
    """
    return _core.available_isas()


def active_isa() -> str:
    """Return the level that searches use: FASTFUNNEL_ISA if set, else the highest available.

    Raises:
        ValueError: if FASTFUNNEL_ISA names a level this machine does not support.
    """
    return _core.active_isa()


def build_info() -> dict[str, str]:
    """Return how the core was built: version, arch (portable unless asked otherwise), compiler."""
    return _core.build_info()
