//! Git as a child process.

mod git_programs;
