"""`gracelint lsp`: findings, fixes and the stories of launches in editors. Needs the extra `gracelint[lsp]`."""
