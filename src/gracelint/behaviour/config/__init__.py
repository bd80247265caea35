"""Programs that are judged by their settings: frameworks whose way to stop is decided by versions and properties."""
