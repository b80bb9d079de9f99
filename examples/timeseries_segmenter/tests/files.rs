//! Files as they come: each is read, or refused with the reason.

use std::{fs, io::Write as _};

use label_studio_ml::{Project, Task, Value, json};
use label_studio_testing::project_in;
use tempfile::tempdir;
use timeseries_segmenter::{Tags, reading::read_task, times::Time};

/// A label config with a time column and two channels, and more attributes.
fn config(attributes: &str) -> String {
    format!(
        r#"<View><TimeSeriesLabels name="label" toName="ts"><Label value="Run"/></TimeSeriesLabels>
        <TimeSeries name="ts" value="$ts" timeColumn="time" {attributes}>
        <Channel column="a"/><Channel column="b"/></TimeSeries></View>"#
    )
}

/// Times and values of all rows, or the reason why there are none.
type Rows = Result<Vec<(Value, Vec<f32>)>, String>;

fn rows_of(project: &Project, data: &Value) -> Rows {
    let tags = Tags::find(project.label_config()).unwrap();
    let task = Task::from_value(&json!({ "id": 1, "data": { "ts": data } })).unwrap();
    let (mut rows, channels) = (Vec::new(), tags.channels());
    let read = read_task((project, &task), &tags, &channels, &mut |row| {
        rows.push((row.time.into(), row.values.to_vec()));
        Ok(())
    });
    match read {
        Ok(_) => Ok(rows),
        Err(error) => Err(format!("{error:#}")),
    }
}

/// Reads a file with this content.
fn read_with(config: &str, content: &[u8]) -> Rows {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("series.csv"), content).unwrap();
    let project = project_in(folder.path(), config);
    rows_of(&project, &json!("/data/local-files/?d=series.csv"))
}

fn read(content: impl AsRef<[u8]>) -> Rows {
    read_with(&config(""), content.as_ref())
}

fn two_rows() -> Vec<(Value, Vec<f32>)> {
    vec![(json!(0), vec![1.5, 2.0]), (json!(1), vec![3.0, 4.0])]
}

