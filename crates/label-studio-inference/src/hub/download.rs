//! Downloads a file, resumes partial downloads, and checks the result.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::Path,
};

use sha2::{Digest, Sha256};

use super::{
    HubError, HubFile, Sha256Digest,
    cache::with_ending,
    checks,
    progress::Progress,
    remote::{Offer, Remote},
};

const PARTIAL: &str = ".part";
const BUFFER_BYTES: usize = 256 << 10;

/// A download into `blob`. A partial download is kept beside it and resumed.
pub(super) struct Download<'a> {
    pub(super) remote: &'a Remote,
    pub(super) file: &'a HubFile,
    pub(super) blob: &'a Path,
}

impl Download<'_> {
    /// Downloads the blob, which appears only when it is complete and checked.
    pub(super) fn run(&self, offer: Offer, is_fresh: bool) -> Result<(), HubError> {
        let partial = with_ending(self.blob, PARTIAL);
        let n_bytes = fs::metadata(&partial).map_or(0, |partial| partial.len());
        let (offer, n_bytes) = self.continued(offer, is_fresh, n_bytes)?;
        let expected = self.file.sha256.or_else(|| offer.etag.parse().ok());
        let size = offer.size;
        self.check_room(size - n_bytes)?;
        let (hasher, n_bytes) = self.append(offer, &partial, n_bytes)?;
        if n_bytes < size {
            return Err(self.incomplete(n_bytes, size));
        }
        let failed = |source| HubError::io(&partial, source);
        if let Some(expected) = expected {
            let actual = Sha256Digest::from(hasher);
            let checked = checks::digest(actual, expected, &self.file.to_string());
            if checked.is_err() {
                fs::remove_file(&partial).map_err(failed)?;
            }
            checked?;
        }
        fs::rename(&partial, self.blob).map_err(failed)
    }

    /// Returns a response that starts where the partial file ends, and the length of that file.
    fn continued(
        &self,
        offer: Offer,
        is_fresh: bool,
        n_bytes: u64,
    ) -> Result<(Offer, u64), HubError> {
        let n_bytes = if n_bytes > offer.size { 0 } else { n_bytes };
        if (n_bytes == 0 && is_fresh) || n_bytes == offer.size {
            return Ok((offer, n_bytes));
        }
        let (etag, size) = (offer.etag.clone(), offer.size);
        drop(offer);
        match self.remote.open(self.file, n_bytes)? {
            // A server without range requests sends the whole file.
            Some(offer) if offer.etag == etag && offer.size == size => {
                let n_bytes = offer.start;
                Ok((offer, n_bytes))
            }
            _ => {
                // The partial file belongs to another version: the next attempt starts from byte 0.
                let partial = with_ending(self.blob, PARTIAL);
                fs::remove_file(&partial).map_err(|source| HubError::io(&partial, source))?;
                Err(self.incomplete(0, size))
            }
        }
    }

    /// Appends the body to the first `n_bytes` of the partial file, and returns the digest and
    /// length of the whole.
    fn append(
        &self,
        mut offer: Offer,
        partial: &Path,
        mut n_bytes: u64,
    ) -> Result<(Sha256, u64), HubError> {
        let failed = |source| HubError::io(partial, source);
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(partial)
            .map_err(failed)?;
        let mut hasher = Sha256::new();
        if n_bytes == 0 {
            truncate(&file).map_err(failed)?;
        } else {
            let mut partial = File::open(partial).map_err(failed)?;
            io::copy(&mut partial, &mut hasher).map_err(failed)?;
        }
        let mut progress = Progress::start(&self.file.to_string(), n_bytes, offer.size);
        let mut body = offer.body.as_reader().take(offer.size - n_bytes);
        let mut buffer = vec![0; BUFFER_BYTES];
        while n_bytes < offer.size {
            let n_read = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(n_read) => n_read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.remote.unreachable(self.file, error.into())),
            };
            file.write_all(&buffer[..n_read]).map_err(failed)?;
            hasher.update(&buffer[..n_read]);
            n_bytes += n_read as u64;
            progress.advance(n_read as u64);
        }
        Ok((hasher, n_bytes))
    }

    fn check_room(&self, n_wanted: u64) -> Result<(), HubError> {
        let room = self.blob.parent().map(fs4::available_space);
        match room {
            Some(Ok(room)) if room < n_wanted => {
                let full = io::Error::from(io::ErrorKind::StorageFull);
                Err(HubError::io(self.blob, full))
            }
            // Without the free space the write itself fails when the disk is full.
            _ => Ok(()),
        }
    }

    fn incomplete(&self, n_bytes: u64, size: u64) -> HubError {
        HubError::Incomplete {
            file: self.file.to_string(),
            hub: self.remote.hub(),
            n_bytes,
            size,
        }
    }
}

/// Truncates a file, unless it is empty: devices cannot be truncated.
fn truncate(file: &File) -> io::Result<()> {
    match file.metadata()?.len() {
        0 => Ok(()),
        _ => file.set_len(0),
    }
}
