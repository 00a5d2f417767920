//! What commands, words and characters mean.

use super::token::{Command, Fence, Kind};
use crate::math::expr::{Constant, Function, NamedSet, Relation, SetOp};

/// What the lexer does with a name.
pub(super) enum Entry {
    Token(Kind<'static>),
    /// Layout: leaves a blank.
    Skip,
    /// Layout with an argument that is layout too.
    SkipArgument,
    /// A font: what is inside is words.
    Font,
    /// The name itself is a word.
    Word,
    Blackboard,
}

/// Operators of more than one character in plain text, longest first.
pub(super) const OPERATORS: &[(&str, Kind<'static>)] = &[
    ("...", Kind::Ellipsis),
    ("<=>", Kind::Relation(Relation::Other("iff"))),
    ("<=", Kind::Relation(Relation::Le)),
    (">=", Kind::Relation(Relation::Ge)),
    ("=<", Kind::Relation(Relation::Le)),
    ("!=", Kind::Relation(Relation::Ne)),
    ("<>", Kind::Relation(Relation::Ne)),
    ("==", Kind::Relation(Relation::Eq)),
    ("=>", Kind::Relation(Relation::Other("implies"))),
    ("->", Kind::Relation(Relation::Other("to"))),
    (":=", Kind::Relation(Relation::Eq)),
    ("**", Kind::Caret),
    ("+/-", Kind::PlusMinus),
];

pub(super) fn character(character: char) -> Option<Kind<'static>> {
    Some(match character {
        '+' => Kind::Plus,
        '-' | '−' | '–' | '—' | '‐' | '‑' | '﹣' | '－' => Kind::Minus,
        '±' => Kind::PlusMinus,
        '∓' => Kind::MinusPlus,
        '*' | '×' | '·' | '⋅' | '∙' | '•' | '∗' => Kind::Times,
        '/' | '÷' | '∕' | '⁄' => Kind::Divide,
        '^' => Kind::Caret,
        '_' => Kind::Underscore,
        '!' => Kind::Bang,
        '\'' | '′' | '’' => Kind::Prime,
        '%' | '％' => Kind::Percent,
        '°' | 'º' => Kind::Degree,
        '€' | '£' | '¥' | '₹' | '¢' => Kind::Currency,
        ',' | '，' | '、' => Kind::Comma,
        ';' | '；' => Kind::Semicolon,
        ':' | '：' | '∶' => Kind::Colon,
        '&' => Kind::Ampersand,
        '…' | '⋯' => Kind::Ellipsis,
        '=' | '＝' => Kind::Relation(Relation::Eq),
        '<' | '＜' => Kind::Relation(Relation::Lt),
        '>' | '＞' => Kind::Relation(Relation::Gt),
        '≤' | '⩽' | '≦' => Kind::Relation(Relation::Le),
        '≥' | '⩾' | '≧' => Kind::Relation(Relation::Ge),
        '≠' => Kind::Relation(Relation::Ne),
        '≈' | '≃' => Kind::Relation(Relation::Approx),
        '≡' => Kind::Relation(Relation::Other("equiv")),
        '∈' => Kind::Relation(Relation::In),
        '∉' => Kind::Relation(Relation::NotIn),
        '⊂' => Kind::Relation(Relation::Other("subset")),
        '⊆' => Kind::Relation(Relation::Other("subseteq")),
        '→' => Kind::Relation(Relation::Other("to")),
        '⇒' => Kind::Relation(Relation::Other("implies")),
        '⇔' => Kind::Relation(Relation::Other("iff")),
        '∥' => Kind::Relation(Relation::Other("parallel")),
        '⊥' => Kind::Relation(Relation::Other("perp")),
        '∼' => Kind::Relation(Relation::Other("sim")),
        '≅' => Kind::Relation(Relation::Other("cong")),
        '∪' => Kind::SetOp(SetOp::Union),
        '∩' => Kind::SetOp(SetOp::Intersection),
        '∖' => Kind::SetOp(SetOp::Difference),
        '∅' | 'Ø' | 'ø' => Kind::Set(NamedSet::Empty),
        'ℝ' => Kind::Set(NamedSet::Reals),
        'ℤ' => Kind::Set(NamedSet::Integers),
        'ℕ' => Kind::Set(NamedSet::Naturals),
        'ℚ' => Kind::Set(NamedSet::Rationals),
        'ℂ' => Kind::Set(NamedSet::Complexes),
        '∞' => Kind::Constant(Constant::Infinity),
        'π' | '𝜋' => Kind::Constant(Constant::Pi),
        '√' => Kind::Command(Command::Sqrt),
        '∑' => Kind::Command(Command::Sum),
        '∏' => Kind::Command(Command::Product),
        '∫' => Kind::Command(Command::Integral),
        '∂' => Kind::Command(Command::Partial),
        '⌊' => Kind::Open(Fence::Floor),
        '⌋' => Kind::Close(Fence::Floor),
        '⌈' => Kind::Open(Fence::Ceil),
        '⌉' => Kind::Close(Fence::Ceil),
        '⟨' | '〈' => Kind::Open(Fence::Angle),
        '⟩' | '〉' => Kind::Close(Fence::Angle),
        '（' => Kind::Open(Fence::Round),
        '）' => Kind::Close(Fence::Round),
        '∣' => Kind::Mid,
        '‖' => Kind::Open(Fence::DoubleBar),
        '½' => Kind::Fraction(1, 2),
        '⅓' => Kind::Fraction(1, 3),
        '⅔' => Kind::Fraction(2, 3),
        '¼' => Kind::Fraction(1, 4),
        '¾' => Kind::Fraction(3, 4),
        '⅕' => Kind::Fraction(1, 5),
        '⅖' => Kind::Fraction(2, 5),
        '⅗' => Kind::Fraction(3, 5),
        '⅘' => Kind::Fraction(4, 5),
        '⅙' => Kind::Fraction(1, 6),
        '⅚' => Kind::Fraction(5, 6),
        '⅛' => Kind::Fraction(1, 8),
        '⅜' => Kind::Fraction(3, 8),
        '⅝' => Kind::Fraction(5, 8),
        '⅞' => Kind::Fraction(7, 8),
        '△' => Kind::Named("triangle"),
        '∠' => Kind::Named("angle"),
        _ => return greek_letter(character).map(Kind::Named),
    })
}

fn greek_letter(character: char) -> Option<&'static str> {
    const LETTERS: &[(char, &str)] = &[
        ('α', "alpha"),
        ('β', "beta"),
        ('γ', "gamma"),
        ('δ', "delta"),
        ('ε', "epsilon"),
        ('ζ', "zeta"),
        ('η', "eta"),
        ('θ', "theta"),
        ('κ', "kappa"),
        ('λ', "lambda"),
        ('μ', "mu"),
        ('ν', "nu"),
        ('ξ', "xi"),
        ('ρ', "rho"),
        ('σ', "sigma"),
        ('τ', "tau"),
        ('φ', "phi"),
        ('ϕ', "phi"),
        ('χ', "chi"),
        ('ψ', "psi"),
        ('ω', "omega"),
        ('Δ', "Delta"),
        ('Γ', "Gamma"),
        ('Σ', "Sigma"),
        ('Φ', "Phi"),
        ('Ω', "Omega"),
        ('ℓ', "ell"),
    ];
    LETTERS
        .iter()
        .find(|(letter, _)| *letter == character)
        .map(|(_, name)| *name)
}

