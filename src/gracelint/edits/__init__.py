"""Intents turned into minimal text edits, one module for each kind of file.

Each function returns the edits, or None where it cannot be done rightly.
"""
