"""What the files say, as frozen dataclasses with spans. Nothing in here knows a parser."""