const GREEK: &[&str] = &[
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
    "odot", "ell", "hbar", "triangle", "angle", "aleph", "square", "star", "nabla",
];

fn greek(name: &str) -> Option<&'static str> {
    GREEK.iter().find(|known| **known == name).copied()
}

/// Functions by the names that LaTeX and plain text share.
fn function(name: &str) -> Option<Function> {
    use Function::*;
    Some(match name {
        "sin" => Sin,
        "cos" => Cos,
        "tan" | "tg" => Tan,
        "cot" | "ctg" | "cotg" => Cot,
        "sec" => Sec,
        "csc" | "cosec" => Csc,
        "arcsin" | "asin" => Asin,
        "arccos" | "acos" => Acos,
        "arctan" | "atan" | "arctg" => Atan,
        "arccot" | "acot" | "arcctg" => Acot,
        "arcsec" | "asec" => Asec,
        "arccsc" | "acsc" => Acsc,
        "sinh" | "sh" => Sinh,
        "cosh" | "ch" => Cosh,
        "tanh" | "th" => Tanh,
        "coth" => Coth,
        "sech" => Sech,
        "csch" => Csch,
        "arcsinh" | "asinh" | "arsinh" => Asinh,
        "arccosh" | "acosh" | "arcosh" => Acosh,
        "arctanh" | "atanh" | "artanh" => Atanh,
        "exp" => Exp,
        "ln" => Ln,
        "gcd" => Gcd,
        "lcm" => Lcm,
        "max" => Max,
        "min" => Min,
        "det" => Determinant,
        "sgn" | "sign" => Sign,
        "binomial" => Binomial,
        "factorial" => Factorial,
        "floor" => Floor,
        "ceil" => Ceil,
        "Re" | "re" => Re,
        "Im" | "im" => Im,
        "conj" | "conjugate" => Conjugate,
        _ => return None,
    })
}

