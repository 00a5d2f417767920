//! Chat templates against `transformers`: fixtures/make_chat.py made the texts and ids.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prime_policy::{
    ChatMessage, ChatOptions, ChatTemplate, ChatTemplates, ChatValue, PolicyError, Tokenizer,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chat")
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&std::fs::read_to_string(fixtures().join(name)).unwrap()).unwrap()
}

/// A text, or an error.
#[derive(Deserialize)]
struct Outcome {
    expected: Option<String>,
    error: Option<String>,
}

impl Outcome {
    /// What does not agree, if anything.
    fn differs(&self, what: &str, got: Result<String, PolicyError>) -> Option<String> {
        match (&self.expected, got) {
            (Some(expected), Ok(text)) if *expected == text => None,
            (Some(expected), Ok(text)) => Some(format!("{what}\nwant {expected:?}\ngot  {text:?}")),
            (Some(_), Err(error)) => Some(format!("{what}\n{error}")),
            (None, Ok(text)) => Some(format!("{what}\nwant {:?}\ngot {text:?}", self.error)),
            (None, Err(error)) => {
                // What a template says itself passes through.
                let said = self.error.as_deref().unwrap_or_default();
                let said = said.strip_prefix("TemplateError: ").unwrap_or_default();
                (!error.to_string().contains(said)).then(|| format!("{what}\n{error}"))
            }
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Options {
    add_generation_prompt: bool,
    tools: Option<String>,
    documents: Option<String>,
    variables: BTreeMap<String, ChatValue>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    conversation: String,
    options: Options,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Deserialize)]
struct Cases {
    now: String,
    special_tokens: BTreeMap<String, String>,
    templates: BTreeMap<String, String>,
    tools: BTreeMap<String, ChatValue>,
    documents: BTreeMap<String, ChatValue>,
    conversations: BTreeMap<String, Vec<ChatMessage>>,
    cases: Vec<Case>,
}

#[test]
fn conversations_are_rendered_as_transformers_renders_them() {
    let all: Cases = read("cases.json");
    let mut wrong = vec![];
    for case in &all.cases {
        let template = ChatTemplate::new(&all.templates[&case.template], &case.template).unwrap();
        let mut options = ChatOptions::default().with_now(&all.now).unwrap();
        options.add_generation_prompt = case.options.add_generation_prompt;
        options.tools = case
            .options
            .tools
            .as_ref()
            .map(|name| all.tools[name].clone());
        options.documents = case
            .options
            .documents
            .as_ref()
            .map(|name| all.documents[name].clone());
        options.variables = case.options.variables.clone();
        let special = all.special_tokens.iter();
        let got = template.render(
            &all.conversations[&case.conversation],
            special.map(|(role, token)| (role.as_str(), token.as_str())),
            &options,
        );
        let what = format!("{} with {}", case.template, case.conversation);
        wrong.extend(case.outcome.differs(&what, got));
    }
    assert!(all.cases.len() > 150);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[derive(Deserialize)]
struct Construct {
    template: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Deserialize)]
struct Constructs {
    now: String,
    messages: Vec<ChatMessage>,
    context: BTreeMap<String, ChatValue>,
    cases: Vec<Construct>,
}

#[test]
fn every_construct_means_what_it_means_in_jinja2() {
    let all: Constructs = read("constructs.json");
    let mut options = ChatOptions::default().with_now(&all.now).unwrap();
    options.variables = all.context;
    let mut wrong = vec![];
    for case in &all.cases {
        let got = ChatTemplate::new(&case.template, "construct")
            .and_then(|template| template.render(&all.messages, [], &options));
        wrong.extend(case.outcome.differs(&case.template, got));
    }
    assert!(all.cases.len() > 60);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[derive(Deserialize)]
struct Ids {
    chats: Vec<ChatIds>,
    prompts: Vec<PromptIds>,
}

#[derive(Deserialize)]
struct ChatIds {
    folder: String,
    conversation: String,
    tools: Option<String>,
    ids: Vec<u32>,
}

#[derive(Deserialize)]
struct PromptIds {
    folder: String,
    text: String,
    ids: Vec<u32>,
    text_again: String,
}

#[test]
fn conversations_get_the_ids_that_transformers_gives_them() {
    let (all, ids): (Cases, Ids) = (read("cases.json"), read("ids.json"));
    for chat in &ids.chats {
        let tokenizer = Tokenizer::from_folder(&fixtures().join(&chat.folder)).unwrap();
        let templates = tokenizer.chat_templates();
        let template = templates.compile(None, chat.tools.is_some()).unwrap();
        let mut options = ChatOptions::prompt();
        options.tools = chat.tools.as_ref().map(|name| all.tools[name].clone());
        let messages = &all.conversations[&chat.conversation];
        let found = tokenizer
            .encode_chat(&template, messages, &options)
            .unwrap();
        assert_eq!(found, chat.ids, "{} {}", chat.folder, chat.conversation);
        let text = tokenizer
            .render_chat(&template, messages, &options)
            .unwrap();
        assert_eq!(tokenizer.decode_with_special_tokens(&found).unwrap(), text);
    }
    assert!(ids.chats.len() > 10);
}

#[test]
fn plain_prompts_get_the_ids_that_transformers_gives_them() {
    let ids: Ids = read("ids.json");
    for prompt in &ids.prompts {
        let tokenizer = Tokenizer::from_folder(&fixtures().join(&prompt.folder)).unwrap();
        let found = tokenizer.encode_prompt(&prompt.text).unwrap();
        assert_eq!(found, prompt.ids, "{} {:?}", prompt.folder, prompt.text);
        assert_eq!(tokenizer.decode(&found).unwrap(), prompt.text_again);
    }
    assert_eq!(ids.prompts.len(), 8);
}

#[test]
fn a_folder_says_where_responses_end_and_what_its_tokens_are() {
    for name in ["bpe", "bpe_bos"] {
        let tokenizer = Tokenizer::from_folder(&fixtures().join(name)).unwrap();
        let id = |text| tokenizer.encode(text).unwrap()[0];
        assert_eq!(
            tokenizer.stop_ids(),
            [id("<|im_end|>"), id("<|endoftext|>")]
        );
        assert_eq!(tokenizer.special_id("pad_token"), Some(id("<|endoftext|>")));
        assert_eq!(tokenizer.special_id("unk_token"), None);
        // The two added tokens come last, wherever they are written.
        assert_eq!(id("</tool_call>") as usize, tokenizer.vocab_size() - 1);
        let stopped = [id("a"), id("<|endoftext|>"), id("b"), id("<|im_end|>")];
        assert_eq!(tokenizer.decode_response(&stopped).unwrap(), "a");
    }
}

#[test]
fn what_was_read_is_written_back() {
    for name in ["bpe", "bpe_bos"] {
        let from = fixtures().join(name);
        let (tokenizer, to) = (
            Tokenizer::from_folder(&from).unwrap(),
            tempfile::tempdir().unwrap(),
        );
        tokenizer.save(to.path()).unwrap();
        let mut files = 0;
        for entry in std::fs::read_dir(&from).unwrap() {
            let name = entry.unwrap().file_name();
            if name != "tokenizer.json" {
                let bytes = |folder: &Path| std::fs::read(folder.join(&name)).unwrap();
                assert_eq!(bytes(&from), bytes(to.path()), "{}", name.display());
                files += 1;
            }
        }
        assert!(files >= 2);
        let again = Tokenizer::from_folder(to.path()).unwrap();
        assert_eq!(again.stop_ids(), tokenizer.stop_ids());
        assert_eq!(again.special_tokens(), tokenizer.special_tokens());
        let text = "<tool_call> <|im_start|> ß";
        assert_eq!(again.encode(text).unwrap(), tokenizer.encode(text).unwrap());
    }
}

/// A folder with the small tokenizer and other files beside it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Tokenizer::characters("ab".chars())
        .unwrap()
        .save(folder.path())
        .unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn template_files_come_before_the_config_and_each_has_its_name() {
    let config = r#"{"chat_template": [{"name": "default", "template": "c"}, {"name": "rag", "template": "r"}]}"#;
    let names = |files: &[(&str, &str)]| {
        let folder = folder(files);
        let templates = ChatTemplates::from_folder(folder.path()).unwrap();
        let hello = [ChatMessage::new("user", "a")];
        let render = |name: &str| {
            let template = templates.compile(Some(name), false).unwrap();
            let text = template.render(&hello, [], &ChatOptions::default());
            format!("{name}={}", text.unwrap())
        };
        templates.names().map(render).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&[]), "");
    assert_eq!(
        names(&[("tokenizer_config.json", config)]),
        "default=c rag=r"
    );
    let single = ("chat_template.jinja", "f{{ messages[0].content }}");
    assert_eq!(
        names(&[("tokenizer_config.json", config), single]),
        "default=fa"
    );
    let more = ("additional_chat_templates/tool_use.jinja", "t");
    let other = ("additional_chat_templates/README.md", "not a template");
    assert_eq!(names(&[single, more, other]), "default=fa tool_use=t");
    let one = r#"{"chat_template": "o"}"#;
    assert_eq!(names(&[("tokenizer_config.json", one)]), "default=o");
}

/// The message of the error that a file beside the tokenizer leads to.
fn refused(name: &str, text: &str) -> String {
    let folder = folder(&[(name, text)]);
    let tokenizer = match Tokenizer::from_folder(folder.path()) {
        Ok(tokenizer) => tokenizer,
        Err(error) => return error.to_string(),
    };
    let question = [ChatMessage::new("user", "a")];
    let text = tokenizer
        .chat_templates()
        .compile(None, false)
        .and_then(|template| tokenizer.render_chat(&template, &question, &ChatOptions::prompt()));
    text.unwrap_err().to_string()
}

#[test]
fn a_broken_template_is_named_with_the_line() {
    for (template, parts) in [
        ("\n{{ bos_token | shout }}", ["line 2", "shout"]),
        (
            "a\n\n{% if messages is loud %}x{% endif %}",
            ["line 3", "loud"],
        ),
        (
            "{{ messages[0].content.shout() }}",
            ["line 1", "no method named shout"],
        ),
        ("{{ shout(1) }}", ["line 1", "shout"]),
        (
            "\n\n\n{{ messages[0].name.x }}",
            ["line 4", "messages[0].name"],
        ),
        (
            "{% for m in messages %}\n{{ m.role }}\n",
            ["line 2", "unexpected end"],
        ),
        ("x\n{% frobnicate %}", ["line 2", "frobnicate"]),
        (
            "{{ raise_exception('Only \"tool\" speaks') }}",
            ["refuses", "Only \"tool\" speaks"],
        ),
    ] {
        let message = refused("chat_template.jinja", template);
        for part in parts.into_iter().chain(["chat_template.jinja"]) {
            assert!(message.contains(part), "{message} lacks {part}");
        }
        let config = serde_json::json!({"eos_token": "<eos>", "chat_template": template});
        let message = refused("tokenizer_config.json", &config.to_string());
        for part in parts
            .into_iter()
            .chain(["tokenizer_config.json (chat_template)"])
        {
            assert!(message.contains(part), "{message} lacks {part}");
        }
    }
}

#[test]
fn broken_files_are_named_with_the_field() {
    for (name, text, part) in [
        ("tokenizer_config.json", "{", "EOF"),
        (
            "tokenizer_config.json",
            r#"{"chat_template": 3}"#,
            "chat_template: a template, or a list",
        ),
        (
            "tokenizer_config.json",
            r#"{"chat_template": [{"name": "default"}]}"#,
            "chat_template: a template, or a list",
        ),
        (
            "tokenizer_config.json",
            r#"{"eos_token": "<eos>", "chat_template": [{"name": "rag", "template": ""}]}"#,
            "no chat template is called \"default\"; there are: rag",
        ),
        (
            "tokenizer_config.json",
            r#"{"eos_token": {"text": "<eos>"}}"#,
            "eos_token: {\"text\":\"<eos>\"} is no token",
        ),
        (
            "tokenizer_config.json",
            r#"{"pad_token": 3}"#,
            "pad_token: 3 is no token",
        ),
        (
            "tokenizer_config.json",
            r#"{"extra_special_tokens": {"image_token": []}}"#,
            "image_token is []",
        ),
        (
            "tokenizer_config.json",
            r#"{"eos_token": "<end>"}"#,
            "eos_token is \"<end>\"",
        ),
        (
            "tokenizer_config.json",
            r#"{"added_tokens_decoder": {"2": {"special": true}}}"#,
            "the token 2 has no `content`",
        ),
        (
            "tokenizer_config.json",
            r#"{"added_tokens_decoder": {"9": {"content": "<x>"}}}"#,
            "\"<x>\" has the id 9, but 6 in tokenizer.json",
        ),
        (
            "special_tokens_map.json",
            r#"{"unk_token": true}"#,
            "unk_token: true is no token",
        ),
        (
            "generation_config.json",
            r#"{"eos_token_id": "<eos>"}"#,
            "a token id, a list of token ids, or null",
        ),
        (
            "config.json",
            r#"{"eos_token_id": {}}"#,
            "a token id, a list of token ids, or null",
        ),
        ("config.json", "", "EOF"),
        // Without a template there is nothing to render.
        ("README.md", "", "the model has no chat template"),
    ] {
        let message = refused(name, text);
        assert!(message.contains(part), "{name}: {message} lacks {part}");
        assert!(
            message.contains(name) || part.contains("chat template"),
            "{message}"
        );
    }
}

#[test]
fn a_missing_file_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let error = Tokenizer::from_folder(empty.path())
        .unwrap_err()
        .to_string();
    assert!(error.contains("tokenizer.json"), "{error}");
    let path = empty.path().join("mine.jinja");
    let error = ChatTemplate::from_file(&path).unwrap_err().to_string();
    assert!(error.contains("mine.jinja"), "{error}");
}

#[test]
fn end_tokens_are_merged() {
    let stop_ids = |files: &[(&str, &str)]| {
        let folder = folder(files);
        let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
        tokenizer.stop_ids().to_vec()
    };
    assert_eq!(stop_ids(&[]), [2]);
    let config = ("config.json", r#"{"eos_token_id": [4, 2]}"#);
    assert_eq!(stop_ids(&[config]), [2, 4]);
    let generation = ("generation_config.json", r#"{"eos_token_id": [5, 4]}"#);
    assert_eq!(stop_ids(&[config, generation]), [2, 5, 4]);
    let unnamed = ("tokenizer_config.json", "{}");
    assert_eq!(stop_ids(&[config, unnamed]), [4, 2]);
    let silent = ("generation_config.json", "{}");
    assert_eq!(stop_ids(&[config, silent]), [2, 4]);
    let named = (
        "tokenizer_config.json",
        r#"{"eos_token": {"content": "b", "lstrip": false}}"#,
    );
    assert_eq!(stop_ids(&[generation, named]), [5, 4]);
    // Folders of old have the roles in a file of their own.
    let map = (
        "special_tokens_map.json",
        r#"{"eos_token": {"content": "a"}}"#,
    );
    assert_eq!(stop_ids(&[unnamed, map]), [4]);
}

#[test]
fn templates_see_special_tokens_but_a_variable_comes_first() {
    let config = r#"{"eos_token": "<eos>", "bos_token": null, "image_token": "<img>", "add_bos_token": true,
        "extra_special_tokens": {"audio_token": {"content": "<audio>"}},
        "chat_template": "{{ bos_token }}|{{ eos_token }}|{{ image_token }}|{{ audio_token }}|{{ add_bos_token }}"}"#;
    let folder = folder(&[("tokenizer_config.json", config)]);
    let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
    let template = tokenizer.chat_templates().compile(None, false).unwrap();
    let question = [ChatMessage::new("user", "a")];
    let render = |options| {
        tokenizer
            .render_chat(&template, &question, &options)
            .unwrap()
    };
    assert_eq!(render(ChatOptions::default()), "|<eos>|<img>|<audio>|");
    let mine = ChatOptions::default().with_variable("eos_token", "mine");
    assert_eq!(render(mine), "|mine|<img>|<audio>|");
}

#[test]
fn inputs_that_no_template_can_read_are_refused() {
    let template = ChatTemplate::new("{{ tools | length }}", "mine").unwrap();
    let question = [ChatMessage::new("user", "a")];
    let error = template
        .render(&[], [], &ChatOptions::default())
        .unwrap_err();
    assert!(error.to_string().contains("no message"), "{error}");
    let mut options = ChatOptions::default();
    for tools in ["{}", "[3]", "\"x\""] {
        options.tools = Some(ChatValue::from_json(tools).unwrap());
        let error = template.render(&question, [], &options).unwrap_err();
        assert!(error.to_string().contains("`tools` is"), "{error}");
    }
    assert!(
        ChatValue::from_json("[")
            .unwrap_err()
            .to_string()
            .contains("not JSON")
    );
    let error = ChatOptions::default().with_now("yesterday").unwrap_err();
    assert!(error.to_string().contains("2024-07-26T12:00:00"), "{error}");
    for message in [
        r#"{"content": "x"}"#,
        r#"{"role": 3}"#,
        "[]",
        r#"{"role": null}"#,
    ] {
        let error = serde_json::from_str::<ChatMessage>(message).unwrap_err();
        assert!(error.to_string().contains("a chat message"), "{error}");
    }
}

#[test]
fn a_template_says_what_it_reads() {
    let source = "{%- macro head() %}{{ effort }}{% endmacro -%}{% set thinking = thinking | default(true) %}\
                  {{ bos_token }}{{ head() }}{% for m in messages %}{{ m.content }}{% endfor %}";
    let template = ChatTemplate::new(source, "t").unwrap();
    let read: Vec<String> = template.variables().into_iter().collect();
    // What a template also sets is not followed, but found as a word.
    assert_eq!(read, ["bos_token", "effort", "messages"]);
    assert!(template.mentions("effort") && template.mentions("thinking"));
    assert!(!template.mentions("eff"));
}
