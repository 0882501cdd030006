//! The grammar of `--set` and its relatives.

use renderer::values::set::{set, set_file, set_json, set_literal, set_string};
use renderer::values::{self, Values};

/// Applies one argument per line, each after a letter for the flag, to the same values.
pub fn set_argument(input: &[u8]) {
    let mut values = Values::new();
    for line in String::from_utf8_lossy(input).split('\n') {
        let mut characters = line.chars();
        let flag = characters.next();
        let argument = characters.as_str();
        let result = match flag {
            Some('s') => set_string(argument, &mut values),
            Some('l') => set_literal(argument, &mut values),
            Some('j') => set_json(argument, &mut values),
            Some('f') => set_file(argument, &mut values, &mut |path| Ok(path.to_uppercase())),
            _ => set(argument, &mut values),
        };
        if let Err(error) = result {
            drop(error.to_string());
        }
    }
    drop(values::from_json(&serde_json::Value::Object(values)));
}
