//! A pipeline of spaCy: what it takes to find entities.

use std::{cell::OnceCell, sync::Arc};

use label_studio_inference::hub::Hub;
use label_studio_ml::anyhow::{self, Context, bail};
use label_studio_text::regions::Entity;

use crate::{
    config::{Component, Config},
    files::Files,
    network::{LISTENER, Linear, Scorer, ThincModel, Tok2Vec, WordVectors},
    sentences::{SentenceFinder, unknown},
    split::parts,
    text::{Doc, Lexicon, Tokenizer},
    transitions::{DependencyParser, EntityParser, FoundEntity, Moves, TokenFacts},
};

/// The tokenizer that is rules in a file.
const TOKENIZER: &str = "spacy.Tokenizer.v1";
/// Languages whose norms are made by code of their own.
const OWN_NORMS: [&str; 2] = ["hi", "ne"];
/// Tokens whose vectors are computed at once, so that memory does not grow with the request.
const MAX_TOKENS: usize = 4096;

/// Finds entities in texts as a pipeline of spaCy does.
#[derive(Debug)]
pub struct Pipeline {
    tokenizer: Tokenizer,
    lexicon: Lexicon,
    networks: Vec<Tok2Vec>,
    sentence_finders: Vec<Step<SentenceFinder>>,
    entities: Step<EntityParser>,
}

/// A component, and the network whose vectors it reads; `None` if it reads none.
#[derive(Debug)]
struct Step<T> {
    network: Option<usize>,
    component: T,
}

impl Pipeline {
    /// Finds the files of a pipeline, fetches those that are missing, and reads them. `name` is a
    /// folder, one of spaCy's names such as `en_core_web_sm`, `owner/name` on the hub, or
    /// `package==version` on the package index.
    pub fn load(name: &str, hub: &Hub) -> anyhow::Result<Self> {
        let files = Files::find(name, hub)?;
        let config =
            String::from_utf8(files.read("config.cfg")?).context("config.cfg is no text")?;
        let config = Config::parse(&config)
            .with_context(|| format!("cannot use {}", files.shown("config.cfg")))?;
        let tokenizer = config.tokenizer();
        if !tokenizer.is_empty() && tokenizer != TOKENIZER {
            bail!(
                "the pipeline cuts texts into words with {tokenizer}; only rules ({TOKENIZER}) are supported"
            );
        }
        if let Some(language) = config.text("nlp", "lang")
            && OWN_NORMS.contains(&language)
        {
            tracing::warn!(
                language,
                "spaCy normalises words of this language by code that is not here"
            );
        }
        Reader {
            files: &files,
            config: &config,
            networks: Vec::new(),
            vectors: OnceCell::new(),
        }
        .read()
    }

    /// Returns the labels of entities that the pipeline knows.
    pub fn labels(&self) -> Vec<String> {
        self.entities
            .component
            .labels()
            .map(str::to_owned)
            .collect()
    }

    /// Returns the tokens of a text, each as its first character and the one behind it.
    pub fn tokens(&self, text: &str) -> Vec<(usize, usize)> {
        let doc = self.tokenizer.tokenize(text);
        let mut characters = Characters::new(text);
        let tokens = doc.tokens.iter();
        tokens
            .map(|token| (characters.at(token.start), characters.at(token.end)))
            .collect()
    }

