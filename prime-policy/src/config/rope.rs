//! `rope_theta`, and `rope_scaling` or (since `transformers` 5) `rope_parameters`.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::inert::{Verdict, is_off};
use super::leftover::Inner;
use crate::error::PolicyError;

/// Base of the frequencies when a file names none.
pub(super) const DEFAULT_THETA: f64 = 10_000.0;

/// How rotary frequencies are stretched for longer contexts than those of pre-training.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum RopeScaling {
    /// All frequencies divided by `factor` (position interpolation, <https://arxiv.org/abs/2306.15595>).
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Llama 3.1's rule: long waves divided by `factor`, short ones kept, a ramp between.
    Llama3 {
        /// Divisor of the long waves.
        factor: f64,
        /// Waves longer than `original_max_position_embeddings / low_freq_factor` are long.
        low_freq_factor: f64,
        /// Waves shorter than `original_max_position_embeddings / high_freq_factor` are short; above
        /// `low_freq_factor`.
        high_freq_factor: f64,
        /// Context of pre-training, in tokens.
        original_max_position_embeddings: usize,
    },
    /// YaRN.
    Yarn(Yarn),
}

/// YaRN (<https://arxiv.org/abs/2309.00071>): waves that turn less than `beta_slow` times in the original context are
/// divided by `factor`, those that turn more than `beta_fast` times kept, a ramp between; and a factor on cos and sin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Yarn {
    /// Divisor of the long waves, and the argument of the default attention factor `0.1·ln(factor) + 1`.
    pub factor: f64,
    /// Context of pre-training, in tokens.
    pub original_max_position_embeddings: usize,
    /// Factor on cos and sin, where given.
    pub attention_factor: Option<f64>,
    /// With `mscale_all_dim` and without `attention_factor`, the factor on cos and sin is
    /// `(0.1·mscale·ln(factor) + 1) / (0.1·mscale_all_dim·ln(factor) + 1)`.
    pub mscale: Option<f64>,
    /// See `mscale`.
    pub mscale_all_dim: Option<f64>,
    /// Turns that make a wave short; 32 by default.
    pub beta_fast: f64,
    /// Turns that make a wave long; 1 by default.
    pub beta_slow: f64,
    /// Whether the ends of the ramp are rounded to whole dimensions; true by default.
    pub truncate: bool,
}

impl Yarn {
    /// YaRN with the paper's constants.
    pub fn new(factor: f64, original_max_position_embeddings: usize) -> Self {
        Self {
            factor,
            original_max_position_embeddings,
            attention_factor: None,
            mscale: None,
            mscale_all_dim: None,
            beta_fast: 32.0,
            beta_slow: 1.0,
            truncate: true,
        }
    }

    /// The factor on cos and sin.
    pub(crate) fn cos_sin_factor(&self) -> f64 {
        let stretched = |weight: f64| match self.factor > 1.0 {
            true => 0.1 * weight * self.factor.ln() + 1.0,
            false => 1.0,
        };
        match (self.attention_factor, self.mscale, self.mscale_all_dim) {
            (Some(factor), ..) => factor,
            (None, Some(mscale), Some(all)) => stretched(mscale) / stretched(all),
            _ => stretched(1.0),
        }
    }
}

/// What a file says about rotary positions.
#[derive(Default)]
pub(super) struct Rope {
    pub theta: f64,
    pub scaling: Option<RopeScaling>,
    /// Fields of the objects that nobody reads.
    pub unread: Vec<Inner>,
}

/// Reads both forms: `rope_theta` beside `rope_scaling`, or everything in `rope_parameters`.
///
/// `max_positions` stands in for an `original_max_position_embeddings` that is left out. One beside the object counts
/// more than one inside, as in `transformers`.
pub(super) fn read(fields: &mut Fields<'_>, max_positions: usize) -> Result<Rope, PolicyError> {
    let beside: Option<f64> = fields.nullable("rope_theta", None)?;
    let original = fields.look("original_max_position_embeddings")?;
    let mut found: Option<(Option<f64>, Option<RopeScaling>)> = None;
    let mut unread = vec![];
    for name in ["rope_scaling", "rope_parameters"] {
        let object = match fields.take(name) {
            None | Some(Value::Null) => continue,
            Some(Value::Object(object)) => object,
            Some(other) => return Err(fields.refuse(name, &other, "an object or null")),
        };
        if object.is_empty() {
            continue;
        }
        let whole = Value::Object(object.clone());
        let mut inner = Fields::new(fields.path(), format!("{name}."), object);
        let read = read_object(&mut inner, max_positions, original)?;
        let kind = read.1.map_or("default", RopeScaling::kind);
        unread.extend(inner.rest().into_iter().map(|(field, value)| Inner {
            verdict: unread_field(&field, &value, kind, read.1),
            name: format!("{name}.{field}"),
            value,
        }));
        if found.is_some_and(|earlier| earlier != read) {
            return Err(fields.refuse(name, &whole, "the same as rope_scaling, or one of the two"));
        }
        if let (Some(inside), Some(outside)) = (read.0, beside)
            && inside != outside
        {
            let value = json!(outside);
            return Err(fields.refuse("rope_theta", &value, format!("{inside}, as in {name}")));
        }
        found = Some(read);
    }
    let (inside, scaling) = found.unwrap_or_default();
    Ok(Rope {
        theta: inside.or(beside).unwrap_or(DEFAULT_THETA),
        scaling,
        unread,
    })
}

