//! What can be told about an expression before it runs: its names, its patterns, and whether it can be true.

use super::value::Pattern;
use super::vocabulary::{FUNCTIONS, Kind, TYPES, Word};
use super::{ConditionError, written};
use crate::suggestion::Suggestion;
use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use regex::RegexBuilder;
use std::collections::BTreeSet;

/// How many loops (`all`, `exists`, `map`, ...) may stand within each other: their lengths multiply.
const MAX_LOOPS: usize = 2;
/// How large one compiled pattern may become.
const MAX_PATTERN: usize = 1 << 20;

/// Walks an expression once, and puts compiled patterns in the place of literal ones.
pub(super) struct Checker<'a> {
    words: &'a [Word],
    source: &'a SourceInfo,
    // Variables of the loops around the place.
    bound: Vec<String>,
    loops: usize,
    pub(super) patterns: Vec<Pattern>,
    pub(super) variables: BTreeSet<&'static str>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(words: &'a [Word], source: &'a SourceInfo) -> Self {
        Self { words, source, bound: Vec::new(), loops: 0, patterns: Vec::new(), variables: BTreeSet::new() }
    }

    pub(super) fn check(&mut self, root: &mut IdedExpr) -> Result<(), ConditionError> {
        self.visit(root)?;
        if self.may_be_true(root) { Ok(()) } else { Err(ConditionError::NotBoolean) }
    }

    fn visit(&mut self, expr: &mut IdedExpr) -> Result<(), ConditionError> {
        let id = expr.id;
        match &mut expr.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(id, name),
            Expr::Select(select) => {
                self.visit(&mut select.operand)?;
                let known = match self.kind(&select.operand) {
                    Some(Kind::Fields(words)) => words,
                    Some(Kind::Text | Kind::Number | Kind::Flag | Kind::List) => &[],
                    Some(Kind::Map) | None => return Ok(()),
                };
                if known.iter().any(|word| word.name == select.field) {
                    return Ok(());
                }
                let suggestion = Suggestion::of(&select.field, known.iter().map(|word| word.name));
                Err(self.unknown("field", &select.field, suggestion, id))
            }
            Expr::Call(call) => {
                self.call(id, call)?;
                for operand in call.target.as_deref_mut().into_iter().chain(&mut call.args) {
                    self.visit(operand)?;
                }
                Ok(())
            }
            Expr::List(list) => list.elements.iter_mut().try_for_each(|element| self.visit(element)),
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    match &mut entry.expr {
                        EntryExpr::StructField(field) => self.visit(&mut field.value)?,
                        EntryExpr::MapEntry(entry) => {
                            self.visit(&mut entry.key)?;
                            self.visit(&mut entry.value)?;
                        }
                    }
                }
                Ok(())
            }
            Expr::Struct(made) => Err(self.unknown("type", &made.type_name, Suggestion::default(), id)),
            Expr::Comprehension(each) => {
                self.visit(&mut each.iter_range)?;
                self.visit(&mut each.accu_init)?;
                self.loops += 1;
                if self.loops > MAX_LOOPS {
                    return Err(ConditionError::TooManyLoops { limit: MAX_LOOPS });
                }
                let outside = self.bound.len();
                self.bound.extend([each.iter_var.clone(), each.accu_var.clone()]);
                self.bound.extend(each.iter_var2.clone());
                for part in [&mut each.loop_cond, &mut each.loop_step, &mut each.result] {
                    self.visit(part)?;
                }
                self.bound.truncate(outside);
                self.loops -= 1;
                Ok(())
            }
        }
    }

    fn name(&mut self, id: u64, name: &str) -> Result<(), ConditionError> {
        let plain = written(name.trim_start_matches('.'));
        if let Some(word) = self.words.iter().find(|word| word.name == plain) {
            self.variables.insert(word.name);
            return Ok(());
        }
        // Macros name their own variables with a sign that nobody can write.
        if plain.starts_with('@') || self.bound.iter().any(|bound| bound == plain) || TYPES.contains(&plain) {
            return Ok(());
        }
        let suggestion = Suggestion::of(plain, self.words.iter().map(|word| word.name));
        Err(self.unknown("variable", plain, suggestion, id))
    }

    fn call(&mut self, id: u64, call: &mut CallExpr) -> Result<(), ConditionError> {
        if call.func_name.starts_with(|c: char| c.is_ascii_alphabetic()) && !FUNCTIONS.contains(&call.func_name.as_str()) {
            return Err(self.unknown("function", &call.func_name, Suggestion::of(&call.func_name, FUNCTIONS), id));
        }
        if call.func_name == "matches"
            && let Some(last) = call.args.last_mut()
            && let Expr::Literal(LiteralValue::String(pattern)) = &last.expr
        {
            let compiled = RegexBuilder::new(pattern.inner()).size_limit(MAX_PATTERN).build();
            let regex = compiled.map_err(|error| ConditionError::pattern(pattern.inner(), &error))?;
            last.expr = Expr::Ident(format!("@{}", self.patterns.len()));
            self.patterns.push(Pattern(regex));
        }
        Ok(())
    }

    /// What stands behind a path of names; `None` where only a run can tell.
    fn kind(&self, expr: &IdedExpr) -> Option<Kind> {
        let (words, name) = match &expr.expr {
            Expr::Ident(name) if self.bound.contains(name) => return None,
            Expr::Ident(name) => (self.words, written(name.trim_start_matches('.'))),
            Expr::Select(select) if !select.test => match self.kind(&select.operand)? {
                Kind::Fields(words) => (words, select.field.as_str()),
                Kind::Text | Kind::Number | Kind::Flag | Kind::List | Kind::Map => return None,
            },
            Expr::Unspecified
            | Expr::Select(_)
            | Expr::Call(_)
            | Expr::Comprehension(_)
            | Expr::List(_)
            | Expr::Literal(_)
            | Expr::Map(_)
            | Expr::Struct(_) => return None,
        };
        words.iter().find(|word| word.name == name).map(|word| word.kind)
    }

    fn may_be_true(&self, expr: &IdedExpr) -> bool {
        match &expr.expr {
            Expr::Literal(literal) => matches!(literal, LiteralValue::Boolean(_)),
            Expr::Ident(name) if TYPES.contains(&name.as_str()) => false,
            Expr::Ident(_) => matches!(self.kind(expr), Some(Kind::Flag) | None),
            Expr::Select(select) => select.test || matches!(self.kind(expr), Some(Kind::Flag) | None),
            Expr::Call(call) => match call.func_name.as_str() {
                "_+_" | "_-_" | "_*_" | "_/_" | "_%_" | "-_" | "size" | "string" | "int" | "uint" | "double" | "bytes" | "type"
                | "timestamp" | "duration" => false,
                "_?_:_" => call.args.iter().skip(1).all(|branch| self.may_be_true(branch)),
                "_&&_" | "_||_" | "!_" => call.args.iter().all(|operand| self.may_be_true(operand)),
                _ => true,
            },
            Expr::Comprehension(each) => !matches!(each.accu_init.expr, Expr::List(_) | Expr::Map(_)),
            Expr::List(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => false,
        }
    }

    fn unknown(&self, what: &'static str, name: &str, suggestion: Suggestion, id: u64) -> ConditionError {
        let at = self.source.offset_for(id).map_or(0, |(start, _)| usize::try_from(start).unwrap_or(0));
        ConditionError::Unknown { what, name: name.escape_debug().to_string(), suggestion, column: at + 1 }
    }
}
