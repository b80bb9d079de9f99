//! Names of files that no path can hide in.

use unicode_normalization::UnicodeNormalization;

/// Returns a name of ASCII letters, digits, `_`, `.` and `-`, as `werkzeug.utils.secure_filename` does; it can be empty.
///
/// ```
/// assert_eq!(deepgram::secure_file_name("../../etc/passwd"), "etc_passwd");
/// ```
pub fn secure_file_name(name: &str) -> String {
    let ascii: String = name.nfkd().filter(char::is_ascii).collect();
    let words = ascii.replace('/', " ");
    let words: Vec<_> = words.split_whitespace().collect();
    let mut name = words.join("_");
    name.retain(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-'));
    name.trim_matches(['.', '_']).to_owned()
}
