//! Where answers go.

use label_studio_ml::{LabelConfig, Value, json};

use crate::mock::{
    RESPONSE, TOPIC, asked, backend, completion, label_config, question, saying, value,
};
use label_studio_testing::MockService;

const TAXONOMY: &str = r#"<Taxonomy name="animal" toName="text"><Choice value="Mammal"><Choice value="Cat"/>
    <Choice value="Dog" alias="dog"/></Choice><Choice value="Bird"><Choice value="Owl"/></Choice></Taxonomy>"#;
const RATING: &str = r#"<Rating name="stars" toName="text" maxRating="7"/>"#;
const NUMBER: &str = r#"<Number name="age" toName="text" min="0" max="150"/>"#;
const SINGLE: &str =
    r#"<Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>"#;

/// Has the chat model say something, checks that Label Studio would take the prediction, and returns it.
fn answered(controls: &str, flags: &[&str], said: &str) -> Value {
    let config = label_config(controls);
    let answer =
        backend(&saying(said), flags).predict(&asked(&config, &json!({ "text": "T" }), "P"));
    let config = LabelConfig::parse(&config).unwrap();
    let wrong = config.validate_prediction(&answer["results"][0]);
    assert_eq!(wrong, Vec::<String>::new(), "{answer}");
    answer
}

#[test]
fn a_text_is_matched_with_what_the_label_config_has() {
    let cases = [
        (
            TOPIC,
            "tech\nsport\ntech",
            "topic",
            json!({ "choices": ["technology", "sports", "technology"] }),
        ),
        (TOPIC, "", "topic", json!({ "choices": [] })),
        (SINGLE, "sad", "mood", json!({ "choices": ["Sad"] })),
        (
            SINGLE,
            "Let me think.\nSad",
            "mood",
            json!({ "choices": ["Sad"] }),
        ),
        (
            TAXONOMY,
            "Mammal / dog\nBird\nBird",
            "animal",
            json!({ "taxonomy": [["Mammal", "dog"], ["Bird"]] }),
        ),
        (RATING, "6 of 7 stars", "stars", json!({ "rating": 6 })),
        (RATING, "8 of 7 stars", "stars", Value::Null),
        (RATING, "none", "stars", Value::Null),
        (NUMBER, "About 41.5 years", "age", json!({ "number": 41.5 })),
        (NUMBER, "-1", "age", Value::Null),
        (
            RESPONSE,
            "Any\ntext",
            "response",
            json!({ "text": ["Any\ntext"] }),
        ),
    ];
    for (controls, said, control, expected) in cases {
        let answer = answered(controls, &[], said);
        assert_eq!(value(&answer, control), expected, "{control}: {said}");
    }
}

#[test]
fn of_an_answer_that_does_not_end_the_start_is_matched() {
    for said in [
        "tech\n".repeat(5000),
        format!("tech\n{}", "é".repeat(1 << 20)),
    ] {
        let chat_model = saying(&said);
        let config = label_config(&[TOPIC, RESPONSE].concat());
        let answer =
            backend(&chat_model, &[]).predict(&asked(&config, &json!({ "text": "T" }), "P"));
        let n_matched = value(&answer, "topic")["choices"].as_array().unwrap().len();
        assert_eq!(n_matched, if said.len() < 1 << 20 { 1000 } else { 2 });
        assert_eq!(value(&answer, "response")["text"][0], said);
    }
}

#[test]
fn a_taxonomy_may_take_leaves_only_or_one_item_only() {
    let leaves = TAXONOMY.replace("name=", "leafsOnly=\"true\" name=");
    let answer = answered(&leaves, &[], "Mammal\nBird / Owl");
    let expected = json!({ "taxonomy": [["Mammal", "Cat"], ["Bird", "Owl"]] });
    assert_eq!(value(&answer, "animal"), expected);
    let one = TAXONOMY.replace("name=", "maxUsages=\"1\" name=");
    let answer = answered(&one, &[], "Hm, a mammal?\nBird / Owl");
    assert_eq!(
        value(&answer, "animal"),
        json!({ "taxonomy": [["Bird", "Owl"]] })
    );
}

#[test]
fn a_text_fills_one_control_with_labels_and_one_with_text() {
    let controls = [NUMBER, RESPONSE, TAXONOMY, TOPIC, SINGLE, RESPONSE].concat();
    let answer = answered(&controls, &[], "politics 5");
    let filled: Vec<_> = answer["results"][0]["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["from_name"])
        .collect();
    assert_eq!(filled, ["topic", "response", "prompt"]);
}

#[test]
fn regions_of_their_own_and_other_objects_are_left_alone() {
    let controls = r#"<Text name="other" value="$o"/><Choices name="a" toName="other"><Choice value="x"/></Choices>
        <Choices name="b" toName="text" perRegion="true"><Choice value="x"/></Choices><DateTime name="d" toName="text"/>"#;
    let request = asked(&label_config(controls), &json!({ "text": "T" }), "P");
    let (status, answer) = backend(&saying("x"), &[]).post("/predict", &request);
    assert_eq!(status, 500);
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("nothing to fill"),
        "{answer}"
    );
}

#[test]
fn several_answers_go_into_the_text_area() {
    let chat_model = MockService::with_answers([completion(&["sports", "tech"])]);
    let config = label_config(&[TOPIC, RESPONSE].concat());
    let answer = backend(&chat_model, &["--num-responses", "2"]).predict(&asked(
        &config,
        &json!({ "text": "T" }),
        "P",
    ));
    assert_eq!(
        value(&answer, "response"),
        json!({ "text": ["sports", "tech"] })
    );
    assert_eq!(value(&answer, "topic"), json!({ "choices": ["sports"] }));
}

