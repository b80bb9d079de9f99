//! What Label Studio itself would say of a label config.

use label_studio_sdk::LabelConfig;

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