/// A run of letters in plain maths that is a word of ours.
pub(super) fn plain_word(run: &str) -> Option<Entry> {
    // `sh`, `ch`, `th`, `tg` are two letters in most answers.
    if (run.len() > 2 || run == "ln")
        && let Some(function) = function(run).or_else(|| function(&run.to_ascii_lowercase()))
    {
        return function_entry(function);
    }
    Some(Entry::Token(match run {
        "pi" | "PI" => Kind::Constant(Constant::Pi),
        "oo" | "inf" | "infty" | "infinity" | "Infinity" => Kind::Constant(Constant::Infinity),
        "log" => Kind::Command(Command::Log),
        "lg" => Kind::Command(Command::Log),
        "sqrt" => Kind::Command(Command::Sqrt),
        "abs" | "Abs" => Kind::Function(Function::Abs),
        "Re" => Kind::Function(Function::Re),
        "Im" => Kind::Function(Function::Im),
        "emptyset" => Kind::Set(NamedSet::Empty),
        "union" => Kind::SetOp(SetOp::Union),
        "mod" => Kind::Command(Command::Bmod),
        "le" => Kind::Relation(Relation::Le),
        "ge" => Kind::Relation(Relation::Ge),
        "neq" => Kind::Relation(Relation::Ne),
        "percent" | "pct" | "percentage" => Kind::Percent,
        "degree" | "degrees" | "deg" => Kind::Degree,
        _ => {
            return match greek(run) {
                Some(name) if run.len() > 2 && !matches!(run, "square" | "star") => {
                    Some(Entry::Token(Kind::Named(name)))
                }
                _ => None,
            };
        }
    }))
}

fn function_entry(function: Function) -> Option<Entry> {
    Some(Entry::Token(Kind::Function(function)))
}

/// Bold `i`, `j`, `k`: the vectors along the axes, whatever mark makes them so.
pub(super) fn unit_vector(letter: &str) -> Option<Kind<'static>> {
    Some(Kind::Named(match letter {
        "i" => "vec i",
        "j" => "vec j",
        "k" => "vec k",
        _ => return None,
    }))
}

/// `a.m.` and `p.m.` in one spelling.
pub(super) fn half_day(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "a.m." | "am" => Some("am"),
        "p.m." | "pm" => Some("pm"),
        _ => None,
    }
}

