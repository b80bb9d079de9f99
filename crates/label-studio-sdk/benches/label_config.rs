//! How long it takes to read a label config: once per change of a project.

use std::fmt::Write;

use divan::{Bencher, black_box};
use label_studio_sdk::LabelConfig;

fn main() {
    divan::main();
}

fn label_config(n_choices: usize) -> String {
    let mut choices = String::new();
    for idx in 0..n_choices {
        let colour = (idx * 7919) % 0xff_ffff;
        // Writing into a String cannot fail.
        let _ = writeln!(
            choices,
            r##"<Choice value="Category {idx}" alias="cat_{idx}" hotkey="{}" background="#{colour:06x}"/>"##,
            idx % 10
        );
    }
    format!(
        r#"<View>
  <Header value="Choose the category of the text"/>
  <Text name="text" value="$text" granularity="word"/>
  <Choices name="category" toName="text" choice="single" showInLine="true">
{choices}  </Choices>
  <TextArea name="comment" toName="text" rows="3" maxSubmissions="1" editable="true"/>
</View>"#
    )
}

#[divan::bench(args = [6, 200])]
fn parse(bencher: Bencher<'_, '_>, n_choices: usize) {
    let text = label_config(n_choices);
    bencher.bench_local(|| LabelConfig::parse(black_box(&text)));
}

#[divan::bench(args = [6, 200])]
fn validate(bencher: Bencher<'_, '_>, n_choices: usize) {
    let config = LabelConfig::parse(&label_config(n_choices)).expect("the label config is valid");
    bencher.bench_local(|| black_box(&config).validate());
}
