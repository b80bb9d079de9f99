//! Certificates in PEM files.

use std::{fs, io, path::Path};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::HttpError;

/// Reads the certificates of a PEM file, or of all PEM files in a folder.
pub(super) fn read(
    path: &Path,
    setting: &'static str,
) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let certificates = if path.is_dir() {
        of_folder(path)
    } else {
        of_file(path)
    };
    let certificates = certificates.and_then(|certificates| {
        if certificates.is_empty() {
            return Err(invalid("it holds no certificate"));
        }
        Ok(certificates)
    });
    certificates.map_err(|source| HttpError::CaBundle {
        path: path.to_owned(),
        setting,
        source,
    })
}

/// Such folders hold other files too, and links to the same files under the hashes of their subjects.
fn of_folder(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let mut certificates = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let found = if path.is_file() {
            of_file(&path)?
        } else {
            Vec::new()
        };
        for certificate in found {
            if !certificates.contains(&certificate) {
                certificates.push(certificate);
            }
        }
    }
    Ok(certificates)
}

fn of_file(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let pem = fs::read(path)?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| invalid(&error.to_string()))
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}
