//! Applies a compiled schema (santhosh-tekuri/jsonschema 6: `validator.go`).
//!
//! The tree of violations is that library's: a schema that is violated once gives that violation, one that is violated
//! more often a group. Where it visits a map in random order, the order here is that of the keys.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Violation;
use super::compile::{Additional, Compiled, Dependency, Items, Node};
use super::document::{Draft, escape};
use super::message;

/// The most schemas that are applied to values: a schema that combines others can ask for exponentially many.
const MAX_STEPS: u64 = 500_000;
/// The most that all violations together may take in memory, and again when they are told.
const MAX_TOLD_BYTES: usize = 16 << 20;
/// The longest text that is compared with a format.
const MAX_FORMATTED_BYTES: usize = 64 << 10;
/// So many names or items are looked at in the time of one step.
const ITEMS_PER_STEP: usize = 8;
/// The deepest nesting of schemas that are applied; native stack bounds what recursion can take.
const MAX_DEPTH: usize = 1_000;

/// Validates a value. An error is a limit that was reached.
pub(super) fn validate(schema: &Compiled, value: &Value) -> Result<Vec<Violation>, String> {
    let mut validator = Validator { schema, path: Vec::new(), steps: 0, told: 0, depth: 0, exceeded: None };
    let scope = Scope { node: schema.root, value: 0, parent: None, reference: None };
    let outcome = validator.apply(&scope, value, false, false);
    match (validator.exceeded, outcome) {
        (Some(exceeded), _) => Err(exceeded),
        (None, Ok(_)) => Ok(Vec::new()),
        (None, Err(failure)) => Ok(failure.unwrapped()),
    }
}

/// Why a schema is violated.
struct Failure {
    violation: Violation,
    /// Several violations of one schema at one place.
    is_group: bool,
}

impl Failure {
    /// The violations of a group, or the only one.
    fn unwrapped(self) -> Vec<Violation> {
        if self.is_group { self.violation.causes } else { vec![self.violation] }
    }
}

/// The schemas on the way to the current one.
struct Scope<'p> {
    node: usize,
    /// Equal for schemas that are applied to one value.
    value: usize,
    parent: Option<&'p Self>,
    /// The keyword of the reference that led here.
    reference: Option<&'static str>,
}

/// Properties and items that no schema has looked at so far.
#[derive(Default)]
struct Unevaluated<'v> {
    properties: BTreeSet<&'v str>,
    items: BTreeSet<usize>,
}

impl<'v> Unevaluated<'v> {
    fn of(node: &Node, value: &'v Value, caller_asks: bool) -> Self {
        let mut unevaluated = Self::default();
        match value {
            Value::Object(members) => {
                let asks = caller_asks || node.unevaluated_properties.is_some();
                if asks && node.additional_properties.is_none() {
                    unevaluated.properties = members.keys().map(String::as_str).collect();
                }
            }
            Value::Array(items) => {
                let asks = caller_asks || node.unevaluated_items.is_some();
                if let Some(first) = node.evaluated_items().filter(|_| asks) {
                    unevaluated.items = (first..items.len()).collect();
                }
            }
            _ => {}
        }
        unevaluated
    }

    fn is_empty(&self) -> bool {
        self.properties.is_empty() && self.items.is_empty()
    }

    fn merge(&mut self, other: &Self) {
        self.properties.retain(|name| other.properties.contains(name));
        self.items.retain(|index| other.items.contains(index));
    }
}

struct Validator<'s> {
    schema: &'s Compiled,
    /// Keys and indices that lead to the current value.
    path: Vec<String>,
    steps: u64,
    /// Bytes of violations, whether or not they are told in the end.
    told: usize,
    depth: usize,
    exceeded: Option<String>,
}

type Outcome<'v> = Result<Unevaluated<'v>, Failure>;

