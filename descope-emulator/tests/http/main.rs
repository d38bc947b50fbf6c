//! The emulator over HTTP, from outside.

mod authorize;
mod discovery;
mod faults;
mod mint;
mod openid;
mod page;
mod persistence;
mod program;
mod register;
mod revoke;
mod support;
mod token;
mod userinfo;
