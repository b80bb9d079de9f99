//! Callers that give wrong passwords again and again.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Wrong passwords of one address before further ones are not looked at.
const MAX_FAILURES: u32 = 20;
/// How long failures count.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered. An IPv6 network counts as one.
const MAX_ADDRESSES: usize = 4096;

/// Counts wrong passwords by address.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<HashMap<IpAddr, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    n_failures: u32,
    since: Instant,
}

impl Throttle {
    /// Returns the seconds until an address may try again; `None` when it may now.
    pub(super) fn waits(&self, address: IpAddr) -> Option<u32> {
        let failures = *self.failures().get(&network(address))?;
        let left = WINDOW.checked_sub(failures.since.elapsed())?;
        let seconds = u32::try_from(left.as_secs()).unwrap_or(u32::MAX);
        (failures.n_failures >= MAX_FAILURES).then_some(seconds.max(1))
    }

    /// Counts a wrong password. Returns whether it was the last that is looked at for now.
    pub(super) fn count(&self, address: IpAddr) -> bool {
        let mut all = self.failures();
        if all.len() >= MAX_ADDRESSES {
            all.retain(|_, failures| failures.since.elapsed() < WINDOW);
        }
        if all.len() >= MAX_ADDRESSES {
            all.clear();
        }
        let new = Failures {
            n_failures: 0,
            since: Instant::now(),
        };
        let failures = all.entry(network(address)).or_insert(new);
        if failures.since.elapsed() >= WINDOW {
            *failures = new;
        }
        failures.n_failures += 1;
        failures.n_failures == MAX_FAILURES
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the network of an address that one customer of a provider has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets[8..].fill(0);
            IpAddr::from(octets)
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_waits_after_too_many_failures_and_others_do_not() {
        let throttle = Throttle::default();
        let guesser = address("2001:db8::1");
        for n in 1..=MAX_FAILURES {
            assert_eq!(throttle.waits(guesser), None);
            assert_eq!(throttle.count(guesser), n == MAX_FAILURES);
        }
        assert!(throttle.waits(guesser).is_some());
        assert!(throttle.waits(address("2001:db8::2:3:4:5")).is_some());
        assert_eq!(throttle.waits(address("2001:db8:1::1")), None);
        assert_eq!(throttle.waits(address("192.0.2.1")), None);
    }

    #[test]
    fn many_addresses_take_no_more_memory() {
        let throttle = Throttle::default();
        for n in 0..20_000_u32 {
            throttle.count(IpAddr::from(n.to_be_bytes()));
        }
        assert!(throttle.failures().len() <= MAX_ADDRESSES);
    }
}
