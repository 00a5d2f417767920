//! Rigorous real and complex numbers: a midpoint and an error radius, with
//! every operation returning a ball that certainly holds the true value.
//!
//! Everything runs on integers (`dashu-int`): midpoints are dyadic rationals and
//! the elementary functions are fixed-point series with counted error, so that
//! hostile input can neither panic nor make one operation arbitrarily slow.

mod arithmetic;
mod complex;
mod complex_functions;
mod complex_inverse;
mod constants;
mod context;
mod dyadic;
mod exp_log;
mod fixed;
mod hyperbolic;
mod inverse_trig;
mod mag;
mod power;
mod real;
mod trig;

#[cfg(test)]
mod tests;

pub(crate) use complex::Complex;
pub(crate) use context::{Ctx, NumError};
#[cfg(test)]
use mag::Mag;
pub(crate) use real::Real;
