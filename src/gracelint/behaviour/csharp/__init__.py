"""Reads C#: what hosted services do with the token that tells them to stop."""
