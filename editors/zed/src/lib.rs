//! Starts `gracelint lsp`; the settings may name another command and other arguments below `lsp.gracelint.binary`.

use zed_extension_api::{
    register_extension, settings::LspSettings, Command, Extension, LanguageServerId, Result, Worktree,
};

struct Gracelint;

impl Extension for Gracelint {
    fn new() -> Self {
        Gracelint
    }

    fn language_server_command(&mut self, server: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let binary = LspSettings::for_worktree(server.as_ref(), worktree)?.binary;
        let (path, arguments) = binary.map_or((None, None), |binary| (binary.path, binary.arguments));
        let command = path
            .or_else(|| worktree.which("gracelint"))
            .ok_or("gracelint is not on PATH: install it with its extra `lsp`")?;
        Ok(Command {
            command,
            args: arguments.unwrap_or_else(|| vec!["lsp".to_string()]),
            env: worktree.shell_env(),
        })
    }
}

register_extension!(Gracelint);