impl Validator<'_> {
    fn failure(&mut self, message: String, causes: Vec<Violation>, is_group: bool) -> Failure {
        let mut pointer = String::new();
        if self.exceeded.is_some() {
            return Failure { violation: Violation { pointer, message, causes }, is_group };
        }
        for token in &self.path {
            pointer.push('/');
            pointer.push_str(&escape(token));
        }
        // A violation is indented by its depth when it is told.
        self.told += size_of::<Violation>() + pointer.len() + message.len() + 2 * self.depth;
        if self.told > MAX_TOLD_BYTES {
            self.exceed(format!("the violations of the schema take more than {MAX_TOLD_BYTES} bytes"));
        }
        Failure { violation: Violation { pointer, message, causes }, is_group }
    }

    fn exceed(&mut self, limit: String) {
        self.exceeded.get_or_insert(limit);
    }

    /// Counts work besides the application of schemas.
    fn work(&mut self, steps: usize) {
        self.steps = self.steps.saturating_add(steps as u64);
    }

    /// Counts the reading of a text.
    fn work_on_text(&mut self, text: &str) {
        const BYTES_PER_STEP: usize = 64;
        self.work(text.len() / BYTES_PER_STEP);
    }

    /// Applies one schema. With `quick`, one violation is enough.
    fn apply<'v>(&mut self, scope: &Scope<'_>, value: &'v Value, caller_asks: bool, quick: bool) -> Outcome<'v> {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.depth > MAX_DEPTH {
            self.exceed(format!(
                "the schema needs more than {MAX_STEPS} steps or is nested deeper than {MAX_DEPTH} levels"
            ));
        }
        if self.exceeded.is_some() {
            return Err(self.failure(String::new(), Vec::new(), false));
        }
        self.depth += 1;
        let outcome = self.apply_node(scope, value, caller_asks, quick);
        self.depth -= 1;
        outcome
    }

    fn apply_node<'v>(&mut self, scope: &Scope<'_>, value: &'v Value, caller_asks: bool, quick: bool) -> Outcome<'v> {
        let schema = self.schema;
        let node = &schema.nodes[scope.node];
        let unevaluated = Unevaluated::of(node, value, caller_asks);
        self.work((unevaluated.properties.len() + unevaluated.items.len()) / ITEMS_PER_STEP);
        if let Some(options) = &node.options {
            self.work(options.len().saturating_mul(size(value)) / ITEMS_PER_STEP);
        }
        if let (Some(format), Value::String(text)) = (node.format, value) {
            self.work(format.steps());
            self.work_on_text(text);
            if text.len() > MAX_FORMATTED_BYTES {
                self.exceed(format!("a text with a format has more than {MAX_FORMATTED_BYTES} bytes"));
            }
        }
        match node.boolean {
            Some(true) => return Ok(unevaluated),
            Some(false) => return Err(self.failure("false schema".to_owned(), Vec::new(), false)),
            None => {}
        }
        if self.exceeded.is_some() {
            return Err(self.failure(String::new(), Vec::new(), false));
        }
        if let Some(message) = self.cycle(scope).or_else(|| contradiction(node, value)) {
            return Err(self.failure(message, Vec::new(), false));
        }
        let mut run = Run { validator: self, scope, node, value, unevaluated, failures: Vec::new(), quick };
        if let Some(target) = node.reference {
            let failure = run.reference(target, "$ref").err();
            if node.draft < Some(Draft::Draft2019) {
                return failure.map_or(Ok(run.unevaluated), Err);
            }
            run.add(failure);
        }
        match value {
            Value::Object(members) => run.object(members),
            Value::Array(items) => run.array(items),
            Value::String(text) => run.text(text),
            Value::Number(number) => run.number(number.as_f64().unwrap_or_default()),
            _ => {}
        }
        if run.failures.is_empty() || !quick {
            if node.draft >= Some(Draft::Draft2019) {
                run.dynamic_references();
            }
            run.conditions();
            if node.draft >= Some(Draft::Draft2019) {
                run.unevaluated();
            }
        }
        let Run { mut failures, unevaluated, .. } = run;
        match (failures.pop(), failures.is_empty()) {
            (None, _) => Ok(unevaluated),
            (Some(only), true) => Err(only),
            (Some(last), false) => {
                failures.push(last);
                let causes = failures.into_iter().map(|failure| failure.violation).collect();
                Err(self.failure(message::GROUP.to_owned(), causes, true))
            }
        }
    }

    /// A schema that refers to itself without going on to another value.
    fn cycle(&self, scope: &Scope<'_>) -> Option<String> {
        let same = |parent: &&Scope<'_>| parent.value == scope.value;
        let parents = std::iter::successors(scope.parent, |parent| parent.parent).take_while(same);
        let earlier = parents.into_iter().find(|parent| parent.node == scope.node)?;
        let places = [scope, earlier].map(|scope| self.keyword_location(scope));
        let url = crate::quote::quote(self.schema.nodes[scope.node].location.as_bytes());
        Some(format!("both {} and {} resolve to {url} causing reference cycle", places[0], places[1]))
    }

    fn keyword_location(&self, scope: &Scope<'_>) -> String {
        let location = |scope: &Scope<'_>| self.schema.nodes[scope.node].location.as_str();
        let mut steps = Vec::new();
        let mut scope = scope;
        while let Some(parent) = scope.parent {
            steps.push(match scope.reference {
                Some(keyword) => format!("/{keyword}"),
                None => location(scope).get(location(parent).len()..).unwrap_or_default().to_owned(),
            });
            scope = parent;
        }
        steps.into_iter().rev().collect()
    }
}

