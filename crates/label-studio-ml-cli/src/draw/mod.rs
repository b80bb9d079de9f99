//! Pages that show predictions: images with their regions, texts with their spans, everything else as a list.
//!
//! A page needs nothing but itself: images are part of it, regions are SVG.

mod html;
mod image;
mod mask;
mod text;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use label_studio_sdk::{LabelConfig, Region};
use serde_json::{Map, Value};

use self::html::score;

pub(crate) use html::escaped;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2em;max-width:70em}h1{font-size:1.2em}\
    figure{margin:0;position:relative;display:inline-block}img{max-width:100%;display:block}\
    figure svg{position:absolute;inset:0;width:100%;height:100%}mark{padding:0 .15em;border-radius:.2em}\
    mark sub{font-size:.7em;margin-left:.2em}pre{white-space:pre-wrap}li{margin:.2em 0}";

/// A folder of pages, and a page that lists them.
pub(crate) struct Gallery {
    folder: PathBuf,
    links: Vec<String>,
}

impl Gallery {
    /// Makes the folder if it does not exist.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            links: Vec::new(),
        })
    }

    /// Writes the page of a task.
    pub(crate) fn add(
        &mut self,
        name: &str,
        data: &Map<String, Value>,
        label_config: &LabelConfig,
        predictions: &Value,
    ) -> anyhow::Result<()> {
        let n_pages = self.links.len() + 1;
        let file = format!("{n_pages:04}.html");
        let regions = regions_of(&predictions[0]["result"]);
        let body = body(data, label_config, &regions);
        let page = page(name, &body);
        let path = self.folder.join(&file);
        fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
        self.links.push(format!(
            "<li><a href=\"{file}\">{}</a>: {}</li>",
            escaped(name),
            regions.len()
        ));
        Ok(())
    }

    /// Writes the page that lists the others.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let path = self.folder.join("index.html");
        let list = format!("<p>Regions by task</p><ol>{}</ol>", self.links.concat());
        let page = page("Predictions", &list);
        fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Returns the regions of a result; what is none is left out.
pub(crate) fn regions_of(result: &Value) -> Vec<Region> {
    let entries = result.as_array().into_iter().flatten();
    entries
        .filter_map(|entry| serde_json::from_value(entry.clone()).ok())
        .collect()
}

/// Returns what a task shows, with its regions, as HTML.
pub(crate) fn body(
    data: &Map<String, Value>,
    label_config: &LabelConfig,
    regions: &[Region],
) -> String {
    let mut html = String::new();
    let mut drawn = vec![false; regions.len()];
    for object in label_config.objects() {
        let Some(shown) = object.value_in(data) else {
            continue;
        };
        let of_object: Vec<_> = regions
            .iter()
            .zip(&mut drawn)
            .filter(|(region, _)| region.to_name == object.name)
            .collect();
        match (&*object.tag.to_lowercase(), shown.as_str()) {
            ("image", Some(address)) => html += &image::figure(address, of_object),
            ("text", Some(text)) => html += &text::marked(text, of_object),
            (_, Some(text)) if text.starts_with("data:") => {}
            (_, Some(text)) => html.extend([format!("<pre>{}</pre>", escaped(text))]),
            (_, None) => html.extend([format!("<pre>{}</pre>", escaped(&shown.to_string()))]),
        }
    }
    let others = regions.iter().zip(drawn).filter(|(_, is_drawn)| !is_drawn);
    let others: Vec<_> = others
        .map(|(region, _)| {
            let value = escaped(&region.value.to_string());
            format!(
                "<li>{}: {value}{}</li>",
                escaped(&region.from_name),
                score(region)
            )
        })
        .collect();
    if !others.is_empty() {
        html.extend([format!("<ul>{}</ul>", others.concat())]);
    }
    html
}

/// Returns a whole page.
pub(crate) fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>"
    )
}
