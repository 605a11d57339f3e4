//! Name resolution with a rule: in the tabletop only loopback, for addresses that a service hands out only public hosts.
//!
//! Owns the error by which "name not found" is told from every other failure to connect.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Which addresses a name may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Any,
    Loopback,
    Public,
}

impl Reach {
    pub(super) fn allows(self, ip: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Loopback => ip.is_loopback(),
            Self::Public => is_public(ip),
        }
    }
}

/// Why a name gave no address to connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NameError {
    #[error("the name is not known")]
    NotFound,
    #[error("the name stands for an address that may not be spoken to")]
    NotAllowed,
}

/// The system's resolver behind a [`Reach`].
pub(super) struct Names(pub(super) Reach);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let all: Vec<SocketAddr> = found
                .map_err(|error| {
                    tracing::debug!(%error, "name lookup");
                    NameError::NotFound
                })?
                .collect();
            let allowed: Vec<SocketAddr> = all
                .iter()
                .copied()
                .filter(|at| reach.allows(at.ip()))
                .collect();
            match (all.is_empty(), allowed.is_empty()) {
                (true, _) => Err(NameError::NotFound.into()),
                (_, true) => Err(NameError::NotAllowed.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// Tells whether an address is one of the public internet: neither this machine, nor a private or link-local network.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !(ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_documentation()
                || shared
                || a == 0)
        }
        IpAddr::V6(ip) => match embedded(ip) {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => {
                !(ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_multicast()
                    || ip.is_unique_local()
                    || ip.is_unicast_link_local())
            }
        },
    }
}

/// Gives the IPv4 address that an IPv6 one carries: mapped (`::ffff:0:0/96`) or translated (`64:ff9b::/96`).
fn embedded(ip: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = ip.segments();
    let translated = [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0];
    let carried = std::net::Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    ip.to_ipv4_mapped().or(translated.then_some(carried))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for text in [
            "8.8.8.8",
            "140.82.112.3",
            "2606:50c0:8000::154",
            "64:ff9b::808:808",
        ] {
            assert!(Reach::Public.allows(text.parse().unwrap()), "{text}");
        }
        for text in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.9.9",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "255.255.255.255",
        ] {
            assert!(!Reach::Public.allows(text.parse().unwrap()), "{text}");
        }
        assert!(Reach::Loopback.allows("127.9.9.9".parse().unwrap()));
        assert!(!Reach::Loopback.allows("10.0.0.1".parse().unwrap()));
    }
}