/// What the keywords that rule out all others say of a value.
fn contradiction(node: &Node, value: &Value) -> Option<String> {
    let found = message::type_name(value);
    let is_of_type = |wanted: &String| {
        wanted == found || (wanted == "integer" && value.as_f64().is_some_and(|number| number.fract() == 0.0))
    };
    if !node.types.is_empty() && !node.types.iter().any(is_of_type) {
        return Some(format!("got {found}, want {}", node.types.join(" or ")));
    }
    if let Some(wanted) = node.constant.as_ref().filter(|wanted| !equal(wanted, value)) {
        return Some(message::constant(wanted));
    }
    if let Some(options) = node.options.as_ref().filter(|options| !options.iter().any(|option| equal(option, value))) {
        return Some(message::options(options));
    }
    if let (Some(format), Value::String(text)) = (node.format, value)
        && let Err(reason) = format.check(text)
    {
        return Some(format!("{} is not valid {}: {reason}", message::quote(text), format.name()));
    }
    None
}

/// How many values a value has, itself included.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        _ => 0,
    }
}

/// Whether two values are equal as JSON: numbers by what they are, not by how they are written.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let is_in_right = |(key, value): (&String, &Value)| right.get(key).is_some_and(|other| equal(value, other));
            left.len() == right.len() && left.iter().all(is_in_right)
        }
        _ => left == right,
    }
}

/// One schema and one value.
struct Run<'r, 's, 'p, 'v> {
    validator: &'r mut Validator<'s>,
    scope: &'r Scope<'p>,
    node: &'s Node,
    value: &'v Value,
    unevaluated: Unevaluated<'v>,
    failures: Vec<Failure>,
    quick: bool,
}

