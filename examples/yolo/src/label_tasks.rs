//! Labelling tasks of a project once, without a server.

use std::{fs, path::Path, sync::Arc};

use label_studio_ml::{
    LabelConfig, Map, Model, PredictRequest, Project, ProjectId, Resources, Task, TaskPrediction,
    Value,
    anyhow::{self, Context, bail, ensure},
    predict, serde_json,
};

/// A task to label.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskToLabel {
    /// Its number in Label Studio.
    pub id: i64,
    /// Its data; fetched from Label Studio if not given.
    pub data: Option<Map<String, Value>>,
}

/// Reads which tasks to label: a JSON file with a list of ids or of objects with `id` and `data`, or ids with commas.
pub fn read_tasks(text: &str) -> anyhow::Result<Vec<TaskToLabel>> {
    let path = Path::new(text);
    let tasks: Vec<TaskToLabel> = if path.exists() {
        let json = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let json: Value = serde_json::from_slice(&json)
            .with_context(|| format!("{} is not JSON", path.display()))?;
        let Value::Array(entries) = json else {
            bail!("{} holds no list of tasks", path.display());
        };
        entries
            .into_iter()
            .map(task)
            .collect::<anyhow::Result<_>>()?
    } else {
        let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
        let id = |id: &str| {
            let number = id.parse().with_context(|| {
                format!("{id:?} is neither the number of a task nor an existing file of tasks")
            });
            Ok(TaskToLabel {
                id: number?,
                data: None,
            })
        };
        ids.map(id).collect::<anyhow::Result<_>>()?
    };
    ensure!(!tasks.is_empty(), "the list of tasks is empty");
    Ok(tasks)
}

fn task(entry: Value) -> anyhow::Result<TaskToLabel> {
    if let Some(id) = entry.as_i64() {
        return Ok(TaskToLabel { id, data: None });
    }
    let Value::Object(mut fields) = entry else {
        bail!("a task is neither an id nor an object with id and data: {entry}");
    };
    match (
        fields.get("id").and_then(Value::as_i64),
        fields.remove("data"),
    ) {
        (Some(id), Some(Value::Object(data))) => Ok(TaskToLabel {
            id,
            data: Some(data),
        }),
        _ => bail!("a task lacks its id or its data"),
    }
}

/// Predicts one task after the other and stores the predictions; returns what went wrong with which task.
pub fn label_tasks(
    model: &dyn Model,
    resources: Resources,
    project: i64,
    tasks: &[TaskToLabel],
) -> anyhow::Result<Vec<String>> {
    let client = resources.client.clone().context(
        "Label Studio is not known: set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY (account page, access token)",
    )?;
    let info = client.project(project)?;
    let label_config = Arc::new(LabelConfig::parse(&info.label_config)?);
    let id = ProjectId::parse(&project.to_string());
    let project = Project::new(id, label_config, Arc::new(resources));
    model.setup(&project)?;
    let label = |task: &TaskToLabel| {
        let whole = match &task.data {
            None => client.task(task.id)?,
            Some(data) => {
                let mut whole = Task::new(data.clone());
                whole.id = Some(task.id);
                whole
            }
        };
        let request = PredictRequest::new(vec![whole]);
        let predictions = predict(model, &project, &request)?.stamped(&project.model_version()?);
        for prediction in predictions.tasks {
            match prediction {
                TaskPrediction::One(prediction) | TaskPrediction::Unscored(prediction) => {
                    client.create_prediction(task.id, &prediction)?;
                }
                TaskPrediction::Several(predictions) => {
                    for prediction in &predictions {
                        client.create_prediction(task.id, prediction)?;
                    }
                }
                TaskPrediction::Failed(reason) => bail!(reason),
            }
        }
        Ok(())
    };
    let results = tasks.iter().map(|task| (task.id, label(task)));
    Ok(results
        .filter_map(|(id, result)| Some(format!("task {id}: {:#}", result.err()?)))
        .collect())
}
