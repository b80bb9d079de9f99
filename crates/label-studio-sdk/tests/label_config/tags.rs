//! What is read of tags and attributes.

use label_studio_sdk::{Control, LabelConfig, parse_config};
use serde_json::{Value, json};

#[test]
fn only_an_empty_text_parses_to_an_empty_object() {
    assert_eq!(parse_config("").unwrap(), json!({}));
    assert!(parse_config(" ").is_err());
}

#[test]
fn the_last_tag_of_a_name_counts_and_keeps_the_first_place() {
    let text = r#"<View><Text name="t" value="$a"/><Image name="i" value="$i"/><Text name="t" value="$b"/>
        <Choices name="c" toName="i"><Choice value="x"/></Choices><Rating name="r" toName="i"/>
        <Labels name="c" toName="t"><Label value="y"/></Labels></View>"#;
    let config = LabelConfig::parse(text).unwrap();
    assert_eq!(config.object("t").unwrap().value_name, "b");
    let controls: Vec<_> = config.controls().iter().map(Control::as_tuple).collect();
    assert_eq!(controls, ["c|t|labels", "r|i|rating"]);
    assert_eq!(config.control("c").unwrap().labels, ["x", "y"]);
    assert_eq!(
        config.validate(),
        ["Label config contains non-unique names: t, i, t, c, r, c"]
    );
}

#[test]
fn names_and_values_are_read_as_they_are() {
    let text = r#"<View><!-- <Text name="no" value="$no"/> --><Filter name="f" toName="t"/><Text name="" value="$a"/>
        <Text name="t" Value="$a"/><Text name="u" value="$a b"/><Text name="v" value="$a,$b"/><Text name="w" value="$"/>
        <Image name="i" value="$one" valueList="$many"/><HyperText name="h" value="&lt;b&gt;$x" valuetype="url"/>
        <Text name="x" value="Hello"/><Choices name="c" toName="t, u" apiurl="a" defaultvalue="z" hint=" "/></View>"#;
    let config = LabelConfig::parse(text).unwrap();
    let objects: Vec<_> = config
        .objects()
        .iter()
        .map(|o| (&*o.name, &*o.value_name, o.is_variable))
        .collect();
    assert_eq!(
        objects,
        [
            ("t", "a", true),
            ("u", "a b", false),
            ("v", "a,$b", false),
            ("w", "", false),
            ("i", "many", true),
            ("h", "<b>$x", false),
            ("x", "Hello", false),
        ],
    );
    assert_eq!(config.object("x").unwrap().variable(), None);
    assert_eq!(config.object("i").unwrap().variable(), Some("many"));
    assert!(config.object("i").unwrap().is_image_list);
    assert_eq!(
        config.object("h").unwrap().value_type.as_deref(),
        Some("url")
    );
    let control = config.only_control().unwrap();
    assert_eq!(control.to_name, ["t", " u"], "names are not trimmed");
    assert!(control.is_dynamic, "the screen reads apiurl as apiUrl");
    assert_eq!(control.attr("defaultValue"), Some("z"));
    assert_eq!(control.attr("hint"), None, "a blank attribute is none");
}

#[test]
fn the_two_views_differ_in_what_is_dynamic_and_in_lists_of_labels() {
    let text = r#"<View><Text name="t" value="$t"/><Choices name="a" toName="t" value="$x1"><Choice valueList="$l"/></Choices>
        <Choices name="b" toName="t" value="$x_y"/></View>"#;
    let config = LabelConfig::parse(text).unwrap();
    assert!(config.control("a").unwrap().is_dynamic);
    assert_eq!(config.control("a").unwrap().labels, [""; 0]);
    let parsed = config.parse_config();
    assert_eq!(parsed["a"]["dynamic_labels"], Value::Null);
    assert_eq!(parsed["a"]["labels"], json!(["$l"]));
    assert_eq!(parsed["b"]["dynamic_labels"], json!(true));
}

#[test]
fn a_repeater_gives_its_index_flag_to_what_follows() {
    let text = r#"<View><TextArea name="before" toName="p{{i}}"/><Repeater on="$images" indexFlag="{{i}}">
        <Image name="p{{i}}" value="$images[{{i}}]"/><Labels name="l{{i}}" toName="p{{i}}"><Label value="D"/></Labels>
        <TextArea name="x" toName="y"/></Repeater></View>"#;
    let config = LabelConfig::parse(text).unwrap();
    let regex = |name: &str| json!(config.control(name).unwrap().regex);
    assert_eq!(regex("l{{i}}"), json!({ "{{i}}": ".*" }));
    assert_eq!((regex("x"), regex("before")), (json!({}), json!({})));
    let parsed = config.parse_config();
    assert_eq!(
        (&parsed["l{{i}}"]["regex"], &parsed["x"]["regex"]),
        (&json!({ "{{i}}": ".*" }), &Value::Null)
    );
}

