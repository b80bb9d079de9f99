//! The type of a file by its first bytes.

/// First bytes of files, where they stand, and the type. A file that can hold scripts, such as SVG,
/// is not here, and is data that browsers do not show.
const TYPES: [(usize, &[u8], &str); 14] = [
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
];

/// Returns the type of an image, a sound or a video; else that of any data.
pub(crate) fn media_type(content: &[u8]) -> &'static str {
    let found = TYPES.iter().find(|(at, magic, _)| {
        content
            .get(*at..)
            .is_some_and(|rest| rest.starts_with(magic))
    });
    found.map_or("application/octet-stream", |(_, _, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_can_hold_scripts_is_data() {
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\n...."), "image/png");
        assert_eq!(media_type(b"RIFF\0\0\0\0WAVEfmt "), "audio/wav");
        assert_eq!(media_type(b"\0\0\0\x20ftypisom"), "video/mp4");
        let octets = "application/octet-stream";
        for odd in ["", "<svg onload=alert(1)>", "<html>", "%PDF-1.7", "RIFF"] {
            assert_eq!(media_type(odd.as_bytes()), octets, "{odd}");
        }
    }
}
