"""What everything else stands on: value types, remembering, patterns, numbers, limits. Knows nothing of containers."""
