//! What is learned from each kind of row.

use super::*;
use crate::config::{Layer, resolve};

/// Takes thoughts out of earlier turns.
const BRIEF: &str = "{% for m in messages %}[{{ m.role }}]{{ m.content.split('#')[-1] }}|{% endfor %}\
     {% if add_generation_prompt %}[assistant]{% endif %}";

/// A tokenizer of characters with a chat template.
fn chat(folder: &Path, template: &str) -> Tokenizer {
    let characters = (' '..='~').chain(['\n']);
    Tokenizer::characters(characters)
        .unwrap()
        .save(folder)
        .unwrap();
    std::fs::write(folder.join("chat_template.jinja"), template).unwrap();
    Tokenizer::from_folder(folder).unwrap()
}

fn open(rows: &str, settings: &[&str]) -> Result<(Demonstrations, Tokenizer), TrainError> {
    open_with(BRIEF, rows, settings)
}

fn open_with(
    template: &str,
    rows: &str,
    settings: &[&str],
) -> Result<(Demonstrations, Tokenizer), TrainError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demos.jsonl");
    std::fs::write(&path, rows).unwrap();
    let tokenizer = chat(folder.path(), template);
    let file = format!("warmup.train_file={}", path.display());
    let fixed = [
        "model.path=m",
        "rl.steps=0",
        "warmup.steps=10",
        "data.skip_bad_rows=false",
        &file,
    ];
    let sets = fixed
        .iter()
        .chain(settings)
        .map(|set| Layer::set(set).unwrap());
    let config = resolve(&sets.collect::<Vec<_>>())?;
    let demonstrations = Demonstrations::open(&config, &tokenizer, Some(200))?;
    Ok((demonstrations, tokenizer))
}

/// Prompts and responses of an epoch as text, sorted; the end of a turn is `<eos>`.
fn epoch(rows: &str, settings: &[&str]) -> Vec<(String, String)> {
    epoch_with(BRIEF, rows, settings)
}

fn epoch_with(template: &str, rows: &str, settings: &[&str]) -> Vec<(String, String)> {
    let (demonstrations, tokenizer) = open_with(template, rows, settings).unwrap();
    let text = |ids: &[u32]| tokenizer.decode_with_special_tokens(ids).unwrap();
    let mut all: Vec<_> = (0..demonstrations.len() as u64)
        .map(|place| {
            let (prompt, response) = demonstrations.get(place, &tokenizer).unwrap();
            (text(&prompt), text(&response))
        })
        .collect();
    all.sort();
    all
}

const TURNS: &str = r#"{"messages":[{"role":"user","content":"a?"},{"role":"assistant","content":"t#b"},{"role":"user","content":"c?"},{"role":"assistant","content":"u#d"}]}"#;

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|&(a, b)| (a.to_owned(), b.to_owned()))
        .collect()
}

#[test]
fn every_turn_is_learned_from_what_the_template_shows_before_it() {
    let all = pairs(&[
        ("[user]a?|[assistant]", "t#b<eos>"),
        ("[user]a?|[assistant]b|[user]c?|[assistant]", "u#d<eos>"),
    ]);
    assert_eq!(epoch(TURNS, &[]), all);
    assert_eq!(epoch(TURNS, &["warmup.turns=last"]), all[1..]);
}

/// The shapes of chat formats in use, each with a system message and two turns: what is learned from begins where
/// sampling would begin, and is the turn and its end alone.
#[test]
fn the_formats_of_model_families_put_nothing_of_their_own_into_what_is_learned() {
    let rows = r#"{"messages":[{"role":"system","content":"S"},{"role":"user","content":"a?"},{"role":"assistant","content":"b"},{"role":"user","content":"c?"},{"role":"assistant","content":"d"}]}"#;
    for (template, first, second) in [
        // ChatML: a line a message.
        (
            "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}\
             {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\na?<|im_end|>\n<|im_start|>assistant\n",
            "b<|im_end|>\n<|im_start|>user\nc?<|im_end|>\n<|im_start|>assistant\n",
        ),
        // Headers, two newlines, text cut to its words.
        (
            "{% for m in messages %}{{ '<|header|>' + m['role'] + '<|/header|>\n\n' + (m['content'] | trim) + '<|eot|>' }}\
             {% endfor %}{% if add_generation_prompt %}{{ '<|header|>assistant<|/header|>\n\n' }}{% endif %}",
            "<|header|>system<|/header|>\n\nS<|eot|><|header|>user<|/header|>\n\na?<|eot|><|header|>assistant<|/header|>\n\n",
            "b<|eot|><|header|>user<|/header|>\n\nc?<|eot|><|header|>assistant<|/header|>\n\n",
        ),
        // Instructions in brackets; the system message goes into the first; nothing opens an answer.
        (
            "{% set ns = namespace(system='') %}{% for m in messages %}\
             {% if m.role == 'system' %}{% set ns.system = m.content + '\n\n' %}\
             {% elif m.role == 'user' %}[INST] {{ ns.system }}{{ m.content }}[/INST]{% set ns.system = '' %}\
             {% else %} {{ m.content }};{% endif %}{% endfor %}",
            "[INST] S\n\na?[/INST]",
            " b;[INST] c?[/INST]",
        ),
        // The assistant is called otherwise.
        (
            "{% for m in messages %}{{ '<turn>' + ('model' if m.role == 'assistant' else m.role) + '\n' + m.content }}\
             {{ '</turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<turn>model\n' }}{% endif %}",
            "<turn>system\nS</turn>\n<turn>user\na?</turn>\n<turn>model\n",
            "b</turn>\n<turn>user\nc?</turn>\n<turn>model\n",
        ),
        // The prompt opens a thought that is closed at once.
        (
            "{% for m in messages %}({{ m.role }}){{ m.content }}{% endfor %}\
             {% if add_generation_prompt %}(assistant)<think>\n\n</think>\n\n{% endif %}",
            "(system)S(user)a?(assistant)<think>\n\n</think>\n\n",
            "",
        ),
    ] {
        let closed = template.contains("<think>");
        let second = match closed {
            true => {
                "(system)S(user)a?(assistant)b(user)c?(assistant)<think>\n\n</think>\n\n".to_owned()
            }
            false => format!("{first}{second}"),
        };
        let mut expected = pairs(&[(first, "b<eos>"), (&second, "d<eos>")]);
        expected.sort();
        assert_eq!(epoch_with(template, rows, &[]), expected);
    }
}

