"""How files are read: the only modules that import dockerfile_parse, ruamel.yaml, tree_sitter, ast or libcst."""
