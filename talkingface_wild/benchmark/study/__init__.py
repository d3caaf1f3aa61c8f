"""People's judgement: a blind page, answers, and scores with intervals."""
