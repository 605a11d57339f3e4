//! The program's door: hands the arguments to `cli` and sets the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cutover::cli::main()
}