impl<'v> Run<'_, '_, '_, 'v> {
    fn add(&mut self, failure: Option<Failure>) {
        self.failures.extend(failure);
    }

    fn refuse(&mut self, message: String) {
        let failure = self.validator.failure(message, Vec::new(), false);
        self.failures.push(failure);
    }

    fn refuse_for(&mut self, message: &str, causes: Vec<Violation>) {
        let failure = self.validator.failure(message.to_owned(), causes, false);
        self.add(Some(failure));
    }

    fn count(&mut self, keyword: &str, found: usize, least: Option<u64>, most: Option<u64>) {
        let found = found as u64;
        for (prefix, wanted) in
            [("min", least.filter(|wanted| found < *wanted)), ("max", most.filter(|wanted| found > *wanted))]
        {
            if let Some(wanted) = wanted {
                let [found, wanted] = [found, wanted].map(message::grouped);
                self.refuse(format!("{prefix}{keyword}: got {found}, want {wanted}"));
            }
        }
    }

    /// Applies another schema to the same value.
    fn apply_here(&mut self, node: usize, reference: Option<&'static str>, quick: bool) -> Result<(), Failure> {
        let scope = Scope { node, value: self.scope.value, parent: Some(self.scope), reference };
        let asks = !self.unevaluated.is_empty();
        let unevaluated = self.validator.apply(&scope, self.value, asks, self.quick || quick)?;
        self.unevaluated.merge(&unevaluated);
        Ok(())
    }

    /// Applies another schema to a value in this one.
    fn apply_below(&mut self, node: usize, value: &Value, token: &str) -> Option<Failure> {
        self.validator.path.push(token.to_owned());
        let scope = Scope { node, value: self.scope.value + 1, parent: Some(self.scope), reference: None };
        let failure = self.validator.apply(&scope, value, false, self.quick).err();
        self.validator.path.pop();
        failure
    }

    fn reference(&mut self, target: usize, keyword: &'static str) -> Result<(), Failure> {
        self.apply_here(target, Some(keyword), false).map_err(|failure| {
            // A reference with a single cause is not told.
            if failure.is_group { Failure { is_group: false, ..failure } } else { failure }
        })
    }

    fn dynamic_references(&mut self) {
        let nodes = &self.validator.schema.nodes;
        let scopes = || std::iter::successors(Some(self.scope), |scope| scope.parent);
        if let Some(mut target) = self.node.recursive_reference {
            if nodes[target].recursive_anchor {
                let anchored = |scope: &Scope<'_>| nodes[nodes[scope.node].resource].recursive_anchor;
                target = scopes().filter(|scope| anchored(scope)).last().map_or(target, |scope| scope.node);
            }
            let failure = self.reference(target, "$recursiveRef").err();
            self.add(failure);
        }
        if let Some((mut target, anchor)) = self.node.dynamic_reference.clone() {
            if anchor.is_some() && nodes[target].dynamic_anchor == anchor {
                let name = anchor.unwrap_or_default();
                let scopes = std::iter::successors(Some(self.scope), |scope| scope.parent);
                let anchored = scopes.filter_map(|scope| nodes[nodes[scope.node].resource].dynamic_anchors.get(&name));
                target = anchored.last().copied().unwrap_or(target);
            }
            let failure = self.reference(target, "$dynamicRef").err();
            self.add(failure);
        }
    }

    fn object(&mut self, members: &'v Map<String, Value>) {
        let node = self.node;
        self.count("Properties", members.len(), node.min_properties, node.max_properties);
        self.validator.work(node.required.len() / ITEMS_PER_STEP);
        let missing = missing(members, &node.required);
        if !missing.is_empty() {
            let label = if missing.len() == 1 { "property" } else { "properties" };
            self.refuse(format!("missing {label} {}", message::quoted(&missing)));
        }
        if self.quick && !self.failures.is_empty() {
            return;
        }
        for (property, dependency) in node.dependencies.iter().filter(|(name, _)| members.contains_key(*name)) {
            match dependency {
                Dependency::Required(names) => self.dependent_required(members, property, names),
                Dependency::Schema(schema) => {
                    let failure = self.apply_here(*schema, None, false).err();
                    self.add(failure);
                }
            }
        }
        self.properties(members);
        if node.draft < Some(Draft::Draft6) {
            return;
        }
        if let Some(names) = node.property_names {
            for name in members.keys() {
                self.property_name(names, name);
            }
        }
        for (_, schema) in node.dependent_schemas.iter().filter(|(name, _)| members.contains_key(*name)) {
            let failure = self.apply_here(*schema, None, false).err();
            self.add(failure);
        }
        for (property, names) in node.dependent_required.iter().filter(|(name, _)| members.contains_key(*name)) {
            self.dependent_required(members, property, names);
        }
    }

    fn dependent_required(&mut self, members: &Map<String, Value>, property: &str, names: &[String]) {
        self.validator.work(names.len() / ITEMS_PER_STEP);
        let missing = missing(members, names);
        if !missing.is_empty() {
            let property = message::quote(property);
            self.refuse(format!("properties {} required, if {property} exists", message::quoted(&missing)));
        }
    }

    fn properties(&mut self, members: &'v Map<String, Value>) {
        let node = self.node;
        let mut additional: Vec<&str> = Vec::new();
        for (name, value) in members {
            if self.quick && !self.failures.is_empty() {
                return;
            }
            for _ in &node.pattern_properties {
                self.validator.work(1);
                self.validator.work_on_text(name);
            }
            let mut schemas: Vec<usize> = node.properties.get(name).copied().into_iter().collect();
            let patterns = node.pattern_properties.iter().filter(|(pattern, _)| pattern.is_match(name));
            schemas.extend(patterns.map(|(_, schema)| *schema));
            let mut evaluated = !schemas.is_empty();
            if !evaluated {
                match node.additional_properties {
                    None => {}
                    Some(Additional::Allowed(allowed)) => {
                        evaluated = true;
                        additional.extend((!allowed).then_some(name.as_str()));
                    }
                    Some(Additional::Schema(schema)) => {
                        evaluated = true;
                        schemas.push(schema);
                    }
                }
            }
            for schema in schemas {
                let failure = self.apply_below(schema, value, name);
                self.add(failure);
            }
            if evaluated {
                self.unevaluated.properties.remove(name.as_str());
            }
        }
        if !additional.is_empty() {
            self.refuse(format!("additional properties {} not allowed", message::quoted(&additional)));
        }
    }

    fn property_name(&mut self, schema: usize, name: &str) {
        let name_value = Value::String(name.to_owned());
        let path = std::mem::take(&mut self.validator.path);
        let scope = Scope { node: schema, value: 0, parent: None, reference: None };
        let failure = self.validator.apply(&scope, &name_value, false, self.quick).err();
        self.validator.path = path;
        if let Some(failure) = failure {
            let causes = failure.unwrapped();
            self.refuse_for(&format!("invalid propertyName {}", message::quote(name)), causes);
        }
    }

    fn array(&mut self, items: &'v [Value]) {
        let node = self.node;
        self.count("Items", items.len(), node.min_items, node.max_items);
        if node.unique_items {
            self.validator.work(items.iter().map(size).sum::<usize>() / ITEMS_PER_STEP);
        }
        if node.unique_items
            && let Some((first, second)) = duplicates(items)
        {
            self.refuse(format!("items at {first} and {second} are equal"));
        }
        let mut evaluated = 0;
        match &node.items {
            None => {}
            Some(Items::Each(schema)) => {
                self.items(items, 0, *schema);
                evaluated = items.len();
            }
            Some(Items::First { first, others }) => {
                for (index, (schema, item)) in first.iter().zip(items).enumerate() {
                    let failure = self.apply_below(*schema, item, &index.to_string());
                    self.add(failure);
                }
                evaluated = first.len().min(items.len());
                if let Some(schema) = others {
                    self.items(items, evaluated, *schema);
                }
            }
        }
        match node.additional_items {
            Some(Additional::Allowed(false)) if evaluated != items.len() => {
                self.refuse(format!("last {} additionalItem(s) not allowed", items.len() - evaluated));
            }
            Some(Additional::Schema(schema)) => self.items(items, evaluated, schema),
            _ => {}
        }
        if let Some(schema) = node.contains {
            self.contains(items, schema);
        }
    }

    fn items(&mut self, items: &[Value], from: usize, schema: usize) {
        for (index, item) in items.iter().enumerate().skip(from) {
            let failure = self.apply_below(schema, item, &index.to_string());
            self.add(failure);
        }
    }

    fn contains(&mut self, items: &[Value], schema: usize) {
        let mut causes = Vec::new();
        let mut fitting = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(failure) = self.apply_below(schema, item, &index.to_string()) {
                causes.push(failure.violation);
                continue;
            }
            fitting.push(index.to_string());
            if self.node.draft >= Some(Draft::Draft2020) {
                self.unevaluated.items.remove(&index);
            }
        }
        let found = fitting.len() as u64;
        let told = format!("matched {found} items at {}", fitting.join(" "));
        match self.node.min_contains {
            Some(least) if found < least => {
                let told = if found == 0 { "none matched" } else { &told };
                let message = format!("min {least} items required to match contains schema, but {told}");
                self.refuse_for(&message, causes);
            }
            None if found == 0 => self.refuse_for("no items match contains schema", causes),
            _ => {}
        }
        if let Some(most) = self.node.max_contains.filter(|most| found > *most) {
            self.refuse(format!("max {most} items required to match contains schema, but {told}"));
        }
    }

    fn text(&mut self, text: &str) {
        let node = self.node;
        if node.min_length.is_some() || node.max_length.is_some() {
            self.count("Length", text.chars().count(), node.min_length, node.max_length);
        }
        if node.pattern.is_some() {
            self.validator.work_on_text(text);
        }
        if let Some((pattern, source)) = &node.pattern
            && !pattern.is_match(text)
        {
            self.refuse(format!("{} does not match pattern {}", message::quote(text), message::quote(source)));
        }
    }

    fn number(&mut self, found: f64) {
        let node = self.node;
        for (keyword, limit, is_violated) in [
            ("minimum", node.minimum, node.minimum.is_some_and(|limit| found < limit)),
            ("maximum", node.maximum, node.maximum.is_some_and(|limit| found > limit)),
            ("exclusiveMinimum", node.exclusive_minimum, node.exclusive_minimum.is_some_and(|limit| found <= limit)),
            ("exclusiveMaximum", node.exclusive_maximum, node.exclusive_maximum.is_some_and(|limit| found >= limit)),
            ("multipleOf", node.multiple_of, node.multiple_of.is_some_and(|divisor| !is_multiple(found, divisor))),
        ] {
            if let Some(limit) = limit.filter(|_| is_violated) {
                self.refuse(format!("{keyword}: got {}, want {}", message::number(found), message::number(limit)));
            }
        }
    }

    fn conditions(&mut self) {
        let node = self.node;
        if let Some(schema) = node.not
            && self.apply_here(schema, None, true).is_ok()
        {
            self.refuse("'not' failed".to_owned());
        }
        let mut causes = Vec::new();
        for schema in &node.all_of {
            if let Err(failure) = self.apply_here(*schema, None, false) {
                causes.push(failure.violation);
                if self.quick {
                    break;
                }
            }
        }
        if !causes.is_empty() {
            self.refuse_for(message::ALL_OF, causes);
        }
        self.any_of();
        self.one_of();
        if let Some(condition) = node.condition {
            let branch = if self.apply_here(condition, None, true).is_ok() { node.then } else { node.otherwise };
            if let Some(schema) = branch {
                let failure = self.apply_here(schema, None, false).err();
                self.add(failure);
            }
        }
    }

    fn any_of(&mut self) {
        let mut causes = Vec::new();
        let mut matched = self.node.any_of.is_empty();
        for schema in &self.node.any_of {
            if let Err(failure) = self.apply_here(*schema, None, false) {
                causes.push(failure.violation);
                continue;
            }
            matched = true;
            // What is not evaluated depends on all schemas that match.
            if self.unevaluated.is_empty() {
                break;
            }
        }
        if !matched {
            self.refuse_for("'anyOf' failed", causes);
        }
    }

    fn one_of(&mut self) {
        let mut causes = Vec::new();
        let mut matched = None;
        for (index, schema) in self.node.one_of.iter().enumerate() {
            match (self.apply_here(*schema, None, matched.is_some()), matched) {
                (Err(failure), None) => causes.push(failure.violation),
                (Err(_), Some(_)) => {}
                (Ok(()), None) => matched = Some(index),
                (Ok(()), Some(first)) => {
                    self.refuse(format!("'oneOf' failed, subschemas {first}, {index} matched"));
                    break;
                }
            }
        }
        if matched.is_none() && !self.node.one_of.is_empty() {
            self.refuse_for("'oneOf' failed, none matched", causes);
        }
    }

    fn unevaluated(&mut self) {
        if let (Value::Object(members), Some(schema)) = (self.value, self.node.unevaluated_properties) {
            for name in std::mem::take(&mut self.unevaluated.properties) {
                let failure = members.get(name).and_then(|value| self.apply_below(schema, value, name));
                self.add(failure);
            }
        }
        if let (Value::Array(items), Some(schema)) = (self.value, self.node.unevaluated_items) {
            for index in std::mem::take(&mut self.unevaluated.items) {
                let failure = items.get(index).and_then(|value| self.apply_below(schema, value, &index.to_string()));
                self.add(failure);
            }
        }
    }
}

