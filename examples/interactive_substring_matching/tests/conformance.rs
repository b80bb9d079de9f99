//! What Label Studio needs of every backend.

use interactive_substring_matching::InteractiveSubstringMatching;
use label_studio_ml::{json, testing::TestClient};
use label_studio_testing::check_repeater;

const CONFIG: &str = r#"<View><Labels name="label" toName="text"><Label value="PER"/></Labels>
  <Text name="text" value="$text"/></View>"#;

#[test]
fn a_word_in_one_entry_of_a_repeater_is_looked_for_there() {
    let selected = json!({
        "id": "a", "from_name": "label", "to_name": "text", "type": "labels",
        "value": { "start": 0, "end": 3, "text": "Ann", "labels": ["PER"] },
    });
    let body = json!({
        "tasks": [{ "id": 1, "data": { "text": "Ann saw Ann and Ann" } }],
        "project": "1.1", "label_config": CONFIG,
        "params": { "context": { "result": [selected] } },
    });
    let client = TestClient::new(InteractiveSubstringMatching::default());
    check_repeater(&client, &body);
}