#[test]
fn files_of_other_writers_are_read() {
    let utf_8 = |text: &str| text.as_bytes().to_vec();
    for (what, content) in [
        ("plain", utf_8("time,a,b\n0,1.5,2\n1,3,4\n")),
        (
            "other columns, another order",
            utf_8("b,x,time,a\n2,text,0,1.5\n4,,1,3\n"),
        ),
        ("semicolons", utf_8("time;a;b\n0;1.5;2\n1;3;4\n")),
        ("tabs", utf_8("time\ta\tb\n0\t1.5\t2\n1\t3\t4\n")),
        ("bars", utf_8("time|a|b\n0|1.5|2\n1|3|4\n")),
        (
            "aligned with blanks",
            utf_8("time  a    b\n0     1.5  2\n1     3    4\n"),
        ),
        ("decimal commas", utf_8("time;a;b\n0;1,5;2,0\n1;3,0;4,0\n")),
        (
            "quoted decimal commas",
            utf_8("time,a,b\n0,\"1,5\",\"2\"\n1,\"3,0\",4\n"),
        ),
        ("CRLF", utf_8("time,a,b\r\n0,1.5,2\r\n1,3,4\r\n")),
        ("line ends of old Macs", utf_8("time,a,b\r0,1.5,2\r1,3,4\r")),
        ("BOM", utf_8("\u{feff}time,a,b\n0,1.5,2\n1,3,4\n")),
        (
            "quoted header",
            utf_8("\"time\",\"a\",\"b\"\n0,1.5,2\n1,3,4\n"),
        ),
        ("other case", utf_8("Time,A,B\n0,1.5,2\n1,3,4\n")),
        ("blanks", utf_8(" time , a,b \n 0 , 1.5 , 2 \n 1,3,4\n")),
        (
            "no-break and wide blanks",
            utf_8("time\u{a0},\u{2003}a,b\n0,1.5,2\n1,3,4\n"),
        ),
        (
            "full-width letters",
            utf_8("ｔｉｍｅ,ａ,ｂ\n0,1.5,2\n1,3,4\n"),
        ),
        (
            "comments",
            utf_8("# made by x\ntime,a,b\n0,1.5,2\n# half\n1,3,4\n"),
        ),
        ("header in a comment", utf_8("# time,a,b\n0,1.5,2\n1,3,4\n")),
        (
            "a description first",
            utf_8("Device: 7\nRate;100\n\ntime;a;b\n0;1,5;2\n1;3;4\n"),
        ),
        (
            "blank lines",
            utf_8("\n\ntime,a,b\n\n0,1.5,2\n\n1,3,4\n\n\n"),
        ),
        (
            "rows of separators",
            utf_8("time,a,b\n0,1.5,2\n,,\n1,3,4\n,,\n"),
        ),
        (
            "separators at the end",
            utf_8("time,a,b,\n0,1.5,2,\n1,3,4,,\n"),
        ),
        ("no line end at the end", utf_8("time,a,b\n0,1.5,2\n1,3,4")),
        (
            "Latin-1 in a name",
            b"time,a,b,\xb0C\n0,1.5,2,1\n1,3,4,2\n".to_vec(),
        ),
        (
            "exponents and signs",
            utf_8("time,a,b\n0,+15e-1,2.\n1,3E0,4\n"),
        ),
        (
            "JSON by columns",
            utf_8(r#"{"time":[0,1],"x":["y"],"a":[1.5,3],"b":[2,4]}"#),
        ),
        (
            "JSON, other case and blanks",
            utf_8(r#" {" Time":[0,1],"A":["1.5","3"],"b":[2,4.0]} "#),
        ),
        (
            "JSON by rows",
            utf_8(r#"[{"time":0,"a":1.5,"b":2},{"b":4,"c":{},"time":1,"a":3}]"#),
        ),
    ] {
        assert_eq!(read(&content), Ok(two_rows()), "{what}");
    }
}

#[test]
fn composed_and_decomposed_names_are_the_same() {
    let config = config("").replace("column=\"a\"", "column=\"größe\"");
    let content = "time,gro\u{308}ße,b\n0,1.5,2\n1,3,4\n";
    assert_eq!(read_with(&config, content.as_bytes()), Ok(two_rows()));
}

#[test]
fn columns_are_also_known_by_their_numbers() {
    let by_number = config("")
        .replace("timeColumn=\"time\"", "timeColumn=\"0\"")
        .replace("column=\"a\"", "column=\"1\"")
        .replace("column=\"b\"", "column=\"2\"");
    for content in [
        "0,1.5,2\n1,3,4\n",
        "0;1,5;2\n1;3;4\n",
        "0\t1,5\t2,0\n1\t3,0\t4,0\n",
        "when,left,right\n0,1.5,2\n1,3,4\n",
    ] {
        let found = read_with(&by_number, content.as_bytes());
        assert_eq!(found, Ok(two_rows()), "{content:?}");
    }
    let error = read("0,1.5,2\n1,3,4\n").unwrap_err();
    assert!(error.contains("no header"), "{error}");
    let error = read_with(&by_number, b"0,1\n1,2\n").unwrap_err();
    assert!(error.contains("\"2\""), "{error}");
}

#[test]
fn the_separator_of_the_label_config_counts_first() {
    let content = "time!a!b\n0!1.5!2\n1!3!4\n";
    assert_eq!(
        read_with(&config("sep=\"!\""), content.as_bytes()),
        Ok(two_rows())
    );
    let content = "time\ta\tb\n0\t1.5\t2\n1\t3\t4\n";
    assert_eq!(
        read_with(&config("sep=\"\\t\""), content.as_bytes()),
        Ok(two_rows())
    );
    assert_eq!(
        read_with(&config("sep=\";\""), content.as_bytes()),
        Ok(two_rows())
    );
}

#[test]
fn a_file_without_a_time_column_has_row_numbers() {
    let config = config("").replace("timeColumn=\"time\"", "");
    let one = config.replace("<Channel column=\"b\"/>", "");
    let rows = read_with(&one, b"a\n1,5\n3\n").unwrap();
    assert_eq!(rows, [(json!(0), vec![1.5]), (json!(1), vec![3.0])]);
    let rows = read_with(&one, b"a\n1.5\n").unwrap();
    assert_eq!(rows, [(json!(0), vec![1.5])]);
}

#[test]
fn times_keep_their_form() {
    let times = |config: &str, cells: [&str; 2]| {
        let content = format!("time,a,b\n{},1,2\n{},1,2\n", cells[0], cells[1]);
        let rows = read_with(config, content.as_bytes());
        rows.map(|rows| rows.into_iter().map(|(time, _)| time).collect::<Vec<_>>())
    };
    let plain = config("");
    for (cells, expected) in [
        (
            ["1600000000000000001", "1600000000000000002"],
            json!([1_600_000_000_000_000_001_u64, 1_600_000_000_000_000_002_u64]),
        ),
        (["0.5", "0.5"], json!([0.5, 0.5])),
        (["-3", "2"], json!([-3, 2])),
        (
            ["2020-01-01", "2020-01-02"],
            json!(["2020-01-01", "2020-01-02"]),
        ),
        (
            ["2020-01-01T00:00:00+02:00", "2019-12-31T23:00:00Z"],
            json!(["2020-01-01T00:00:00+02:00", "2019-12-31T23:00:00Z"]),
        ),
        (["step a", "step b"], json!(["step a", "step b"])),
    ] {
        assert_eq!(json!(times(&plain, cells).unwrap()), expected);
    }
    let american = config("timeFormat=\"%m/%d/%Y\"");
    let cells = ["12/31/2019", "01/01/2020"];
    assert_eq!(times(&american, cells).unwrap(), cells);
    let error = times(&american, ["01/02/2020", "01/01/2020"]).unwrap_err();
    assert!(error.contains("go back between rows 2 and 3"), "{error}");
    let error = times(&american, ["01/02/2020", "2020-01-03"]).unwrap_err();
    assert!(
        error.contains("timeFormat") && error.contains("row 3"),
        "{error}"
    );
    let years = times(&config("timeFormat=\"%Y\""), ["2019", "2020"]).unwrap();
    assert_eq!(
        years,
        ["2019", "2020"],
        "the editor needs texts where there is a format"
    );
}

#[test]
fn a_gap_has_the_last_value_before_it() {
    let content = "time,a,b\n0,,2\n1,NaN,inf\n2,5,n/a\n3,None,7\n4,-,\n5\n";
    let rows = read(content).unwrap();
    let a: Vec<f32> = rows.iter().map(|row| row.1[0]).collect();
    assert!(
        a[0].is_nan() && a[1].is_nan(),
        "nothing is known before the first number"
    );
    assert_eq!(a[2..], [5.0; 4]);
    let b: Vec<f32> = rows.iter().map(|row| row.1[1]).collect();
    assert_eq!(b, [2.0, 2.0, 2.0, 7.0, 7.0, 7.0]);
    let rows = read(r#"{"time":[0,1,2],"a":[1,null,"x y"],"b":[1,2,3]}"#).unwrap_err();
    assert!(rows.contains("row 3") && rows.contains("\"x y\""), "{rows}");
    let rows = read(r#"[{"time":0,"a":1,"b":1},{"time":1,"b":2}]"#).unwrap();
    assert_eq!(rows[1].1, [1.0, 2.0]);
}

#[test]
fn files_that_cannot_be_right_are_refused_with_the_reason() {
    let long = format!("time,a,b\n0,\"{}", "1\n".repeat(2_000_000));
    let no_numbers = "time,a,b\n0,,1\n1,NaN,2\n";
    for (content, reasons) in [
        ("", &["empty"] as &[&str]),
        ("\n \n", &["empty"]),
        ("time,a\n0,1\n", &["no column \"b\"", "\"time\", \"a\""]),
        ("time,a,b,b\n0,1,2,3\n", &["2 columns \"b\""]),
        ("time,a, B,b \n0,1,2,3\n", &["2 columns \"b\""]),
        ("time,a,b\n0,1,2\n1,2,3,4\n", &["row 3", "more fields"]),
        ("time,a,b\n0,1,5,2\n", &["row 2", "more fields"]),
        (
            "time,a,b\n0,1,off\n",
            &["row 2", "\"off\"", "\"b\"", "not a number"],
        ),
        ("time,a,b\r\n0,1,1\r\n1,1,12 kg\r\n", &["row 3", "12 kg"]),
        ("time,a,b\n# c\n\n0,1,1\n\n1,1,x\n", &["row 6"]),
        ("time,a,b\n0,1,2\n,1,2\n", &["row 3", "no time"]),
        ("time,a,b\n0,1,2\nNaN,1,2\n", &["row 3", "no time"]),
        (
            "time,a,b\n5,1,2\n3,1,2\n",
            &["go back between rows 2 and 3", "sort"],
        ),
        (
            "time,a,b\n0,1,2\nyesterday,1,2\n",
            &["row 3", "yesterday", "number"],
        ),
        ("time,a,b\nyesterday,1,2\n0,1,2\n", &["row 3", "text"]),
        (no_numbers, &["\"a\"", "no numbers"]),
        (&long, &["more than", "quotation mark"]),
        ("<html><body>Sign in</body></html>\n", &["no column"]),
        ("time,a,b\n0,1,2\n\0\n", &["not a text"]),
        ("{\"time\":[0],\"a\":[1]}", &["no column \"b\"", "\"a\""]),
        (
            "{\"time\":[0],\"a\":[1],\"b\":[1,2]}",
            &["\"time\" has 1", "\"b\" has 2"],
        ),
        ("{\"time\":[0],\"a\":[1],\"b\":", &["JSON"]),
        ("{\"time\":[0],\"a\":[1],\"b\":3}", &["JSON", "list"]),
        ("{\"time\":[0],\"a\":[[1]],\"b\":[3]}", &["JSON"]),
        (
            "{\"time\":[0],\"a\":[1],\"a\":[1],\"b\":[3]}",
            &["two columns \"a\""],
        ),
        ("{\"time\":[0],\"a\":[NaN],\"b\":[3]}", &["JSON"]),
        ("{\"time\":[0],\"a\":[1],\"b\":[3]} 1", &["behind its JSON"]),
        ("[1,2]", &["JSON"]),
    ] {
        let error = read(content).unwrap_err();
        let shown: String = content.chars().take(60).collect();
        for reason in reasons {
            assert!(error.contains(reason), "{shown:?}: {error}");
        }
    }
    let utf_16: Vec<u8> = "\u{feff}time,a,b\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(read(utf_16).unwrap_err().contains("save it as UTF-8"));
}

#[test]
fn a_file_with_a_header_only_has_no_rows() {
    assert_eq!(read("time,a,b\n"), Ok(Vec::new()));
    assert_eq!(read("time,a,b"), Ok(Vec::new()));
    assert_eq!(read(r#"{"time":[],"a":[],"b":[]}"#), Ok(Vec::new()));
}

#[test]
fn a_task_may_hold_the_series_itself() {
    let project = Project::in_memory(&config("valueType=\"json\"")).unwrap();
    let columns = json!({ "time": [0, 1], "a": [1.5, 3], "b": [2, 4] });
    assert_eq!(rows_of(&project, &columns), Ok(two_rows()));
    assert_eq!(
        rows_of(&project, &json!(columns.to_string())),
        Ok(two_rows())
    );
    assert_eq!(
        rows_of(&project, &json!("time,a,b\n0,1.5,2\n1,3,4\n")),
        Ok(two_rows())
    );
    let address = "data:text/csv;base64,dGltZSxhLGIKMCwxLjUsMgoxLDMsNAo=";
    assert_eq!(rows_of(&project, &json!(address)), Ok(two_rows()));
    for (data, reason) in [
        (json!(null), "no series in its data field \"ts\""),
        (json!(3), "neither a series nor an address"),
        (json!({ "time": [0] }), "no column \"a\""),
    ] {
        let error = rows_of(&project, &data).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_file_that_was_uploaded_as_a_task_has_no_name_of_its_own() {
    let folder = tempdir().unwrap();
    fs::write(
        folder.path().join("series.csv"),
        "time,a,b\n0,1.5,2\n1,3,4\n",
    )
    .unwrap();
    let project = project_in(folder.path(), &config(""));
    let data = json!({ "$undefined$": "/data/local-files/?d=series.csv" });
    let task = Task::from_value(&json!({ "id": 1, "data": data })).unwrap();
    let tags = Tags::find(project.label_config()).unwrap();
    let (mut n_rows, channels) = (0, tags.channels());
    read_task((&project, &task), &tags, &channels, &mut |_| {
        n_rows += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(n_rows, 2);
}

#[test]
fn a_file_larger_than_what_is_looked_at_is_read_to_its_end() {
    let mut content = b"time,a,b\n".to_vec();
    for row in 0..60_000 {
        writeln!(content, "{row},{row}.5,-{row}").unwrap();
    }
    let rows = read(&content).unwrap();
    assert_eq!(rows.len(), 60_000);
    for (number, (time, values)) in rows.iter().enumerate() {
        let number = f32::from(u16::try_from(number).unwrap());
        assert_eq!(time.as_f64(), Some(f64::from(number)));
        assert_eq!(values[..], [number + 0.5, -number]);
    }
    assert_eq!(Time::Integer(1).into_number(), Time::Number(1.0));
}

/// Parts of files, whole and broken.
const PARTS: [&str; 24] = [
    "time",
    "a",
    "b",
    ",",
    ";",
    "\t",
    " ",
    "\n",
    "\r\n",
    "\"",
    "#",
    "0",
    "1.5",
    "2,5",
    "NaN",
    "-",
    "{",
    "}",
    "[",
    "]",
    ":",
    "\u{feff}",
    "\u{e9}",
    "2020-01-01T00:00:00Z",
];

proptest::proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(parts in proptest::collection::vec(0..PARTS.len(), 0..60), cut in 0..4_usize) {
        let text: String = parts.iter().map(|part| PARTS[*part]).collect();
        // Not at the border of a character, perhaps.
        let bytes = &text.as_bytes()[cut.min(text.len())..];
        let header = b"time,a,b\n".as_slice();
        for content in [bytes, &[header, bytes].concat()] {
            let rows = read(content);
            proptest::prop_assert!(rows.is_ok() || rows.is_err_and(|reason| !reason.is_empty()));
        }
    }
}
