"""What travels between the stages: parcels of inputs, and facts in records that brokers take."""

from __future__ import annotations

import msgspec
import pytest

from sojourn.model.fact import Fact, StepTaken
from sojourn.runtime.shards.records import RECORD_BYTES, decode_parcel, encode_facts, encode_parcel


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


@pytest.mark.parametrize("shard", [0, 1_022])
@pytest.mark.parametrize("at", [0, 1_795_958_008_813, 253_402_300_799_999])
@pytest.mark.parametrize("record", [b"", b'[["ada", {}]]', bytes(range(256))])
def test_a_parcel_is_what_was_put_in(shard: int, at: int, record: bytes) -> None:
    """From the first shard to the last there can be, until the year 9999; an empty one, too."""
    assert decode_parcel(encode_parcel(shard, at, record)) == (shard, at, record)
