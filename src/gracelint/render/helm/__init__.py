"""Helm charts: Go's template language, the functions that Helm gives it, and how charts and values come together."""
