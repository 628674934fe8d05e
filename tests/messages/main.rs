//! The scenario language: every message that a mistake gets, what is read from good scenarios, and
//! that no text whatsoever makes the reader panic.

mod audio;
mod cristian;
mod files;
mod fuzz;
mod good;
mod help;
mod hints;
mod p2p;
mod replication;
mod texts;
mod toy;
mod zookeeper;
