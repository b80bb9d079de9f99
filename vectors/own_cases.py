"""What make_own.py asks Label Studio's SDK."""

from typing import Any

TEXT = '<Text name="t" value="$t"/>'
IMAGE = '<Image name="i" value="$i"/>'
CONFIGS = {
    "control_before_object": f'<View><Choices name="c" toName="t"><Choice value="x"/></Choices>{TEXT}</View>',
    "filter_is_no_control": f'<View><Filter name="f" toName="l"/><Labels name="l" toName="t"><Label value="A"/></Labels>{TEXT}</View>',
    "lower_case_tags": '<view><text name="t" value="$t"/><choices name="c" toName="t"><choice value="x"/><Choice value="y"/></choices></view>',
    "spaces_in_to_name": f'<View>{TEXT}<Text name="u" value="$u"/><Pairwise name="p" toName="t, u"/></View>',
    "choices_in_views": f'<View>{TEXT}<Choices name="c" toName="t"><View><Header value="h"/><View><Choice value="x"/></View></View><Choice value="y"/></Choices></View>',
    "controls_in_choices": f'<View>{TEXT}<Choices name="c" toName="t"><Choice value="x"/><View><Labels name="l" toName="t"><Label value="A"/></Labels></View><Choice value="y"/></Choices></View>',
    "relations": f'<View>{TEXT}<Relations name="r" toName="t"><Relation value="is"/><Relation value="has"/></Relations><Labels name="l" toName="t"><Label value="A"/></Labels></View>',
    "dynamic_choices": f'<View>{TEXT}<Choices name="c" toName="t" value="$options"/><Choices name="d" toName="t" value="$a.b"><Choice value="x"/></Choices><Labels name="l" toName="t" value="plain"><Label value="A"/></Labels></View>',
    "empty_attributes": f'<View>{TEXT}<Choices name="c" toName="t"><Choice value=""/><Choice value="" alias="a"/><Choice value="v" alias=""/><Choice/></Choices><Choices name="" toName="t"><Choice value="x"/></Choices><Choices name="e" toName=""><Choice value="x"/></Choices></View>',
    "one_name_twice": f'<View>{TEXT}<Choices name="c" toName="t"><Choice value="x"/></Choices><Labels name="c" toName="t"><Label value="A"/></Labels></View>',
    "object_twice": f'<View>{TEXT}<HyperText name="t" value="$h"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>',
    "per_region": f'<View>{TEXT}<Labels name="l" toName="t"><Label value="A"/></Labels><Choices name="c" toName="t" perRegion="true" whenTagName="" whenLabelValue="A" whenChoiceValue="q"><Choice value="x"/></Choices><TextArea name="a" toName="t" perRegion="True" whenTagName="l"/><TextArea name="b" toName="t" perRegion="true"/><TextArea name="d" toName="t" whenTagName="l"/></View>',
    "value_types": '<View><Text name="a" value="$a" valueType="url"/><HyperText name="b" value="$b" valueType="text"/><Text name="d" value="$d" valueType=""/><Choices name="c" toName="a,b,d"><Choice value="x"/></Choices></View>',
    "entities": f'<View>{TEXT}<Choices name="c" toName="t"><Choice value="a &amp; b"/><Choice value="&lt;x&gt;"/><Choice value="&#65;&#x42;"/><Choice value="&quot;q&quot;"/><Choice value="line&#10;break"/></Choices></View>',
    "white_space_in_attributes": f'<View>{TEXT}<Choices name="c" toName="t"><Choice value="a\n  b\tc"/><Choice value=" x "/></Choices></View>',
    "comments_and_cdata": f'<View><!-- a <Choice value="no"/> -->{TEXT}<Choices name="c" toName="t"><!-- x --><Choice value="x"/><![CDATA[<Choice value="no"/>]]></Choices></View>',
    "sample_task": "<View>"
    + TEXT
    + '<Choices name="c" toName="t"><Choice value="x"/></Choices></View><!-- {"data": {"t": "hello"}} -->',
    "unicode": '<View><Text name="tëxt" value="$текст"/><Choices name="выбор" toName="tëxt"><Choice value="да"/><Choice value="😀"/></Choices></View>',
    "unknown_tags": f'<View>{TEXT}<Hologram name="h" toName="t"><Label value="A"/></Hologram><Scene name="s" value="$s"/><Labels name="l" toName="s"><Label value="B"/></Labels></View>',
    "object_without_name": '<View><Text value="$t"/><Image name="i"/><Header name="h" value="Say it"/><Choices name="c" toName="h"><Choice value="x"/></Choices></View>',
    "two_flags": '<View><Repeater on="$a" indexFlag="{{i}}"><Repeater on="$b" indexFlag="{{j}}"><Text name="t_{{i}}_{{j}}" value="$a[{{i}}].b[{{j}}]"/><Choices name="c_{{i}}_{{j}}" toName="t_{{i}}_{{j}}"><Choice value="x"/></Choices></Repeater></Repeater><Text name="z" value="$z"/><TextArea name="y" toName="z"/></View>',
    "time_series": '<View><TimeSeries name="ts" value="$csv" valueType="url" timeColumn="time"><Channel column="a"/></TimeSeries><TimeSeriesLabels name="l" toName="ts"><Label value="Run"/></TimeSeriesLabels></View>',
    "list_and_ranker": '<View><List name="results" value="$items"/><Ranker name="rank" toName="results"><Bucket name="best" title="Best"/><Bucket name="rest"/></Ranker></View>',
    "self_labelling": '<View><Chat name="chat" value="$chat"/><ReactCode name="code" toName="code"/></View>',
    "chat_without_value": '<View><Chat name="chat"/></View>',
    "every_image_control": f"<View>{IMAGE}"
    + "".join(
        f'<{tag} name="{tag.lower()}" toName="i"><Label value="A"/></{tag}>'
        for tag in [
            "Brush",
            "BrushLabels",
            "Bitmask",
            "BitmaskLabels",
            "MagicWand",
            "Ellipse",
            "EllipseLabels",
            "KeyPoint",
            "KeyPointLabels",
            "Vector",
            "VectorLabels",
            "OcrLabels",
            "Polygon",
            "PolygonLabels",
            "Rectangle",
            "RectangleLabels",
        ]
    )
    + "</View>",
    "every_other_control": f"<View>{TEXT}"
    + "".join(
        f'<{tag} name="{tag.lower()}" toName="t"/>'
        for tag in [
            "VideoRectangle",
            "VideoVector",
            "VideoVectorLabels",
            "Number",
            "DateTime",
            "HyperTextLabels",
            "Pairwise",
            "ParagraphLabels",
            "Ranker",
            "Rating",
            "Relations",
            "Taxonomy",
            "TextArea",
            "TimeSeriesLabels",
            "TimelineLabels",
            "ChatMessage",
        ]
    )
    + "</View>",
    "video_speeds": '<View><Video name="v" value="$v" minPlaybackSpeed="3" defaultPlaybackSpeed="2"/><TimelineLabels name="tl" toName="v"><Label value="A"/></TimelineLabels></View>',
    "video_speed_no_number": '<View><Video name="v" value="$v" defaultPlaybackSpeed="fast"/><TimelineLabels name="tl" toName="v"><Label value="A"/></TimelineLabels></View>',
    "choices_without_labels": f'<View>{TEXT}<Choices name="c" toName="t"/></View>',
    "text_without_value": '<View><Text name="t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>',
    "trees": f'<View>{TEXT}<Taxonomy name="x" toName="t"><Choice value="A" alias="a"><Choice value="B"><Choice value="C"/></Choice></Choice><Choice value="B"/></Taxonomy></View>',
    "declaration": f'<?xml version="1.0"?>\n<View>{TEXT}<Choices name="c" toName="t"><Choice value="x"/></Choices></View>',
}
INTERFACE = (
    "<View>"
    + TEXT
    + IMAGE
    + '<Video name="v" value="$v"/><TimeSeries name="ts" value="$ts"/><HyperText name="h" value="$h"/><Paragraphs name="p" value="$p"/>'
    '<Choices name="chc" toName="t"><Choice value="one"/><Choice value="two" alias="2"/></Choices>'
    '<Labels name="lbl" toName="t,h"><Label value="PER"/><Label value="ORG"/></Labels><TextArea name="ta" toName="t"/>'
    + "".join(
        f'<{tag} name="{name}" toName="i"><Label value="A"/></{tag}>'
        for tag, name in (
            ("RectangleLabels", "rl"),
            ("PolygonLabels", "pl"),
            ("BrushLabels", "bl"),
            ("BitmaskLabels", "bml"),
            ("KeyPointLabels", "kl"),
            ("EllipseLabels", "el"),
            ("VectorLabels", "vl"),
            ("OcrLabels", "ol"),
        )
    )
    + "".join(
        f'<{tag} name="{name}" toName="i"/>'
        for tag, name in (
            ("Rectangle", "r"),
            ("Polygon", "po"),
            ("Brush", "b"),
            ("Bitmask", "bm"),
            ("KeyPoint", "k"),
            ("Ellipse", "e"),
            ("Vector", "ve"),
            ("MagicWand", "mw"),
        )
    )
    + '<Rating name="rt" toName="t" maxRating="5"/><Number name="nm" toName="t"/><DateTime name="dt" toName="t"/><Ranker name="rk" toName="t"/>'
    '<Taxonomy name="tx" toName="t"><Choice value="A"><Choice value="B"/></Choice></Taxonomy><Pairwise name="pw" toName="t,h"/>'
    '<VideoRectangle name="vr" toName="v"/><VideoVector name="vv" toName="v"/><TimelineLabels name="tll" toName="v"><Label value="Run"/></TimelineLabels>'
    '<TimeSeriesLabels name="tl" toName="ts"><Label value="Run"/></TimeSeriesLabels>'
    '<HyperTextLabels name="hl" toName="h"><Label value="H"/></HyperTextLabels><ParagraphLabels name="pgl" toName="p"><Label value="Q"/></ParagraphLabels></View>'
)
BOX = {"x": 10, "y": 20.5, "width": 30, "height": 40}
VERTEX = {"x": 1, "y": 2, "id": "v1"}
FRAME = {"x": 1, "y": 2, "time": 0.04, "frame": 1, "width": 3, "height": 4}
LABEL_CALLS: list[tuple[str, Any]] = [
    ("chc", {"label": "2"}),
    ("chc", {"label": "two"}),
    ("chc", {"choices": ["one"]}),
    ("chc", {"label": "one", "extra": 1}),
    ("chc", {}),
    ("lbl", {"label": ["PER", "ORG"], "start": 0, "end": 5, "text": "dropped"}),
    ("lbl", {"label": "PER", "start": "0", "end": 5.5}),
    ("lbl", {"label": "PER", "start": 1, "end": 2, "to_name": "h"}),
    ("lbl", {"label": [], "start": 0, "end": 1}),
    ("lbl", {"label": "PER", "start": 0}),
    ("lbl", {"label": "PER", "start": None, "end": 1}),
    ("lbl", {"labels": ["XX"], "start": 0, "end": 1}),
    ("ta", {"label": ["a", "b"]}),
    ("ta", {"text": ["a"]}),
    ("ta", {"label": ""}),
    ("ta", {"label": 5}),
    ("ta", {"label": []}),
    ("rl", {"label": "A", **BOX}),
    ("rl", {"label": "A", **BOX, "rotation": 360}),
    ("rl", {"label": "A", **BOX, "rotation": 361}),
    ("rl", {"label": "A", **BOX, "x": -5}),
    ("rl", {"label": "A", **BOX, "x": "7.5"}),
    ("rl", {"label": "A", **BOX, "height": 100.0001}),
    ("rl", BOX),
    ("rl", {"label": "B", **BOX}),
    ("r", {**BOX, "label": "ignored"}),
    ("r", {"x": 1, "y": 2}),
    ("r", {**BOX, "width": None}),
    ("pl", {"label": "A", "points": [[1, 2], [3, 4.5]]}),
    ("pl", {"label": "A", "points": [[1, 2, 3]]}),
    ("pl", {"label": "A", "points": []}),
    ("po", {"points": [[0, 101]]}),
    ("po", {"points": [[-1, 50]], "closed": True}),
    ("bl", {"label": "A", "rle": [1, 255], "format": "rle"}),
    ("bl", {"label": "A", "rle": [256]}),
    ("b", {"format": "rle", "rle": [0]}),
    ("b", {"format": "png", "rle": [0]}),
    ("mw", {"format": "rle", "rle": [7]}),
    ("bm", {"imageDataURL": "data:image/png;base64,AA=="}),
    ("bml", {"label": "A", "imageDataURL": "data:image/png;base64,AA=="}),
    ("bml", {"label": "A"}),
    ("kl", {"label": "A", "x": 1, "y": 2, "width": 0.5}),
    ("k", {"x": 1, "y": 2}),
    ("k", {"x": 1}),
    ("k", {"x": 1, "y": 200}),
    ("el", {"label": "A", "x": 1, "y": 2, "radiusX": 50, "radiusY": 0}),
    ("el", {"label": "A", "x": 1, "y": 2, "radiusX": 50.1, "radiusY": 0}),
    ("e", {"x": 1, "y": 2, "radiusX": 3, "radiusY": 4, "rotation": 15}),
    ("ve", {"vertices": [VERTEX]}),
    ("ve", {"vertices": [], "closed": True}),
    ("ve", {"vertices": [{"x": 1}]}),
    ("vl", {"label": "A", "vertices": [VERTEX], "closed": False}),
    ("ve", {"vertices": [{**VERTEX, "prevPointId": None, "isBezier": False}]}),
    ("ol", {"label": "A", **BOX}),
    ("ol", {"label": "A", "x": 1, "y": 2, "radiusX": 3, "radiusY": 4}),
    ("ol", {"label": "A", "points": [[1, 2], [3, 4], [5, 6]]}),
    ("ol", {"label": "A"}),
    ("rt", {"label": 0}),
    ("rt", {"label": 6}),
    ("rt", {"label": -1}),
    ("rt", {"label": 2.5}),
    ("rt", {"rating": 3}),
    ("rt", {"label": 3.0}),
    ("nm", {"label": -4}),
    ("nm", {"number": "4.5"}),
    ("nm", {"number": "x"}),
    ("nm", {}),
    ("dt", {"label": ["2020-01-01", "later"]}),
    ("dt", {}),
    ("rk", {"ranker": {"a": [], "b": ["x", "y"]}}),
    ("rk", {"ranker": ["x"]}),
    ("rk", {"ranker": {"a": "x"}}),
    ("tx", {"taxonomy": [["A", "B"], ["A"]]}),
    ("tx", {"taxonomy": ["A"]}),
    ("tx", {"taxonomy": []}),
    ("pw", {"label": "left"}),
    ("pw", {"label": "both"}),
    ("pw", {}),
    ("vr", {"sequence": [FRAME], "framesCount": 10, "duration": 1.5, "labels": ["Man"]}),
    ("vr", {"sequence": [{**FRAME, "enabled": True}], "framesCount": 10, "duration": 1}),
    ("vr", {"sequence": [], "framesCount": 1, "duration": 0}),
    ("vr", {"sequence": [{"x": 1}], "framesCount": 1, "duration": 1}),
    ("vr", {"sequence": [FRAME]}),
    ("vv", {"sequence": [{"frame": 1, "vertices": [VERTEX]}]}),
    ("vv", {"sequence": [{"vertices": []}]}),
    (
        "vv",
        {
            "sequence": [
                {"frame": 2, "time": 0.5, "closed": True, "enabled": False, "vertices": []}
            ],
            "framesCount": 3,
            "duration": 2,
        },
    ),
    ("tll", {"label": "Run", "ranges": [{"start": 1, "end": 5}]}),
    ("tll", {"label": "Run", "ranges": []}),
    ("tll", {"label": "Run", "ranges": [{"start": 1}]}),
    ("tl", {"label": "Run", "start": 1, "end": 2.5, "instant": True}),
    ("tl", {"label": "Run", "start": "2020", "end": "2021"}),
    ("tl", {"label": "Walk", "start": 1, "end": 2, "instant": False}),
    ("hl", {"label": "H", "start": "/p[1]", "end": "/p[1]"}),
    ("hl", {"label": "H", "start": "/p[1]", "end": "/p[1]", "startOffset": -1, "endOffset": 2}),
    (
        "hl",
        {
            "label": "H",
            "start": 0,
            "end": 3,
            "startOffset": 0,
            "endOffset": 3,
            "globalOffsets": {"start": 1},
        },
    ),
    ("pgl", {"label": "Q", "start": "0", "end": "1", "startOffset": 2, "endOffset": 4}),
    ("pgl", {"label": "Q", "utterance": 3}),
    ("pgl", {"label": "Q", "utterance": 3, "startOffset": 1, "endOffset": 2}),
]
PAYLOADS = [
    {"chc": {"choices": ["one"]}},
    {"chc": []},
    {"chc": {}},
    {"chc": "three"},
    {"lbl": {"start": 0, "end": 1, "label": "PER"}},
    {"lbl": []},
    {"ta": ["a", "b"]},
    {"ta": []},
    {"ta": {"text": ["x"]}},
    {"nm": 0},
    {"nm": 1.5},
    {"rt": 0},
    {"rt": {"rating": 2}},
    {"rl": [{**BOX, "label": "A"}, {**BOX, "rectanglelabels": ["A"]}]},
    {"r": BOX},
    {"tx": [["A", "B"], ["A"]]},
    {"pw": "left"},
    {"dt": "2024-02-03"},
    {"rk": {"ranker": {"a": ["x"]}}},
    {"chc": "one", "nm": 3, "nope": 1, "ta": "x", "rt": None},
    {"pgl": {"utterance": 1, "label": "Q"}},
    {"tll": [{"ranges": [{"start": 1, "end": 2}], "label": "Run"}]},
    {},
]


