//! The command `completions`.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{CommandLine, Outcome, Result};

/// Prints a shell's completions
///
/// The shell reads them from where it looks for completions.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  microvisor-provision completions bash >~/.local/share/bash-completion/completions/microvisor-provision
  microvisor-provision completions zsh >~/.zfunc/_microvisor-provision
  microvisor-provision completions fish >~/.config/fish/completions/microvisor-provision.fish")]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

impl CompletionsArguments {
    pub(crate) fn run(self) -> Result {
        let mut command = CommandLine::command();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        io::stdout().write_all(&script)?;
        Ok(Outcome::Done)
    }
}
