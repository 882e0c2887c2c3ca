//! Names that make a program run code, in families: one family for the names of one program, or of
//! a few that are alike.

mod family;
mod languages;
mod packages;
#[cfg(test)]
mod page;
mod python;
mod redirect;
mod system;
#[cfg(test)]
mod tests;
mod tools;

pub use self::family::{Family, family_of};
pub use self::redirect::{Redirect, redirect_of};
