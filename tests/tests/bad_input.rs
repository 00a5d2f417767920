//! Input as it should not be: one clear message, exit code 2 (1 at run time), nothing left behind.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use prime_tests::{Finished, Folder, Record, prime_train, records, sets, tiny};

/// A tiny model of the exam's vocabulary, in `runs/warm`, and a run of one step with a checkpoint, in `runs/done`.
static MADE: LazyLock<Folder> = LazyLock::new(|| {
    let folder = Folder::shared(env!("CARGO_TARGET_TMPDIR"), "bad-input");
    let mut settings = tiny();
    settings.extend(sets([
        folder.out_dir().as_str(),
        "data.task=exam",
        "warmup.steps=6",
        "rl.steps=1",
    ]));
    for command in [["sft", "--name", "warm"], ["train", "--name", "done"]] {
        let mut arguments: Vec<String> = command.map(str::to_owned).to_vec();
        arguments.extend(settings.clone());
        prime_train(&arguments).expect_success();
    }
    folder
});

fn model() -> String {
    MADE.argument("runs/warm/checkpoints/step-000000/policy")
}

const ROW: &str = r#"{"data_source":"s","prompt":[{"role":"user","content":"7*8="}],"ability":"math","reward_model":{"style":"rule","ground_truth":"56"}}"#;

/// `train` on rows of `file` with the tiny model.
fn on_rows(file: &Path) -> Vec<String> {
    sets([
        "preset=prime",
        "data.task=jsonl",
        "data.pass_mark=",
        "warmup.steps=0",
        &format!("model.path={}", model()),
        &format!("data.train_file={}", file.display()),
    ])
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// One message that names the thing, and neither a panic nor a trace.
fn assert_refused(done: &Finished, code: i32, parts: &[&str]) {
    let Finished { stderr, .. } = done;
    assert_eq!(done.code, Some(code), "{stderr}");
    let messages = stderr.lines().filter(|line| line.starts_with("error"));
    assert_eq!(messages.count(), 1, "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is not in\n{stderr}");
    }
    for noise in [
        "panicked",
        "RUST_BACKTRACE",
        "stack backtrace",
        "thread 'main'",
        "Err(",
    ] {
        assert!(!stderr.contains(noise), "{stderr}");
    }
    assert_eq!(done.stdout, "");
}

/// Runs `command` with tiny settings, then `settings`; nothing may be written.
fn refused(command: &[&str], settings: &[String], code: i32, parts: &[&str]) {
    let folder = Folder::new();
    let mut arguments: Vec<String> = command.iter().map(|&part| part.to_owned()).collect();
    arguments.extend(tiny());
    arguments.extend(sets([folder.out_dir().as_str()]));
    arguments.extend_from_slice(settings);
    assert_refused(&prime_train(&arguments), code, parts);
    assert_eq!(folder.list("runs"), [""; 0], "{command:?} {settings:?}");
}

#[test]
fn settings_that_cannot_be_used_name_the_key() {
    let cases: [(&str, &[&str]); 13] = [
        (
            "rl.stepz=3",
            &["unknown key `rl.stepz`", "did you mean `rl.steps`?"],
        ),
        (
            "rl.steps=many",
            &["`rl.steps`", "\"many\"", "expected a whole number"],
        ),
        (
            "prm.enabled=3",
            &["`prm.enabled`", "expected true or false"],
        ),
        ("rl.group_size=1", &["`rl.group_size` is 1", "at least 2"]),
        (
            "sampling.max_new_tokens=0",
            &["`sampling.max_new_tokens` is 0"],
        ),
        ("rl.lr=nan", &["`rl.lr` is NaN", "finite"]),
        ("rl.lr=-1", &["`rl.lr` is -1"]),
        ("device=gpu", &["\"gpu\"", "known devices", "flex"]),
        ("device=cuda", &["\"cuda\"", "--features cuda"]),
        ("preset=papr", &["unknown preset `papr`", "`paper`?"]),
        (
            "data.max_prompt_tokens=5",
            &["`data.max_prompt_tokens` is 5", "at least 34"],
        ),
        ("data.pass_mark=99", &["`data.pass_mark` is 99", "16"]),
        ("rl.steps", &["--set rl.steps", "section.key=value"]),
    ];
    for (setting, parts) in cases {
        refused(&["train"], &sets([setting]), 2, parts);
    }
    let jsonl = sets([
        "data.task=jsonl",
        "data.pass_mark=",
        "data.train_file=x.jsonl",
    ]);
    refused(&["train"], &jsonl, 2, &["`model.path`", "a model folder"]);
    refused(&["train", "--preset", "papr"], &[], 2, &["--preset papr"]);
}

