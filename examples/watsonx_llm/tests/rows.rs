//! Annotations become rows and statements.

use label_studio_ml::{Map, Value, json, serde_json};
use watsonx_llm::{Cell, Row, Table};

const VECTORS: &str = include_str!("vectors/watsonx_llm.json");
/// What the recorded rows and statements have wrong, and what stands in its place: a span says its label and not where it
/// starts; what goes into a text column is a text; a quote in a text is doubled.
const DEFECTS: [(&str, &str); 4] = [
    ("lbl bigint", "lbl varchar"),
    (" 1.5,", " '1.5',"),
    (", 0, 'x'", ", 'A', 'x'"),
    ("\"it's\"", "'it''s'"),
];

fn corrected(recorded: &Value) -> String {
    let sql = recorded.as_str().unwrap().to_owned();
    DEFECTS
        .iter()
        .fold(sql, |sql, (defect, fixed)| sql.replace(defect, fixed))
}

fn row(recorded: &Value, users: &Value) -> Row {
    let (annotation, task) = (&recorded["annotation"], &recorded["task"]);
    let email = |user: &Value| {
        users[user.to_string()]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let emails = [
        email(&annotation["completed_by"]),
        email(&annotation["updated_by"]),
    ];
    let regions = annotation["result"].as_array().unwrap();
    let id = task["id"].as_i64().unwrap();
    Row::of_annotation(id, emails, task["data"].as_object().unwrap(), regions)
}

#[test]
fn recorded_annotations_become_the_recorded_rows_and_statements() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let table = Table::new("tbl").unwrap();
    for recorded in vectors["rows"].as_array().unwrap() {
        let row = row(recorded, &vectors["users"]);
        let mut expected = recorded["row"].as_object().unwrap().clone();
        if let Some(label) = expected.get_mut("lbl") {
            *label = "A".into();
        }
        assert_eq!(row.columns().count() + 1, expected.len());
        for (name, value) in &expected {
            let cell = match value {
                Value::Number(number) if number.is_i64() => Cell::Integer(number.as_i64().unwrap()),
                Value::String(text) => Cell::Text(text.clone()),
                other => Cell::Text(other.to_string()),
            };
            if name == "ID" {
                assert_eq!(cell, Cell::Integer(row.id));
            } else {
                assert_eq!(row.get(name), Some(&cell), "{name}");
            }
        }
        assert_eq!(
            table.create(&row).unwrap(),
            corrected(&recorded["create_sql"])
        );
        assert_eq!(table.insert(&row), corrected(&recorded["insert_sql"]));
        if let Some(order) = recorded["column_order"].as_array() {
            let names: Vec<_> = std::iter::once("ID")
                .chain(row.columns().map(|(name, _)| name))
                .collect();
            assert_eq!(json!(names), json!(order));
        }
    }
}

#[test]
fn values_become_cells() {
    let text = |text: &str| Cell::Text(text.to_owned());
    for (value, cell) in [
        (json!("42"), Cell::Integer(42)),
        (json!("-42"), text("-42")),
        (json!("4.2"), text("4.2")),
        (json!("²"), text("²")),
        (json!("99999999999999999999"), text("99999999999999999999")),
        (json!("\"quoted\""), text("quoted")),
        (json!(["x", "y"]), text("x")),
        (json!([["a", "b"], ["c"]]), text("a/b")),
        (json!([]), Cell::Null),
        (json!(null), Cell::Null),
        (json!(1.5), text("1.5")),
        (json!(true), text("true")),
        (json!({ "a": 1 }), text("{\"a\":1}")),
    ] {
        assert_eq!(Cell::of(&value), cell, "{value}");
    }
}

#[test]
fn regions_say_their_labels_choices_texts_and_numbers() {
    for (region, cell) in [
        (
            json!({ "type": "labels", "value": { "start": 0, "end": 3, "text": "abc", "labels": ["PER"] } }),
            json!("PER"),
        ),
        (
            json!({ "value": { "start": 0, "text": "abc", "labels": ["PER"] } }),
            json!("PER"),
        ),
        (
            json!({ "type": "rectanglelabels", "value": { "x": 1, "rectanglelabels": ["Cat"] } }),
            json!("Cat"),
        ),
        (
            json!({ "value": { "x": 1, "brushlabels": ["Dog"] } }),
            json!("Dog"),
        ),
        (
            json!({ "type": "choices", "value": { "choices": ["Good"] } }),
            json!("Good"),
        ),
        (
            json!({ "type": "textarea", "value": { "text": ["hi"] } }),
            json!("hi"),
        ),
        (
            json!({ "type": "rating", "value": { "rating": 4 } }),
            json!(4),
        ),
        (
            json!({ "type": "taxonomy", "value": { "taxonomy": [["a", "b"]] } }),
            json!("a/b"),
        ),
    ] {
        let mut region = region;
        region["from_name"] = "c".into();
        let row = Row::of_annotation(
            1,
            Default::default(),
            &Map::new(),
            std::slice::from_ref(&region),
        );
        assert_eq!(row.get("c"), Some(&Cell::of(&cell)), "{region}");
    }
}

#[test]
fn nothing_in_a_task_can_end_a_name_or_a_value() {
    let data = json!({
        "x\" varchar); DROP TABLE tbl; --": "'); DROP TABLE tbl; --",
        "select": "1; DELETE FROM tbl",
        "$undefined$": "\\'",
        "naïve": "\"\"",
        "a.b": "x\0'",
    });
    let row = Row::of_annotation(1, Default::default(), data.as_object().unwrap(), &[]);
    let table = Table::new("cat.my schema.tbl").unwrap();
    assert_eq!(
        table.create(&row).unwrap(),
        r#"CREATE TABLE IF NOT EXISTS cat."my schema".tbl (ID bigint, "$undefined$" varchar, "a.b" varchar, completed_by varchar, "naïve" varchar, "select" varchar, updated_by varchar, "x"" varchar); DROP TABLE tbl; --" varchar)"#
    );
    assert_eq!(
        table.insert(&row),
        r#"INSERT INTO cat."my schema".tbl VALUES (1, '\''', 'x''', '', '', '1; DELETE FROM tbl', '', '''); DROP TABLE tbl; --')"#
    );
    assert_eq!(
        table.delete(1, Some("o'hara@x.io")),
        r#"DELETE from cat."my schema".tbl WHERE ID=1 AND completed_by='o''hara@x.io'"#
    );
    for name in ["", " ", "a\nb", &"x".repeat(129)] {
        let mut row = Row::new(1);
        row.set(name, Cell::Null);
        assert!(table.create(&row).is_err(), "{name:?}");
    }
}

#[test]
fn columns_are_told_apart_without_regard_to_case() {
    let data = json!({ "Text": "data", "id": "77", "Completed_By": "me" });
    let region =
        json!({ "from_name": "text", "type": "textarea", "value": { "text": ["region"] } });
    let row = Row::of_annotation(5, Default::default(), data.as_object().unwrap(), &[region]);
    let columns: Vec<_> = row.columns().map(|(name, _)| name).collect();
    assert_eq!(columns, ["Text", "completed_by", "data_id", "updated_by"]);
    assert_eq!(row.get("TEXT"), Some(&Cell::Text("region".to_owned())));
    assert_eq!(row.id, 5);
}
