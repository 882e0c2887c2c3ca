//! Git as a program that is started.

mod git_programs;