#[test]
fn commands_that_do_not_exist_are_usage_errors() {
    let done = prime_train(&["trane"]);
    assert_refused(&done, 2, &["'trane'", "'train'"]);
    let done = prime_train(&["train", "--nmae", "x"]);
    assert_refused(&done, 2, &["'--nmae'", "'--name'"]);
    let done = prime_train(&["train", "--resume", "x", "--name", "y"]);
    assert_refused(&done, 2, &["--resume", "--name"]);
    refused(&["compare", "--seeds", "0"], &[], 2, &["--seeds 1"]);
    refused(
        &["compare", "--arms", "rlo"],
        &[],
        2,
        &["unknown preset `rlo`", "`rloo`?"],
    );
}

#[test]
fn data_that_cannot_be_used_names_file_row_and_field() {
    let folder = Folder::new();
    let bad_role = ROW.replace("\"user\"", "7");
    let cases = [
        (
            "empty.jsonl",
            String::new(),
            &["empty.jsonl", "no usable row"][..],
        ),
        (
            "broken.jsonl",
            format!("{ROW}\n{bad_role}\n"),
            &["broken.jsonl row 2", "`prompt[0].role`", "found a number"],
        ),
        (
            "torn.jsonl",
            format!("{ROW}\n{}\n", &ROW[..40]),
            &["torn.jsonl row 2", "not JSON"],
        ),
        (
            "tests.jsonl",
            format!("{ROW}\n{}\n", ROW.replace("math", "code")),
            &[
                "tests.jsonl row 2",
                "`reward_model.ground_truth`",
                "the test cases",
                "data.skip_bad_rows",
            ],
        ),
        (
            "letters.jsonl",
            ROW.replace("7*8=", "7 times 8"),
            &["\" \"", "not in the vocabulary"],
        ),
    ];
    for (name, text, parts) in cases {
        let file = folder.write(name, &text);
        refused(&["train"], &on_rows(&file), 1, parts);
    }
    let missing = folder.path("missing.jsonl");
    refused(&["train"], &on_rows(&missing), 1, &["missing.jsonl"]);

    let file = folder.write("long.jsonl", ROW);
    let mut settings = on_rows(&file);
    settings.extend(sets(["data.max_prompt_tokens=4"]));
    refused(
        &["train"],
        &settings,
        1,
        &["long.jsonl", "1 with a prompt that is too long"],
    );
    let model = model();
    refused(
        &["eval", "--model", &model],
        &on_rows(&file),
        2,
        &["data.eval_file"],
    );
}

