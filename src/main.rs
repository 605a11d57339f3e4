//! The program's door: hands the arguments to `cli` and sets the exit code.
fn main() {}
