"""How much of an identity, source and channel comes before each clip, for gates that cap shares."""

import pandas as pd

from talkingface_wild.engine.stage import Whole
from talkingface_wild.pipelines.column_kinds import count, measure


class Balance(Whole):
    """Counts in the fixed order of clip ids, which is random with respect to content."""

    name = "balance"
    needs = ("identity", "clip_seconds", "channel")
    columns = (
        measure("identity_seconds_before", "seconds of the same identity in earlier clips", "s"),
        count("source_clips_before", "clips of the same source that come earlier"),
        measure("channel_seconds_before", "seconds of the same channel in earlier clips", "s"),
    )

    def compute(self, table: pd.DataFrame) -> pd.DataFrame:
        """Running sums before each clip; null where identity or channel is unknown."""
        order = table.sort_index()
        seconds = order["clip_seconds"].astype(float)
        answer = pd.DataFrame(index=order.index)
        answer["identity_seconds_before"] = _before(seconds, order["identity"]).round(3)
        answer["source_clips_before"] = (
            order.groupby(order["root_id"].astype(object)).cumcount().astype("Int64")
        )
        answer["channel_seconds_before"] = _before(seconds, order["channel"]).round(3)
        return answer.reindex(table.index)


def _before(seconds: pd.Series, key: pd.Series) -> pd.Series:
    running = seconds.groupby(key.astype(object)).cumsum() - seconds
    return running.where(key.notna().to_numpy(bool)).astype("Float64")
