//! Which tasks of a project a command is about.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, bail};
use clap::Args;
use label_studio_sdk::{Client, client::TaskQuery};
use serde_json::{Value, json};

use super::Patience;

/// Tasks of a page of which only the numbers are needed.
const IDS_PAGE: usize = 500;

/// Which tasks of the project
#[derive(Debug, Args)]
#[command(next_help_heading = "Tasks")]
pub(crate) struct SelectionArgs {
    /// Only the tasks of this tab of the data manager; its number is in the tab's address, tab=NUMBER
    #[arg(long, value_name = "ID", conflicts_with_all = ["filter", "ids"])]
    view: Option<i64>,

    /// Only the tasks of this filter: JSON as in the data manager's API, or @FILE with it
    #[arg(long, value_name = "JSON", conflicts_with = "ids")]
    filter: Option<String>,

    /// Only the tasks of these numbers, separated by commas; ranges like 10-20 count both ends
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    ids: Vec<String>,

    /// At most so many tasks
    #[arg(long, value_name = "COUNT")]
    pub(crate) limit: Option<usize>,
}

/// Tasks of a project.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Selection {
    All,
    View(i64),
    Filter(Value),
    Ids(Vec<i64>),
}

impl SelectionArgs {
    pub(crate) fn selection(&self) -> anyhow::Result<Selection> {
        if let Some(view) = self.view {
            return Ok(Selection::View(view));
        }
        if let Some(filter) = &self.filter {
            return filter_of(filter).map(Selection::Filter);
        }
        if self.ids.is_empty() {
            return Ok(Selection::All);
        }
        let mut ids = Vec::new();
        for text in &self.ids {
            ids.extend(range_of(text)?);
        }
        let mut seen = BTreeSet::new();
        ids.retain(|id| seen.insert(*id));
        Ok(Selection::Ids(ids))
    }
}

impl Selection {
    /// Returns the numbers of the tasks in their order; `None` for all, which are better read in the order of their numbers.
    pub(crate) fn ids(
        &self,
        client: &Client,
        project: i64,
        patience: &Patience<'_>,
    ) -> anyhow::Result<Option<Vec<i64>>> {
        let (view, selection) = match self {
            Self::All => return Ok(None),
            Self::Ids(ids) => return Ok(Some(ids.clone())),
            Self::View(view) => (Some(*view), None),
            Self::Filter(filter) => (None, Some(filter.clone())),
        };
        let mut query = TaskQuery {
            view,
            selection,
            page_size: IDS_PAGE,
            has_results: false,
            ..TaskQuery::new(project)
        };
        let mut ids = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            let page = patience.ask(|| client.task_page(&query))?;
            let n_before = ids.len();
            let new = page.tasks.iter().filter_map(|task| task.id);
            ids.extend(new.filter(|id| seen.insert(*id)));
            let is_last = page
                .total
                .map_or(page.tasks.len() < IDS_PAGE, |total| ids.len() >= total);
            if is_last || ids.len() == n_before {
                return Ok(Some(ids));
            }
            query.page += 1;
        }
    }
}

/// Reads a filter: the whole query of the data manager, its `filters`, or a list of conditions.
fn filter_of(text: &str) -> anyhow::Result<Value> {
    let text = match text.strip_prefix('@') {
        Some(path) => fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?,
        None => text.to_owned(),
    };
    let filter: Value = serde_json::from_str(&text).context(
        "--filter is not JSON; it looks like {\"conjunction\": \"and\", \"items\": [{\"filter\": \
         \"filter:tasks:id\", \"operator\": \"greater\", \"type\": \"Number\", \"value\": 100}]}",
    )?;
    let filters = match filter {
        Value::Object(ref query) if query.contains_key("filters") => return Ok(filter),
        Value::Object(ref filters) if filters.contains_key("items") => filter,
        Value::Array(items) => json!({ "conjunction": "and", "items": items }),
        _ => bail!("--filter has neither \"filters\" nor \"items\", and is no list of conditions"),
    };
    Ok(json!({
        "filters": filters,
        "ordering": [],
        "selectedItems": { "all": true, "excluded": [] },
    }))
}

fn range_of(text: &str) -> anyhow::Result<std::ops::RangeInclusive<i64>> {
    let text = text.trim();
    let number = |part: &str| part.trim().parse::<i64>().ok().filter(|id| *id > 0);
    let range = match text.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)),
        None => number(text).map(|id| (id, id)),
    };
    let (first, last) = range.with_context(|| format!("{text:?} is not the number of a task"))?;
    if first > last || last - first > 10_000_000 {
        bail!("{text:?} is not a range of tasks");
    }
    Ok(first..=last)
}

#[cfg(test)]
mod tests {
    use super::{filter_of, range_of};
    use serde_json::json;

    #[test]
    fn ids_are_numbers_and_ranges() {
        assert_eq!(range_of("7").unwrap(), 7..=7);
        assert_eq!(range_of(" 10-12 ").unwrap(), 10..=12);
        for wrong in ["", "x", "-3", "0", "5-3", "1-99999999999"] {
            assert!(range_of(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn filters_are_a_query_its_filters_or_a_list() {
        let item = json!({ "filter": "filter:tasks:id", "operator": "equal", "type": "Number", "value": 1 });
        let filters = json!({ "conjunction": "and", "items": [item] });
        let query = json!({
            "filters": filters, "ordering": [], "selectedItems": { "all": true, "excluded": [] },
        });
        for given in [json!([item]), filters, query.clone()] {
            assert_eq!(filter_of(&given.to_string()).unwrap(), query);
        }
        assert!(filter_of("{}").is_err());
        assert!(filter_of("@/no/such/file").is_err());
    }
}
