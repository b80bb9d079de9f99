//! The next model version after a training.

/// Version of a model that has set none.
pub(crate) const INITIAL: &str = "0.0.1";

/// Returns the version that follows `version`: the minor number goes up, the patch number back to
/// 0.
///
/// `1.2.3` becomes `1.3.0` and `Name-v0.0.1` becomes `Name-v0.1.0`. A text without three trailing
/// numbers gets `-v0.1.0` appended, so that a bumped version always differs from the one before.
pub fn bump(version: &str) -> String {
    let numbers_at = version
        .rfind(|c: char| !c.is_ascii_digit() && c != '.')
        .map_or(0, |at| {
            at + version[at..].chars().next().map_or(1, char::len_utf8)
        });
    let (name, numbers) = version.split_at(numbers_at);
    let parts: Vec<_> = numbers.split('.').map(str::parse::<u64>).collect();
    match parts.as_slice() {
        [Ok(major), Ok(minor), Ok(_)] => format!("{name}{major}.{}.0", minor.saturating_add(1)),
        _ => format!("{version}-v0.1.0"),
    }
}

#[cfg(test)]
mod tests {
    use super::bump;

    #[test]
    fn raises_the_minor_number() {
        let cases = [
            ("0.0.1", "0.1.0"),
            ("1.2.3", "1.3.0"),
            ("Model-v0.0.1", "Model-v0.1.0"),
            ("INITIAL", "INITIAL-v0.1.0"),
            ("v2", "v2-v0.1.0"),
            ("", "-v0.1.0"),
            ("modèle é1.0.0", "modèle é1.1.0"),
        ];
        for (version, expected) in cases {
            assert_eq!(bump(version), expected);
        }
    }
}
