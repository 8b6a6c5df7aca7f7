//! `cargo compare`: runs `init` and its peers side by side and prints the table of the README; `--write` puts it there.

use std::process::ExitCode;

use bitts_tests::compare;
use clap::Parser;

/// Runs init and its peers in the same cases and prints the README's table.
#[derive(Parser)]
#[command(name = "compare")]
struct Words {
    /// Put the table into README.md
    #[arg(long)]
    write: bool,
}

fn main() -> ExitCode {
    let words = Words::parse();
    let programs = match compare::programs() {
        Ok(programs) => programs,
        Err(why) => {
            eprintln!("compare: {why}");
            return ExitCode::FAILURE;
        }
    };
    if !bitts_tests::namespace::available("cargo compare") {
        return ExitCode::FAILURE;
    }
    bitts_tests::ship::build_harness();
    let table = compare::markdown(&compare::run(&programs));
    print!("{table}");
    if words.write {
        let path = compare::readme();
        let readme = std::fs::read_to_string(&path).expect("README.md");
        let [before, _, behind] = compare::split(&readme);
        std::fs::write(&path, [before, &table, behind].concat()).expect("README.md");
    }
    ExitCode::SUCCESS
}
