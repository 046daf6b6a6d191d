"""The low-entropy codes of CCSDS 123.0-B-2, annex B: whole, readable backwards, and those that are printed."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest

from flightos.kernels.ccsds123.low_entropy import SYMBOL_MAX, THRESHOLDS, code_table, flush_table

CODES = pytest.mark.parametrize("code", range(16))


@CODES
def test_each_low_entropy_code_has_a_word_for_every_input(code: int) -> None:
    """From every prefix each symbol leads on, either to a longer prefix or to a whole word, and never to both."""
    words, prefixes = set(code_table(code)), set(flush_table(code))
    assert prefixes == {word[:length] for word in words for length in range(len(word))}
    for prefix in prefixes:
        for symbol in range(SYMBOL_MAX[code] + 2):
            assert ((*prefix, symbol) in words) != ((*prefix, symbol) in prefixes)
    escape = SYMBOL_MAX[code] + 1
    assert all(escape not in prefix for prefix in prefixes)


@CODES
@pytest.mark.parametrize("table", [code_table, flush_table])
def test_outputs_of_low_entropy_codes_can_be_read_backwards(code: int, table: Any) -> None:
    outputs = list(table(code).values())
    assert len(set(outputs)) == len(outputs)
    assert not any(one != other and one.endswith(other) for one in outputs for other in outputs)
    assert sum(Fraction(1, 2 ** len(output)) for output in outputs) == 1


PRINTED_CODES = """
    0 00 5'h19, 0 0X 8'h7B, 0 44C 13'h1FFF, 0 9 5'h01, 1 AX 12'h97F, 1 3 3'h0, 1 25A 13'h0FFF, 2 14X 12'h9FF, 2 0 2'h0,
    3 221X 13'h1FFF, 3 5 5'h0E, 4 0126 13'h13FF, 4 X 8'h27, 5 21000X 15'h7FFF, 5 2202 8'h17, 6 2010X 15'h7FFF,
    6 0000 3'h2, 7 112X 18'h3FFFF, 7 3X 18'h1FFFF, 8 00021X 16'hFFFF, 8 0{9}1 6'h0B, 8 X 9'h06F, 9 0{11} 2'h0,
    9 0{8}2X 17'h07FFF, 10 0{7}1000X 18'h3FFFF, 10 1X 17'h01FFF, 11 0{15}2 7'h1F, 11 0100000X 20'h5FFFF,
    12 0200X 21'h1FFFFF, 12 0{26}X 17'h0FFFF, 13 001 <7'h43>, 13 1X 18'h1FFFF, 14 0{84}2 10'h1FF, 14 0{30}1 <8'hB3>,
    15 0{256} 1'h0, 15 0{255}X <9'h1FF>
"""
PRINTED_FLUSH_WORDS = """
    0 0{0} 1'h0, 0 44 6'h3F, 1 25 7'h7F, 3 221 8'hFF, 5 21000 8'hFF, 8 00021 10'h3FF, 9 0{9}10 9'h1FF, 9 0002 8'h4F,
    11 0{11}200 10'h3FF, 12 0020 10'h3FF, 13 10 8'hFF, 14 0{84} <7'h7F>, 15 0{3} <8'h03>
"""


@pytest.mark.parametrize(
    ("table", "printed"), [(code_table, PRINTED_CODES), (flush_table, PRINTED_FLUSH_WORDS)]
)
def test_low_entropy_codes_are_those_of_annex_b(table: Any, printed: str) -> None:
    """An entry or two of each, as printed: n'hX is X in n bits, <> turns them around, 0{n} is n times 0."""
    for entry in printed.split(","):
        code, word, output = entry.split()
        assert table(int(code))[symbols(int(code), word)] == bits(output), entry


def test_limits_and_thresholds_are_those_of_table_5_16() -> None:
    printed = """
        0 12 303336  1 10 225404  2 8 166979  3 6 128672  4 6 95597  5 4 69670  6 4 50678  7 4 34898
        8 2 23331  9 2 14935  10 2 9282  11 2 5510  12 2 3195  13 2 1928  14 2 1112  15 0 408
    """
    numbers = [int(number) for number in printed.split()]
    assert numbers[1::3] == list(SYMBOL_MAX)
    assert numbers[2::3] == list(THRESHOLDS)


def symbols(code: int, word: str) -> tuple[int, ...]:
    word = re.sub(r"0\{(\d+)\}", lambda run: "0" * int(run[1]), word)
    return tuple(SYMBOL_MAX[code] + 1 if symbol == "X" else int(symbol, 16) for symbol in word)


def bits(printed: str) -> str:
    width, _, number = printed.strip("<>").partition("'h")
    text = format(int(number, 16), f"0{width}b")
    return text[::-1] if printed.startswith("<") else text
