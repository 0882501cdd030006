//! Paths into values as people type them.

use module::ValuePath;
use module::path::Token;

/// Reads a path as it is shown (`hosts[0]["a.b"].c`) or as `--set` has it (`hosts[0].a\.b.c`). A leading `spec.values`
/// is taken off, so that a field of a refusal can be pasted.
pub(crate) fn parse(text: &str) -> Result<ValuePath, String> {
    let below = text.strip_prefix("spec.values").filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let text = below.map_or(text, |rest| rest.trim_start_matches('.'));
    let mut tokens = Vec::new();
    let mut key = String::new();
    let mut rest = text.chars().peekable();
    let finish = |key: &mut String, tokens: &mut Vec<Token>| {
        if !key.is_empty() {
            tokens.push(Token::Key(std::mem::take(key)));
        }
    };
    while let Some(character) = rest.next() {
        match character {
            '\\' => key.extend(rest.next()),
            '.' => finish(&mut key, &mut tokens),
            '[' if rest.peek() == Some(&'"') => {
                finish(&mut key, &mut tokens);
                tokens.push(Token::Key(quoted(&mut rest).ok_or_else(|| format!("{text}: expected \"]"))?));
            }
            '[' => {
                finish(&mut key, &mut tokens);
                let index: String = rest.by_ref().take_while(|&character| character != ']').collect();
                let index = index.parse().map_err(|_| format!("{text}: expected a number between [ and ]"))?;
                tokens.push(Token::Index(index));
            }
            _ => key.push(character),
        }
    }
    finish(&mut key, &mut tokens);
    Ok(ValuePath::from(tokens))
}

/// Reads `"KEY"]`, KEY as in JSON.
fn quoted(rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut literal = String::from(rest.next()?);
    loop {
        let character = rest.next()?;
        literal.push(character);
        match character {
            '\\' => literal.push(rest.next()?),
            '"' => break,
            _ => {}
        }
    }
    (rest.next()? == ']').then(|| serde_json::from_str(&literal).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_paths_round_trip() {
        for text in ["", "general.version", "ports[0].name", r#"podAnnotations["example.com/a\"b"].c"#, "a[1][2]"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_forms_are_read() {
        let path = ValuePath::root().key("annotations").key("a.b");
        assert_eq!(parse(r"annotations.a\.b").unwrap(), path);
        assert_eq!(parse(r#"spec.values.annotations["a.b"]"#).unwrap(), path);
        assert_eq!(parse("spec.values").unwrap(), ValuePath::root());
        assert!(parse("a[x]").is_err());
        assert!(parse(r#"a["x]"#).is_err());
    }
}
