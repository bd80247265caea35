"""How files are read. Besides `behaviour`, the only modules that import dockerfile_parse, ruamel and tree_sitter."""
