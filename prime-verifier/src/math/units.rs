//! Units of measure: which words are one, and how many of one make another.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

/// Spellings, then dimension and size. Units of one dimension convert; a unit without a size equals itself only.
const UNITS: &[(&[&str], &str, (u64, u64))] = &[
    (
        &[
            "mm",
            "millimeter",
            "millimeters",
            "millimetre",
            "millimetres",
        ],
        "length",
        (1, 1000),
    ),
    (
        &[
            "cm",
            "centimeter",
            "centimeters",
            "centimetre",
            "centimetres",
        ],
        "length",
        (1, 100),
    ),
    (
        &["dm", "decimeter", "decimeters", "decimetre", "decimetres"],
        "length",
        (1, 10),
    ),
    (
        &["m", "meter", "meters", "metre", "metres"],
        "length",
        (1, 1),
    ),
    (
        &["km", "kilometer", "kilometers", "kilometre", "kilometres"],
        "length",
        (1000, 1),
    ),
    (&["in", "inch", "inches"], "length", (127, 5000)),
    (&["ft", "foot", "feet"], "length", (381, 1250)),
    (&["yd", "yard", "yards"], "length", (1143, 1250)),
    (&["mi", "mile", "miles"], "length", (201168, 125)),
    (&["mg", "milligram", "milligrams"], "mass", (1, 1000)),
    (&["g", "gram", "grams"], "mass", (1, 1)),
    (&["kg", "kilogram", "kilograms"], "mass", (1000, 1)),
    (&["ton", "tons", "tonne", "tonnes"], "mass", (1_000_000, 1)),
    (&["oz", "ounce", "ounces"], "ounce", (1, 1)),
    (&["lb", "lbs", "pound", "pounds"], "ounce", (16, 1)),
    (&["ms", "millisecond", "milliseconds"], "time", (1, 1000)),
    (&["s", "sec", "secs", "second", "seconds"], "time", (1, 1)),
    (&["min", "mins", "minute", "minutes"], "time", (60, 1)),
    (&["h", "hr", "hrs", "hour", "hours"], "time", (3600, 1)),
    (&["day", "days"], "time", (86_400, 1)),
    (&["week", "weeks"], "time", (604_800, 1)),
    (&["month", "months"], "month", (1, 1)),
    (&["yr", "yrs", "year", "years"], "month", (12, 1)),
    (
        &[
            "ml",
            "mL",
            "milliliter",
            "milliliters",
            "millilitre",
            "millilitres",
        ],
        "volume",
        (1, 1000),
    ),
    (
        &["l", "L", "liter", "liters", "litre", "litres"],
        "volume",
        (1, 1),
    ),
    (&["cup", "cups"], "cup", (1, 1)),
    (&["pint", "pints"], "cup", (2, 1)),
    (&["quart", "quarts"], "cup", (4, 1)),
    (&["gallon", "gallons", "gal"], "cup", (16, 1)),
    (&["cent", "cents", "penny", "pennies"], "money", (1, 100)),
    (
        &["dollar", "dollars", "usd", "USD", "bucks"],
        "money",
        (1, 1),
    ),
    (&["unit", "units"], "unit", (1, 1)),
    (&["mph", "miles/hour", "mi/h"], "speed mph", (1, 1)),
    (&["km/h", "kph", "kmh", "km/hr"], "speed kmh", (1, 1)),
    (&["degree", "degrees", "deg"], "degree", (1, 1)),
    (&["rad", "radian", "radians"], "radian", (1, 1)),
    (&["acre", "acres"], "acre", (1, 1)),
    (&["euro", "euros"], "euro", (1, 1)),
    (&["hz", "Hz", "hertz"], "frequency", (1, 1)),
    (&["N", "newton", "newtons"], "force", (1, 1)),
    (&["J", "joule", "joules"], "energy", (1, 1)),
    (&["V", "volt", "volts"], "voltage", (1, 1)),
    (
        &["A", "amp", "amps", "ampere", "amperes"],
        "current",
        (1, 1),
    ),
    (&["K", "kelvin", "kelvins"], "temperature", (1, 1)),
    (&["T", "tesla", "teslas"], "flux density", (1, 1)),
    (&["C", "coulomb", "coulombs"], "charge", (1, 1)),
    (&["F", "farad", "farads"], "capacitance", (1, 1)),
    (&["ohm", "ohms"], "resistance", (1, 1)),
    (&["W", "watt", "watts"], "power", (1, 1)),
    (&["am", "a.m"], "am", (1, 1)),
    (&["pm", "p.m"], "pm", (1, 1)),
    (&["bpm"], "bpm", (1, 1)),
    (&["mol", "mole", "moles"], "mol", (1, 1)),
];

