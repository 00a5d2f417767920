//! Prints which layers of the sandbox this system has.

use prime_verifier::code::{CodeConfig, CodeVerifier};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = CodeVerifier::new(&CodeConfig::default())?;
    println!(
        "{} {}",
        verifier.python().path.display(),
        verifier.python().version_text()
    );
    println!("{}", verifier.sandbox());
    println!("not preforked: {:?}", verifier.why_not_preforked());
    Ok(())
}
