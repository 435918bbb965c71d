//! The copy engine as a program.

#[cfg(unix)]
mod command_line;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    command_line::run()
}

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("error: offermatch-stage copies with calls that only Unix systems have");
    std::process::ExitCode::FAILURE
}
