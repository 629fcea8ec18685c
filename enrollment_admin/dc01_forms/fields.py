"""The fields of form DC01 in the order in which they stand on the paper."""

from __future__ import annotations

from collections.abc import Mapping

GROUPS: Mapping[str, tuple[str, ...]] = {
    "person": (
        *("full_name", "date_of_birth", "sex", "blood_group", "marital_status"),
        *("birth_registration_place", "birth_registration_unit", "place_of_origin"),
        *("ethnicity", "religion", "nationality", "citizen_number", "old_id"),
    ),
    "residence": ("permanent_residence", "permanent_unit", "current_residence", "current_unit"),
    "relatives": (
        *("father", "father_number", "mother", "mother_number", "spouse", "spouse_number"),
        *("legal_representative", "representative_number"),
    ),
    "household": ("household_head", "head_number", "relation_to_head"),
}

NAMES = tuple(name for names in GROUPS.values() for name in names)

MARITAL = ("Chưa kết hôn", "Đã kết hôn", "Ly hôn", "Góa", "Ly thân")
"""As the form words them: what is keyed is what the paper says, in either language of the pages."""

BLOOD_GROUPS = ("A", "B", "AB", "O")
