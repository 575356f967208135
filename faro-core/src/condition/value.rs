//! What a condition computes with: values of the language, its functions, and patterns that were compiled once.

use crate::duration::parse_duration;
use crate::time::Nanos;
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, STRING_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{Env, ExecutionError};
use regex::Regex;
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// A value that may borrow for `'v`.
pub(crate) type Boxed<'v> = Box<dyn Val + 'v>;

/// A string, borrowed.
pub(crate) fn text(text: &str) -> CowVal<'_, '_> {
    CowVal::owned(CelString::from(text))
}

/// A map of those fields that are not empty.
pub(crate) fn texts<'v>(fields: impl IntoIterator<Item = (&'v str, &'v str)>) -> Boxed<'v> {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
    let map: HashMap<CelMapKey<'v>, Boxed<'v>> =
        fields.map(|(key, value)| (CelMapKey::from(key), Box::new(CelString::from(value)) as Boxed<'v>)).collect();
    Box::new(CelMap::from(map))
}

/// A value of JSON, borrowed where it is text.
pub(crate) fn json(value: &serde_json::Value) -> Boxed<'_> {
    match value {
        serde_json::Value::Null => Box::new(CelNull),
        serde_json::Value::Bool(flag) => Box::new(CelBool::from(*flag)),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Box::new(CelInt::from(number)),
            (None, number) => Box::new(CelDouble::from(number.unwrap_or(f64::NAN))),
        },
        serde_json::Value::String(text) => Box::new(CelString::from(text.as_str())),
        serde_json::Value::Array(items) => Box::new(CelList::from(items.iter().map(json).collect::<Vec<_>>())),
        serde_json::Value::Object(fields) => {
            let map: HashMap<CelMapKey<'_>, Boxed<'_>> =
                fields.iter().map(|(key, value)| (CelMapKey::from(key.as_str()), json(value))).collect();
            Box::new(CelMap::from(map))
        }
    }
}

static PATTERN_TYPE: Type = Type::new_unspecified_type("faro.pattern");

/// A regular expression that was compiled when the condition was read.
#[derive(Clone, Debug)]
pub(super) struct Pattern(pub(super) Regex);

impl Val for Pattern {
    fn get_type(&self) -> &Type {
        &PATTERN_TYPE
    }

    fn cel_type() -> &'static Type {
        &PATTERN_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Boxed<'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Pattern {}

/// The functions that conditions know: those of the language, and `timestamp` and `duration`.
///
/// The two give nanoseconds: the interpreter's own need chrono with its `clock` feature, and the engine has no clock.
pub(super) fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: OnceLock<Arc<Env>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut env = Env::default().with_optional_support(false).with_stdlib();
        let added = env
            .add_overload("timestamp", "faro_timestamp", vec![STRING_TYPE], timestamp)
            .and_then(|()| env.add_overload("duration", "faro_duration", vec![STRING_TYPE], duration))
            .and_then(|()| env.add_overload("matches", "faro_matches", vec![STRING_TYPE, PATTERN_TYPE.to_owned()], matches))
            .and_then(|()| env.add_member_overload("matches", "faro_member_matches", STRING_TYPE, vec![PATTERN_TYPE.to_owned()], matches));
        debug_assert!(added.is_ok(), "{added:?}");
        Arc::new(env)
    })
}

fn timestamp<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let time = Nanos::parse(argument(&args)?).ok().flatten().ok_or_else(|| ExecutionError::function_error("timestamp", "not RFC 3339"))?;
    Ok(CowVal::owned(CelInt::from(time.0)))
}

fn duration<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let span = parse_duration(argument(&args)?).map_err(|error| ExecutionError::function_error("duration", error))?;
    Ok(CowVal::owned(CelInt::from(span.0)))
}

fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = argument(&args)?;
    let pattern = args.get(1).and_then(|value| value.downcast_ref::<Pattern>()).ok_or_else(ExecutionError::missing_argument_or_target)?;
    Ok(CowVal::owned(CelBool::from(pattern.0.is_match(text))))
}

fn argument<'a>(args: &'a [CowVal<'_, '_>]) -> Result<&'a str, ExecutionError> {
    args.first()
        .and_then(|value| value.downcast_ref::<CelString<'_>>())
        .map(CelString::inner)
        .ok_or_else(ExecutionError::missing_argument_or_target)
}
