//! How the XML of a label config is read.

use label_studio_sdk::{Control, LabelConfig, LabelConfigError, Object, parse_config};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const VECTORS: &str = include_str!("../../../vectors/core_config.json");
const OWN_VECTORS: &str = include_str!("../../../vectors/own_config.json");

#[test]
fn reads_every_vector() {
    let mut differences = Vec::new();
    for vectors in [VECTORS, OWN_VECTORS] {
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            let config = LabelConfig::parse(case["config"].as_str().unwrap()).unwrap();
            let controls: Vec<_> = config
                .controls()
                .iter()
                .map(|control| control_json(&config, control))
                .collect();
            let objects: Vec<_> = config.objects().iter().map(object_json).collect();
            let validate = match config.validate().first() {
                Some(message) => format!("LabelStudioValidationErrorSentryIgnored: {message}"),
                None => "ok".to_owned(),
            };
            let views = [
                ("parse_config", config.parse_config()),
                ("controls", controls.into()),
                ("objects", objects.into()),
                ("validate", validate.into()),
            ];
            for (view, value) in views {
                let expected = expected(name, view, &case[view]);
                if value != expected {
                    differences.push(format!("{name}: {view}\n   is {value}\nis not {expected}"));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// What the original returns, corrected where it is wrong.
fn expected(case: &str, view: &str, recorded: &Value) -> Value {
    let mut expected = recorded.clone();
    match (case, view) {
        // The original cuts the first character of a constant as if it were a `$`; a constant has no name in the task's
        // data, so nothing may be cut.
        ("static_value", "objects") => expected[0]["value_name"] = json!("Hello world"),
        ("object_without_name", "objects") => expected[0]["value_name"] = json!("Say it"),
        // With a value it is a ChatTag.
        ("chat_without_value", "objects") => expected[0]["class"] = json!("ChatTag"),
        // The original takes one choice in the second of two controls for something else than a list of one.
        ("dynamic_choices", "validate") => expected = json!("ok"),
        // Label Studio's screen offers a lower-case `choice`, too.
        ("lower_case_tags", "parse_config") => {
            expected["c"]["labels"] = json!(["x", "y"]);
            expected["c"]["labels_attrs"]["x"] = json!({ "value": "x" });
        }
        ("lower_case_tags", "controls") => {
            expected[0]["labels"] = json!(["x", "y"]);
            expected[0]["labels_attrs"]["x"] = json!({ "attr": { "value": "x" }, "parent_name": "c", "tag": "choice", "value": "x" });
        }
        _ => {}
    }
    expected
}

fn control_json(config: &LabelConfig, control: &Control) -> Value {
    let labels_attrs = control.labels_attrs.iter();
    let labels_attrs: Map<_, _> = labels_attrs
        .map(|(label, attrs)| (label.to_string(), json!(attrs)))
        .collect();
    let objects: Vec<_> = config
        .objects_of(control)
        .map(|object| &object.name)
        .collect();
    json!({
        "name": control.name,
        "tag": control.tag,
        "class": control.class(),
        "to_name": control.to_name,
        "labels": control.labels,
        "labels_attrs": labels_attrs,
        "objects": objects,
        "dynamic_value": control.is_dynamic,
        "conditionals": control.conditional,
        "as_tuple": control.as_tuple(),
        "attr": control.attrs,
    })
}

fn object_json(object: &Object) -> Value {
    json!({
        "name": object.name,
        "tag": object.tag,
        "class": object.class(),
        "value": object.value,
        "value_name": object.value_name,
        "value_is_variable": object.is_variable,
        "value_type": object.value_type,
        "is_image_list": (object.tag == "Image").then_some(object.is_image_list),
    })
}

#[test]
fn an_encoding_declaration_is_ignored() {
    for start in [
        "<?xml version=\"1.0\" encoding=\"utf-16\"?>",
        "\u{feff}<?xml version='1.0' encoding='latin-1' standalone='yes'?>\n",
        "\n  <?xml version=\"1.0\"?>\n",
        " \n",
    ] {
        let text = format!("{start}<View><Text name=\"ä\" value=\"$t\"/></View>");
        let config = LabelConfig::parse(&text).unwrap();
        assert_eq!(config.objects()[0].name, "ä");
        assert_eq!(config.text(), text);
    }
}

#[test]
fn what_is_not_plain_xml_is_refused() {
    for text in [
        "",
        "  ",
        "View",
        "<View>",
        "<View></Vie>",
        "<View/>x",
        "<View a='1' a='2'/>",
        "<x:View/>",
        "&amp;",
    ] {
        assert!(
            matches!(LabelConfig::parse(text), Err(LabelConfigError::Xml(_))),
            "{text}"
        );
    }
    for text in [
        "<!DOCTYPE View [<!ENTITY a 'b'>]><View>&a;</View>",
        "<?xml version='1.0'?><!DOCTYPE View SYSTEM 'file:///etc/passwd'><View/>",
    ] {
        let error = LabelConfig::parse(text).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("DTD"), "{source}");
    }
}

#[test]
fn only_an_empty_text_parses_to_an_empty_object() {
    assert_eq!(parse_config("").unwrap(), json!({}));
    assert!(parse_config(" ").is_err());
}

fn numbered(n: usize, part: impl Fn(usize) -> String) -> String {
    (0..n).map(part).collect::<Vec<_>>().concat()
}

#[test]
fn texts_that_would_exhaust_the_parser_are_refused() {
    let check = |text: &str, what: &str| {
        let error = LabelConfig::parse(text).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    };
    check(&"<View>".repeat(100_000), "nested tags");
    check(
        &format!("{}{}", "<View>".repeat(100_000), "</View>".repeat(100_000)),
        "nested tags",
    );
    check(
        &format!("{}{}", "<a b='/>'>".repeat(300), "</a>".repeat(300)),
        "nested tags",
    );
    check(&"x".repeat((8 << 20) + 1), "bytes");
    let many = numbered(2_000, |idx| format!(" a{idx}=''"));
    check(&format!("<View{many}/>"), "attributes");
    let flags = numbered(200, |idx| format!("<a indexFlag='{idx}'/>"));
    check(&format!("<View>{flags}</View>"), "index flags");
    let namespaces = numbered(100, |idx| format!(" xmlns:a{idx}='{idx}'"));
    check(&format!("<View{namespaces}/>"), "namespaces");
    assert!(LabelConfig::parse(&format!("<View>{}</View>", "<a/>".repeat(600_000))).is_err());
}

#[test]
fn a_label_config_of_five_megabytes_is_read_and_searched() {
    let choices = numbered(100_000, |idx| {
        format!("<Choice value=\"a label with a rather long name {idx}\"/>")
    });
    let text = format!(
        "<View><Text name=\"t\" value=\"$t\"/><Choices name=\"c\" toName=\"t\">{choices}</Choices></View>"
    );
    let config = LabelConfig::parse(&text).unwrap();
    assert_eq!(config.control("c").unwrap().labels.len(), 100_000);
    assert_eq!(
        config.parse_config()["c"]["labels"]
            .as_array()
            .unwrap()
            .len(),
        100_000
    );
    assert_eq!(config.validate(), [""; 0]);
    let labels: Vec<_> = config.control("c").unwrap().labels.clone();
    assert!(config.control("c").unwrap().label(labels).build().is_ok());
}

#[test]
fn a_label_config_of_many_tags_is_read_and_searched() {
    let tags = numbered(20_000, |idx| {
        format!("<Text name=\"t{idx}\" value=\"$t\"/><TextArea name=\"a{idx}\" toName=\"t{idx}\"/>")
    });
    let config = LabelConfig::parse(&format!("<View>{tags}</View>")).unwrap();
    for idx in 0..20_000 {
        let control = config.control(&format!("a{idx}")).unwrap();
        assert_eq!(
            config.objects_of(control).next().unwrap().name,
            format!("t{idx}")
        );
    }
    assert_eq!(config.validate(), [""; 0]);
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
fn saving_checks_find_what_label_studio_refuses() {
    let check = |tags: &str, expected: &[&str]| {
        let config = LabelConfig::parse(&format!("<View>{tags}</View>")).unwrap();
        assert_eq!(config.validate(), expected, "{tags}");
    };
    let required = "Validation failed on : 'valueList' is a required property";
    check(r#"<Text value="$t"/>"#, &[required]);
    check(r#"<Text name="t"/>"#, &[required]);
    check(r#"<View><Text name="t"/></View>"#, &[required]);
    check(
        r#"<Text name="t" value="$t"/><Text name="u"/>"#,
        &["Validation failed on 1: 'valueList' is a required property"],
    );
    let labels = "Validation failed on : 'View' is a required property";
    check(
        r#"<Text name="t" value="$t"/><Choices name="c" toName="t"/>"#,
        &[labels],
    );
    check(
        r#"<Text name="t" value="$t"/><Choices name="c" toName="t"><View/></Choices>"#,
        &[],
    );
    check(
        r#"<Text name="t" value="$t"/><Choices name="c" toName="t" value="$x"/>"#,
        &[],
    );
    check(
        r#"<Text name="t" value="$t"/><Labels name="c"><Label value="a"/></Labels>"#,
        &[labels],
    );
    check(
        r#"<Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="a"/><Choice/></Choices>"#,
        &["Validation failed on Choice/1: 'value' is a required property"],
    );
    check(
        r#"<Text name="t" value="$t"/><Labels name="l" toName="t"><Label value="a"/><Label/></Labels>"#,
        &["Validation failed on 1: 'value' is a required property"],
    );
    check(
        r#"<Text name="t" value="$t" valueList="$l"/>"#,
        &["Validation failed on : 'value' and 'valueList' exclude each other"],
    );
    check(
        r#"<Image valueList="$l"/>"#,
        &["Validation failed on : 'name' is a required property"],
    );
    check(
        r#"<Text name="t" value="$t"/><Choices name="c" toName="t"><View><Choice/></View></Choices>"#,
        &["Validation failed on : 'value' is a required property"],
    );
    check(
        r#"<TextArea name="t"/>"#,
        &["Validation failed on : 'toName' is a required property"],
    );
    check(
        "<Text name='t' value='$t'/><Rating name='r' toName='t'/>",
        &[],
    );
    check(
        r#"<Video name="v" value="$v" defaultPlaybackSpeed="x" minPlaybackSpeed="20"/>"#,
        &[
            "Video tag \"v\": defaultPlaybackSpeed must be a number, got \"x\"",
            "Video tag \"v\": minPlaybackSpeed must be between 0.05 and 10, got 20.0",
        ],
    );
    check(
        r#"<Video name="v" value="$v" defaultPlaybackSpeed="1" minPlaybackSpeed="2"/>"#,
        &["Video tag \"v\": minPlaybackSpeed (2.0) must not exceed defaultPlaybackSpeed (1.0)"],
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        exercise(&text);
    }

    #[test]
    fn no_text_of_xml_parts_makes_it_panic(parts in proptest::collection::vec(xml_part(), 0..30)) {
        exercise(&parts.concat());
        exercise(&format!("<View>{}</View>", parts.concat()));
    }
}

fn exercise(text: &str) {
    let parsed = parse_config(text);
    let Ok(config) = LabelConfig::parse(text) else {
        assert!(parsed.is_err() || text.is_empty());
        return;
    };
    assert_eq!(config.parse_config(), parsed.unwrap());
    config.validate();
    config.sample_task();
    for control in config.controls() {
        let region = control.label("A").field("start", 0).field("end", 1).build();
        if let Ok(region) = region {
            config.validate_prediction(&json!({ "result": [region] }));
        }
    }
}

fn xml_part() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "<View>",
        "</View>",
        "<Text name='t' value='$t'/>",
        "<Choices name='c' toName='t'>",
        "</Choices>",
        "<Choice value='A'/>",
        "<Label alias='' value=''/>",
        "<Chat name='t'/>",
        "<ReactCode name='r' toName='t'/>",
        "<Repeater indexFlag='t'>",
        "</Repeater>",
        "<!-- {",
        "} -->",
        "<![CDATA[",
        "]]>",
        "<?x ?>",
        "&amp;",
        "&#0;",
        "<",
        ">",
        "'",
        "\"",
        "/",
        " ",
        "=",
        "$",
        "<Video name='v' value='$' minPlaybackSpeed='nan'/>",
        "ß",
        "\u{0}",
        "<Labels name='t' toName='t,,c'>",
        "</Labels>",
        "<Rating name='q' toName='t' maxRating='-1'/>",
        "<!DOCTYPE x>",
    ])
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
fn a_document_type_without_declarations_is_accepted() {
    for start in [
        "<!DOCTYPE html>",
        "<?xml version=\"1.0\"?>\n<!-- a --><!DOCTYPE View >\n",
    ] {
        let text = format!("{start}<View><Text name=\"t\" value=\"$t\"/></View>");
        let config = LabelConfig::parse(&text).unwrap();
        assert_eq!(config.objects().len(), 1, "{start}");
    }
    for start in [
        "<!DOCTYPE html [<!ENTITY a \"b\">]>",
        "<!DOCTYPE html SYSTEM '>' [<!ENTITY a \"b\">]>",
        "<!DOCTYPE html PUBLIC \"a\" \"http://ls.example/a.dtd\">",
        "<!DOCTYPE html><!DOCTYPE html [<!ENTITY a \"b\">]>",
        "<!-- <!DOCTYPE x> --><!DOCTYPE html [<!ENTITY a \"b\">]>",
    ] {
        let text = format!("{start}<View><Text name=\"t\" value=\"$t\"/></View>");
        let error = LabelConfig::parse(&text).unwrap_err();
        assert!(
            matches!(error, LabelConfigError::Xml(_)),
            "{start}: {error}"
        );
    }
}

#[test]
fn problems_are_named_in_plain_words() {
    for (inside, expected) in [
        (
            r#"<Text name="t" value="$t"/><Choices name="c"><Choice value="a"/></Choices>"#,
            &["<Choices name=\"c\"> has no toName"][..],
        ),
        (
            r#"<Text name="t" value="$t"/><Labels toName="t"><Label/><View><Label alias="b"/></View></Labels>"#,
            &["<Labels> has no name", "<Label> has no value"],
        ),
        (
            r#"<Image name="i"/><Text value="$t"/><BrushLabels name="b" toName="i"/>"#,
            &[
                "<Image name=\"i\"> has no value",
                "<Text> has no name",
                "<BrushLabels name=\"b\"> offers nothing: put <Label value=\"...\"/> into it",
            ],
        ),
        (
            r#"<Text name="t" value="$t"/><Text name="t" value="$u"/><TextArea name="a" toName="t,x"/>"#,
            &[
                "2 tags have the name \"t\"",
                "<TextArea name=\"a\"> has toName=\"x\", which no tag has as name",
            ],
        ),
        (
            r#"<text name="t" value="$t"/><choices name="c" toname="t"><choice value="a"/></choices>
               <Choices name="d" toName="t" value="$choices"/><Header value="h"/>
               <View visibleWhen="choice-selected"><Rating name="r" toName="t"/></View>
               <Taxonomy name="x" toName="t" apiUrl="https://ls.example"/>"#,
            &[],
        ),
    ] {
        let config = LabelConfig::parse(&format!("<View>{inside}</View>")).unwrap();
        assert_eq!(config.problems(), expected, "{inside}");
    }
}

#[test]
fn more_elements_than_a_screen_can_show_are_refused() {
    let labels = "<Label value=\"x\"/>".repeat(250_000);
    let text = format!("<View>{labels}</View>");
    let error = LabelConfig::parse(&text).unwrap_err();
    let expected = "label config has more than 250000 elements, texts and comments";
    assert_eq!(error.to_string(), expected);
    let attributes = "<a b=\"\" c=\"\" d=\"\" e=\"\" f=\"\"/>".repeat(100_001);
    let error = LabelConfig::parse(&format!("<View>{attributes}</View>")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "label config has more than 500000 attributes"
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
