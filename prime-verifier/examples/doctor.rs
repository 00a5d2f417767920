//! Prints which layers of the sandbox this system has, and what it makes of a program: `doctor [PYTHON]`.

use std::time::Instant;

use prime_verifier::code::{CodeConfig, CodeVerifier, TestCases};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = CodeConfig::default();
    config.python = std::env::args_os().nth(1).map(Into::into);
    let verifier = CodeVerifier::new(&config)?;
    let python = verifier.python();
    println!("{} {}", python.path.display(), python.version_text());
    println!("{}", verifier.sandbox());
    match verifier.why_not_preforked() {
        None => println!("  tests are forked from an interpreter that has run the preamble"),
        Some(why) => println!("  every test starts an interpreter: {why}"),
    }
    let tests = TestCases::parse(r#"{"inputs": ["3\n", "10\n"], "outputs": ["6\n", "20\n"]}"#)?;
    let begun = Instant::now();
    let grade = verifier.grade("print(2 * int(input()))", tests);
    let millis = begun.elapsed().as_secs_f64() * 1e3;
    println!(
        "  a program with two tests: {} in {millis:.1} ms",
        grade.verdict().name()
    );
    Ok(())
}
