//! `cargo xtask <command>`: the developer's commands, and every `prime-train` command through cargo.
//!
//! Knows cargo and the names of commands, and none of the workspace's crates as dependencies, so that it
//! builds in seconds.

mod run;
mod sums;
mod task;

use std::process::ExitCode;

use task::Task;

/// Exit code for a command line that makes no sense.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let result = match Task::parse(std::env::args_os().skip(1)) {
        Ok(Task::Help) => {
            print!("{}", task::help());
            return ExitCode::SUCCESS;
        }
        Ok(Task::Ci) => run::ci(),
        Ok(Task::Bench { args }) => run::bench(args),
        Ok(Task::Sums { folder }) => sums::write(&folder).map(|paths| {
            for path in paths {
                println!("{}", path.display());
            }
            ExitCode::SUCCESS
        }),
        Ok(Task::Train { args }) => run::train(args),
        Err(error) => {
            eprint!("{error}");
            return ExitCode::from(USAGE);
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
