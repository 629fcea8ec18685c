"""How each rule is computed. A check says whether a record keeps it, or None where it is not concerned."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from issuance_backend.population_registry.rules.facts import Facts, sex_in, twelve_digits, year_in
from issuance_backend.population_registry.units.domain import UnitLevel
from verification.identity.administrative_units import provinces

MANDATORY = (
    "full_name",
    "date_of_birth",
    "sex",
    "birth_registration_place",
    "place_of_origin",
    "ethnicity",
    "religion",
    "nationality",
    "marital_status",
    "permanent_residence",
    "permanent_unit",
    "current_residence",
    "current_unit",
    "father",
    "mother",
    "household_head",
    "relation_to_head",
)
"""What form DC01 is not complete without; numbers, blood group and spouse are for whoever has them."""

MARRIED, SINGLE, HEAD = "Đã kết hôn", "Chưa kết hôn", "Chủ hộ"

_MARITAL = frozenset({MARRIED, SINGLE, "Ly hôn", "Góa", "Ly thân"})
_BLOOD = frozenset(
    {"A", "B", "AB", "O"} | {f"{group}{sign}" for group in ("A", "B", "AB", "O") for sign in "+-"}
)
_OLDEST_YEARS = 125
_YOUNGEST_PARENT_YEARS = 12
_MARRYING_YEARS = {"M": 20, "F": 18}
_IN_NAMES = str.maketrans("", "", " '’-")

Check = Callable[[Facts], bool | None]


def _number_structure(facts: Facts) -> bool | None:
    return facts.number is not None if facts.text("citizen_number") else None


def _number_place(facts: Facts) -> bool | None:
    # Whoever was born abroad has a country's code, whose table is not published: a doubt.
    return facts.number[:3] in provinces() if facts.number else None


def _number_year(facts: Facts) -> bool | None:
    if facts.number is None or facts.born is None:
        return None
    return year_in(facts.number) == facts.born.year


def _number_sex(facts: Facts) -> bool | None:
    sex = facts.text("sex")
    if facts.number is None or sex not in {"M", "F"}:
        return None
    return sex_in(facts.number) == sex


def _number_not_ahead(facts: Facts) -> bool | None:
    return year_in(facts.number) <= facts.day.year if facts.number else None


def _old_number(facts: Facts) -> bool | None:
    text = facts.text("old_id")
    return len(text) == 9 and text.isascii() and text.isdigit() if text else None


def _number_form_of(field: str) -> Check:
    def check(facts: Facts) -> bool | None:
        text = facts.record.get(field, "")
        return len(text) in {9, 12} and text.isascii() and text.isdigit() if text else None

    return check


def _sex_of(field: str, sex: str) -> Check:
    def check(facts: Facts) -> bool | None:
        number = twelve_digits(facts.record.get(field, ""))
        return sex_in(number) == sex if number else None

    return check


def _elder(field: str) -> Check:
    def check(facts: Facts) -> bool | None:
        number = twelve_digits(facts.record.get(field, ""))
        if number is None or facts.born is None:
            return None
        return facts.born.year - year_in(number) >= _YOUNGEST_PARENT_YEARS

    return check


def _numbers_are_of_others(facts: Facts) -> bool | None:
    own = facts.text("citizen_number")
    others = [facts.text(field) for field in ("father_number", "mother_number", "spouse_number")]
    return own not in others if own and any(others) else None


def _birth_readable(facts: Facts) -> bool | None:
    return facts.born is not None if facts.text("date_of_birth") else None


def _birth_not_ahead(facts: Facts) -> bool | None:
    return facts.born.first_day <= facts.day if facts.born else None


def _birth_not_too_long_ago(facts: Facts) -> bool | None:
    return facts.day.year - facts.born.year <= _OLDEST_YEARS if facts.born else None


def _sex_known(facts: Facts) -> bool | None:
    text = facts.text("sex")
    return text in {"M", "F"} if text else None


def _letters_of(field: str) -> Check:
    def check(facts: Facts) -> bool | None:
        text = facts.record.get(field, "")
        return text.translate(_IN_NAMES).isalpha() if text else None

    return check


def _blood(facts: Facts) -> bool | None:
    text = facts.text("blood_group")
    return text in _BLOOD if text else None


def _marital(facts: Facts) -> bool | None:
    text = facts.text("marital_status")
    return text in _MARITAL if text else None


def _spouse(facts: Facts) -> bool | None:
    status = facts.text("marital_status")
    if status == MARRIED:
        return bool(facts.text("spouse"))
    return not facts.text("spouse") if status == SINGLE else None


def _marrying_age(facts: Facts) -> bool | None:
    least = _MARRYING_YEARS.get(facts.text("sex"))
    if facts.text("marital_status") != MARRIED or facts.born is None or least is None:
        return None
    born = facts.born.first_day
    years = facts.day.year - born.year - ((facts.day.month, facts.day.day) < (born.month, born.day))
    return years >= least


def _head_is_oneself(facts: Facts) -> bool | None:
    if facts.text("relation_to_head") != HEAD or not facts.text("household_head"):
        return None
    return facts.text("household_head").casefold() == facts.text("full_name").casefold()


def _commune_of_the_day(field: str) -> Check:
    def check(facts: Facts) -> bool | None:
        code = facts.record.get(field, "")
        if not code:
            return None
        unit = facts.units.unit(code, facts.day)
        if unit is not None:
            return unit.level is UnitLevel.COMMUNE
        # Where the communes of a province are not loaded, nothing can be said about one of them.
        province = facts.units.unit(code.partition(".")[0], facts.day)
        return None if province is not None and not facts.units.lists_communes_of(code) else False

    return check


def _birth_commune(facts: Facts) -> bool | None:
    code, born = facts.text("birth_registration_unit"), facts.born
    if not code or born is None or not facts.units.lists_communes_of(code):
        return None
    if not facts.units.is_known(code):
        return False
    # Late registrations are many: only a unit that was gone before the birth cannot be.
    return facts.units.exists_after(code, born.first_day)


def _filled(facts: Facts) -> bool:
    return all(map(facts.record.get, MANDATORY))


def missing_fields(record: Mapping[str, str]) -> list[str]:
    """The mandatory fields that are not filled in."""
    return [field for field in MANDATORY if not record.get(field)]


CHECKS: Mapping[str, Check] = {
    "number_structure": _number_structure,
    "number_place": _number_place,
    "number_year": _number_year,
    "number_sex": _number_sex,
    "number_not_ahead": _number_not_ahead,
    "old_number": _old_number,
    "father_number_form": _number_form_of("father_number"),
    "mother_number_form": _number_form_of("mother_number"),
    "spouse_number_form": _number_form_of("spouse_number"),
    "head_number_form": _number_form_of("head_number"),
    "father_sex": _sex_of("father_number", "M"),
    "mother_sex": _sex_of("mother_number", "F"),
    "father_elder": _elder("father_number"),
    "mother_elder": _elder("mother_number"),
    "numbers_are_of_others": _numbers_are_of_others,
    "birth_readable": _birth_readable,
    "birth_not_ahead": _birth_not_ahead,
    "birth_not_too_long_ago": _birth_not_too_long_ago,
    "sex_known": _sex_known,
    "name_letters": _letters_of("full_name"),
    "father_letters": _letters_of("father"),
    "mother_letters": _letters_of("mother"),
    "spouse_letters": _letters_of("spouse"),
    "blood": _blood,
    "marital": _marital,
    "spouse": _spouse,
    "marrying_age": _marrying_age,
    "head_is_oneself": _head_is_oneself,
    "permanent_unit": _commune_of_the_day("permanent_unit"),
    "current_unit": _commune_of_the_day("current_unit"),
    "birth_commune": _birth_commune,
    "filled": _filled,
}
"""Every check by the name that ``rules.json`` calls it."""
