//! Compiled expressions: Go's syntax tree on the automata of the `regex` family, which match in linear time.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use regex_automata::meta::{Config, Regex};
use regex_automata::util::captures::Captures;
use regex_automata::{Input, PatternID};
use regex_syntax::hir::{Capture, Class, Hir, Look, Repetition};

use super::syntax::{Assertion, Node, NodeKind, SyntaxError, parse};
use crate::Budget;
use crate::functions::unicode::{push, runes};
use crate::functions::{CallError, Context};

/// The largest automaton. Go allows programs of 128 MiB; expressions near this limit already take a second to build.
const MAX_AUTOMATON_BYTES: usize = 16 << 20;
/// Steps for compiling the shortest expression, which takes some twenty microseconds.
const COMPILE_STEPS: u64 = 1_000;
/// So many bytes of an automaton are built in the time of one step.
const AUTOMATON_BYTES_PER_STEP: u64 = 64;
/// Steps for reading a byte of an expression.
const STEPS_PER_PATTERN_BYTE: u64 = 16;
/// What a byte of an expression takes in the trees that the automaton is built from.
const BYTES_PER_PATTERN_BYTE: u64 = 128;
/// Steps for building one state of the automaton.
const STEPS_PER_STATE: u64 = 8;
/// So many states of the automaton are followed in the time of one step, at worst all of them at each byte.
const STATES_PER_STEP: u64 = 4;

/// Why an expression did not compile.
pub(super) enum CompileError {
    Syntax(SyntaxError),
    Call(CallError),
}

impl From<CallError> for CompileError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// The working memory of one kind of search. What does not fit is searched more slowly.
const SEARCH_CACHE_BYTES: usize = 64 << 10;

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Program {
    regex: Regex,
    names: Vec<String>,
    states: u64,
}

/// Expressions that the templates of a chart have used: building an automaton takes far longer than a search. They cost
/// a render the same whether they were built before or not.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    compiled: Mutex<HashMap<Box<[u8]>, Arc<Program>>>,
}

impl Expressions {
    /// So many are kept; charts write their expressions themselves, so few have more.
    const MAX_KEPT: usize = 32;
    /// The largest automaton that is kept.
    const MAX_KEPT_BYTES: usize = 64 << 10;

    fn get(&self, pattern: &[u8]) -> Option<Arc<Program>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(pattern).cloned()
    }

    fn keep(&self, pattern: &[u8], program: &Arc<Program>) {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let is_small = pattern.len() + program.regex.memory_usage() <= Self::MAX_KEPT_BYTES;
        if is_small && compiled.len() < Self::MAX_KEPT {
            compiled.insert(pattern.into(), Arc::clone(program));
        }
    }
}

/// The memory is given back soon, or kept within bounds: what counts is the time to fill it.
fn charge_automaton(budget: &Budget, regex: &Regex) -> Result<(), CallError> {
    Ok(budget.charge_steps(regex.memory_usage() as u64 / AUTOMATON_BYTES_PER_STEP)?)
}

/// A regular expression of a JSON schema, which means what it means to Helm's validator.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
}

impl Pattern {
    /// The largest automaton, far above what a pattern that people write needs.
    const MAX_BYTES: usize = 1 << 20;

    /// Reads an expression without compiling it. An error is Go's text.
    pub(crate) fn check(pattern: &str) -> Result<(), String> {
        parse(pattern.as_bytes()).map(|_| ()).map_err(|error| error.text())
    }

    /// Compiles an expression. An error is Go's text.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        let expression = parse(pattern.as_bytes()).map_err(|error| error.text())?;
        let config =
            Config::new().nfa_size_limit(Some(Self::MAX_BYTES)).hybrid_cache_capacity(SEARCH_CACHE_BYTES).dfa(false);
        let regex = Regex::builder().configure(config).build_from_hir(&hir(&expression.root));
        let too_large = |_| format!("pattern of {} bytes needs more than {} bytes", pattern.len(), Self::MAX_BYTES);
        Ok(Self { regex: regex.map_err(too_large)? })
    }

    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.regex.memory_usage()
    }

    /// Whether the expression matches anywhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// The groups of one match as byte ranges; the first is the whole match.
pub(super) type Groups = Vec<Option<Range<usize>>>;

impl Program {
    pub(super) fn compile(context: &Context<'_>, pattern: &[u8]) -> Result<Arc<Self>, CompileError> {
        let budget = context.budget;
        let length = pattern.len() as u64;
        let steps = length.saturating_mul(STEPS_PER_PATTERN_BYTE).saturating_add(COMPILE_STEPS);
        budget.charge_steps(steps).map_err(CallError::from)?;
        budget.charge_bytes(length.saturating_mul(BYTES_PER_PATTERN_BYTE)).map_err(CallError::from)?;
        let known = context.evaluator.expressions().get(pattern);
        if let Some(program) = known {
            budget.charge_steps(program.states.saturating_mul(STEPS_PER_STATE)).map_err(CallError::from)?;
            charge_automaton(budget, &program.regex)?;
            return Ok(program);
        }
        let expression = parse(pattern).map_err(CompileError::Syntax)?;
        let states = expression.root.weight;
        budget.charge_steps(states.saturating_mul(STEPS_PER_STATE)).map_err(CallError::from)?;
        // The automata that are built in advance take longer than the short searches of charts can save.
        let config = Config::new()
            .nfa_size_limit(Some(MAX_AUTOMATON_BYTES))
            .hybrid_cache_capacity(SEARCH_CACHE_BYTES)
            .dfa(false)
            .onepass(false);
        let regex = Regex::builder().configure(config).build_from_hir(&hir(&expression.root)).map_err(|_| {
            CallError::message(format!(
                "regular expression of {length} bytes needs more than {MAX_AUTOMATON_BYTES} bytes when compiled"
            ))
        })?;
        charge_automaton(budget, &regex)?;
        let program = Arc::new(Self { regex, names: expression.names, states });
        context.evaluator.expressions().keep(pattern, &program);
        Ok(program)
    }

