"""An x402 facilitator with the chain behind it: one token, real signatures, no network."""

import sys

_limit = sys.getrecursionlimit()
import py_ecc  # noqa: E402, F401 - below the SDK's signatures, and no module's own

# py_ecc raises the recursion limit for the whole process, so far that JSON nested deeply enough would overflow the C
# stack instead of being refused. Imported here first, and the limit put back.
sys.setrecursionlimit(_limit)
