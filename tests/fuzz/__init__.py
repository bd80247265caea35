"""Coverage-guided fuzzing of each reader; `python -m fuzz READER` in `tests/` (extra `[fuzz]`)."""
