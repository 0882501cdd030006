//! `tests/differential-yaml`: reads and writes random texts with our codecs and with Go's, and compares.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use tests::checkout;
use tests::codecs::{self, Shape, mutate, mutate_json, mutate_toml, normalised};
use tests::generate::Random;
use tests::oracle::{Answer, Codec, Oracle, Release};

/// Compares YAML, JSON and TOML with Go's: acceptance, values, error texts and what is written, byte for byte
#[derive(Parser)]
#[command(name = "tests/differential-yaml")]
struct Arguments {
    /// Texts or values for each codec
    #[arg(long, default_value_t = 20_000)]
    count: usize,
    /// Where random numbers start; the same seed gives the same texts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Times that reading and writing are measured on the given files, instead of comparing
    #[arg(long, value_name = "TIMES", requires = "files")]
    bench: Option<usize>,
    /// YAML files to begin with besides those of the renderer's tests
    files: Vec<PathBuf>,
}

/// Texts in one request.
const BATCH: usize = 256;
/// Differences that are shown for each codec.
const SHOWN: usize = 5;
/// Go goes through maps in random order, which shows in errors and where keys are not in a strict order: an answer that
/// it gives once in so many times is right.
const TRIES: usize = 24;

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut oracle = Oracle::start(&checkout::helm_programs()?, Release::V4)?;
    if let Some(times) = arguments.bench {
        return measure(&mut oracle, &arguments.files, times);
    }
    let seeds = seeds(&arguments.files)?;
    let mut differences = 0;
    println!("{:<16} {:>9} {:>9} {:>11} {:>7}", "codec", "texts", "accepted", "differences", "seconds");
    for codec in
        [Codec::Yaml, Codec::ToYaml, Codec::ToYamlPretty, Codec::Json, Codec::ToJson, Codec::Toml, Codec::ToToml]
    {
        differences += compare(&mut oracle, codec, &seeds, &arguments)?;
    }
    Ok(if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn compare(oracle: &mut Oracle, codec: Codec, seeds: &[Vec<u8>], arguments: &Arguments) -> Result<usize> {
    let started = Instant::now();
    let mut random = Random::new(arguments.seed);
    let (mut done, mut accepted, mut differences) = (0, 0, 0);
    while done < arguments.count {
        let inputs: Vec<Vec<u8>> =
            (0..BATCH.min(arguments.count - done)).map(|index| input(codec, &mut random, seeds, index)).collect();
        done += inputs.len();
        for (input, answer) in inputs.iter().zip(oracle.convert(codec, &inputs)?) {
            accepted += usize::from(answer.is_ok());
            let ours = codecs::ours(codec, input);
            if ours == normalised(codec, answer.clone()) || agrees(oracle, codec, input, &ours)? {
                continue;
            }
            differences += 1;
            if differences <= SHOWN {
                let input = reduced(oracle, codec, input)?;
                let theirs = oracle.convert(codec, std::slice::from_ref(&input))?;
                println!("{codec:?} of {:?}", String::from_utf8_lossy(&input));
                println!("  ours {}", shown(&codecs::ours(codec, &input)));
                println!("  Go's {}", theirs.first().map(shown).unwrap_or_default());
            }
        }
    }
    let seconds = started.elapsed().as_secs();
    println!("{:<16} {done:>9} {accepted:>9} {differences:>11} {seconds:>7}", format!("{codec:?}"));
    Ok(differences)
}

fn input(codec: Codec, random: &mut Random, seeds: &[Vec<u8>], index: usize) -> Vec<u8> {
    let value = |random: &mut Random, shape| codecs::value(random, shape).into_bytes();
    match codec {
        Codec::Yaml => mutate(random, seeds),
        Codec::Json => {
            let text = value(random, Shape::Any);
            mutate_json(random, text)
        }
        Codec::Toml => mutate_toml(random),
        Codec::ToToml => value(random, Shape::Map),
        Codec::ToYaml | Codec::ToYamlPretty | Codec::ToJson => {
            value(random, if index.is_multiple_of(2) { Shape::Text } else { Shape::Any })
        }
    }
}

/// Whether Go gives our answer too, at times.
fn agrees(oracle: &mut Oracle, codec: Codec, input: &[u8], ours: &Answer) -> Result<bool> {
    let answers = oracle.convert(codec, &vec![input.to_vec(); TRIES])?;
    Ok(answers.into_iter().any(|answer| normalised(codec, answer) == *ours))
}

/// A shorter text of which Go makes something else than we do.
fn reduced(oracle: &mut Oracle, codec: Codec, input: &[u8]) -> Result<Vec<u8>> {
    let mut input = input.to_vec();
    let mut width = input.len() / 2;
    while width > 0 {
        let mut start = 0;
        while start + width <= input.len() {
            let mut shorter = input.clone();
            shorter.drain(start..start + width);
            let is_value = matches!(codec, Codec::Yaml | Codec::Json | Codec::Toml)
                || serde_json::from_slice::<serde_json::Value>(&shorter).is_ok();
            if is_value && !agrees(oracle, codec, &shorter, &codecs::ours(codec, &shorter))? {
                input = shorter;
            } else {
                start += width;
            }
        }
        width /= 2;
    }
    Ok(input)
}

fn shown(answer: &Answer) -> String {
    match answer {
        Ok(output) => format!("{:?}", String::from_utf8_lossy(output)),
        Err(error) => format!("error {error:?}"),
    }
}

/// The texts of the renderer's fixtures and the given files.
fn seeds(files: &[PathBuf]) -> Result<Vec<Vec<u8>>> {
    let fixtures = checkout::root().join("renderer/tests/fixtures");
    let mut seeds = Vec::new();
    for line in std::fs::read_to_string(fixtures.join("yaml-read.jsonl"))?.lines() {
        let row: serde_json::Value = serde_json::from_str(line)?;
        seeds.extend(row["in"].as_str().map(|text| text.as_bytes().to_vec()));
    }
    for line in std::fs::read_to_string(fixtures.join("yaml-write.jsonl"))?.lines() {
        let row: serde_json::Value = serde_json::from_str(line)?;
        seeds.extend(
            ["v2", "v3"].iter().filter_map(|writer| row[*writer].as_str()).map(|text| text.as_bytes().to_vec()),
        );
    }
    for file in files {
        seeds.push(std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?);
    }
    // Other encodings, and text on both sides of the chunks in which Go decodes.
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    seeds.push([b"\xff\xfe".as_slice(), &utf16("a: é\nb: [😀, c]\n")].concat());
    seeds.push([b"a: b\n".repeat(200).as_slice(), b"\xff"].concat());
    seeds.push(["k: é\n".repeat(150).as_bytes(), b"\xc3"].concat());
    Ok(seeds)
}

/// Reads and writes files here and there, in turns, and prints the ratios.
fn measure(oracle: &mut Oracle, files: &[PathBuf], times: usize) -> Result<ExitCode> {
    println!(
        "{:>9} {:>11} {:>11} {:>6} {:>11} {:>11} {:>6}  file",
        "bytes", "read ns", "Go ns", "ratio", "write ns", "Go ns", "ratio"
    );
    for file in files {
        let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let value = match renderer::yaml::decode_value(&text) {
            Ok(value) => value,
            Err(error) => {
                println!("{}: {error}", file.display());
                continue;
            }
        };
        let json = codecs::ours(Codec::Yaml, &text).map_err(anyhow::Error::msg)?;
        let (mut read, mut write, mut go_read, mut go_write) = (u64::MAX, u64::MAX, u64::MAX, u64::MAX);
        for _ in 0..5 {
            read = read.min(best(times, || renderer::yaml::decode_value(&text).is_ok()));
            go_read = go_read.min(oracle.measure(Codec::Yaml, &text, times)?);
            write = write.min(best(times, || {
                renderer::yaml::encode(&value, &renderer::Budget::new(renderer::Limits::default())).is_ok()
            }));
            go_write = go_write.min(oracle.measure(Codec::ToYaml, &json, times)?);
        }
        let ratio = |ours: u64, theirs: u64| theirs as f64 / ours.max(1) as f64;
        println!(
            "{:>9} {read:>11} {go_read:>11} {:>6.1} {write:>11} {go_write:>11} {:>6.1}  {}",
            text.len(),
            ratio(read, go_read),
            ratio(write, go_write),
            file.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The least time that some work takes, in nanoseconds.
fn best(times: usize, work: impl Fn() -> bool) -> u64 {
    (0..times)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
        })
        .min()
        .unwrap_or(u64::MAX)
}
