//! The actions of a parser.

use std::{cmp::Reverse, collections::BTreeMap};

use label_studio_ml::{
    anyhow::{self, Context},
    serde_json,
};
use rmpv::{Value, decode::read_value};

/// An action: its kind, and its label, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    pub(super) kind: u32,
    pub(super) label: String,
}

/// The actions of a parser, in the order of its scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moves(pub(super) Vec<Move>);

impl Moves {
    /// Reads the file `moves` of a component, as `TransitionSystem.initialize_actions` does.
    pub(crate) fn read(mut bytes: &[u8]) -> anyhow::Result<Self> {
        let fields = read_value(&mut bytes).context("it is no MessagePack")?;
        let fields = fields.as_map().context("it has no fields")?;
        let moves = fields.iter().find(|(key, _)| key.as_str() == Some("moves"));
        let json = moves.and_then(|(_, json)| Value::as_str(json));
        let by_kind: BTreeMap<String, BTreeMap<String, i64>> =
            serde_json::from_str(json.context("it has no moves")?)
                .context("its moves are no JSON")?;
        let (mut moves, mut added) = (Vec::new(), Vec::new());
        for (kind, labels) in by_kind {
            let kind = kind.parse().context("a move is no number")?;
            let mut labels: Vec<_> = labels.into_iter().collect();
            labels
                .sort_unstable_by(|(label, n), (other, n_other)| (n_other, other).cmp(&(n, label)));
            for (label, n) in labels {
                // Labels that were added to a trained pipeline come behind all others.
                if n < 0 {
                    added.push((n, label, kind));
                } else {
                    moves.push(Move { kind, label });
                }
            }
        }
        added.sort_by(|(n, label, _), (n_other, other, _)| {
            Reverse((n, label)).cmp(&Reverse((n_other, other)))
        });
        moves.extend(
            added
                .into_iter()
                .map(|(_, label, kind)| Move { kind, label }),
        );
        Ok(Self(moves))
    }

    /// Leaves out actions that are not valid ones.
    #[must_use]
    pub(super) fn only(mut self, is_action: impl Fn(&Move) -> bool) -> Self {
        self.0.retain(is_action);
        let mut known: Vec<Move> = Vec::with_capacity(self.0.len());
        for action in self.0 {
            if !known.contains(&action) {
                known.push(action);
            }
        }
        Self(known)
    }
}
