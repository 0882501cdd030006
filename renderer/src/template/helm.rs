//! Helm's functions that run templates or end a render (`pkg/engine/engine.go`).

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bstr::ByteSlice;

use super::ExecError;
use super::exec::{Evaluator, Layer};
use super::set::{self, ROOT_NAME, Templates};
use crate::functions::{CallError, CallResult, Context, Function, Parameter};
use crate::quote;
use crate::value::{GoString, Map, Value};

/// `include`, `tpl`, `required`, `fail`, `lookup`, `getHostByName`.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function { name: "include", parameters: &[Parameter::String, Parameter::Any], variadic: None, call: include },
    Function { name: "tpl", parameters: &[Parameter::String, Parameter::Any], variadic: None, call: tpl },
    Function { name: "required", parameters: &[Parameter::String, Parameter::Any], variadic: None, call: required },
    Function { name: "fail", parameters: &[Parameter::String], variadic: None, call: fail },
    Function { name: "lookup", parameters: &[Parameter::String; 4], variadic: None, call: lookup },
    Function { name: "getHostByName", parameters: &[Parameter::String], variadic: None, call: get_host_by_name },
];

/// What begins an action.
const LEFT_DELIMITER: &[u8] = b"{{";

/// What Go writes for a missing value.
const NO_VALUE: &[u8] = b"<no value>";

/// How often executions of one name may be under way at once before `include` refuses another (Helm:
/// `recursionMaxNums`).
const MAX_INCLUDES_OF_ONE_NAME: usize = 1_000;

/// Deletes Go's text for a missing value from the output of a file (Helm: `Engine.render`).
pub fn strip_no_value(output: Vec<u8>) -> Vec<u8> {
    if output.find(NO_VALUE).is_none() { output } else { output.replace(NO_VALUE, "") }
}

/// What a byte of an action takes when it is parsed.
const PARSED_BYTES_PER_BYTE: u64 = 16;
/// What an action takes besides: `{{1}}` becomes half a kilobyte.
const PARSED_BYTES_PER_ACTION: u64 = 512;
/// What the shortest template takes when it is parsed.
const PARSED_BYTES: u64 = 1024;

/// What a text takes when it is parsed as a template.
fn parsed_bytes(text: &[u8]) -> u64 {
    let actions = text.find_iter(LEFT_DELIMITER).count() as u64;
    text.len() as u64 * PARSED_BYTES_PER_BYTE + actions * PARSED_BYTES_PER_ACTION + PARSED_BYTES
}

fn text_argument(arguments: &[Value], index: usize) -> GoString {
    match arguments.get(index) {
        Some(Value::String(text)) => text.clone(),
        _ => GoString::from(""),
    }
}

fn argument(arguments: &[Value], index: usize) -> Value {
    arguments.get(index).cloned().unwrap_or(Value::Nil)
}

fn include(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    context.evaluator.include(&text_argument(arguments, 0), argument(arguments, 1))
}

fn tpl(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    context.evaluator.tpl(&text_argument(arguments, 0), argument(arguments, 1))
}