fn missing<'n>(members: &Map<String, Value>, names: &'n [String]) -> Vec<&'n str> {
    names.iter().map(String::as_str).filter(|name| !members.contains_key(*name)).collect()
}

/// The first two items that are equal.
fn duplicates(items: &[Value]) -> Option<(usize, usize)> {
    /// The most items that are compared each with each.
    const FEW: usize = 20;
    if items.len() <= FEW {
        return (1..items.len()).find_map(|second| {
            let first = items[..second].iter().position(|first| equal(first, &items[second]))?;
            Some((first, second))
        });
    }
    let mut seen = std::collections::HashMap::new();
    items.iter().enumerate().find_map(|(second, item)| {
        let mut item = item.clone();
        crate::values::numbers_to_floats(&mut item);
        seen.insert(item.to_string(), second).map(|first| (first, second))
    })
}

/// Whether a number is a multiple of another as both are written in decimal, so that 0.3 is one of 0.1.
fn is_multiple(number: f64, divisor: f64) -> bool {
    use num_bigint::BigInt;
    /// Beyond these powers of ten every number is a whole multiple of what has no such power itself.
    const MAX_SHIFT: i32 = 700;
    let decimal = |number: f64| {
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent = exponent.parse::<i32>().unwrap_or_default();
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse::<BigInt>().unwrap_or_default();
        (digits, exponent - i32::try_from(fraction.len()).unwrap_or_default())
    };
    let ((number, exponent), (divisor, divisor_exponent)) = (decimal(number), decimal(divisor));
    let shift = (exponent - divisor_exponent).clamp(-MAX_SHIFT, MAX_SHIFT);
    let power = BigInt::from(10).pow(shift.unsigned_abs());
    let (number, divisor) = if shift >= 0 { (number * power, divisor) } else { (number, divisor * power) };
    let zero = BigInt::default();
    divisor != zero && number % divisor == zero
}
