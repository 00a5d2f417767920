//! Setters for knobs: structs that may grow cannot be written as literals elsewhere.

macro_rules! knobs {
    ($owner:ident $(<$($generic:ident),*>)? { $($setter:ident($knob:ident: $kind:ty);)* }) => {
        impl $(<$($generic),*>)? $owner $(<$($generic),*>)? {
            $(
                #[doc = concat!("The same with another [`", stringify!($knob), "`](Self::", stringify!($knob), ").")]
                #[must_use]
                pub fn $setter(mut self, $knob: $kind) -> Self {
                    self.$knob = $knob;
                    self
                }
            )*
        }
    };
}

pub(crate) use knobs;
