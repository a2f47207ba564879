"""What must hold for a repaired wheel: `python .ci/check_wheel.py WHEEL.whl`.

It is small; its extension module shows PyInit__core and nothing else; it needs CPython's own symbols
and the libraries that every manylinux machine has, in versions that the wheel's tag allows.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path

from elftools.elf.elffile import ELFFile

MOST_BYTES = 2_000_000
LIBRARIES = re.compile(r"(libc|libm|libpthread|libgcc_s|libstdc\+\+|ld-linux-[\w-]+)\.so\.\d+$")
WEAK = {"__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable"}


def glibc_of(wheel: Path) -> tuple[int, int]:
    """Return the glibc that the wheel's tag promises to need at most."""
    found = re.search(r"manylinux_(\d+)_(\d+)_", wheel.name)
    if found is None:
        raise SystemExit(f"{wheel.name} has no manylinux tag")
    return int(found[1]), int(found[2])


def module_of(wheel: Path) -> ELFFile:
    """Return the one extension module of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".so")]
        return ELFFile(io.BytesIO(archive.read(name)))


def faults_of(wheel: Path) -> list[str]:
    """Return a sentence for each thing that is not as it must be."""
    module = module_of(wheel)
    symbols = list(module.get_section_by_name(".dynsym").iter_symbols())[1:]
    exported = {s.name for s in symbols if s["st_shndx"] != "SHN_UNDEF"}
    needs = {
        str(library.name): [str(version.name) for version in versions]
        for library, versions in module.get_section_by_name(".gnu.version_r").iter_versions()
    }
    versions = module.get_section_by_name(".gnu.version")
    unversioned = {
        s.name
        for i, s in enumerate(symbols, start=1)
        if s["st_shndx"] == "SHN_UNDEF" and isinstance(versions.get_symbol(i)["ndx"], str)
    }
    dynamic = module.get_section_by_name(".dynamic")
    libraries = [tag.needed for tag in dynamic.iter_tags("DT_NEEDED")]
    glibc = [
        tuple(map(int, version.removeprefix("GLIBC_").split(".")))
        for versions in needs.values()
        for version in versions
        if version.startswith("GLIBC_")
    ]

    faults = []
    if wheel.stat().st_size > MOST_BYTES:
        faults.append(f"it has {wheel.stat().st_size:,} bytes, more than {MOST_BYTES:,}")
    if exported != {"PyInit__core"}:
        faults.append(f"it exports {sorted(exported)} instead of PyInit__core alone")
    if foreign := sorted(n for n in unversioned - WEAK if not re.match(r"_?Py", n)):
        faults.append(f"it needs {foreign}, which CPython does not have")
    if foreign := sorted(n for n in libraries if not LIBRARIES.match(n)):
        faults.append(f"it needs the libraries {foreign}")
    if max(glibc)[:2] > glibc_of(wheel):
        faults.append(f"it needs glibc {max(glibc)}, more than its tag says")
    if module.get_section_by_name(".symtab") is not None:
        faults.append("it is not stripped")
    return faults


def main() -> None:
    """Check the wheels named on the command line; exit with what is wrong."""
    for wheel in map(Path, sys.argv[1:]):
        if faults := faults_of(wheel):
            raise SystemExit(f"{wheel.name}: " + "; ".join(faults))
        print(f"{wheel.name}: {wheel.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
