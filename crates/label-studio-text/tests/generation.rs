//! Language models: the same tokens as `transformers`, and what cannot be answered.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use label_studio_inference::hub::{Hub, HubOptions};
use label_studio_text::generation::{
    Answer, AnswerEnd, GenerationError, GenerationOptions, LanguageModel, Message, Prompt,
    SamplingOptions,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

const END: u32 = 1;
const TEMPLATE: &str = "{% for message in messages %}<s>{{ message.role }}: {{ message.content }}</s>{% endfor %}\
                        {% if add_generation_prompt %}<s>assistant:{% endif %}";

#[derive(Deserialize)]
struct Case {
    prompt: Vec<u32>,
    new: Vec<u32>,
    probability: f64,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/generation")
}

fn expected() -> BTreeMap<String, Vec<Case>> {
    let json = fs::read(fixtures().join("expected.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// Copies a model, with its tokenizer, to where a test may change it.
fn copied(name: &str) -> TempDir {
    let folder = tempdir().unwrap();
    for entry in fs::read_dir(fixtures().join(name)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let tokenizer = folder.path().join("tokenizer.json");
    fs::copy(fixtures().join("tokenizer.json"), tokenizer).unwrap();
    folder
}

fn load_folder(folder: &Path) -> Result<LanguageModel, GenerationError> {
    let hub = Hub::new(HubOptions {
        is_offline: true,
        ..HubOptions::default()
    })?;
    LanguageModel::load(folder.to_str().unwrap(), &hub)
}

fn load(name: &str) -> LanguageModel {
    load_folder(copied(name).path()).unwrap()
}

fn prompt(ids: &[u32]) -> Prompt {
    Prompt::from_ids(ids.to_vec()).unwrap()
}

fn options(n_tokens: usize) -> GenerationOptions {
    GenerationOptions {
        max_new_tokens: Some(n_tokens),
        ..GenerationOptions::default()
    }
}

fn one(model: &LanguageModel, prompt: &Prompt, options: &GenerationOptions) -> Answer {
    answers(model, std::slice::from_ref(prompt), options).remove(0)
}

/// Returns the first answer to every prompt.
fn answers(model: &LanguageModel, prompts: &[Prompt], options: &GenerationOptions) -> Vec<Answer> {
    let answers = model.generate(prompts, options, || true);
    answers
        .into_iter()
        .map(|answers| answers.unwrap().remove(0))
        .collect()
}

fn message(error: &dyn std::error::Error) -> String {
    let source = error.source().map(message);
    format!(
        "{error}{}",
        source.map_or(String::new(), |source| format!(": {source}"))
    )
}

fn failure(folder: &Path) -> String {
    message(&load_folder(folder).unwrap_err())
}

fn check(answer: &Answer, case: &Case, name: &str) {
    let ended = case.new.strip_suffix(&[END]);
    assert_eq!(
        answer.ids,
        ended.unwrap_or(&case.new),
        "{name}: {:?}",
        case.prompt
    );
    let end = if ended.is_some() {
        AnswerEnd::EndToken
    } else {
        AnswerEnd::Length
    };
    assert_eq!(answer.end, end, "{name}");
    let difference = (answer.probability - case.probability).abs();
    assert!(
        difference < 1e-4,
        "{name}: {} {}",
        answer.probability,
        case.probability
    );
}

#[test]
fn greedy_tokens_of_every_family_are_those_of_transformers() {
    for (name, cases) in expected() {
        let model = load(&name);
        for case in &cases {
            check(
                &one(&model, &prompt(&case.prompt), &options(48)),
                case,
                &name,
            );
        }
    }
}

#[test]
fn prompts_of_different_lengths_in_a_batch_get_the_answers_that_they_get_alone() {
    for (name, cases) in expected() {
        let model = load(&name);
        let prompts: Vec<_> = cases.iter().map(|case| prompt(&case.prompt)).collect();
        // With room for three, the last prompt starts when another answer has ended.
        for batch_size in [3, 8] {
            let options = GenerationOptions {
                batch_size,
                ..options(48)
            };
            for (answer, case) in answers(&model, &prompts, &options).iter().zip(&cases) {
                check(answer, case, &name);
            }
        }
    }
}

#[test]
fn a_common_start_of_prompts_is_computed_once_without_changing_the_answers() {
    for name in ["gpt2", "gemma3", "qwen2_yarn"] {
        let model = load(name);
        let start: Vec<u32> = (20..60).collect();
        let prompts: Vec<_> = [&[][..], &[70], &[70, 71, 72]]
            .map(|rest| prompt(&[start.as_slice(), rest].concat()))
            .to_vec();
        let together = answers(&model, &prompts, &options(20));
        for (prompt, together) in prompts.iter().zip(together) {
            let alone = one(&model, prompt, &options(20));
            assert_eq!(alone.ids, together.ids, "{name}");
            assert!((alone.probability - together.probability).abs() < 1e-4);
        }
    }
}

#[test]
fn long_prompts_go_through_the_layers_in_pieces() {
    let folder = copied("llama");
    let config = folder.path().join("config.json");
    let text = fs::read_to_string(&config)
        .unwrap()
        .replace(": 128,", ": 4096,");
    fs::write(config, text).unwrap();
    let model = load_folder(folder.path()).unwrap();
    let ids: Vec<u32> = (0..1300_u32).map(|idx| 3 + idx * 7 % 280).collect();
    let short = prompt(&ids[..9]);
    let long = [prompt(&ids), short.clone(), prompt(&ids[..600])];
    let together = answers(&model, &long, &options(5));
    for (prompt, answer) in long.iter().zip(&together) {
        assert_eq!(one(&model, prompt, &options(5)).ids, answer.ids);
    }
    assert_eq!(model.max_tokens(), 4096);
}

#[test]
fn drawn_tokens_depend_on_the_seed_alone() {
    let model = load("llama");
    let sampling = SamplingOptions {
        temperature: 1.5,
        top_k: 40,
        top_p: 0.95,
        seed: 7,
        ..SamplingOptions::default()
    };
    let options = GenerationOptions {
        n_answers: 3,
        sampling,
        ..options(12)
    };
    let prompts = [prompt(&[5, 6, 7]), prompt(&[5, 6])];
    let draw = |prompts: &[Prompt], options: &GenerationOptions| -> Vec<Vec<Vec<u32>>> {
        let drawn = model.generate(prompts, options, || true).into_iter();
        let ids = |answers: Vec<Answer>| answers.into_iter().map(|answer| answer.ids).collect();
        drawn.map(|answers| ids(answers.unwrap())).collect()
    };
    let drawn = draw(&prompts, &options);
    assert_eq!(drawn, draw(&prompts, &options));
    assert_eq!(drawn[..1], draw(&prompts[..1], &options));
    assert_ne!(drawn[0][0], drawn[0][1]);
    let other = SamplingOptions {
        seed: 8,
        ..sampling
    };
    assert_ne!(
        drawn,
        draw(
            &prompts,
            &GenerationOptions {
                sampling: other,
                ..options.clone()
            }
        )
    );
}

#[test]
fn a_text_that_stops_an_answer_is_not_part_of_it() {
    let model = load("llama");
    let start = model.continued("the thing", &options(30)).unwrap();
    let whole = one(&model, &start, &options(30));
    let middle: String = whole.text.chars().skip(8).take(2).collect();
    assert_eq!(middle.chars().count(), 2, "{whole:?}");
    let stop = vec!["never".to_owned(), middle.clone()];
    let cut = one(
        &model,
        &start,
        &GenerationOptions {
            stop,
            ..options(30)
        },
    );
    let end = whole.text.find(&middle).unwrap();
    assert_eq!(cut.text, whole.text[..end].trim_end());
    assert_eq!(cut.end, AnswerEnd::Stop);
    assert!(cut.ids.len() < whole.ids.len());
}

#[test]
fn an_empty_prompt_starts_with_the_token_that_texts_start_with() {
    let model = load("llama");
    let empty = model.continued("", &options(5)).unwrap();
    assert_eq!(empty.ids(), [0]);
    assert_eq!(one(&model, &empty, &options(5)).ids.len(), 5);
}

#[test]
fn a_repetition_penalty_avoids_tokens_of_prompt_and_answer() {
    let model = load("gpt2");
    let sampling = SamplingOptions {
        repetition_penalty: 1e6,
        ..SamplingOptions::default()
    };
    let options = GenerationOptions {
        sampling,
        ..options(40)
    };
    let start = prompt(&[9, 10, 11]);
    let mut ids = one(&model, &start, &options).ids;
    ids.extend(start.ids());
    let n_tokens = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n_tokens);
}

#[test]
fn limits_of_tokens_are_those_of_the_answer_or_of_both() {
    let model = load("llama");
    let ids: Vec<u32> = (10..30).collect();
    let n_new = |max_length, max_new_tokens| {
        let options = GenerationOptions {
            max_length,
            max_new_tokens,
            ..options(1)
        };
        let mut answers = model.generate(&[prompt(&ids)], &options, || true);
        answers
            .remove(0)
            .map(|answers| answers[0].ids.len())
            .map_err(|error| error.to_string())
    };
    assert_eq!(n_new(Some(25), None), Ok(5));
    assert_eq!(n_new(Some(10), Some(7)), Ok(7));
    let error = n_new(Some(20), None).unwrap_err();
    assert!(
        error.contains("20 tokens") && error.contains("MAX_NEW_TOKENS"),
        "{error}"
    );
    // The context has 128 tokens.
    let full = prompt(&vec![10; 120]);
    assert!(one(&model, &full, &options(1000)).ids.len() <= 8);
    for n_tokens in [128, 400] {
        let prompts = [prompt(&vec![10; n_tokens]), prompt(&ids)];
        let mut answers = model.generate(&prompts, &options(3), || true);
        assert_eq!(
            answers.remove(1).unwrap()[0].ids.len(),
            3,
            "the other prompt is answered"
        );
        let error = answers.remove(0).unwrap_err().to_string();
        assert!(error.contains("the model's context"), "{error}");
    }
    let limited = GenerationOptions {
        max_prompt_tokens: 10,
        ..options(3)
    };
    let error = model
        .generate(&[prompt(&ids)], &limited, || true)
        .remove(0)
        .unwrap_err();
    assert!(error.to_string().contains("MAX_PROMPT_TOKENS"), "{error}");
    let endless = "word ".repeat(1 << 20);
    assert!(model.continued(&endless, &options(3)).is_err());
}

#[test]
fn a_caller_without_time_gets_no_half_answers() {
    let model = load("gpt2");
    let prompts: Vec<_> = expected()["gpt2"]
        .iter()
        .map(|case| prompt(&case.prompt))
        .collect();
    let mut n_left = 3;
    let mut goes_on = || {
        n_left -= 1;
        n_left > 0
    };
    let answers = model.generate(&prompts, &options(40), &mut goes_on);
    for answer in answers {
        assert!(
            matches!(answer, Err(GenerationError::Stopped)),
            "{answer:?}"
        );
    }
}

#[test]
fn options_without_a_meaning_are_refused() {
    let model = load("llama");
    let sampling = SamplingOptions::default();
    let wrong = [
        GenerationOptions {
            n_answers: 2,
            ..options(3)
        },
        GenerationOptions {
            batch_size: 0,
            ..options(3)
        },
        options(0),
        GenerationOptions {
            sampling: SamplingOptions {
                top_p: 0.0,
                ..sampling
            },
            ..options(3)
        },
        GenerationOptions {
            sampling: SamplingOptions {
                temperature: f64::NAN,
                ..sampling
            },
            ..options(3)
        },
        GenerationOptions {
            sampling: SamplingOptions {
                repetition_penalty: 0.0,
                ..sampling
            },
            ..options(3)
        },
    ];
    for options in wrong {
        let answer = model.generate(&[prompt(&[5])], &options, || true).remove(0);
        assert!(
            matches!(answer, Err(GenerationError::Options(_))),
            "{options:?}"
        );
    }
}

#[test]
fn a_conversation_becomes_a_prompt_by_the_models_template() {
    let folder = copied("llama");
    let model = load_folder(folder.path()).unwrap();
    assert!(!model.has_chat_template());
    let error = model
        .asked(&[Message::user("Hi")], &options(3))
        .unwrap_err();
    assert!(error.to_string().contains("CHAT_TEMPLATE=off"), "{error}");

    let config = folder.path().join("tokenizer_config.json");
    let messages = [Message::system("the"), Message::user("a thing")];
    let expected = "<s>system: the</s><s>user: a thing</s><s>assistant:";
    let named =
        json!([{ "name": "tools", "template": "x" }, { "name": "default", "template": TEMPLATE }]);
    for template in [json!(TEMPLATE), named] {
        let fields = json!({ "bos_token": { "content": "<s>" }, "chat_template": template });
        fs::write(&config, fields.to_string()).unwrap();
        let model = load_folder(folder.path()).unwrap();
        let asked = model.asked(&messages, &options(3)).unwrap();
        assert_eq!(asked.ids()[0], 0);
        assert_ne!(asked.ids()[1], 0, "one start of the text is enough");
        // Without the start that the tokenizer adds.
        assert_eq!(
            asked.ids(),
            &model.continued(expected, &options(3)).unwrap().ids()[1..]
        );
    }
    fs::write(folder.path().join("chat_template.jinja"), "{% if %}").unwrap();
    assert!(failure(folder.path()).contains("chat template"));
}

#[test]
fn settings_of_the_checkpoint_count() {
    let folder = copied("llama");
    let generation = json!({
        "do_sample": true, "temperature": 0.6, "top_p": 0.9, "eos_token_id": [1, 40],
        "repetition_penalty": 1.1,
    });
    fs::write(
        folder.path().join("generation_config.json"),
        generation.to_string(),
    )
    .unwrap();
    let sampling = load_folder(folder.path()).unwrap().sampling();
    let expected = SamplingOptions {
        temperature: 0.6,
        top_k: 50,
        top_p: 0.9,
        repetition_penalty: 1.1,
        seed: 0,
    };
    assert_eq!(sampling, expected);
    assert_eq!(load("llama").sampling(), SamplingOptions::default());
}

#[test]
fn a_tokenizer_of_two_files_is_that_of_one() {
    let folder = copied("opt");
    let path = folder.path().join("tokenizer.json");
    let json = fs::read(&path).unwrap();
    let tokenizer: Value = serde_json::from_slice(&json).unwrap();
    let of_one = load_folder(folder.path()).unwrap();
    fs::remove_file(path).unwrap();
    fs::write(
        folder.path().join("vocab.json"),
        tokenizer["model"]["vocab"].to_string(),
    )
    .unwrap();
    let merges = tokenizer["model"]["merges"].as_array().unwrap().iter();
    let merges = merges.map(|pair| {
        format!(
            "{} {}\n",
            pair[0].as_str().unwrap(),
            pair[1].as_str().unwrap()
        )
    });
    let merges = format!("#version: 0.2\n{}", merges.collect::<String>());
    fs::write(folder.path().join("merges.txt"), merges).unwrap();
    let config = json!({
        "add_bos_token": true, "bos_token": "<s>", "eos_token": "</s>",
        "pad_token": { "content": "<pad>" },
    });
    fs::write(
        folder.path().join("tokenizer_config.json"),
        config.to_string(),
    )
    .unwrap();
    let of_two = load_folder(folder.path()).unwrap();
    for text in ["", "the  thing, in a ring", "Zo\u{eb} \u{1f642}\n</s> end"] {
        let ids = |model: &LanguageModel| model.continued(text, &options(3)).unwrap();
        assert_eq!(ids(&of_one), ids(&of_two), "{text}");
    }
    let text = of_two.continued("the thing", &options(12)).unwrap();
    assert_eq!(
        one(&of_one, &text, &options(12)).text,
        one(&of_two, &text, &options(12)).text
    );
}

#[test]
fn what_a_folder_lacks_is_named_with_the_fix() {
    let cases = [
        ("config.json", "save_pretrained"),
        ("model.safetensors", "safe_serialization=True"),
        ("tokenizer.json", "AutoTokenizer"),
    ];
    for (file, fix) in cases {
        let folder = copied("llama");
        fs::remove_file(folder.path().join(file)).unwrap();
        let error = failure(folder.path());
        assert!(error.contains(file) && error.contains(fix), "{error}");
    }
    let folder = copied("llama");
    fs::rename(
        folder.path().join("model.safetensors"),
        folder.path().join("pytorch_model.bin"),
    )
    .unwrap();
    let error = failure(folder.path());
    assert!(
        error.contains("pickle") && error.contains("save_pretrained"),
        "{error}"
    );
    let folder = copied("llama_f16");
    fs::remove_file(folder.path().join("model-00001-of-00002.safetensors")).unwrap();
    assert!(failure(folder.path()).contains("part of its weights"));
    assert!(failure(Path::new("/no/such/folder")).contains("no folder"));
}

#[test]
fn configs_that_cannot_be_are_refused() {
    let cases = [
        (json!({ "model_type": "bert" }), "\"bert\""),
        (json!({ "model_type": null }), "model_types llama"),
        (json!({ "num_key_value_heads": 3 }), "num_key_value_heads"),
        (json!({ "hidden_size": 0 }), "hidden_size"),
        (json!({ "hidden_size": 1_u64 << 40 }), "hidden_size"),
        (json!({ "num_hidden_layers": 100_000 }), "num_hidden_layers"),
        (json!({ "vocab_size": "many" }), "vocab_size"),
        (json!({ "intermediate_size": 41 }), "[40, 24]"),
        (json!({ "hidden_act": "swoosh" }), "swoosh"),
        (
            json!({ "rope_scaling": { "rope_type": "spiral", "factor": 2.0 } }),
            "spiral",
        ),
        (
            json!({ "rope_scaling": { "rope_type": "linear" } }),
            "factor",
        ),
        (json!({ "num_hidden_layers": 3 }), "model.layers.2"),
    ];
    for (fields, expected) in cases {
        let folder = copied("llama");
        let path = folder.path().join("config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for (name, value) in fields.as_object().unwrap() {
            config[name] = value.clone();
        }
        fs::write(&path, config.to_string()).unwrap();
        let error = failure(folder.path());
        assert!(error.contains(expected), "{fields}: {error}");
    }
    let folder = copied("llama");
    fs::write(folder.path().join("config.json"), "[1]").unwrap();
    assert!(failure(folder.path()).contains("config.json"));
}

#[test]
fn damaged_weights_are_refused() {
    let folder = copied("llama");
    let path = folder.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    let damages: [(&str, Vec<u8>); 5] = [
        ("header", Vec::new()),
        ("header", vec![255; 100]),
        ("bytes instead of", whole[..whole.len() - 4].to_vec()),
        (
            "safetensors",
            [&whole[..8], &vec![b'x'; whole.len() - 8]].concat(),
        ),
        (
            "finite",
            [&whole[..whole.len() - 4], &f32::NAN.to_le_bytes()].concat(),
        ),
    ];
    for (expected, bytes) in damages {
        fs::write(&path, bytes).unwrap();
        let error = failure(folder.path());
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn tokens_that_the_model_does_not_have_fail_without_a_panic() {
    let model = load("llama");
    let answer = model
        .generate(&[prompt(&[5, 288])], &options(3), || true)
        .remove(0);
    assert!(
        matches!(answer, Err(GenerationError::UnknownToken { id: 288, .. })),
        "{answer:?}"
    );
}
