//! Which proxy stands between: the environment's or npm's own setting, and the hosts that go past it.
//!
//! Owns the choice, so that a screen can tell it; a proxy's password is never shown. Loopback never goes to a proxy.

use std::net::IpAddr;

use url::Url;

use super::Origin;

/// Proxy settings as found, before a host is known.
#[derive(Clone, Default)]
pub struct Proxies {
    /// Kept whole: its user information is a credential for the proxy.
    address: Option<Url>,
    past: Vec<Box<str>>,
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Proxies({:?}, past {:?})",
            self.address.as_ref().map(shown),
            self.past
        )
    }
}

impl Proxies {
    /// Reads `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in either case, as curl and npm do.
    pub fn from_env(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let either = |upper: &str| {
            let value = variable(&upper.to_ascii_lowercase()).or_else(|| variable(upper));
            value.filter(|value| !value.trim().is_empty())
        };
        let address = either("HTTPS_PROXY").or_else(|| either("ALL_PROXY"));
        Self::default().with(address.as_deref(), either("NO_PROXY").as_deref())
    }

    /// Puts another source's settings, such as npm's `https-proxy` and `noproxy`, over these.
    #[must_use]
    pub fn with(mut self, address: Option<&str>, past: Option<&str>) -> Self {
        if let Some(text) = address {
            let text = text.trim();
            let whole = if text.contains("://") {
                text.to_owned()
            } else {
                format!("http://{text}")
            };
            self.address = Url::parse(&whole).ok().filter(Url::has_host);
        }
        if let Some(text) = past {
            let parts = text
                .split([',', ' '])
                .map(str::trim)
                .filter(|part| !part.is_empty());
            self.past = parts.map(|part| part.to_ascii_lowercase().into()).collect();
        }
        self
    }

    /// Gives the proxy for an origin; none where requests go straight.
    pub(super) fn for_origin(&self, origin: &Origin) -> Option<&Url> {
        let past = origin.is_loopback() || self.past.iter().any(|rule| goes_past(rule, origin));
        self.address.as_ref().filter(|_| !past)
    }
}

/// Writes a proxy's address without its user information.
pub(super) fn shown(proxy: &Url) -> String {
    let port = proxy
        .port_or_known_default()
        .map_or_else(String::new, |port| format!(":{port}"));
    format!(
        "{}://{}{port}",
        proxy.scheme(),
        proxy.host_str().unwrap_or_default()
    )
}

/// Tells whether one entry of `NO_PROXY` covers an origin: `*`, a host, a domain with or without a leading dot,
/// an address or a network such as `10.0.0.0/8`, each with an optional port.
fn goes_past(rule: &str, origin: &Origin) -> bool {
    if rule == "*" {
        return true;
    }
    let host = origin.host();
    if let Some(ip) = origin.ip() {
        return match rule.split_once('/') {
            Some((network, bits)) => in_network(ip, network, bits),
            None => rule.trim_matches(['[', ']']).parse() == Ok(ip),
        };
    }
    let (name, port) = rule.rsplit_once(':').unwrap_or((rule, ""));
    if !port.is_empty() && port.parse() != Ok(origin.port()) {
        return false;
    }
    let name = name.trim_start_matches("*.").trim_start_matches('.');
    let below = host
        .strip_suffix(name)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !name.is_empty() && below
}

fn in_network(ip: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let (one, other, width) = match (ip, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    let shift = width - bits.min(width);
    one.checked_shr(shift) == other.checked_shr(shift)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::World;

    #[test]
    fn the_proxy_is_chosen_as_curl_and_npm_do() {
        let env = |name: &str| match name {
            "HTTPS_PROXY" => Some(format!("http://user:{}@proxy.corp:3128", "pw".repeat(4))),
            "no_proxy" => {
                Some("corp.example, .inner.example 10.0.0.0/8,[::7],other:8443".to_owned())
            }
            _ => None,
        };
        let proxies = Proxies::from_env(&env);
        for (address, through) in [
            ("https://api.github.com", true),
            ("https://corp.example", false),
            ("https://git.corp.example", false),
            ("https://notcorp.example", true),
            ("https://a.inner.example", false),
            ("https://10.9.9.9", false),
            ("https://11.9.9.9", true),
            ("https://[::7]", false),
            ("https://other", true),
            ("https://other:8443", false),
            ("https://127.0.0.1", false),
        ] {
            let origin = Origin::parse(address, World::Real).unwrap();
            assert_eq!(proxies.for_origin(&origin).is_some(), through, "{address}");
        }
        let said = format!("{proxies:?}");
        assert!(
            said.contains("http://proxy.corp:3128") && !said.contains("pwpw"),
            "{said}"
        );
    }

    #[test]
    fn npms_setting_goes_over_the_environments() {
        let env = |name: &str| (name == "ALL_PROXY").then(|| "first:1".to_owned());
        let origin = Origin::parse("https://api.github.com", World::Real).unwrap();
        let proxies = Proxies::from_env(&env);
        assert_eq!(
            shown(proxies.for_origin(&origin).unwrap()),
            "http://first:1"
        );
        let npm = proxies.clone().with(Some("https://second"), None);
        assert_eq!(
            shown(npm.for_origin(&origin).unwrap()),
            "https://second:443"
        );
        assert_eq!(proxies.with(None, Some("*")).for_origin(&origin), None);
    }
}
