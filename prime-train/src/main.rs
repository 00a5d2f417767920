//! The `prime-train` binary: calls the library and turns errors into exit codes.

use std::process::ExitCode;

use clap::Parser;
use prime_train::cli::{Cli, execute};
use prime_train::error::TrainError;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = prime_train::signals::handle(cli.command.when_interrupted()) {
        prime_train::view::say(&format!(
            "warning: Ctrl-C will not save a checkpoint: {error}"
        ));
    }
    match execute(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, TrainError::OutputClosed) {
                prime_train::view::say(&format!("error: {error}"));
            }
            ExitCode::from(error.exit_code())
        }
    }
}