    /// Finds the entities of texts, in the order of each text. Offsets count characters.
    pub fn find(&self, texts: &[String]) -> Vec<Vec<Entity>> {
        let parts: Vec<(usize, &str)> = texts
            .iter()
            .enumerate()
            .flat_map(|(idx, text)| parts(text).into_iter().map(move |part| (idx, part)))
            .collect();
        let mut found = vec![Vec::new(); texts.len()];
        let mut shifts = vec![0; texts.len()];
        let mut batch: Vec<(usize, Doc<'_>)> = Vec::new();
        let mut n_tokens = 0;
        for (idx, (text, part)) in parts.iter().enumerate() {
            let doc = self.tokenizer.tokenize(part);
            n_tokens += doc.tokens.len();
            batch.push((*text, doc));
            if n_tokens < MAX_TOKENS && idx + 1 < parts.len() {
                continue;
            }
            n_tokens = 0;
            let (indices, docs): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
            for ((text, doc), entities) in indices.iter().zip(&docs).zip(self.find_in(&docs)) {
                found[*text].extend(entities.into_iter().map(|entity| Entity {
                    start: entity.start + shifts[*text],
                    end: entity.end + shifts[*text],
                    ..entity
                }));
                shifts[*text] += doc.text.chars().count();
            }
        }
        found
    }

    fn find_in(&self, docs: &[Doc<'_>]) -> Vec<Vec<Entity>> {
        let vectors: Vec<_> = self
            .networks
            .iter()
            .map(|network| network.vectors(docs, &self.lexicon))
            .collect();
        let find = |(idx, doc): (usize, &Doc<'_>)| {
            let vectors = |network: Option<usize>| {
                network.map_or(&[][..], |network| vectors[network][idx].as_slice())
            };
            let mut starts = unknown(doc.tokens.len());
            for step in &self.sentence_finders {
                starts = step.component.find(doc, vectors(step.network), &starts);
            }
            let is_space = doc.spaces();
            let tokens = TokenFacts {
                is_space: &is_space,
                sentence_starts: &starts,
            };
            let vectors = vectors(self.entities.network);
            in_characters(doc, &self.entities.component.parse(vectors, tokens))
        };
        docs.iter().enumerate().map(find).collect()
    }
}

/// Reads the files of a pipeline.
struct Reader<'a> {
    files: &'a Files<'a>,
    config: &'a Config,
    /// Networks that were read, by the component whose folder they are in.
    networks: Vec<(String, Tok2Vec)>,
    vectors: OnceCell<Arc<WordVectors>>,
}

impl Reader<'_> {
    fn read(mut self) -> anyhow::Result<Pipeline> {
        let components = self.config.components();
        let position = components
            .iter()
            .position(|component| component.factory == "ner");
        let Some(position) = position else {
            let names: Vec<_> = components.iter().map(|part| part.name.as_str()).collect();
            bail!(
                "the pipeline has no component ner, which finds entities; it has {}",
                names.join(", ")
            );
        };
        let tokenizer = self.parse("tokenizer", Tokenizer::read)?;
        let lexicon = match self.files.read_if_there("vocab/lookups.bin")? {
            Some(bytes) => {
                Lexicon::read(&bytes).with_context(|| self.cannot_use("vocab/lookups.bin"))?
            }
            None => Lexicon::default(),
        };
        let mut sentence_finders = Vec::new();
        for component in &components[..position] {
            sentence_finders.extend(self.sentence_finder(component)?);
        }
        for component in &components[position + 1..] {
            if component.factory == "ner" {
                tracing::warn!(
                    component = component.name,
                    "only the first component ner is used"
                );
            }
        }
        for component in components
            .iter()
            .filter(|part| part.factory.ends_with("_ruler"))
        {
            if component.factory != "attribute_ruler" {
                tracing::warn!(
                    component = component.name,
                    "rules for entities are not used"
                );
            }
        }
        let name = &components[position].name;
        let (network, scorer, moves) = self.parser(name)?;
        let entities = EntityParser::new(scorer, moves)
            .with_context(|| format!("cannot use the component {name}"))?;
        Ok(Pipeline {
            tokenizer,
            lexicon,
            networks: self
                .networks
                .into_iter()
                .map(|(_, network)| network)
                .collect(),
            sentence_finders,
            entities: Step {
                network: Some(network),
                component: entities,
            },
        })
    }

    fn sentence_finder(
        &mut self,
        component: &Component,
    ) -> anyhow::Result<Option<Step<SentenceFinder>>> {
        let name = &component.name;
        let (network, component) = match component.factory.as_str() {
            "parser" => {
                let (network, scorer, moves) = self.parser(name)?;
                let parser = DependencyParser::new(scorer, moves)
                    .with_context(|| format!("cannot use the component {name}"))?;
                (Some(network), SentenceFinder::Dependencies(parser))
            }
            "senter" => {
                let model = self.model(name)?;
                let network = self.network(name, &model)?;
                let layer = model
                    .named("softmax")
                    .next()
                    .context("it has no layer softmax");
                let layer = layer.and_then(Linear::read);
                let layer = layer.with_context(|| self.cannot_use(&format!("{name}/model")))?;
                let overwrites = self.parse(&format!("{name}/cfg"), overwrites)?;
                (
                    Some(network),
                    SentenceFinder::Classifier { layer, overwrites },
                )
            }
            "sentencizer" => {
                let rules = self.parse(&format!("{name}.json"), SentenceFinder::rules)?;
                (None, rules)
            }
            _ => return Ok(None),
        };
        Ok(Some(Step { network, component }))
    }