#[test]
fn held_out_demonstrations_are_the_same_for_every_seed_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("held.jsonl");
    let rows: String = (0..9)
        .map(|i| format!("{{\"prompt\":\"{i}\",\"response\":\"{i}\"}}\n"))
        .collect();
    std::fs::write(&path, rows).unwrap();
    let tokenizer = chat(folder.path(), BRIEF);
    let held_out = |more: &[&str]| {
        let file = format!("warmup.eval_file={}", path.display());
        let fixed = [
            "model.path=m",
            "rl.steps=0",
            "warmup.steps=40",
            "warmup.train_file=t.jsonl",
            &file,
        ];
        let sets = fixed.iter().chain(more).map(|set| Layer::set(set).unwrap());
        let config = resolve(&sets.collect::<Vec<_>>()).unwrap();
        Demonstrations::held_out(&config, &tokenizer, None).unwrap()
    };
    let (all, notes) = held_out(&[]);
    assert_eq!((all.len(), notes.len()), (9, 1));
    let (some, _) = held_out(&["warmup.eval_demonstrations=4", "seed=5"]);
    assert_eq!(some, all[..4]);
}

#[test]
fn example_turns_are_seen_and_not_learned() {
    let shown = "data.example_turns=[{ user = \"x\", assistant = \"y\" }]";
    let expected = pairs(&[
        ("[user]x|[assistant]y|[user]a?|[assistant]", "t#b<eos>"),
        (
            "[user]x|[assistant]y|[user]a?|[assistant]b|[user]c?|[assistant]",
            "u#d<eos>",
        ),
    ]);
    assert_eq!(epoch(TURNS, &[shown]), expected);
}

#[test]
fn demonstrations_come_in_the_layouts_that_people_have() {
    let expected = pairs(&[("[user]1+1?|[assistant]", "It is 2<eos>")]);
    for row in [
        r#"{"messages":[{"role":"user","content":"1+1?"},{"role":"assistant","content":"It is 2"}]}"#,
        r#"{"conversations":[{"from":"human","value":"1+1?"},{"from":"gpt","value":"It is 2"}]}"#,
        r#"{"prompt":"1+1?","completion":"It is 2"}"#,
        r#"{"prompt":[{"role":"user","content":"1+1?"}],"completion":[{"role":"assistant","content":"It is 2"}]}"#,
        r#"{"prompt":"1+1?","response":"It is 2"}"#,
        r#"{"instruction":"1+1?","input":"","output":"It is 2"}"#,
        r#"{"problem":"1+1?","solution":"It is 2","answer":"2"}"#,
    ] {
        assert_eq!(epoch(row, &[]), expected, "{row}");
    }
    let own = r#"{"q":"1+1?","a":"It is 2"}"#;
    let named = ["data.columns.prompt=q", "data.columns.response=a"];
    assert_eq!(epoch(own, &named), expected);
}

#[test]
fn rows_without_a_response_and_long_ones_are_named_or_counted() {
    let none = r#"{"messages":[{"role":"user","content":"1+1?"}]}"#;
    let error = open(&format!("{TURNS}\n{none}"), &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("demos.jsonl row 2") && error.contains("no response to learn from"),
        "{error}"
    );
    let long = format!(r#"{{"prompt":"1","response":"{}"}}"#, "2".repeat(300));
    let rows = format!("{none}\n{TURNS}\n{long}");
    let (found, _) = open(&rows, &["data.skip_bad_rows=true"]).unwrap();
    assert_eq!(found.len(), 2);
    let note = &found.notes()[0];
    assert!(
        note.contains("3 rows, 2 left out") && note.contains("2 demonstrations"),
        "{note}"
    );
    assert!(note.contains("at most 200 are used"), "{note}");
    let error = open(&long, &[]).unwrap_err().to_string();
    assert!(error.contains("no usable row"), "{error}");
}

#[test]
fn epochs_differ_and_hold_every_demonstration() {
    let rows: String = (0..9)
        .map(|i| format!("{{\"prompt\":\"{i}\",\"response\":\"{i}\"}}\n"))
        .collect();
    let (found, tokenizer) = open(&rows, &[]).unwrap();
    let prompts = |epoch: u64| -> Vec<Vec<u32>> {
        (9 * epoch..9 * epoch + 9)
            .map(|at| found.get(at, &tokenizer).unwrap().0)
            .collect()
    };
    let (mut first, mut second) = (prompts(0), prompts(1));
    assert_ne!(first, second);
    first.sort();
    second.sort();
    assert_eq!(first, second);
}
