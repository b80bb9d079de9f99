//! What the program prints about an image.

/// The text of an image, and its lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// The text as the program prints it, without the white space around it.
    pub text: String,
    /// Its lines in reading order, without empty ones.
    pub lines: Vec<Line>,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Left, top, right and bottom edge in pixels.
    pub bounds: [f64; 4],
    /// Its words in reading order.
    pub words: Vec<Word>,
}

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Left, top, right and bottom edge in pixels.
    pub bounds: [f64; 4],
    /// Its letters.
    pub text: String,
    /// The program's confidence, from 0 to 1.
    pub score: f64,
}

const LINE: &str = "4";
const WORD: &str = "5";
const N_COLUMNS: usize = 12;

impl Reading {
    /// Reads what the program prints with the outputs `txt` and `tsv`: a table that has a row for
    /// each line and word, and then the text.
    pub fn parse(printed: &str) -> Self {
        let mut lines: Vec<Line> = Vec::new();
        let mut text = String::new();
        for printed_line in printed.split_inclusive('\n') {
            let columns: Vec<_> = printed_line
                .trim_end_matches(['\r', '\n'])
                .split('\t')
                .collect();
            // The program prints no tabs within texts.
            if columns.len() != N_COLUMNS {
                text.push_str(printed_line);
                continue;
            }
            let Some((bounds, score)) = numbers(&columns) else {
                // The head of the table.
                continue;
            };
            match columns[0] {
                LINE => lines.push(Line {
                    bounds,
                    words: Vec::new(),
                }),
                WORD if !columns[11].trim().is_empty() => {
                    if let Some(line) = lines.last_mut() {
                        line.words.push(Word {
                            bounds,
                            text: columns[11].trim().to_owned(),
                            score,
                        });
                    }
                }
                _ => {}
            }
        }
        lines.retain(|line| !line.words.is_empty());
        let is_around = |letter: char| letter.is_whitespace() || letter == '\u{c}';
        Self {
            text: text.trim_matches(is_around).to_owned(),
            lines,
        }
    }

    /// Returns the mean score of all words, 0 when there are none.
    pub fn score(&self) -> f64 {
        mean(self.lines.iter().flat_map(|line| &line.words))
    }
}

impl Line {
    /// Returns the words with blanks between them.
    pub fn text(&self) -> String {
        let words: Vec<_> = self.words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ")
    }

    /// Returns the mean score of the words.
    pub fn score(&self) -> f64 {
        mean(&self.words)
    }
}

/// Returns the edges and the score of a row.
fn numbers(columns: &[&str]) -> Option<([f64; 4], f64)> {
    let number = |idx: usize| columns[idx].parse::<f64>().ok();
    let (left, top) = (number(6)?, number(7)?);
    let (width, height) = (number(8)?, number(9)?);
    let score = (number(10)? / 100.0).clamp(0.0, 1.0);
    Some(([left, top, left + width, top + height], score))
}

fn mean<'a>(words: impl IntoIterator<Item = &'a Word>) -> f64 {
    let (mut sum, mut n_words) = (0.0, 0.0);
    for word in words {
        sum += word.score;
        n_words += 1.0;
    }
    if n_words > 0.0 { sum / n_words } else { 0.0 }
}
