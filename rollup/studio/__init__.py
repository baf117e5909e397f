"""The Python side of the pages: kept texts, traces of answers, answers from a corpus, models as YAML, economics."""
