"""Which clips are copies of others: both fingerprints match. A gate rejects the later upload."""

import pandas as pd

from talkingface_wild.engine.stage import Whole
from talkingface_wild.functional.fingerprints import Fingerprint
from talkingface_wild.functional.near_duplicates import ClipPrint, duplicates
from talkingface_wild.pipelines.column_kinds import text

_LATEST = "99999999"
"""The upload date of clips without one: later than all."""


class Duplicates(Whole):
    """Orders clips by upload date where it is known, then by id."""

    name = "duplicates"
    needs = ("picture_print", "sound_print", "upload_date")
    columns = (
        text("duplicate_of", "id of the clip that this one is a copy of; null for originals"),
    )

    def compute(self, table: pd.DataFrame) -> pd.DataFrame:
        """The original of each copy."""
        printed = table[table["picture_print"].notna() & table["sound_print"].notna()]
        dates = printed["upload_date"].astype(object).fillna(_LATEST)
        columns = (printed.index, dates, printed["picture_print"], printed["sound_print"])
        copies = duplicates(
            [
                ClipPrint(clip, date, Fingerprint(picture, sound))
                for clip, date, picture, sound in zip(*columns, strict=True)
            ]
        )
        originals = [copies.get(clip) for clip in table.index]
        return pd.DataFrame({"duplicate_of": pd.array(originals, dtype="string")}, table.index)
