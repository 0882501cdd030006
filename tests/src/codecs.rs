//! Texts and values for comparing codecs (YAML, JSON, TOML) with Go's: made at random from a seed.

mod mutate;
mod values;

pub use mutate::{mutate, mutate_json, mutate_toml};
pub use values::{Shape, value};

use renderer::value::Value;
use renderer::{Budget, Limits, json, toml, yaml};

use crate::oracle::{Answer, Codec};

/// What our codec makes of a text, in the form in which the oracle answers. Outputs that are JSON are written by our
/// encoder: [`normalised`] does the same to Go's.
pub fn ours(codec: Codec, input: &[u8]) -> Answer {
    let budget = Budget::new(Limits::default());
    match codec {
        Codec::Yaml => yaml::decode_value(input).map(|value| to_json(&value)).map_err(|error| error.problem()),
        Codec::Json => read_json(input).map(|value| to_json(&value)),
        Codec::Toml => {
            let written =
                json::encode(&toml::decode(input).map_err(|error| error.to_string())?, json::Style::COMPACT, &budget);
            // Go's integers come back from its JSON as floats.
            read_json(&written.map_err(|error| error.to_string())?).map(|value| to_json(&value))
        }
        Codec::ToYaml => written(yaml::encode(&read_json(input)?, &budget)),
        Codec::ToYamlPretty => written(yaml::encode_pretty(&read_json(input)?, &budget)),
        Codec::ToJson => {
            json::encode(&read_json(input)?, json::Style::COMPACT, &budget).map_err(|error| error.to_string())
        }
        Codec::ToToml => written(toml::encode(&read_json(input)?, &budget)),
    }
}

/// An answer of Go's, with JSON written as [`ours`] writes it.
pub fn normalised(codec: Codec, answer: Answer) -> Answer {
    match codec {
        Codec::Yaml | Codec::Json | Codec::Toml => answer.and_then(|text| {
            json::decode(&text).map(|decoded| to_json(&decoded.value)).map_err(|error| error.to_string())
        }),
        Codec::ToYaml | Codec::ToYamlPretty | Codec::ToJson | Codec::ToToml => answer,
    }
}

fn written(result: Result<String, json::EncodeError>) -> Answer {
    result.map(String::into_bytes).map_err(|error| error.to_string())
}

fn read_json(text: &[u8]) -> Result<Value, String> {
    let decoded = json::decode(text).map_err(|error| error.to_string())?;
    decoded.error.map_or(Ok(decoded.value), |error| Err(error.to_string()))
}

fn to_json(value: &Value) -> Vec<u8> {
    json::encode(value, json::Style::COMPACT, &Budget::new(Limits::default())).unwrap_or_default()
}
