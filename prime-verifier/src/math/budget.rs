//! How much work one comparison may cost.

/// The budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent;

/// Units of about 100 ns that are left. Counted, not clocked, so that a verdict does not depend on the machine.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    left: u64,
}

impl Budget {
    pub fn new(units: u64) -> Self {
        Self { left: units }
    }

    pub fn left(&self) -> u64 {
        self.left
    }

    pub fn charge(&mut self, units: u64) -> Result<(), Spent> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Spent)
            }
        }
    }
}
