"""The journal: what was written survives, what was half written is left out."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from talkingface_wild.core.errors import DiskFull, InputUnreadable
from talkingface_wild.engine.journal import Journal, JournalWriter, Record, open_log


def _record(item: str, at: float = 1.0, **more: object) -> Record:
    return Record(item, "look", "f1", "done", values={"size": 1.5}, at=at, **more)


def test_records_come_back_as_they_were(tmp_path):
    whole = Record(
        "r1", "cut", "f2", "done", None, None, {"size": 1.5, "names": [1.0, None], "on": True},
        [{"id": "r1.0", "payload": {"part": 0, "text": "ü\n\"'"}, "values": {}}],
        2, 0.25, 0.125, 3.0, "1|a",
    )  # fmt: skip
    failed = Record("r2", "cut", "f2", "failed", "network", "said: ‘no’", attempts=3, at=3.0)
    log = open_log(tmp_path, "worker")
    log.write([whole, failed])
    log.close()
    assert Journal(tmp_path, with_logs=True).get("r1", "f2") == whole
    journal = Journal(tmp_path)
    assert journal.gather() == 2
    assert list((tmp_path / "logs").iterdir()) == []
    again = Journal(tmp_path)
    assert len(again) == 2
    assert again.get("r1", "f2") == whole
    assert again.get("r2", "f2") == failed
    assert again.get("r1", "other") is None


@pytest.mark.parametrize("tail", [b'{"item": "r9", "sta', b"\0\0\0\0\n", b'{"item": 3}\n', b"\n"])
def test_a_damaged_end_of_a_log_costs_only_itself(tmp_path, tail):
    log = open_log(tmp_path, "worker")
    log.write([_record("r1"), _record("r2")])
    log.close()
    path = next((tmp_path / "logs").iterdir())
    path.write_bytes(path.read_bytes() + tail)
    journal = Journal(tmp_path)
    assert journal.gather() == 2
    assert journal.get("r2", "f1") == _record("r2")


def test_the_latest_result_wins_whichever_part_holds_it(tmp_path):
    for at in (5.0, 9.0, 7.0):
        Journal(tmp_path).put([_record("r1", at, attempts=int(at))])
    assert Journal(tmp_path).get("r1", "f1").attempts == 9


def test_many_parts_become_one_and_nothing_is_lost(tmp_path):
    journal = Journal(tmp_path)
    journal.put([Record("bad", "look", "f1", "failed", "network", attempts=4, at=1.0)])
    for number in range(40):
        journal.put([_record(f"r{number}")])
    journal = Journal(tmp_path)
    journal.reopen_failed()
    journal.gather()
    assert len(list((tmp_path / "parts").glob("*.parquet"))) == 1
    again = Journal(tmp_path)
    assert len(again) == 41
    # A failed result that waits for its next try is not forgotten when the parts are joined.
    assert again.get("bad", "f1").attempts == 4


def test_reopened_failures_are_absent_and_their_attempts_known(tmp_path):
    journal = Journal(tmp_path)
    journal.put(
        [Record("bad", "look", "f1", "failed", "network", attempts=2, at=1.0), _record("r")]
    )
    assert journal.reopen_failed() == 1
    assert journal.get("bad", "f1") is None
    assert (journal.attempts("bad", "f1"), journal.attempts("r", "f1")) == (2, 0)


def test_a_damaged_part_is_said_with_its_path_and_a_remedy(tmp_path):
    Journal(tmp_path).put([_record("r1")])
    part = next((tmp_path / "parts").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(InputUnreadable, match="delete that file") as error:
        Journal(tmp_path)
    assert str(part) in str(error.value)


def test_a_full_disk_is_disk_full():
    writer = JournalWriter(Path("/dev/full"))
    with pytest.raises(DiskFull):
        writer.write([_record("r1")])
    writer.close()


def test_parts_are_parquet_that_anyone_reads(tmp_path):
    Journal(tmp_path).put([_record("r1")])
    table = pq.read_table(tmp_path / "parts").to_pylist()
    assert table[0]["item"] == "r1"
    assert json.loads(table[0]["values"]) == {"size": 1.5}


_WRITER = """
import sys
from pathlib import Path
from talkingface_wild.engine.journal import Record, open_log
log = open_log(Path(sys.argv[1]), "killed")
number = 0
while True:
    rows = [
        Record(f"r{number + k}", "look", "f", "done", values={"x": "y" * 3000}) for k in range(8)
    ]
    log.write(rows)
    number += 8
    print(number, flush=True)
"""


def test_kill_9_in_the_middle_of_writing_loses_nothing_that_was_acknowledged(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    said = int(writer.stdout.readline())
    time.sleep(0.2)
    os.kill(writer.pid, signal.SIGKILL)
    said = max([said, *map(int, writer.stdout.read().split("\n")[:-1])])
    writer.wait()
    journal = Journal(tmp_path)
    assert journal.gather() >= said
    assert all(journal.get(f"r{number}", "f") is not None for number in range(said))


def test_reopened_results_are_gone_on_the_disk_and_the_others_stay(tmp_path):
    journal = Journal(tmp_path)
    journal.put([_record("r1"), _record("r2")])
    journal.put([_record("r3"), _record("r1", at=4.0)])
    journal.reopen([journal.get("r1", "f1")])
    for seen in (journal, Journal(tmp_path)):
        assert seen.get("r1", "f1") is None
        assert seen.get("r2", "f1") == _record("r2") and seen.get("r3", "f1") == _record("r3")
    journal.put([_record("r1", at=9.0)])
    assert Journal(tmp_path).get("r1", "f1").at == 9.0
    again = Journal(tmp_path)
    again.reopen([again.get(item, "f1") for item in ("r1", "r2", "r3")])
    assert len(Journal(tmp_path)) == 0
