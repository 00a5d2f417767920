//! Runs programs that attack the sandbox, and checks that they reached nothing:
//! `attacks FOLDER [--unprivileged] [--no-prefork]`.
//!
//! FOLDER has a `manifest.json` and the programs that it names. What they look for is set up first: a secret in a file and one in
//! the environment, listeners, a process that sleeps. One line for each program; the exit status is 1 if anything is not as
//! it has to be. `attacks --program FILE` runs a single program, and shows what it said.

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("there is no sandbox but on Linux");
}

#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
mod run;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    let options = match run::Options::from_arguments() {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\nattacks FOLDER | --program FILE [--unprivileged] [--no-prefork]");
            return ExitCode::from(2);
        }
    };
    // The secret of the environment has to be there from the start, so all the work is done by a second process.
    let done = match std::env::var(host::ENVIRONMENT) {
        Ok(secret) => run::run(&options, &secret),
        Err(_) => run::again(&options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
