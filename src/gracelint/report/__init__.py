"""Finished reports turned into text; each format is a module with `render`."""