#[test]
fn models_that_cannot_be_loaded_name_the_file() {
    let folder = Folder::new();
    let nowhere = folder.argument("nowhere");
    for command in [
        &["eval", "--model", &nowhere][..],
        &["generate", "--model", &nowhere, "--prompt", "1="],
    ] {
        refused(command, &[], 1, &["nowhere/config.json"]);
    }
    let start = sets([format!("model.path={nowhere}").as_str()]);
    refused(&["train"], &start, 1, &["nowhere/config.json"]);

    // A wider config.json than the weights beside it.
    let other = folder.path("other");
    copy_folder(Path::new(&model()), &other);
    let config = fs::read_to_string(other.join("config.json")).unwrap();
    assert!(config.contains("\"intermediate_size\": 16"));
    let wider = config.replace("\"intermediate_size\": 16", "\"intermediate_size\": 24");
    fs::write(other.join("config.json"), wider).unwrap();
    let other = other.display().to_string();
    let parts = [
        "model.safetensors",
        "other shapes",
        "found [16, 16], expected [24, 16]",
    ];
    refused(&["eval", "--model", &other], &[], 1, &parts);

    let torn = folder.path("torn");
    copy_folder(Path::new(&model()), &torn);
    let weights = fs::read(torn.join("model.safetensors")).unwrap();
    fs::write(torn.join("model.safetensors"), &weights[..100]).unwrap();
    let torn = torn.display().to_string();
    refused(
        &["eval", "--model", &torn],
        &[],
        1,
        &["torn/model.safetensors"],
    );

    let model = model();
    let unknown = ["generate", "--model", &model, "--prompt", "7?8="];
    refused(&unknown, &[], 1, &["\"?\"", "not in the vocabulary"]);
    let none = ["generate", "--model", &model, "--prompt", "7=", "-n", "0"];
    refused(&none, &[], 2, &["samples is 0"]);
}

/// Every command that reads a model says what is in its place, and what to do.
#[test]
fn what_is_no_model_folder_is_named_for_what_it_is() {
    let folder = Folder::new();
    let every = |model: &str, parts: &[&str]| {
        let parts = [parts, &[model]].concat();
        refused(&["eval", "--model", model], &[], 1, &parts);
        refused(
            &["generate", "--model", model, "--prompt", "1="],
            &[],
            1,
            &parts,
        );
        let start = sets([format!("model.path={model}").as_str()]);
        refused(&["train"], &start, 1, &parts);
    };
    every(
        "Qwen/Qwen2.5-0.5B",
        &["hub", "hf download Qwen/Qwen2.5-0.5B"],
    );
    let file = folder.write("tiny.gguf", "GGUF").display().to_string();
    every(&file, &["is a file", "llama.cpp's format"]);

    let broken = |name: &str, change: &dyn Fn(&Path)| {
        let path = folder.path(name);
        copy_folder(Path::new(&model()), &path);
        change(&path);
        path.display().to_string()
    };
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let model = broken(&format!("pointer-{file}"), &|path| {
            fs::write(path.join(file), pointer).unwrap();
        });
        every(&model, &[file, "is a Git LFS pointer", "git lfs pull"]);
    }
    let older = broken("older", &|path| {
        fs::remove_file(path.join("tokenizer.json")).unwrap();
        fs::write(path.join("vocab.json"), "{}").unwrap();
        fs::write(path.join("merges.txt"), "").unwrap();
    });
    every(
        &older,
        &[
            "tokenizer.json",
            "merges.txt",
            "AutoTokenizer.from_pretrained(",
        ],
    );
    let pickled = broken("pickled", &|path| {
        let weights = path.join("model.safetensors");
        fs::rename(weights, path.join("pytorch_model.bin")).unwrap();
    });
    every(
        &pickled,
        &["pytorch_model.bin is a pickle", "AutoModelForCausalLM"],
    );
    let fields = broken("fields", &|path| {
        let path = path.join("config.json");
        let text = fs::read_to_string(&path).unwrap();
        let more = "{\"first\": 1, \"quantization_config\": {\"bits\": 4},";
        fs::write(&path, text.replacen('{', more, 1)).unwrap();
    });
    let way_out = "model.ignore_config_fields = [\"first\", \"quantization_config\"]";
    every(
        &fields,
        &["first is 1", "use the unquantised checkpoint", way_out],
    );
    let ignore = "model.ignore_config_fields=[\"first\", \"quantization_config\"]";
    let mut eval = ["eval", "--model", &fields].map(str::to_owned).to_vec();
    eval.extend(tiny());
    eval.extend(sets([ignore]));
    prime_train(&eval).expect_success();
    let absent =
        sets(["model.ignore_config_fields=[\"first\", \"quantization_config\", \"second\"]"]);
    let parts = ["names second, which the file does not have", "take it out"];
    refused(&["eval", "--model", &fields], &absent, 1, &parts);

    // Where an adapter is wanted.
    let out = folder.argument("out");
    for (model, code, part) in [
        (model(), 2, "nothing to merge"),
        (folder.argument("nowhere"), 1, "there is no folder"),
        ("Qwen/Qwen2.5-0.5B".to_owned(), 1, "hf download"),
    ] {
        let done = prime_train(&["merge", "--model", &model, "--out", &out]);
        assert_refused(&done, code, &[&model, part]);
    }
}

