"""Which clips are copies of others: both fingerprints match. A gate rejects the later upload."""

import pandas as pd

from talkingface_wild.core.columns import Column
from talkingface_wild.engine.stage import Whole
from talkingface_wild.functional.fingerprints import Fingerprint
from talkingface_wild.functional.near_duplicates import ClipPrint, duplicates


class Duplicates(Whole):
    """Orders clips by upload date where it is known, then by id."""

    name = "duplicates"
    needs = ("picture_print", "sound_print", "upload_date")
    columns = (
        Column(
            "duplicate_of",
            "string",
            "id of the clip that this one is a copy of; null for originals",
        ),
    )

    def compute(self, table: pd.DataFrame) -> pd.DataFrame:
        """The original of each copy."""
        both = table["picture_print"].notna() & table["sound_print"].notna()
        rows = [
            ClipPrint(
                str(clip),
                "99999999" if pd.isna(date) else str(date),
                Fingerprint(str(picture), str(sound)),
            )
            for clip, date, picture, sound in zip(
                table.index[both],
                table.loc[both, "upload_date"],
                table.loc[both, "picture_print"],
                table.loc[both, "sound_print"],
                strict=True,
            )
        ]
        copies = duplicates(rows)
        return pd.DataFrame(
            {
                "duplicate_of": pd.array(
                    [copies.get(str(clip)) for clip in table.index], dtype="string"
                )
            },
            index=table.index,
        )
