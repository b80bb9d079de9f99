//! Python literals, such as the metadata of models: `{0: 'person'}`, `[640, 640]`, `False`.

use std::{iter::Peekable, str::Chars};

const MAX_DEPTH: usize = 16;

/// A value written as Python does.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole or broken number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list or a tuple.
    List(Vec<Self>),
    /// A dict, in its order.
    Dict(Vec<(Self, Self)>),
}

/// Why a text is not a Python literal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a Python literal: {problem}")]
pub struct LiteralError {
    /// The beginning of the text.
    pub text: String,
    /// What is wrong.
    pub problem: &'static str,
}

impl Literal {
    /// Reads a whole text.
    pub fn parse(text: &str) -> Result<Self, LiteralError> {
        let failed = |problem| LiteralError {
            text: text.chars().take(60).collect(),
            problem,
        };
        let mut parser = Parser(text.chars().peekable());
        let literal = parser.value(0).map_err(failed)?;
        parser.skip_space();
        match parser.0.next() {
            None => Ok(literal),
            Some(_) => Err(failed("something follows the value")),
        }
    }

    /// Returns the number as a whole one, if it is one from 0.
    pub fn as_natural(&self) -> Option<usize> {
        match self {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be a small natural number"
            )]
            Self::Number(number) if number.fract() == 0.0 && (0.0..1e9).contains(number) => {
                Some(*number as usize)
            }
            _ => None,
        }
    }

    /// Returns the entries of a list or tuple.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the value of a text key of a dict.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(entries) = self else {
            return None;
        };
        let found = |(name, _): &&(Self, Self)| matches!(name, Self::Text(name) if name == key);
        entries.iter().find(found).map(|(_, value)| value)
    }
}

struct Parser<'a>(Peekable<Chars<'a>>);

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Literal, &'static str> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply");
        }
        self.skip_space();
        match self.0.peek() {
            Some('[') => Ok(Literal::List(self.entries(']', depth, Self::value)?)),
            Some('(') => Ok(Literal::List(self.entries(')', depth, Self::value)?)),
            Some('{') => Ok(Literal::Dict(self.entries('}', depth, Self::pair)?)),
            Some('\'' | '"') => self.text().map(Literal::Text),
            Some(_) => self.word(),
            None => Err("it ends too early"),
        }
    }

    fn pair(&mut self, depth: usize) -> Result<(Literal, Literal), &'static str> {
        let key = self.value(depth)?;
        self.skip_space();
        if self.0.next() != Some(':') {
            return Err("a colon is missing");
        }
        Ok((key, self.value(depth)?))
    }

    fn entries<T>(
        &mut self,
        end: char,
        depth: usize,
        entry: impl Fn(&mut Self, usize) -> Result<T, &'static str>,
    ) -> Result<Vec<T>, &'static str> {
        self.0.next();
        let mut entries = Vec::new();
        loop {
            self.skip_space();
            if self.0.next_if_eq(&end).is_some() {
                return Ok(entries);
            }
            entries.push(entry(self, depth + 1)?);
            self.skip_space();
            if self.0.next_if_eq(&',').is_none() && self.0.peek() != Some(&end) {
                return Err("a comma is missing");
            }
        }
    }

    fn text(&mut self) -> Result<String, &'static str> {
        let quote = self.0.next().expect("the caller saw a quote");
        let mut text = String::new();
        loop {
            match self.0.next().ok_or("a text has no end")? {
                char if char == quote => return Ok(text),
                '\\' => match self.0.next().ok_or("a text has no end")? {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'x' => text.push(self.code(2)?),
                    'u' => text.push(self.code(4)?),
                    'U' => text.push(self.code(8)?),
                    char @ ('\\' | '\'' | '"') => text.push(char),
                    char => text.extend(['\\', char]),
                },
                char => text.push(char),
            }
        }
    }

    fn code(&mut self, n_digits: usize) -> Result<char, &'static str> {
        let mut code = 0;
        for _ in 0..n_digits {
            let digit = self.0.next().and_then(|char| char.to_digit(16));
            code = code * 16 + digit.ok_or("an escape is not hexadecimal")?;
        }
        char::from_u32(code).ok_or("an escape is no character")
    }

    fn word(&mut self) -> Result<Literal, &'static str> {
        let mut word = String::new();
        while let Some(char) = self
            .0
            .next_if(|char| char.is_ascii_alphanumeric() || "+-._".contains(*char))
        {
            word.push(char);
        }
        Ok(match word.as_str() {
            "None" => Literal::None,
            "True" => Literal::Bool(true),
            "False" => Literal::Bool(false),
            word => match word.replace('_', "").parse::<f64>() {
                Ok(number) if number.is_finite() => Literal::Number(number),
                _ => return Err("it is neither a number, a text, a list nor a dict"),
            },
        })
    }

    fn skip_space(&mut self) {
        while self.0.next_if(|char| char.is_whitespace()).is_some() {}
    }
}
