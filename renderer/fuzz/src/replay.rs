//! Runs inputs of fuzz targets in an ordinary build, and writes what libFuzzer starts with.
//!
//! `replay TARGET FILE...` runs each file; `replay --seeds TARGET FOLDER` writes the seeds; `replay --words TARGET`
//! prints the dictionary.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use renderer_fuzz::Target;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("replay: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--seeds", name, folder] => {
            let seeds = (target(name)?.seeds)();
            for (index, seed) in seeds.iter().enumerate() {
                write(&Path::new(folder).join(format!("seed-{index:05}")), seed)?;
            }
            Ok(())
        }
        ["--words", name] => {
            for word in (target(name)?.words)() {
                let mut line = String::from("\"");
                for byte in word {
                    // Writing to a string cannot fail.
                    let _ = write!(line, "\\x{byte:02x}");
                }
                println!("{line}\"");
            }
            Ok(())
        }
        [name, files @ ..] if !name.starts_with('-') && !files.is_empty() => {
            let target = target(name)?;
            for file in files {
                let input = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
                println!("{file}");
                (target.run)(&input);
            }
            Ok(())
        }
        _ => Err("usage: replay TARGET FILE... | --seeds TARGET FOLDER | --words TARGET".to_owned()),
    }
}

fn target(name: &str) -> Result<Target, String> {
    Target::named(name).ok_or_else(|| {
        let names = renderer_fuzz::TARGETS.map(|target| target.name);
        format!("no target {name}; there are {}", names.join(", "))
    })
}

fn write(path: &Path, data: &[u8]) -> Result<(), String> {
    std::fs::write(path, data).map_err(|error| format!("{}: {error}", path.display()))
}
