"""The checksums and the address grammar behind the twin's redaction rules."""

from __future__ import annotations

import re

__all__ = ["IBAN_LENGTHS", "iban_checksum", "is_ipv6", "luhn"]

# fmt: off
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30,
    "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}
# fmt: on
"""Length of an IBAN by country (ISO 13616 registry)."""

_GROUP = re.compile(r"[0-9A-Fa-f]{1,4}", re.ASCII)
_OCTET = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)


def iban_checksum(compact: str) -> bool:
    """Tell whether mod 97 of the rearranged digits is 1 (ISO 7064)."""
    rearranged = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in rearranged)) % 97 == 1


def luhn(digits: str) -> bool:
    """Tell whether the digits pass Luhn's check (ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def is_ipv6(text: str) -> bool:
    """Tell whether ``text`` is an IPv6 address (RFC 4291, section 2.2), without a zone."""
    left, gap, right = text.partition("::")
    if not gap:
        return _groups(text, ipv4_tail=True) == 8
    before, after = _groups(left, ipv4_tail=False), _groups(right, ipv4_tail=True)
    return before is not None and after is not None and before + after <= 7


def _groups(text: str, *, ipv4_tail: bool) -> int | None:
    """Count the 16-bit groups that ``text`` spells; None if it spells something else."""
    if not text:
        return 0
    parts = text.split(":")
    count = 0
    for at, part in enumerate(parts):
        if _GROUP.fullmatch(part):
            count += 1
        elif ipv4_tail and at == len(parts) - 1 and _is_ipv4(part):
            count += 2
        else:
            return None
    return count


def _is_ipv4(text: str) -> bool:
    octets = text.split(".")
    return len(octets) == 4 and all(
        _OCTET.fullmatch(octet) and int(octet) <= 255 for octet in octets
    )
