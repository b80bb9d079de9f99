//! Versions of Label Studio, and what differs between them.

/// Version of a release, such as 1.23.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Release(u16, u16, u16);

impl Release {
    /// The oldest version that this program was tried with.
    pub(super) const OLDEST_TESTED: Self = Self(1, 8, 2);
    /// Sends the user and password of an ML backend.
    pub(super) const SENDS_BASIC_AUTH: Self = Self(1, 12, 0);
    /// Knows personal access tokens, and lets organisations switch legacy tokens off.
    pub(super) const HAS_PERSONAL_TOKENS: Self = Self(1, 17, 0);
    /// Refuses backends and webhooks at private addresses by default. 1.23.0 does not, 1.23.2 does.
    pub(super) const REFUSES_PRIVATE_ADDRESSES: Self = Self(1, 23, 1);

    /// Reads a version such as `1.8.2.post1` or `1.23.2+0.gfb90125`. Without a number there is none to compare.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(['.', '+', '-']).map(str::parse);
        let mut next = || numbers.next()?.ok();
        let (major, minor) = (next()?, next()?);
        Some(Self(major, minor, next().unwrap_or(0)))
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(major, minor, patch) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::Release;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (text, release) in [
            ("1.23.2", Some(Release(1, 23, 2))),
            ("1.8.2.post1", Some(Release(1, 8, 2))),
            ("1.20.0+0.gfb90125", Some(Release(1, 20, 0))),
            ("2.0rc1", None),
            ("1.9", Some(Release(1, 9, 0))),
            ("44c2949", None),
            ("", None),
        ] {
            assert_eq!(Release::parse(text), release, "{text}");
        }
        assert!(Release(1, 9, 2) < Release::HAS_PERSONAL_TOKENS);
        assert!(Release::HAS_PERSONAL_TOKENS < Release::REFUSES_PRIVATE_ADDRESSES);
    }
}