def region(control: Any, kind: str, value: Any, to: str = "i", **more: Any) -> Any:
    return {"from_name": control, "to_name": to, "type": kind, "value": value, **more}


PREDICTIONS = [
    {"result": []},
    {"result": None},
    {"result": {}},
    {"result": [], "score": 0},
    {"result": [], "score": 1},
    {"result": [], "score": -0.1},
    {"result": [], "score": "0.5"},
    {"result": [], "score": [1]},
    {"result": [], "score": 1.0000001},
    {"result": [], "score": True},
    {"result": [], "score": "nan"},
    {"result": [region("rl", "RectangleLabels", {**BOX, "rectanglelabels": ["A"]})]},
    {"result": [region("rl", "rectanglelabels", {**BOX, "rectanglelabels": ["B"]})]},
    {
        "result": [
            region(
                "rl", "rectanglelabels", {**BOX, "x": -1, "width": 101, "rectanglelabels": ["A"]}
            )
        ]
    },
    {
        "result": [
            region("rl", "rectanglelabels", {**BOX, "rotation": 400, "rectanglelabels": ["A"]})
        ]
    },
    {"result": [region("rl", "rectanglelabels", {**BOX, "rectanglelabels": []})]},
    {"result": [region("r", "rectangle", BOX)]},
    {"result": [region("r", "rectangle", {"x": 1})]},
    {"result": [region("lbl", "rectanglelabels", {**BOX, "labels": ["PER"]}, "t")]},
    {"result": [region("lbl", "labels", {"start": 0, "end": 1, "labels": ["PER"]}, "h")]},
    {"result": [region("lbl", "labels", {"start": 0, "end": 1, "labels": ["PER"]}, "i")]},
    {"result": [region("lbl", "labels", {"start": 0, "end": 1}, "t")]},
    {"result": [region("lbl", "labels", {"labels": ["PER"]}, "t")]},
    {
        "result": [
            region("chc", "choices", {"choices": ["2"]}, "t"),
            region("chc", "choices", {"choices": ["two"]}, "t"),
        ]
    },
    {"result": [region("chc", "choices", {"choices": "one"}, "t")]},
    {"result": [region("chc", "choices", {"chc": {"choices": ["one"]}}, "t")]},
    {"result": [region("ta", "textarea", {"text": ["a"]}, "t")]},
    {"result": [region("ta", "textarea", {"text": "a"}, "t")]},
    {"result": [region("rt", "rating", {"rating": 6}, "t")]},
    {"result": [region("rt", "rating", {"rating": 5}, "t")]},
    {"result": [region("nm", "number", {"number": "x"}, "t")]},
    {"result": [region("nm", "number", {"number": 1}, "t")]},
    {
        "result": [
            region(
                "vr", "videorectangle", {"sequence": [FRAME], "framesCount": 1, "duration": 1}, "v"
            )
        ]
    },
    {
        "result": [
            region(
                "vr",
                "videorectangle",
                {"vr": {"sequence": [FRAME], "framesCount": 1, "duration": 1}},
                "v",
            )
        ]
    },
    {
        "result": [
            region(
                "vr",
                "videorectangle",
                {"sequence": [FRAME], "framesCount": 1, "duration": 1, "labels": ["x"]},
                "v",
            )
        ]
    },
    {"result": [region("tx", "taxonomy", {"taxonomy": [["A", "B"]]}, "t")]},
    {"result": [region("tx", "taxonomy", {"taxonomy": [["A", "Z"]]}, "t")]},
    {"result": [region("rk", "ranker", {"ranker": {"a": ["x"]}}, "t")]},
    {
        "result": [
            region("k", "keypoint", {"x": 1, "y": 2}),
            {"type": "relation", "from_id": "a", "to_id": "b"},
        ]
    },
    {
        "result": [
            region("k", "keypoint", {"x": 1, "y": 2}, id="a"),
            region("k", "keypoint", {"x": 1, "y": 2}, id="b"),
            {"type": "relation", "from_id": "a", "to_id": "b", "direction": "bi"},
        ]
    },
    {
        "result": [
            region("k", "keypoint", {"x": 1, "y": 200}, id="a"),
            {"type": "relation", "from_id": "a", "to_id": "a", "direction": "left"},
        ]
    },
    {"result": [{"from_name": "chc"}]},
    {"result": ["x"]},
    {"result": [region("nope", "choices", {}, "t")]},
    {"result": [region("chc", "choices", {"choices": ["one"]}, "nope")]},
    {"result": [region("chc", "labels", {"choices": ["one"]}, "t")]},
    {
        "result": [
            region(
                "el",
                "ellipselabels",
                {"x": 1, "y": 2, "radiusX": 60, "radiusY": 1, "ellipselabels": ["A"]},
            )
        ]
    },
    {"result": [region("bl", "brushlabels", {"format": "rle", "rle": [], "brushlabels": ["A"]})]},
]

