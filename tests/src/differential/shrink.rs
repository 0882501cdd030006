//! Makes a case smaller while two renderers still differ on it in the same way.

use super::Case;

/// How many smaller cases are tried at most: enough for a case of a hundred lines, and it ends.
const ATTEMPTS: usize = 4000;

/// The smallest case found for which `differs` holds; it holds for the case itself.
pub fn shrink(case: &Case, differs: &mut dyn FnMut(&Case) -> bool) -> Case {
    let mut shrinking = Shrinking { case: case.clone(), attempts: ATTEMPTS, differs };
    loop {
        let before = shrinking.case.clone();
        shrinking.drop_arguments();
        shrinking.drop_files();
        shrinking.drop_parts(&lines);
        shrinking.drop_parts(&actions);
        shrinking.drop_parts(&tokens);
        if shrinking.case == before || shrinking.attempts == 0 {
            return shrinking.case;
        }
    }
}

struct Shrinking<'a> {
    case: Case,
    attempts: usize,
    differs: &'a mut dyn FnMut(&Case) -> bool,
}

/// One of the lists of a case.
type List = fn(&mut Case) -> &mut Vec<String>;

const LISTS: &[List] = &[
    |case| &mut case.values,
    |case| &mut case.set,
    |case| &mut case.set_string,
    |case| &mut case.set_json,
    |case| &mut case.set_literal,
    |case| &mut case.api_versions,
    |case| &mut case.show_only,
];

impl Shrinking<'_> {
    /// Keeps the change if the case still differs.
    fn attempt(&mut self, change: impl FnOnce(&mut Case)) -> bool {
        let mut smaller = self.case.clone();
        change(&mut smaller);
        if self.attempts == 0 || smaller == self.case {
            return false;
        }
        self.attempts -= 1;
        let kept = (self.differs)(&smaller);
        if kept {
            self.case = smaller;
        }
        kept
    }

    fn drop_arguments(&mut self) {
        for list in LISTS {
            let mut index = 0;
            while index < list(&mut self.case).len() {
                if !self.attempt(|case| drop(list(case).remove(index))) {
                    index += 1;
                }
            }
        }
        self.attempt(|case| case.release.clear());
        self.attempt(|case| case.namespace.clear());
        self.attempt(|case| case.kube_version.clear());
        self.attempt(|case| case.is_upgrade = false);
        self.attempt(|case| case.include_crds = false);
        self.attempt(|case| case.no_hooks = false);
        self.attempt(|case| case.skip_tests = false);
        self.attempt(|case| case.only_files = true);
    }

    fn drop_files(&mut self) {
        let names: Vec<String> = self.case.files.keys().cloned().collect();
        // Whole sub-charts first.
        for name in names.iter().filter(|name| name.ends_with("/Chart.yaml")) {
            let folder = name.trim_end_matches("Chart.yaml");
            self.attempt(|case| case.files.retain(|file, _| !file.starts_with(folder)));
        }
        // Without it, Helm's message is about a path on the disk.
        for name in names.iter().filter(|name| *name != "Chart.yaml") {
            self.attempt(|case| drop(case.files.remove(name)));
        }
    }

    /// Drops parts of files and values, first many at once.
    fn drop_parts(&mut self, split: &dyn Fn(&str) -> Vec<String>) {
        let names: Vec<String> = self.case.files.keys().cloned().collect();
        for name in names {
            self.drop_parts_of(split, &|case| case.files.get(&name).cloned().unwrap_or_default(), &|case, text| {
                case.files.insert(name.clone(), text);
            });
        }
        for list in LISTS {
            for index in 0..list(&mut self.case).len() {
                self.drop_parts_of(split, &|case| list(&mut case.clone())[index].clone(), &|case, text| {
                    list(case)[index] = text;
                });
            }
        }
    }

    fn drop_parts_of(
        &mut self,
        split: &dyn Fn(&str) -> Vec<String>,
        get: &dyn Fn(&Case) -> String,
        set: &dyn Fn(&mut Case, String),
    ) {
        let mut parts = split(&get(&self.case));
        let mut width = parts.len();
        while width > 0 {
            let mut start = 0;
            while start < parts.len() {
                let mut fewer = parts.clone();
                fewer.drain(start..(start + width).min(parts.len()));
                if self.attempt(|case| set(case, fewer.concat())) {
                    parts = fewer;
                } else {
                    start += width;
                }
            }
            width /= 2;
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// Template actions and the text between them.
fn actions(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let end = rest[start..].find("}}").map_or(rest.len(), |end| start + end + 2);
        parts.push(rest[..start].to_owned());
        parts.push(rest[start..end].to_owned());
        rest = &rest[end..];
    }
    parts.push(rest.to_owned());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Words, spaces and single signs.
fn tokens(text: &str) -> Vec<String> {
    let class = |character: char| {
        if character.is_alphanumeric() {
            'a'
        } else if character == ' ' {
            ' '
        } else {
            '.'
        }
    };
    let mut parts: Vec<String> = Vec::new();
    let mut last = '.';
    for character in text.chars() {
        let class = class(character);
        match parts.last_mut() {
            Some(part) if class == last && class != '.' => part.push(character),
            _ => parts.push(character.to_string()),
        }
        last = class;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_only_what_the_difference_needs() {
        let mut case = Case::new(7);
        case.files.insert("Chart.yaml".to_owned(), "name: c\n".to_owned());
        case.files.insert("templates/t".to_owned(), "a\n{{ if x }}\n{{ quote \"bad\" 1 }}{{ end }}\nb\n".to_owned());
        case.values = vec!["a: 1\n".to_owned(), "b: 2\n".to_owned()];
        let smaller = shrink(&case, &mut |case| {
            case.files.get("templates/t").is_some_and(|text| text.contains("bad"))
                && case.values.iter().any(|text| text.contains('b'))
        });
        assert_eq!(smaller.files.keys().collect::<Vec<_>>(), ["Chart.yaml", "templates/t"]);
        assert_eq!(smaller.files["templates/t"], "bad");
        assert_eq!(smaller.values, ["b"]);
    }
}