    /// The number of the first group with this name that took part in the match.
    pub(super) fn named<'g>(&self, name: &str, groups: &'g Groups) -> Option<&'g Range<usize>> {
        let group = |number: usize| groups.get(number).and_then(Option::as_ref);
        (0..self.names.len()).filter(|&number| self.names[number] == name).find_map(group)
    }

    /// The leftmost match at or after `from`.
    pub(super) fn find(
        &self,
        context: &Context<'_>,
        subject: &Subject<'_>,
        from: usize,
    ) -> Result<Option<Groups>, CallError> {
        let input = Input::new(&*subject.text).range(from..);
        let mut captures = self.regex.create_captures();
        self.regex.search_captures(&input, &mut captures);
        let found = captures.is_match();
        let seen = captures.get_match().map_or(subject.text.len(), |found| found.end()) - from;
        // A search may look far beyond its match; that is charged at a fraction, since it usually does not.
        let ahead = (subject.text.len() - from) / 32;
        context.budget.charge_steps(((seen + ahead) as u64 + 1).saturating_mul(1 + self.states / STATES_PER_STEP))?;
        Ok(found.then(|| groups(&captures)))
    }
}

fn groups(captures: &Captures) -> Groups {
    let count = captures.group_info().group_len(PatternID::ZERO);
    (0..count).map(|number| captures.get_group(number).map(|span| span.start..span.end)).collect()
}

/// The text that is searched. Go reads each invalid byte as U+FFFD, so the search sees that character, and positions are
/// translated back.
pub(super) struct Subject<'a> {
    original: &'a [u8],
    text: Cow<'a, str>,
    /// For a translated text: the original position of each of its bytes, and of its end.
    positions: Vec<usize>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(context: &Context<'_>, original: &'a [u8]) -> Result<Self, CallError> {
        if let Ok(text) = std::str::from_utf8(original) {
            return Ok(Self { original, text: Cow::Borrowed(text), positions: Vec::new() });
        }
        context.budget.charge_bytes((original.len() as u64).saturating_mul(32))?;
        let mut translated = Vec::with_capacity(original.len());
        let mut positions = Vec::with_capacity(original.len());
        let mut position = 0;
        for (character, width) in runes(original) {
            push(&mut translated, character);
            positions.resize(translated.len(), position);
            position += width;
        }
        positions.push(position);
        let text = String::from_utf8_lossy(&translated).into_owned();
        Ok(Self { original, text: Cow::Owned(text), positions })
    }

    /// The length of the searched text.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// The width of the character at a position, 0 at the end.
    pub(super) fn width_at(&self, position: usize) -> usize {
        self.text.get(position..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    }

    /// The original bytes of a range of the searched text.
    pub(super) fn slice(&self, range: Range<usize>) -> &'a [u8] {
        let position = |position: usize| self.positions.get(position).copied().unwrap_or(position);
        self.original.get(position(range.start)..position(range.end)).unwrap_or_default()
    }
}

/// The automaton builder's form of an expression.
fn hir(node: &Node) -> Hir {
    match &node.kind {
        NodeKind::Empty => Hir::empty(),
        NodeKind::Literal(character) => Hir::literal(character.encode_utf8(&mut [0; 4]).as_bytes()),
        NodeKind::Class(class) => Hir::class(Class::Unicode(class.clone())),
        NodeKind::Assertion(assertion) => Hir::look(match assertion {
            Assertion::BeginText => Look::Start,
            Assertion::EndText => Look::End,
            Assertion::BeginLine => Look::StartLF,
            Assertion::EndLine => Look::EndLF,
            Assertion::WordBoundary => Look::WordAscii,
            Assertion::NoWordBoundary => Look::WordAsciiNegate,
        }),
        NodeKind::Capture(index, inner) => {
            Hir::capture(Capture { index: *index, name: None, sub: Box::new(hir(inner)) })
        }
        NodeKind::Concat(items) => Hir::concat(items.iter().map(hir).collect()),
        NodeKind::Alternate(items) => Hir::alternation(items.iter().map(hir).collect()),
        NodeKind::Repeat { min, max, greedy, operand } => {
            Hir::repetition(Repetition { min: *min, max: *max, greedy: *greedy, sub: Box::new(hir(operand)) })
        }
    }
}