    /// Reads a parser: the network of its tokens, the scores of its actions, and the actions.
    fn parser(&mut self, name: &str) -> anyhow::Result<(usize, Scorer, Moves)> {
        let model = self.model(name)?;
        let network = self.network(name, &model)?;
        let width = self.networks[network].1.width();
        let scorer = Scorer::read(&model, width)
            .with_context(|| self.cannot_use(&format!("{name}/model")))?;
        let moves = self.parse(&format!("{name}/moves"), Moves::read)?;
        Ok((network, scorer, moves))
    }

    fn model(&self, name: &str) -> anyhow::Result<ThincModel> {
        self.parse(&format!("{name}/model"), ThincModel::read)
    }

    /// Finds the network that makes vectors for a component: its own, or another component's.
    fn network(&mut self, name: &str, model: &ThincModel) -> anyhow::Result<usize> {
        if model.named(LISTENER).next().is_none() {
            return self.add_network(name, model);
        }
        let upstream = self.config.upstream(name);
        let components = self.config.components();
        let is_source = |component: &&Component| {
            component.name == upstream || (upstream == "*" && component.factory == "tok2vec")
        };
        let source = components.iter().find(is_source).with_context(|| {
            format!(
                "the component {name} reads vectors of the component {upstream}, which is not there"
            )
        })?;
        let known = self
            .networks
            .iter()
            .position(|(name, _)| *name == source.name);
        match known {
            Some(idx) => Ok(idx),
            None => self.add_network(&source.name, &self.model(&source.name)?),
        }
    }

    fn add_network(&mut self, name: &str, model: &ThincModel) -> anyhow::Result<usize> {
        let network = Tok2Vec::read(model, || self.word_vectors());
        let network = network.with_context(|| self.cannot_use(&format!("{name}/model")))?;
        self.networks.push((name.to_owned(), network));
        Ok(self.networks.len() - 1)
    }

    fn word_vectors(&self) -> anyhow::Result<Arc<WordVectors>> {
        if let Some(vectors) = self.vectors.get() {
            return Ok(Arc::clone(vectors));
        }
        let vectors = self.files.read("vocab/vectors")?;
        let rows = self.files.read("vocab/key2row")?;
        let config = self.files.read_if_there("vocab/vectors.cfg")?;
        let vectors = WordVectors::read(&vectors, &rows, config.as_deref())
            .with_context(|| self.cannot_use("vocab/vectors"))?;
        Ok(Arc::clone(self.vectors.get_or_init(|| Arc::new(vectors))))
    }

    fn parse<T>(
        &self,
        file: &str,
        parse: impl FnOnce(&[u8]) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let bytes = self.files.read(file)?;
        parse(&bytes).with_context(|| self.cannot_use(file))
    }

    fn cannot_use(&self, file: &str) -> String {
        format!("cannot use {}", self.files.shown(file))
    }
}

/// Reads the settings of a `senter`.
fn overwrites(json: &[u8]) -> anyhow::Result<bool> {
    let settings: label_studio_ml::Value =
        label_studio_ml::serde_json::from_slice(json).context("it is no JSON")?;
    Ok(settings["overwrite"].as_bool().unwrap_or(false))
}

/// Turns bytes of a text into characters, from the start to the end.
struct Characters<'a> {
    text: &'a str,
    byte: usize,
    character: usize,
}

impl<'a> Characters<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            byte: 0,
            character: 0,
        }
    }

    fn at(&mut self, byte: usize) -> usize {
        self.character += self.text[self.byte..byte].chars().count();
        self.byte = byte;
        self.character
    }
}

/// Turns tokens into characters.
fn in_characters(doc: &Doc<'_>, found: &[FoundEntity<'_>]) -> Vec<Entity> {
    let mut characters = Characters::new(doc.text);
    let entity = |found: &FoundEntity<'_>| Entity {
        label: found.label.to_owned(),
        start: characters.at(doc.tokens[found.start].start),
        end: characters.at(doc.tokens[found.end - 1].end),
        score: found.score,
    };
    found.iter().map(entity).collect()
}
