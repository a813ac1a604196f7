"""OpenCV without its stubs: they type every result as integers or floats at once, which numpy's own types refuse."""

from typing import Any

import cv2 as _cv2

cv2: Any = _cv2
cv2.setNumThreads(2)
