"""The final language of each clip: the claimed one, another by the source's vote, or unsure."""

from dataclasses import dataclass

import pandas as pd

from talkingface_wild.core.language_names import DEFAULT
from talkingface_wild.engine.stage import Whole
from talkingface_wild.pipelines.column_kinds import flag, text


@dataclass(frozen=True)
class LanguagesConfig:
    """When a claimed language is believed, and when it is replaced."""

    keep_probability: float = 0.8
    """The claimed language is confirmed from this probability on."""
    relabel_probability: float = 0.9
    """Another language replaces it from this probability on, if the source's clips vote for it."""
    languages: tuple[str, ...] = DEFAULT
    """Languages that a clip may be relabelled to."""


class Languages(Whole):
    """Decides by clip, with its source's vote; without the network's answer nothing changes."""

    name = "languages"
    needs = ("spoken_language", "spoken_probability", "claimed_probability")
    columns = (
        text("language", "final language tag"),
        text("language_verdict", "confirmed, relabelled, unsure, or unverified where unmeasured"),
        flag("language_unsure", "whether the verdict is unsure"),
        flag("language_verified", "whether the spoken language was measured and is the final one"),
    )
    Config = LanguagesConfig

    def compute(self, table: pd.DataFrame) -> pd.DataFrame:
        """One verdict per clip."""
        claimed = table["group"].astype(object)
        spoken = table["spoken_language"].astype(object)
        measured = table["spoken_language"].notna().to_numpy(bool)
        confirmed = measured & (
            table["claimed_probability"].fillna(0.0).astype(float) >= self.config.keep_probability
        ).to_numpy(bool)
        sure = measured & (
            table["spoken_probability"].fillna(0.0).astype(float) >= self.config.relabel_probability
        ).to_numpy(bool)
        allowed = spoken.isin(self.config.languages).to_numpy(bool)
        voted = (spoken == _vote(table)).fillna(False).to_numpy(bool)
        relabelled = ~confirmed & sure & allowed & voted
        verdict = pd.Series("unverified", index=table.index, dtype=object)
        verdict[measured] = "unsure"
        verdict[relabelled] = "relabelled"
        verdict[confirmed] = "confirmed"
        answer = pd.DataFrame(index=table.index)
        answer["language"] = claimed.where(~relabelled, spoken).astype("string")
        answer["language_verdict"] = verdict.astype("string")
        answer["language_unsure"] = pd.array((verdict == "unsure").to_numpy(bool), dtype="boolean")
        answer["language_verified"] = pd.array(confirmed | relabelled, dtype="boolean")
        return answer


def _vote(table: pd.DataFrame) -> pd.Series:
    """For each clip the language that most clips of its source speak (ties: the first by name)."""
    votes = pd.DataFrame(
        {"root": table["root_id"].astype(object), "spoken": table["spoken_language"].astype(object)}
    )
    counts = votes.dropna().value_counts().reset_index(name="clips")
    counts = counts.sort_values(
        ["root", "clips", "spoken"], ascending=[True, False, True]
    ).drop_duplicates("root")
    winner = dict(zip(counts["root"], counts["spoken"], strict=True))
    return votes["root"].map(winner)