/// Whether a run of letters behind a number, outside `\text{…}`, is a unit: no single letters, those are variables.
pub(crate) fn is_bare_unit(run: &str) -> bool {
    run.len() >= 2 && UNITS.iter().any(|(names, ..)| names.contains(&run))
}

/// Whether a text is a unit, a quotient of units, or a power of one.
pub(crate) fn is_unit(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && size(&canonical(text)).is_some_and(|(dimension, _)| !dimension.is_empty())
}

/// One spelling for a unit: words in lower case, `square`, `cubic`, `per` and powers as symbols.
pub(crate) fn canonical(text: &str) -> String {
    let mut words: Vec<String> = vec![];
    let text = text.replace("a.m.", "am").replace("p.m.", "pm");
    let spaced = text
        .replace('/', " / ")
        .replace('^', " ^ ")
        .replace(['{', '}', '(', ')', '.', '~', '\\', ','], " ");
    let mut pending: Option<&str> = None;
    for word in spaced.split_whitespace() {
        match word.to_ascii_lowercase().as_str() {
            "square" | "sq" => pending = Some("2"),
            "cubic" | "cu" => pending = Some("3"),
            "per" => words.push("/".into()),
            "a" | "an" | "the" | "of" | "each" => {}
            "mph" => words.extend(["mi", "/", "h"].map(String::from)),
            "kph" | "kmh" => words.extend(["km", "/", "h"].map(String::from)),
            "squared" => words.extend(["^", "2"].map(String::from)),
            "cubed" => words.extend(["^", "3"].map(String::from)),
            lower => {
                let name = entry(word)
                    .or_else(|| entry(lower))
                    .map_or(lower, |(names, ..)| names[0]);
                words.push(name.to_owned());
                if let Some(power) = pending.take() {
                    words.extend(["^", power].map(String::from));
                }
            }
        }
    }
    words.join(" ")
}

type Entry = (&'static [&'static str], &'static str, (u64, u64));

fn entry(word: &str) -> Option<&'static Entry> {
    UNITS.iter().find(|(names, ..)| names.contains(&word))
}

/// How many `to` one `from` is, if both are of one dimension.
pub(crate) fn factor(from: &str, to: &str) -> Option<RBig> {
    let ((mut from_dimension, from_size), (mut to_dimension, to_size)) = (size(from)?, size(to)?);
    from_dimension.sort_unstable();
    to_dimension.sort_unstable();
    (from_dimension == to_dimension).then(|| from_size / to_size)
}

/// Dimension and size of a product of powers of units.
fn size(canonical: &str) -> Option<(Vec<(String, i32)>, RBig)> {
    let mut dimension: Vec<(String, i32)> = vec![];
    let mut size = RBig::ONE;
    let mut sign = 1;
    let mut words = canonical.split(' ').peekable();
    while let Some(word) = words.next() {
        if word == "/" {
            sign = -1;
            continue;
        }
        let (_, kind, (numerator, denominator)) = entry(word)?;
        let mut power = 1;
        if words.peek() == Some(&"^") {
            words.next();
            power = words
                .next()?
                .parse::<i32>()
                .ok()
                .filter(|p| (1..=4).contains(p))?;
        }
        let one = RBig::from_parts(IBig::from(*numerator), UBig::from(*denominator));
        let power = power * sign;
        size *= one.pow(power as isize);
        // A litre is a cubic decimetre.
        let (kind, power) = if *kind == "volume" {
            size *= RBig::from_parts(IBig::ONE, UBig::from(1000u32)).pow(power as isize);
            ("length", 3 * power)
        } else {
            (*kind, power)
        };
        match dimension.iter_mut().find(|(name, _)| name == kind) {
            Some((_, total)) => *total += power,
            None => dimension.push((kind.to_owned(), power)),
        }
    }
    dimension.retain(|(_, power)| *power != 0);
    Some((dimension, size))
}
