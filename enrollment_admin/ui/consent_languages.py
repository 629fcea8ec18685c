"""In which languages what is captured may have been explained to a citizen (ISO 639)."""

from __future__ import annotations

LANGUAGES_OF_CONSENT = ("vi", "tyz", "blt", "mtq", "nut", "hmn", "km", "rad", "jra", "bdq", "cjm", "en")