#[test]
fn choices_may_come_from_the_task() {
    let config = label_config(r#"<Choices name="answer" toName="text" value="$options"/>"#);
    let data = json!({ "text": "T", "options": ["one", { "value": "two" }, { "value": "3", "alias": "three" }] });
    let chat_model = saying("thre");
    let answer = backend(&chat_model, &["--prompt-template", "{labels}"])
        .predict(&asked(&config, &data, "P"));
    assert_eq!(question(&chat_model), "['one', 'two', 'three']");
    assert_eq!(value(&answer, "answer"), json!({ "choices": ["three"] }));
}

#[test]
fn a_structured_answer_fills_every_control() {
    let controls = [TOPIC, SINGLE, TAXONOMY, RATING, NUMBER, RESPONSE].concat();
    let said = json!({
        "topic": ["sports", "sports", "tech"], "mood": "Sad", "animal": ["Bird / Owl"], "stars": 3, "age": 8.25,
        "response": "Because.", "unasked": 1,
    });
    let texts = [
        said.to_string(),
        format!("Here you are:\n```json\n{said}\n```"),
    ];
    for mode in ["json-schema", "json-object"] {
        for text in &texts {
            let answer = answered(&controls, &["--structured-output", mode], text);
            assert_eq!(
                value(&answer, "topic"),
                json!({ "choices": ["sports", "technology"] })
            );
            assert_eq!(value(&answer, "mood"), json!({ "choices": ["Sad"] }));
            assert_eq!(
                value(&answer, "animal"),
                json!({ "taxonomy": [["Bird", "Owl"]] })
            );
            assert_eq!(value(&answer, "stars"), json!({ "rating": 3 }));
            assert_eq!(value(&answer, "age"), json!({ "number": 8.25 }));
            assert_eq!(value(&answer, "response"), json!({ "text": ["Because."] }));
        }
    }
}

#[test]
fn a_structured_answer_that_is_odd_fills_what_it_can() {
    let controls = [TOPIC, SINGLE, RATING, NUMBER, RESPONSE].concat();
    let said = json!({ "topic": "sports", "mood": ["Happy", "Sad"], "stars": "4 stars", "age": 999, "response": ["a", 1] });
    let answer = answered(
        &controls,
        &["--structured-output", "json-schema"],
        &said.to_string(),
    );
    assert_eq!(value(&answer, "topic"), json!({ "choices": ["sports"] }));
    assert_eq!(value(&answer, "mood"), json!({ "choices": ["Happy"] }));
    assert_eq!(value(&answer, "stars"), json!({ "rating": 4 }));
    assert_eq!(value(&answer, "age"), Value::Null);
    assert_eq!(value(&answer, "response"), json!({ "text": ["a", "1"] }));
}

#[test]
fn a_schema_names_every_control_and_its_labels() {
    let config = label_config(&[TOPIC, SINGLE, TAXONOMY, RATING, NUMBER, RESPONSE].concat());
    let chat_model = saying("{}");
    let flags = ["--structured-output", "json-schema"];
    backend(&chat_model, &flags).predict(&asked(&config, &json!({ "text": "T" }), "P"));
    let animals = [
        "Mammal",
        "Mammal / Cat",
        "Mammal / dog",
        "Bird",
        "Bird / Owl",
    ];
    let expected = json!({ "type": "json_schema", "json_schema": { "name": "labels", "strict": true, "schema": {
        "type": "object",
        "properties": {
            "topic": { "type": "array", "items": { "type": "string", "enum": ["sports", "politics", "technology"] } },
            "mood": { "type": "string", "enum": ["Happy", "Sad"] },
            "animal": { "type": "array", "items": { "type": "string", "enum": animals } },
            "stars": { "type": "integer", "enum": [1, 2, 3, 4, 5, 6, 7] },
            "age": { "type": "number" },
            "response": { "type": "string" },
        },
        "required": ["topic", "mood", "animal", "stars", "age", "response"],
        "additionalProperties": false,
    } } });
    assert_eq!(chat_model.received()[0].json()["response_format"], expected);
}

#[test]
fn without_schemas_the_question_describes_the_answer() {
    let config = label_config(&[TOPIC, SINGLE, RATING, NUMBER, RESPONSE].concat());
    let chat_model = saying("{}");
    let flags = [
        "--structured-output",
        "json-object",
        "--prompt-template",
        "{prompt}",
    ];
    backend(&chat_model, &flags).predict(&asked(&config, &json!({ "text": "T" }), "P"));
    let expected = r#"P

Answer with nothing but a JSON object that has these fields:
- "topic": a list of any of ["sports","politics","technology"]
- "mood": one of ["Happy","Sad"]
- "stars": a whole number from 1 to 7
- "age": a number from 0 to 150
- "response": a text"#;
    assert_eq!(question(&chat_model), expected);
    assert_eq!(
        chat_model.received()[0].json()["response_format"],
        json!({ "type": "json_object" })
    );
}

#[test]
fn what_is_no_json_is_said_to_be_none() {
    let request = asked(&label_config(TOPIC), &json!({ "text": "T" }), "P");
    for said in ["I would say sports", "[1]", "{\"topic\": ", "} {"] {
        let chat_model = saying(said);
        let backend = backend(&chat_model, &["--structured-output", "json-schema"]);
        let (status, answer) = backend.post("/predict", &request);
        assert_eq!(status, 500);
        assert!(
            answer["detail"]
                .as_str()
                .unwrap()
                .contains("STRUCTURED_OUTPUT=off"),
            "{answer}"
        );
    }
}