#[test]
fn chats_and_react_code_are_control_and_object_in_one() {
    let text = r#"<View><Chat name="chat" value="$messages"/><ReactCode name="code" toName="code" data="$d"/>
        <ReactCode name="bare"/></View>"#;
    let config = LabelConfig::parse(text).unwrap();
    let controls: Vec<_> = config
        .controls()
        .iter()
        .map(|control| (control.as_tuple(), control.class()))
        .collect();
    let tuple = |text: &str, class| (text.to_owned(), class);
    assert_eq!(
        controls,
        [
            tuple("code|code|reactcode", "ReactCodeTag"),
            tuple("chat|chat|chatmessage", "ChatMessageTag"),
            tuple("bare|bare|reactcode", "ReactCodeTag"),
        ],
    );
    let objects: Vec<_> = config
        .objects()
        .iter()
        .map(|object| (&*object.name, &*object.value_name))
        .collect();
    assert_eq!(objects, [("chat", "messages"), ("bare", ""), ("code", "")]);
    let pair = config.first_pair("ChatMessage", "Chat").unwrap();
    assert_eq!(pair.object.name, pair.control.name);
}

#[test]
fn an_object_knows_the_tags_inside_it() {
    let text = r#"<View><TimeSeries name="ts" value="$csv" timeColumn="t"><Channel column="a"/><Channel column="b"/></TimeSeries></View>"#;
    let config = LabelConfig::parse(text).unwrap();
    let columns: Vec<_> = config.objects()[0]
        .children
        .iter()
        .filter_map(|child| child.attrs.get("column"))
        .collect();
    assert_eq!(columns, ["a", "b"]);
    assert_eq!(config.objects()[0].attr("timeColumn"), Some("t"));
}

#[test]
fn a_comment_may_hold_a_sample_task() {
    let sample = |comment: &str| {
        let task = LabelConfig::parse(&format!("<View>{comment}</View>"))
            .unwrap()
            .sample_task()?;
        Some(json!([task.data, task.annotations, task.predictions]))
    };
    assert_eq!(
        sample(r#"<!-- {"text": "x"} -->"#),
        Some(json!([{ "text": "x" }, null, null]))
    );
    assert_eq!(
        sample(r#"<!--{"data": {"a": 1}, "predictions": []}-->"#),
        Some(json!([{ "a": 1 }, null, []]))
    );
    assert_eq!(
        sample(r#"<!-- {"annotations": [1]} -->"#),
        Some(json!([null, [1], null]))
    );
    assert_eq!(
        sample(r#"<!-- {"data": {"a": 1}, "x": 2} -->"#),
        Some(json!([{ "a": 1 }, null, null]))
    );
    assert_eq!(sample("<!-- {not json} -->"), None);
    assert_eq!(sample("<!-- plain -->"), None);
}

#[test]
fn names_of_tags_and_attributes_are_read_without_regard_to_case() {
    let config = LabelConfig::parse(
        r#"<view><text NAME="t" Value="$text"/>
           <choices name="c" toname="t" perregion="true" whentagname="x"><choice VALUE="A"/>
             <CHOICE value="ignored" ALIAS="B" Predicted_Values="b1,b2"/></choices>
           <filter name="f" toName="t"/></view>"#,
    )
    .unwrap();
    let pair = config.first_pair("Choices", "Text").unwrap();
    assert_eq!(pair.control.labels, ["A", "B"]);
    assert_eq!(pair.control.to_name, ["t"]);
    assert!(pair.control.conditional.is_some());
    assert_eq!(pair.object.variable(), Some("text"));
    assert_eq!(pair.control.label_map(&["b2"]).get("b2").unwrap(), "B");
    assert_eq!(config.controls().len(), 1, "a filter is not a control");
    let region = pair.control.label("A").build().unwrap();
    assert_eq!(
        (&*region.kind, region.value),
        ("choices", json!({ "choices": ["A"] }))
    );
    assert_eq!(config.parse_config()["c"]["labels"], json!(["A", "B"]));
}

#[test]
fn of_attributes_that_differ_in_case_the_exact_one_counts() {
    let config = LabelConfig::parse(
        r#"<View><Text name="t" VALUE="$a" value="$b"/><Choices name="c" toName="t"/></View>"#,
    )
    .unwrap();
    assert_eq!(config.objects()[0].value_name, "b");
}

#[test]
fn values_are_paths_into_the_task() {
    let config = LabelConfig::parse(
        r#"<View><Text name="a" value="$meta.title"/><Text name="b" value="$items[1].text"/>
           <Text name="c" value="$flat.name"/></View>"#,
    )
    .unwrap();
    let data = json!({
        "meta": { "title": "T" },
        "items": [{}, { "text": "I" }],
        "flat.name": "F",
        "flat": { "name": "nested" },
    });
    let data = data.as_object().unwrap();
    let texts: Vec<_> = config
        .objects()
        .iter()
        .map(|object| object.value_in(data).unwrap())
        .collect();
    assert_eq!(texts, ["T", "I", "F"]);
    let task = label_studio_sdk::Task::new(data.clone());
    assert_eq!(task.text("items[1].text"), Some("I"));
    assert_eq!(
        config.load_task(data).objects()[0].task_value,
        Some(json!("T"))
    );
}

#[test]
fn the_text_of_the_parsed_view_is_the_parsed_view() {
    let texts = [
        r#"<View><Text name="t" value="$t"/><Choices name="c" toName="t,u" perRegion="true" whenTagName="l"><Choice value="A" alias="b"/>
           <Choice value="A &amp; B" x:y="1" xmlns:x="urn:x"/></Choices><Labels name="c" toName="t" value="$l"><Label value="C"/></Labels></View>"#,
        "<View/>",
    ];
    for text in texts {
        let config = LabelConfig::parse(text).unwrap();
        let parsed: Value = serde_json::from_str(&config.parse_config_text()).unwrap();
        assert_eq!(parsed, config.parse_config());
    }
}
