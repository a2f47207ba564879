"""fastfunnel in VectorDBBench (github.com/zilliztech/VectorDBBench).

Its databases are the members of an enumeration, so a new one needs a change there. `client` is what
that change adds; `run` gives it to VectorDBBench's own runners as it is.
"""

from __future__ import annotations