/// Words that are functions only where brackets follow.
pub(super) fn applied_word(run: &str) -> Option<Kind<'static>> {
    match run {
        "re" => Some(Kind::Function(Function::Re)),
        "im" => Some(Kind::Function(Function::Im)),
        _ => None,
    }
}

/// A known word at the end of a short run of letters, or π at its front.
pub(super) fn glued_word(run: &str) -> Option<(usize, Kind<'static>)> {
    for (word, kind) in [
        ("sqrt", Kind::Command(Command::Sqrt)),
        ("pi", Kind::Constant(Constant::Pi)),
        ("sin", Kind::Function(Function::Sin)),
        ("cos", Kind::Function(Function::Cos)),
        ("tan", Kind::Function(Function::Tan)),
        ("ln", Kind::Function(Function::Ln)),
    ] {
        if let Some(before) = run.strip_suffix(word)
            && (1..=2).contains(&before.len())
        {
            return Some((before.len(), kind));
        }
    }
    None
}

/// Whether a run of letters is words rather than a product of variables.
///
/// Products of variables rarely hold a vowel other than `a` (`e` and `i` are constants, `o` is nobody's variable).
pub(super) fn reads_as_words(run: &str) -> bool {
    const SHORT: &[&str] = &[
        "and", "or", "if", "for", "is", "of", "the", "not", "yes", "no", "odd", "one", "two",
        "six", "ten", "all", "any", "has", "are", "per", "with", "when", "day", "dne", "none",
        "to", "at", "by", "as", "an", "fact", "so", "it", "we", "he", "my", "us", "go",
    ];
    // Names: one capital, then small letters.
    let name = run.len() >= 3
        && run[..1].bytes().all(|b| b.is_ascii_uppercase())
        && run[1..].bytes().all(|b| b.is_ascii_lowercase());
    if name {
        return true;
    }
    let lower = run.to_ascii_lowercase();
    if SHORT.contains(&lower.as_str()) {
        return true;
    }
    run.len() >= 4
        && lower
            .bytes()
            .any(|b| matches!(b, b'e' | b'i' | b'o' | b'u'))
}

pub(super) fn is_connective(word: &str) -> bool {
    [
        "and",
        "or",
        "but",
        "if",
        "for",
        "when",
        "where",
        "with",
        "otherwise",
        "such",
        "mod",
        "if and only if",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(word))
}

pub(super) fn holds_connective(words: &str) -> bool {
    words.split_ascii_whitespace().any(|word| {
        ["and", "or"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(word))
    })
}

pub(super) fn blackboard(letter: char) -> Option<Kind<'static>> {
    Some(Kind::Set(match letter {
        'R' => NamedSet::Reals,
        'Z' => NamedSet::Integers,
        'N' => NamedSet::Naturals,
        'Q' => NamedSet::Rationals,
        'C' => NamedSet::Complexes,
        _ => return None,
    }))
}

/// The meaning of `\name`.
pub(super) fn command(name: &str) -> Option<Entry> {
    if let Some(kind) = command_token(name) {
        return Some(Entry::Token(kind));
    }
    if let Some(function) = function(name) {
        return function_entry(function);
    }
    if let Some(name) = greek(name) {
        return Some(Entry::Token(Kind::Named(name)));
    }
    Some(match name {
        "text"
        | "textbf"
        | "textit"
        | "textrm"
        | "textsf"
        | "texttt"
        | "textnormal"
        | "textup"
        | "mbox"
        | "hbox"
        | "mathrm"
        | "mathbf"
        | "mathit"
        | "mathsf"
        | "mathtt"
        | "boldsymbol"
        | "bm"
        | "operatorname"
        | "operatornamewithlimits"
        | "emph"
        | "rm"
        | "bf"
        | "it"
        | "mathnormal"
        | "textsc"
        | "underline"
        | "unit"
        | "Text" => Entry::Font,
        "mathbb" => Entry::Blackboard,
        "quad" | "qquad" | "displaystyle" | "textstyle" | "scriptstyle" | "scriptscriptstyle"
        | "limits" | "nolimits" | "boxed" | "fbox" | "big" | "Big" | "bigg" | "Bigg" | "middle"
        | "mathop" | "mathrel" | "mathbin" | "mathord" | "mathstrut" | "strut" | "null"
        | "nonumber" | "notag" | "hline" | "thinspace" | "negthinspace" | "negmedspace"
        | "negthickspace" | "medspace" | "thickspace" | "enspace" | "space" | "allowbreak"
        | "centering" | "large" | "Large" | "small" | "hfill" | "par" | "newline"
        | "ensuremath" | "displaylines" | "smash" => Entry::Skip,
        "phantom" | "hphantom" | "vphantom" | "hspace" | "vspace" | "label" | "tag" | "color"
        | "kern" | "mspace" | "textcolor" | "ref" => Entry::SkipArgument,
        "or" | "and" => Entry::Word,
        _ => return None,
    })
}