HOST, TOKEN = "http://ls.example:8080", "legacy123"
PATHS = {
    "upload_with_space": ("/data/upload/3/my file.png", HOST),
    "upload_escaped": ("/data/upload/3/my%20file.png", HOST),
    "upload_unicode": ("/data/upload/3/ä.png", HOST),
    "proxy_without_slash": ("storage-data/uploaded/?filepath=upload/3/a.png", HOST),
    "proxy_escaped": ("/storage-data/uploaded/?filepath=upload%2F3%2Fa.png", HOST),
    "local_file_elsewhere": ("/data/local-files/?d=dir/none.jpg", HOST),
    "local_file_last_d_wins": ("/data/local-files/?d=x&d=dir/none.jpg", HOST),
    "local_file_below_a_path": ("/data/local-files/?d=dir/none.jpg", HOST + "/ls"),
    "local_file_unnamed": ("/data/local-files/?d=", HOST),
    "gs": ("gs://b/k/x.png", HOST),
    "s3_with_space": ("s3://b/k/a b.png", HOST),
    "s3_unicode": ("s3://b/ключ.png", HOST),
    "s3_plus": ("s3://b/a+b.png", HOST),
    "s3_below_a_path": ("s3://b/k.png", HOST + "/ls/"),
    "slash_after_host": ("/data/upload/3/a.png", HOST + "/"),
    "web_escaped": ("https://cdn.example.com/a%20b.png", HOST),
    "web_two_slashes": ("https://cdn.example.com//a//b.png", HOST),
    "web_fragment": ("https://cdn.example.com/a.png#f", HOST),
}
