//! What ONNX files say about themselves.

use std::collections::BTreeMap;

use yolo::{Metadata, NetworkTask};

fn fields(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    let all = fields.iter();
    all.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn exports_say_what_they_are() {
    let metadata = Metadata::read(&fields(&[
        ("task", "pose"),
        ("names", "{0: 'person', 2: 'Persian cat'}"),
        ("stride", "32"),
        ("imgsz", "[480, 640]"),
        ("kpt_shape", "[17, 3]"),
        ("end2end", "False"),
        ("args", "{'nms': None, 'dynamic': True}"),
    ]))
    .unwrap();
    assert_eq!(
        metadata,
        Metadata {
            task: NetworkTask::Pose,
            names: ["person", "", "Persian cat"].map(str::to_owned).to_vec(),
            stride: 32,
            size: (640, 480),
            key_points: Some((17, 3)),
            is_end_to_end: false,
        }
    );
    let detect = |more: &[(&str, &str)]| {
        let all = [&[("task", "detect"), ("names", "['a']")], more].concat();
        Metadata::read(&fields(&all)).unwrap()
    };
    assert_eq!((detect(&[]).size, detect(&[]).stride), ((640, 640), 32));
    assert_eq!(detect(&[("imgsz", "320")]).size, (320, 320));
    assert!(detect(&[("end2end", "True")]).is_end_to_end);
    assert!(detect(&[("args", "{'nms': True}")]).is_end_to_end);
}

#[test]
fn wrong_metadata_is_named() {
    for (wrong, message) in [
        (&[][..], "no metadata field task"),
        (&[("task", "depth")], "its task \"depth\" is none of"),
        (&[("task", "detect")], "no metadata field names"),
        (
            &[("task", "detect"), ("names", "{'a': 1}")],
            "names is not a dict of texts by number",
        ),
        (
            &[("task", "detect"), ("names", "{900000000: 'a'}")],
            "names has class",
        ),
        (&[("task", "detect"), ("names", "{}")], "names is empty"),
        (
            &[("task", "detect"), ("names", "{0: 'a'")],
            "metadata field names",
        ),
        (
            &[("task", "detect"), ("names", "['a']"), ("imgsz", "[0, 0]")],
            "imgsz asks for 0 pixels",
        ),
        (
            &[("task", "pose"), ("names", "['a']")],
            "no metadata field kpt_shape",
        ),
    ] {
        let error = Metadata::read(&fields(wrong)).unwrap_err();
        assert!(format!("{error:#}").contains(message), "{error:#}");
    }
}
