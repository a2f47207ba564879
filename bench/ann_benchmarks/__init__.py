"""fastfunnel in ann-benchmarks (github.com/erikbern/ann-benchmarks).

`module.py` and `config.yml` are what `ann_benchmarks/algorithms/fastfunnel/` there must hold. `run`
asks them what its runner asks, on vectors of ours or an HDF5 file of theirs, without Docker.
"""

from __future__ import annotations
