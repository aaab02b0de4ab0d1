"""What travels between the stages: facts, in records that brokers take."""

from __future__ import annotations

import msgspec
import pytest

from sojourn.model.fact import Fact, StepTaken
from sojourn.runtime.shards.records import RECORD_BYTES, encode_facts


def step(number: int, *, n_chars: int) -> Fact:
    """Return a fact of more than so many bytes."""
    name = "x" * n_chars
    return StepTaken(
        profile_id="ada", at=number, position=number, source="web", message_id="m", name=name, occurred_at=0
    )


@pytest.mark.parametrize("sizes", [[10], [10] * 9, [RECORD_BYTES // 3] * 10, [10, RECORD_BYTES, 10]])
def test_facts_are_cut_into_records_that_brokers_take(sizes: list[int]) -> None:
    """All of them, in their order; a record is only as large as one fact alone where that one is."""
    facts = [step(number, n_chars=n_chars) for number, n_chars in enumerate(sizes)]
    records = list(encode_facts(facts))
    read = [msgspec.json.decode(record, type=list[StepTaken]) for record in records]
    assert [fact for part in read for fact in part] == facts
    assert all(
        len(record) <= RECORD_BYTES or len(part) == 1 for record, part in zip(records, read, strict=True)
    )


def test_a_few_facts_are_one_record() -> None:
    """Each record has its price."""
    assert len(list(encode_facts([step(number, n_chars=100) for number in range(1_000)]))) == 1
