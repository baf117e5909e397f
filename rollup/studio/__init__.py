"""What the pages need of Python: kept texts, traces of answers, answers from a corpus, models as YAML, economics."""
