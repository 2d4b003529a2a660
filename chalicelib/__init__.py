"""Sortie: background jobs on AWS primitives."""

import os
import sys

# numpy reads this once, at its first import: its AVX-512 sort takes five times as long as its AVX2 one on Zen 4, and is
# hardly faster elsewhere. Whoever sets the variable before has the last word. Python 3.11 has an older numpy, which
# has other names for these features: Lambda runs it with a C library that is too old for the newer one.
_AVX_512 = "AVX512_ICL X86_V4" if sys.version_info >= (3, 12) else "AVX512F AVX512_SKX"
os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", _AVX_512)