fn required(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let value = argument(arguments, 1);
    let is_missing = match &value {
        Value::Nil | Value::Invalid => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    if is_missing { fail_with(arguments) } else { Ok(value) }
}

fn fail(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    fail_with(arguments)
}

fn fail_with(arguments: &[Value]) -> CallResult {
    Err(CallError::Fail(text_argument(arguments, 0).to_str_lossy().into_owned()))
}

/// Nothing is ever looked up: a render sees no cluster.
fn lookup(_: &Context<'_>, _: &[Value]) -> CallResult {
    Ok(Value::Map(Map::new()))
}

/// Nothing is ever resolved, as in Helm without `--enable-dns`.
fn get_host_by_name(_: &Context<'_>, _: &[Value]) -> CallResult {
    Ok(Value::string(""))
}

impl Evaluator<'_> {
    /// The output of the named template (Helm: `includeFun`).
    fn include(&self, name: &GoString, dot: Value) -> CallResult {
        let known = self.included.borrow().get(name).cloned();
        let count = known.unwrap_or_else(|| {
            let count = Rc::new(Cell::new(0));
            self.included.borrow_mut().insert(name.clone(), Rc::clone(&count));
            count
        });
        if count.get() > MAX_INCLUDES_OF_ONE_NAME {
            return Err(CallError::Wrapped {
                prefix: format!("rendering template has a nested reference name: {name}"),
                cause: Box::new(CallError::message("unable to execute template")),
            });
        }
        count.set(count.get() + 1);
        let template = self.lookup(name)?.ok_or_else(|| CallError::message(set::no_template(name)))?;
        self.budget.enter()?;
        let output = self.output_of(&template, dot, |output| Value::string(output)).map_err(CallError::Template)?;
        self.budget.leave();
        count.set(count.get() - 1);
        Ok(output)
    }

    /// The output of a text as a template, which sees all templates and whose own definitions go before them (Helm:
    /// `tplFun`).
    fn tpl(&self, text: &GoString, dot: Value) -> CallResult {
        let stripped = |output: &[u8]| match output.find(NO_VALUE) {
            None => Value::string(output),
            Some(_) => Value::string(output.replace(NO_VALUE, "")),
        };
        if text.find(LEFT_DELIMITER).is_none() {
            // Charts pass all their values through `tpl`; few are templates.
            self.budget.charge_bytes(text.len() as u64)?;
            return Ok(stripped(text));
        }
        let below = self.layer.borrow().clone();
        let definitions = self.parse_text(text)?;
        let templates = if definitions.values().any(|template| template.is_empty()) {
            let mut templates = Templates::new();
            for (name, template) in definitions.iter() {
                let taken = self.lookup(name)?;
                set::add(&mut templates, taken.as_ref(), name, template);
            }
            Arc::new(templates)
        } else {
            Arc::clone(&definitions)
        };
        *self.layer.borrow_mut() = Some(Rc::new(Layer { templates, below: below.clone() }));
        self.budget.enter()?;
        let output = match definitions.get(ROOT_NAME.as_bytes()) {
            Some(template) => self.output_of(template, dot, stripped).map_err(|error| self.error_in(text, error))?,
            None => Value::from(""),
        };
        self.budget.leave();
        *self.layer.borrow_mut() = below;
        Ok(output)
    }

    /// The error of an execution of this text. It shows the whole text, once for each `tpl` that it passes through.
    fn error_in(&self, text: &[u8], error: ExecError) -> CallError {
        if error.budget().is_some() {
            return CallError::Template(error);
        }
        if let Err(exceeded) = self.budget.charge_bytes(quote::longest(text)) {
            return CallError::Budget(exceeded);
        }
        CallError::Wrapped {
            prefix: format!("error during tpl function execution for {}", quote::quote(text)),
            cause: Box::new(CallError::Template(error)),
        }
    }

    /// Parses the text of a `tpl`, and charges for it once per render.
    fn parse_text(&self, text: &GoString) -> Result<Arc<Templates>, CallError> {
        if let Some(definitions) = self.parsed.borrow().get(text) {
            return Ok(Arc::clone(definitions));
        }
        self.budget.charge_kept(parsed_bytes(text))?;
        self.budget.charge_steps(text.len() as u64)?;
        let definitions = self.parse_inner(text).map_err(|error| CallError::Wrapped {
            prefix: format!("cannot parse template {}", quote::quote(text)),
            cause: Box::new(CallError::message(format!("template: {}:{}: {}", error.file, error.line, error.detail))),
        })?;
        self.parsed.borrow_mut().insert(text.clone(), Arc::clone(&definitions));
        Ok(definitions)
    }
}

/// Sharing between threads is what makes a parsed set worth keeping.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<super::TemplateSet>();
    shared::<Arc<super::node::Template>>();
};
