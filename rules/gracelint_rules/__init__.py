"""The built-in rule pack: one module, one rule; a module's name is its rule's name."""