#[test]
fn places_that_cannot_be_written_to_are_named() {
    let mut again: Vec<String> = ["train", "--name", "done"].map(str::to_owned).to_vec();
    again.extend(tiny());
    again.extend(sets([MADE.out_dir().as_str()]));
    let before = MADE.read("runs/done/metrics.jsonl");
    assert_refused(
        &prime_train(&again),
        2,
        &["runs/done exists already", "--name", "--resume"],
    );
    assert_eq!(before, MADE.read("runs/done/metrics.jsonl"));

    // Below a file, where not even root can make a folder.
    let folder = Folder::new();
    let file = folder.write("file", "");
    for place in [file.join("runs"), file] {
        let out = format!("run.out_dir={}", place.display());
        refused(
            &["train"],
            &sets([out.as_str()]),
            1,
            &["cannot create", "file"],
        );
    }
    for name in ["", "..", "a/b", "../outside"] {
        refused(&["train", "--name", name], &[], 2, &["--name", name]);
    }
}

/// Takes the sums out of the checkpoints of a run.
fn without_sums(run: &Path) {
    for checkpoint in ["reference", "step-000001"] {
        fs::remove_file(run.join("checkpoints").join(checkpoint).join("sums.json")).unwrap();
    }
}

#[test]
fn runs_that_cannot_be_resumed_say_why() {
    let folder = Folder::new();
    let resume = |name: &str| prime_train(&["train", "--resume", &folder.argument(name)]);
    assert_refused(&resume("nowhere"), 2, &["nowhere/config.toml"]);
    copy_folder(&MADE.path("runs/done"), &folder.path("bare"));
    fs::remove_dir_all(folder.path("bare/checkpoints/step-000001")).unwrap();
    let start = folder.path("bare/checkpoints/reference/sums.json");
    fs::remove_file(start).unwrap();
    assert_refused(&resume("bare"), 1, &["bare has no checkpoint"]);

    // Every file that a checkpoint needs, one missing at a time.
    for file in [
        "step-000001/state.json",
        "step-000001/policy/model.safetensors",
        "step-000001/policy/optimizer.bin",
        "step-000001/prm/model.safetensors",
        "step-000001/prm/optimizer.bin",
        "step-000001/prm/replay.json",
        "reference/model.safetensors",
    ] {
        let name = file.replace('/', "-");
        copy_folder(&MADE.path("runs/done"), &folder.path(&name));
        fs::remove_file(folder.path(&format!("{name}/checkpoints/{file}"))).unwrap();
        let (checkpoint, within) = file.split_once('/').unwrap();
        let gone = format!("{within} is not there");
        assert_refused(&resume(&name), 1, &[checkpoint, "is damaged", &gone]);
        // As of a version that wrote no sums.
        without_sums(&folder.path(&name));
        // Of weights there may be one file or several, so the folder is named with both ways.
        let (place, weights) = match file.strip_suffix("/model.safetensors") {
            Some(place) => (place, "neither model.safetensors nor"),
            None => (file, ""),
        };
        assert_refused(&resume(&name), 1, &[place, weights]);
    }

    // A PRM of another shape than the policy.
    copy_folder(&MADE.path("runs/done"), &folder.path("mixed"));
    without_sums(&folder.path("mixed"));
    let config = folder.path("mixed/checkpoints/step-000001/prm/config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2"),
    )
    .unwrap();
    assert_refused(
        &resume("mixed"),
        1,
        &["prm/model.safetensors", "missing tensors"],
    );
    assert_refused(
        &prime_train(&["report", &folder.argument("nowhere")]),
        1,
        &["nowhere is not a run folder"],
    );
}