fn command_token(name: &str) -> Option<Kind<'static>> {
    use Relation::*;
    Some(match name {
        "frac" | "dfrac" | "tfrac" | "cfrac" | "sfrac" | "nicefrac" | "rfrac" => {
            Kind::Command(Command::Frac)
        }
        "binom" | "dbinom" | "tbinom" => Kind::Command(Command::Binom),
        "sqrt" | "surd" => Kind::Command(Command::Sqrt),
        "sum" => Kind::Command(Command::Sum),
        "prod" => Kind::Command(Command::Product),
        "int" | "intop" => Kind::Command(Command::Integral),
        "lim" => Kind::Command(Command::Limit),
        "log" | "lg" => Kind::Command(Command::Log),
        "partial" => Kind::Command(Command::Partial),
        "substack" => Kind::Command(Command::Substack),
        "choose" => Kind::Command(Command::Choose),
        "overline" => Kind::Command(Command::Overline),
        "bar" => Kind::Command(Command::Accent("bar")),
        "hat" | "widehat" => Kind::Command(Command::Accent("hat")),
        "tilde" | "widetilde" => Kind::Command(Command::Accent("tilde")),
        "vec" | "overrightarrow" => Kind::Command(Command::Accent("vec")),
        "dot" => Kind::Command(Command::Accent("dot")),
        "ddot" => Kind::Command(Command::Accent("ddot")),
        "widearc" | "overarc" | "wideparen" | "overparen" | "arc" => {
            Kind::Command(Command::Accent("arc"))
        }
        "overleftrightarrow" => Kind::Command(Command::Accent("line")),
        "mathcal" | "mathscr" | "cal" => Kind::Command(Command::Accent("cal")),
        "mathfrak" => Kind::Command(Command::Accent("frak")),
        "pmod" | "pod" => Kind::Command(Command::Pmod),
        "bmod" | "mod" => Kind::Command(Command::Bmod),
        "pi" => Kind::Constant(Constant::Pi),
        "infty" => Kind::Constant(Constant::Infinity),
        "exponentialE" => Kind::Constant(Constant::E),
        "imath" | "iota" | "imaginaryI" => Kind::Constant(Constant::I),
        "varepsilon" => Kind::Named("epsilon"),
        "varphi" => Kind::Named("phi"),
        "vartheta" => Kind::Named("theta"),
        "varrho" => Kind::Named("rho"),
        "varpi" => Kind::Named("varpi"),
        "varsigma" => Kind::Named("sigma"),
        "jmath" => Kind::Letter {
            letter: 'j',
            run: "j",
        },
        "emptyset" | "varnothing" | "O" => Kind::Set(NamedSet::Empty),
        "R" | "Reals" | "reals" => Kind::Set(NamedSet::Reals),
        "Z" => Kind::Set(NamedSet::Integers),
        "N" => Kind::Set(NamedSet::Naturals),
        "Q" => Kind::Set(NamedSet::Rationals),
        "C" | "Complex" => Kind::Set(NamedSet::Complexes),
        "cup" | "bigcup" => Kind::SetOp(SetOp::Union),
        "cap" | "bigcap" => Kind::SetOp(SetOp::Intersection),
        "setminus" | "backslash" | "smallsetminus" => Kind::SetOp(SetOp::Difference),
        "pm" => Kind::PlusMinus,
        "mp" => Kind::MinusPlus,
        "times" | "cdot" | "ast" | "bullet" | "cdotp" => Kind::Times,
        "div" | "slash" | "over" => Kind::Divide,
        "prime" => Kind::Prime,
        "circ" | "degree" | "textdegree" => Kind::Degree,
        "percent" => Kind::Percent,
        "dollar" | "textdollar" | "pounds" | "euro" => Kind::Currency,
        "colon" => Kind::Colon,
        "lbrace" => Kind::Open(Fence::Brace),
        "rbrace" => Kind::Close(Fence::Brace),
        "lbrack" => Kind::Open(Fence::Square),
        "rbrack" => Kind::Close(Fence::Square),
        "lparen" => Kind::Open(Fence::Round),
        "rparen" => Kind::Close(Fence::Round),
        "langle" => Kind::Open(Fence::Angle),
        "rangle" => Kind::Close(Fence::Angle),
        "lfloor" | "llcorner" => Kind::Open(Fence::Floor),
        "rfloor" | "lrcorner" => Kind::Close(Fence::Floor),
        "lceil" | "ulcorner" => Kind::Open(Fence::Ceil),
        "rceil" | "urcorner" => Kind::Close(Fence::Ceil),
        "lvert" => Kind::Open(Fence::Bar),
        "rvert" => Kind::Close(Fence::Bar),
        "lVert" | "Vert" => Kind::Open(Fence::DoubleBar),
        "rVert" => Kind::Close(Fence::DoubleBar),
        "vert" => Kind::Bar,
        "mid" | "vbar" => Kind::Mid,
        "ldots" | "cdots" | "dots" | "dotsc" | "dotsb" | "dotsm" | "vdots" | "ddots" => {
            Kind::Ellipsis
        }
        "le" | "leq" | "leqslant" | "leqq" => Kind::Relation(Le),
        "ge" | "geq" | "geqslant" | "geqq" => Kind::Relation(Ge),
        "lt" => Kind::Relation(Lt),
        "gt" => Kind::Relation(Gt),
        "ne" | "neq" => Kind::Relation(Ne),
        "approx" | "simeq" | "approxeq" => Kind::Relation(Approx),
        "in" => Kind::Relation(In),
        "notin" => Kind::Relation(NotIn),
        "equiv" => Kind::Relation(Other("equiv")),
        "subset" => Kind::Relation(Other("subset")),
        "subseteq" => Kind::Relation(Other("subseteq")),
        "supset" => Kind::Relation(Other("supset")),
        "supseteq" => Kind::Relation(Other("supseteq")),
        "to" | "rightarrow" | "longrightarrow" => Kind::Relation(Other("to")),
        "mapsto" => Kind::Relation(Other("mapsto")),
        "Rightarrow" | "implies" | "Longrightarrow" => Kind::Relation(Other("implies")),
        "Leftrightarrow" | "iff" | "Longleftrightarrow" => Kind::Relation(Other("iff")),
        "parallel" => Kind::Relation(Other("parallel")),
        "perp" | "bot" => Kind::Relation(Other("perp")),
        "sim" => Kind::Relation(Other("sim")),
        "cong" => Kind::Relation(Other("cong")),
        "propto" => Kind::Relation(Other("propto")),
        "nmid" => Kind::Relation(Other("nmid")),
        "land" | "wedge" => Kind::Text("and"),
        "lor" | "vee" => Kind::Text("or"),
        "neg" | "lnot" => Kind::Named("neg"),
        "forall" => Kind::Named("forall"),
        "exists" => Kind::Named("exists"),
        _ => return None,
    })
}
