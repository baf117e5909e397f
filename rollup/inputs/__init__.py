"""Parsers of what people write: amounts, addresses, text files, YAML, models. Errors name the place and the reason."""
