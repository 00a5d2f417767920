//! The `prime-train` binary: calls the library and turns errors into exit codes.

use std::process::ExitCode;

use clap::Parser;
use prime_train::cli::{Cli, execute};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let last_words = cli.command.when_interrupted();
    let handler = ctrlc::set_handler(move || {
        use std::sync::atomic::Ordering;
        let again = prime_train::run::INTERRUPTED.swap(true, Ordering::Relaxed);
        match last_words {
            Some(doing) if !again => {
                prime_train::view::say(&format!("interrupted: {doing} (again to stop at once)"));
            }
            _ => {
                prime_train::view::leave();
                std::process::exit(130)
            }
        }
    });
    if let Err(error) = handler {
        eprintln!("warning: Ctrl-C will not save a checkpoint: {error}");
    }
    match execute(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
