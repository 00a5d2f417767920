//! Tests of code as data sets write them, brought into the one form that the code grader reads.

use super::broken::Broken;
use super::json::{Object, kind_of, list, quoted, string};

/// The JSON of `{"inputs": […], "outputs": […], "fn_name": …}` from that object, from a list of
/// `{"input": …, "output": …}`, from `{"input": […], "output": […]}`, or from the text of any of them; to the letter.
/// `fn_name` is what tests that call a function call where they do not say so.
pub(crate) fn read(json: &str, field: &str, fn_name: Option<&str>) -> Result<String, Broken> {
    let tests = match string(json) {
        Some(text) => text,
        None if json == "null" => return Err(Broken::tests(field, "is null")),
        None => json.to_owned(),
    };
    if let Some(cases) = list(&tests).filter(|cases| !cases.is_empty()) {
        return from_list(&cases, field, fn_name);
    }
    match Object::of(&tests) {
        Some(object) if object.has("test_cases") => {
            let field = format!("{field}.test_cases");
            read(object.get("test_cases").unwrap_or("null"), &field, fn_name)
        }
        Some(object) if !object.has("inputs") && object.has("input") && object.has("output") => {
            let (inputs, outputs) = (object.get("input"), object.get("output"));
            Ok(together(
                &[inputs.unwrap_or("[]")],
                &[outputs.unwrap_or("[]")],
                object.get("fn_name"),
            ))
        }
        Some(object) if !object.has("fn_name") && fn_name.is_some() => Ok(together(
            &[object.get("inputs").unwrap_or("[]")],
            &[object.get("outputs").unwrap_or("[]")],
            fn_name.map(quoted).as_deref(),
        )),
        _ => Ok(tests),
    }
}

/// Tests whose inputs and outputs are several lists, one behind the other.
pub(crate) fn together(inputs: &[&str], outputs: &[&str], fn_name: Option<&str>) -> String {
    let joined = |lists: &[&str]| {
        let entries: Vec<&str> = lists.iter().filter_map(|l| list(l)).flatten().collect();
        format!("[{}]", entries.join(", "))
    };
    let name = fn_name
        .filter(|name| *name != "null")
        .map_or(String::new(), |name| format!(", \"fn_name\": {name}"));
    format!(
        "{{\"inputs\": {}, \"outputs\": {}{name}}}",
        joined(inputs),
        joined(outputs)
    )
}

fn from_list(cases: &[&str], field: &str, known: Option<&str>) -> Result<String, Broken> {
    let known = known.map(quoted);
    let (mut inputs, mut outputs, mut fn_name) = (vec![], vec![], None);
    for (i, case) in cases.iter().enumerate() {
        let field = format!("{field}[{i}]");
        let Some(case) = Object::of(case) else {
            let what = match string(case) {
                Some(text) if text.contains("assert") => "an `assert`".to_owned(),
                _ => kind_of(case).to_owned(),
            };
            return Err(Broken::tests(
                &field,
                format!(
                    "expected {{\"input\": …, \"output\": …}}, found {what}; tests are inputs and outputs, so rewrite such rows or leave them out"
                ),
            ));
        };
        let get = |names: [&str; 2]| {
            let found = names.into_iter().find_map(|name| case.get(name));
            found.ok_or_else(|| Broken::tests(&format!("{field}.{}", names[0]), "is missing"))
        };
        inputs.push(get(["input", "stdin"])?);
        outputs.push(get(["output", "expected_output"])?);
        let own = case
            .get("fn_name")
            .filter(|name| *name != "null" && *name != "\"\"");
        let kind = ["type", "testtype"]
            .into_iter()
            .find_map(|name| case.get(name).and_then(string));
        let calls = matches!(kind.as_deref(), Some("functional" | "function_call"));
        let name = own.or(known.as_deref().filter(|_| calls || kind.is_none()));
        if name.is_none() && calls {
            return Err(Broken::tests(
                &format!("{field}.fn_name"),
                "is missing, and the test calls a function; write its name here",
            ));
        }
        match (fn_name, name) {
            _ if i == 0 => fn_name = name,
            (before, now) if before == now => {}
            (before, now) => {
                let said = |name: Option<&str>| name.unwrap_or("no function").to_owned();
                let reason = format!("calls {}, and an earlier test {}", said(now), said(before));
                return Err(Broken::tests(&field, reason));
            }
        }
    }
    let all = |entries: Vec<&str>| format!("[{}]", entries.join(", "));
    Ok(together(&[&all(inputs)], &[&all(outputs)], fn_name))
}

/// The problem with the code that a solution starts from.
pub(crate) fn with_starter(problem: String, starter: Option<&str>) -> String {
    match starter.and_then(string) {
        Some(code) if !code.trim().is_empty() => {
            format!("{problem}\n\n```python\n{}\n```", code.trim_end())
        }
        _ => problem,
    }
}
