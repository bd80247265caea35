"""How files are read. Besides `behaviour`, the only modules that import ruamel and tree_sitter."""
