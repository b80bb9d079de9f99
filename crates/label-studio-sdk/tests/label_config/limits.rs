//! Texts that are no label config, or too large for one.

use label_studio_sdk::{LabelConfig, LabelConfigError, parse_config};
use proptest::prelude::*;
use serde_json::json;

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

fn numbered(n: usize, part: impl Fn(usize) -> String) -> String {
    (0..n).map(part).collect::<Vec<_>>().concat()
}