/// Judges a field of a rotary object that its kind of scaling does not read.
fn unread_field(name: &str, value: &Value, kind: &str, scaling: Option<RopeScaling>) -> Verdict {
    // Without force for this kind, or where it is 1.
    const SILENT: [&str; 2] = ["original_max_position_embeddings", "finetuned"];
    const FACTORS: [&str; 4] = [
        "factor",
        "attn_factor",
        "attention_factor",
        "extrapolation_factor",
    ];
    let neutral = FACTORS.contains(&name) && value.as_f64() == Some(1.0);
    if is_off(value) || neutral || SILENT.contains(&name) {
        return Verdict::Inert;
    }
    if let (Some(RopeScaling::Yarn(yarn)), "attn_factor", Some(factor)) =
        (scaling, name, value.as_f64())
    {
        let own = yarn.cos_sin_factor();
        return Verdict::Refused {
            why: Some(format!(
                "a factor on cos and sin that transformers does not read and vLLM multiplies in: {own} without it, {} \
                 with it. To compute what transformers does, leave it out as below; what vLLM does, put \
                 \"attention_factor\": {} in its place",
                own * factor,
                own * factor
            )),
            ignorable: true,
        };
    }
    let by_layer = ["full_attention", "sliding_attention"].contains(&name);
    let why = format!("no such field for rope_type \"{kind}\"");
    Verdict::when(false, why, !by_layer)
}

fn read_object(
    fields: &mut Fields<'_>,
    max_positions: usize,
    beside: Option<usize>,
) -> Result<(Option<f64>, Option<RopeScaling>), PolicyError> {
    let newer = fields.take("rope_type");
    let older = fields.take("type");
    if let (Some(newer), Some(older)) = (&newer, &older)
        && newer != older
    {
        return Err(fields.refuse("type", older, format!("{newer}, as rope_type says")));
    }
    let kind = newer.or(older).unwrap_or_else(|| json!("default"));
    let theta = fields.nullable("rope_theta", None)?;
    if let Some(part) = fields.nullable::<f64>("partial_rotary_factor", None)?
        && part != 1.0
    {
        return Err(fields.refuse("partial_rotary_factor", &json!(part), "1"));
    }
    let original = |fields: &mut Fields<'_>| {
        let inside = fields.nullable("original_max_position_embeddings", None)?;
        Ok::<_, PolicyError>(beside.or(inside).unwrap_or(max_positions))
    };
    let scaling = match kind.as_str() {
        Some("default") => None,
        Some("linear") => Some(RopeScaling::Linear {
            factor: fields.required("factor")?,
        }),
        Some("llama3") => Some(RopeScaling::Llama3 {
            factor: fields.required("factor")?,
            low_freq_factor: fields.required("low_freq_factor")?,
            high_freq_factor: fields.required("high_freq_factor")?,
            original_max_position_embeddings: original(fields)?,
        }),
        Some("yarn") => {
            let original = original(fields)?;
            let factor = if fields.get("factor").is_some_and(Value::is_null) {
                fields.take("factor");
                max_positions as f64 / original.max(1) as f64
            } else {
                fields.required("factor")?
            };
            let plain = Yarn::new(factor, original);
            // 0 is no value of these: as for transformers, the default stands.
            let given = |value: Option<f64>| value.filter(|value| *value != 0.0);
            let or = |value, default| given(value).unwrap_or(default);
            Some(RopeScaling::Yarn(Yarn {
                attention_factor: fields.nullable("attention_factor", None)?,
                mscale: given(fields.nullable("mscale", None)?),
                mscale_all_dim: given(fields.nullable("mscale_all_dim", None)?),
                beta_fast: or(fields.nullable("beta_fast", None)?, plain.beta_fast),
                beta_slow: or(fields.nullable("beta_slow", None)?, plain.beta_slow),
                truncate: fields.or("truncate", plain.truncate)?,
                ..plain
            }))
        }
        other => {
            let accepted = "\"default\", \"linear\", \"llama3\" or \"yarn\"";
            let accepted = match other {
                Some("dynamic") => format!(
                    "{accepted} (up to max_position_embeddings tokens \"dynamic\" changes nothing: take the object out \
                     of the file to stay within them)"
                ),
                _ => accepted.to_owned(),
            };
            return Err(fields.refuse("rope_type", &kind, accepted));
        }
    };
    Ok((theta, scaling))
}

impl RopeScaling {
    /// Its `rope_type`.
    fn kind(self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Llama3 { .. } => "llama3",
            Self::Yarn(_) => "yarn",
        }
    }

    /// The `rope_scaling` object, which `transformers` 4 and 5 both read.
    pub(super) fn to_value(self) -> Value {
        match self {
            Self::Linear { factor } => json!({"rope_type": "linear", "factor": factor}),
            Self::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_max_position_embeddings,
            } => json!({
                "rope_type": "llama3",
                "factor": factor,
                "low_freq_factor": low_freq_factor,
                "high_freq_factor": high_freq_factor,
                "original_max_position_embeddings": original_max_position_embeddings,
            }),
            Self::Yarn(yarn) => {
                let mut map = Map::new();
                map.insert("rope_type".to_owned(), json!("yarn"));
                map.insert("factor".to_owned(), json!(yarn.factor));
                map.insert(
                    "original_max_position_embeddings".to_owned(),
                    json!(yarn.original_max_position_embeddings),
                );
                let optional = [
                    ("attention_factor", yarn.attention_factor),
                    ("mscale", yarn.mscale),
                    ("mscale_all_dim", yarn.mscale_all_dim),
                ];
                for (name, value) in optional {
                    if let Some(value) = value {
                        map.insert(name.to_owned(), json!(value));
                    }
                }
                map.insert("beta_fast".to_owned(), json!(yarn.beta_fast));
                map.insert("beta_slow".to_owned(), json!(yarn.beta_slow));
                map.insert("truncate".to_owned(), json!(yarn.truncate));
                Value::Object(map)
            }
        }
    }
}
