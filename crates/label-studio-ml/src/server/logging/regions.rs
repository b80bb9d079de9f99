//! The number of regions in an answer that a model wrote itself.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

#[derive(Deserialize)]
struct Answer {
    results: Regions,
}

/// Regions of one prediction, or of the predictions of a list, or of a list of such lists.
struct Regions(usize);

/// Length of a list; 0 for any other value.
struct Length(usize);

/// Counts the regions of an answer to `/predict`; `None` when it has none that can be read.
pub(crate) fn count(answer: &[u8]) -> Option<usize> {
    let answer: Answer = serde_json::from_slice(answer).ok()?;
    Some(answer.results.0)
}

impl<'de> Deserialize<'de> for Regions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Count;

        impl<'de> Visitor<'de> for Count {
            type Value = Regions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("predictions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Regions, A::Error> {
                let mut n_regions = 0;
                while let Some(Regions(n_more)) = seq.next_element()? {
                    n_regions += n_more;
                }
                Ok(Regions(n_regions))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Regions, A::Error> {
                let mut n_regions = 0;
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    if name == "result" {
                        n_regions = map.next_value::<Length>()?.0;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Regions(n_regions))
            }
        }

        deserializer.deserialize_any(Count)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Count;

        impl<'de> Visitor<'de> for Count {
            type Value = Length;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of regions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Length, A::Error> {
                let mut n_items = 0;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    n_items += 1;
                }
                Ok(Length(n_items))
            }

            fn visit_unit<E>(self) -> Result<Length, E> {
                Ok(Length(0))
            }
        }

        deserializer.deserialize_any(Count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_counted_in_every_form_of_an_answer() {
        for (answer, n_regions) in [
            (r#"{"results": []}"#, Some(0)),
            (
                r#"{"results": [{"result": [{}, {"a": [1, 2]}], "score": 1}]}"#,
                Some(2),
            ),
            (
                r#"{"results": [{"res\u0075lt": [1]}, [{"result": [1]}, {"result": []}]]}"#,
                Some(2),
            ),
            (
                r#"{"more": {"result": [1]}, "results": [{"result": null}]}"#,
                Some(0),
            ),
            (r#"{"results": [{"error": "no such file"}]}"#, Some(0)),
            (r#"{"results": "none"}"#, None),
            ("no JSON", None),
        ] {
            assert_eq!(count(answer.as_bytes()), n_regions, "{answer}");
        }
    }
}