#[test]
fn rows_of_a_file_train_and_evaluate() {
    let folder = Folder::new();
    let rows: Vec<String> = (2..10)
        .map(|a| {
            ROW.replace("7*8", &format!("{a}*8"))
                .replace("56", &(a * 8).to_string())
        })
        .collect();
    let file = folder.write("rows.jsonl", &format!("{}\n\nnot a row\n", rows.join("\n")));
    let held_out = folder.write("held-out.jsonl", &rows[..3].join("\n"));
    let mut arguments: Vec<String> = ["train", "--name", "rows"].map(str::to_owned).to_vec();
    arguments.extend(tiny());
    arguments.extend(on_rows(&file));
    arguments.extend(sets([
        folder.out_dir().as_str(),
        &format!("data.eval_file={}", held_out.display()),
        "data.skip_bad_rows=true",
    ]));
    prime_train(&arguments).expect_success();
    let records = records(&folder.path("runs/rows"));
    assert_eq!(records.len(), 4);
    assert_eq!(records[0]["data/skipped_rows"].as_u64(), Some(1));
    assert_eq!(records[0]["eval/n"].as_u64(), Some(3));
    for record in &records[1..] {
        assert_eq!(record["rollouts"].as_u64(), Some(16));
        assert_eq!(record["verifier/could_not_judge"].as_u64(), Some(0));
        // This vocabulary has no letters, hence no \boxed{}.
        assert_eq!(record["acc"].as_f64(), Some(0.0));
    }
    let shown = String::from_utf8(folder.read("runs/rows/rollouts/step-000003.jsonl")).unwrap();
    assert_eq!(shown.lines().count(), 16);
    assert!(shown.contains("*8="), "prompts of the file");
}

#[cfg(target_os = "linux")]
#[test]
fn rows_of_code_train_too() {
    let folder = Folder::new();
    // The vocabulary is digits and operators: a response without a fence is a program, and an expression prints nothing.
    let truth = |output: &str| format!(r#"{{"inputs":["","1"],"outputs":["{output}",""]}}"#);
    let code = |output: &str| {
        ROW.replace("math", "code")
            .replace("\"56\"", &truth(output))
    };
    let rows = [
        code("56"),
        ROW.to_owned(),
        code("x"),
        ROW.replace("math", "code"),
    ];
    let file = folder.write("rows.jsonl", &rows.join("\n"));
    let mut arguments: Vec<String> = ["train", "--name", "code"].map(str::to_owned).to_vec();
    arguments.extend(tiny());
    arguments.extend(on_rows(&file));
    arguments.extend(sets([
        folder.out_dir().as_str(),
        "data.skip_bad_rows=true",
        "code.time_limit=2",
        "rl.steps=2",
        "filter.accuracy=false",
    ]));
    prime_train(&arguments).expect_success();
    let records = records(&folder.path("runs/code"));
    assert_eq!(records[0]["data/skipped_rows"].as_u64(), Some(1));
    for record in &records[1..] {
        assert_eq!(record["rollouts"].as_u64(), Some(16));
        assert_eq!(record["verifier/could_not_judge"].as_u64(), Some(0));
        assert!(!record.contains_key("verifier/unsandboxed"));
    }
    let config = String::from_utf8(folder.read("runs/code/config.full.toml")).unwrap();
    for part in ["[code]", "time_limit = 2.0", "checker = \"default\""] {
        assert!(config.contains(part), "{part} in\n{config}");
    }
    // All but a syntax error prints nothing, which is what one of two tests asks for.
    let shown = String::from_utf8(folder.read("runs/code/rollouts/step-000002.jsonl")).unwrap();
    let outcomes: Vec<f64> = shown
        .lines()
        .filter(|line| line.contains("inputs"))
        .filter_map(|line| {
            let transcript: Record = serde_json::from_str(line).unwrap();
            transcript["outcome"].as_f64()
        })
        .collect();
    assert!(!outcomes.is_empty());
    assert!(
        outcomes.iter().all(|outcome| [0.0, 0.5].contains(outcome)),
        "{outcomes:?}"
    );
}
