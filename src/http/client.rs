//! Sends calls to one origin: no redirects, no cookies, no retries of its own, capped and timed.
//!
//! Owns the only use of the HTTP library. Must not send a credential to another origin, by construction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::redirect::Policy;
use url::Url;

use super::call::{Accept, Call, Reply};
use super::fault::{Fault, RequestError, Sent, Stage};
use super::group::Group;
use super::judge;
use super::origin::{Credential, NotThatOrigin, Origin, World};
use super::proxy::{self, Proxies};
use super::reach::{Names, Reach};
use crate::model::time::Ts;
use crate::safe::shown::visible;

/// Tells the time; injected, so that tests and the tabletop have their own.
pub type Clock = Arc<dyn Fn() -> Ts + Send + Sync>;

/// Hears of an exchange: whoever keeps the states of endpoint groups and the budgets.
pub type Listen = Arc<dyn Fn(Group, &Result<Reply, RequestError>) + Send + Sync>;

/// Most bytes of an error's body: enough for the service's words.
const ERROR_CAP: usize = 64 * 1024;

/// How clients connect.
#[derive(Clone)]
pub struct Options {
    pub world: World,
    pub clock: Clock,
    pub proxies: Proxies,
    /// PEM certificates to trust beside the system's, as npm's `cafile` has them.
    pub extra_ca: Option<Vec<u8>>,
    pub connect: Duration,
    /// Longest silence: until the answer begins, and between two pieces of it.
    pub between: Duration,
    /// A whole call, unless it says otherwise.
    pub total: Duration,
    /// Hears of every exchange, where the service's own client does not tell of them.
    pub listen: Option<Listen>,
}

impl Options {
    /// Takes the usual times: 10 s to connect, 15 s of silence, 60 s in all.
    pub fn new(world: World, clock: Clock) -> Self {
        Self {
            world,
            clock,
            proxies: Proxies::default(),
            extra_ca: None,
            connect: Duration::from_secs(10),
            between: Duration::from_secs(15),
            total: Duration::from_secs(60),
            listen: None,
        }
    }
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the extra certificates are no PEM file; check npm's cafile")]
    Certificates(#[source] reqwest::Error),
    #[error("the proxy's address cannot be used; check HTTPS_PROXY")]
    Proxy(#[source] reqwest::Error),
    #[error("no TLS client could be set up ({0}); check the system's certificates")]
    Tls(#[source] reqwest::Error),
}

/// Speaks to one origin, for one account or for nobody. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    credential: Option<Arc<Credential>>,
}

struct Shared {
    origin: Origin,
    options: Options,
    http: reqwest::Client,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Client({}, as {})",
            self.shared.origin,
            self.who().unwrap_or("nobody")
        )
    }
}

impl Client {
    /// Makes a client without credential.
    ///
    /// # Errors
    /// When TLS, the extra certificates or the proxy cannot be set up.
    pub fn new(origin: Origin, options: Options) -> Result<Self, SetupError> {
        let reach = match options.world {
            World::Real => Reach::Any,
            World::Tabletop => Reach::Loopback,
        };
        let http = library(&origin, &options, reach)?;
        let shared = Arc::new(Shared {
            origin,
            options,
            http,
        });
        Ok(Self {
            shared,
            credential: None,
        })
    }

    /// Gives the same client with a credential, which must be for this origin.
    ///
    /// # Errors
    /// When the credential is for another origin.
    pub fn acting_as(&self, credential: Credential) -> Result<Self, NotThatOrigin> {
        credential.header_for(&self.shared.origin)?;
        Ok(Self {
            shared: Arc::clone(&self.shared),
            credential: Some(Arc::new(credential)),
        })
    }

    /// Gives the same client without credential.
    #[must_use]
    pub fn as_nobody(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            credential: None,
        }
    }

    pub fn origin(&self) -> &Origin {
        &self.shared.origin
    }

    /// Names whose credential is used; none for an anonymous client.
    pub fn who(&self) -> Option<&str> {
        self.credential.as_deref().map(Credential::who)
    }

    /// Gives the proxy on the way, without its password, for the screen.
    pub fn proxy(&self) -> Option<String> {
        self.shared
            .options
            .proxies
            .for_origin(&self.shared.origin)
            .map(proxy::shown)
    }

    pub fn now(&self) -> Ts {
        (self.shared.options.clock)()
    }

    /// Sends a call once.
    ///
    /// # Errors
    /// For transport faults, content that is not what was due, and statuses that the call does not read.
    pub async fn send(&self, call: Call) -> Result<Reply, RequestError> {
        let request = self
            .request(&call)
            .map_err(|why| RequestError::unsent(call.group, why))?;
        let outcome = self
            .shared
            .exchange(&self.shared.http, request, &call)
            .await;
        if let Some(listen) = &self.shared.options.listen {
            listen(call.group, &outcome);
        }
        outcome
    }

    /// Checks an address that the service gave (`Link`, `urls.next`): gives its path and query if it is of this origin.
    ///
    /// # Errors
    /// When it is of another origin or no address.
    pub fn follow(&self, group: Group, address: &str) -> Result<String, RequestError> {
        let other = || {
            RequestError::unsent(
                group,
                Fault::OtherOrigin {
                    to: visible(address).into(),
                },
            )
        };
        let base = Url::parse(&self.shared.origin.to_string())
            .map_err(|error| unsendable(group, &error))?;
        let url = base
            .join(address)
            .map_err(|error| unsendable(group, &error))?;
        let origin = Origin::of(&url, self.shared.options.world, &|| visible(address).into());
        match origin {
            Ok(origin) if origin == self.shared.origin => Ok(path_and_query(&url)),
            _ => Err(other()),
        }
    }

    /// Fetches an address that the service redirected to, such as a job's log: without any credential or default
    /// header, https and a public host (or this client's own origin), and no second hop.
    ///
    /// # Errors
    /// As [`Client::send`], and when the address may not be fetched.
    pub async fn fetch_once(
        &self,
        group: Group,
        address: &str,
        accept: Accept,
        cap: usize,
    ) -> Result<Reply, RequestError> {
        let refused = |fault| RequestError::unsent(group, fault);
        let options = &self.shared.options;
        let url = Url::parse(address).map_err(|error| unsendable(group, &error))?;
        let to = || Fault::OtherOrigin {
            to: visible(url.host_str().unwrap_or_default()).into(),
        };
        let origin = Origin::of(&url, options.world, &|| "".into()).map_err(|error| {
            tracing::debug!(%error, "not fetched");
            refused(to())
        })?;
        let reach = match options.world {
            World::Tabletop => Reach::Loopback,
            World::Real if origin == self.shared.origin => Reach::Any,
            World::Real => Reach::Public,
        };
        if origin.ip().is_some_and(|ip| !reach.allows(ip)) {
            return Err(refused(Fault::NotAllowed {
                host: origin.host().into(),
            }));
        }
        let http = library(&origin, options, reach).map_err(|error| unsendable(group, &error))?;
        let call = Call::get(group, path_and_query(&url))
            .accept(accept)
            .cap(cap);
        let request = http
            .get(url)
            .build()
            .map_err(|error| refused(Fault::of(&error, origin.host(), false)))?;
        self.shared.exchange(&http, request, &call).await
    }

    fn request(&self, call: &Call) -> Result<reqwest::Request, Fault> {
        let unfit = |why: &str| Fault::Unsendable { why: why.into() };
        if let Some(why) = call.unfit {
            return Err(unfit(why));
        }
        let origin = &self.shared.origin;
        let path = &call.path;
        let bare = path.split(['?', '#']).next().unwrap_or_default();
        let url =
            Url::parse(&format!("{origin}{path}")).map_err(|error| unfit(&error.to_string()))?;
        // A path that the address parser changes (`..`, a backslash, a blank) is not the one that was meant.
        if !path.starts_with('/')
            || path.starts_with("//")
            || url.path() != bare
            || url.fragment().is_some()
        {
            return Err(unfit("the path would change on its way into an address"));
        }
        let mut request = reqwest::Request::new(call.method.clone(), url);
        let accept = match call.accept {
            Accept::Json => "application/json",
            Accept::Text => "text/plain, */*;q=0.1",
            Accept::Bytes => "*/*",
        };
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        for (name, value) in &call.headers {
            headers.insert(name.clone(), value.clone());
        }
        if let Some(credential) = &self.credential {
            let (name, value) = credential
                .header_for(origin)
                .map_err(|error| unfit(&error.to_string()))?;
            headers.insert(name, value);
        }
        if let Some(body) = &call.body {
            *request.body_mut() = Some(body.clone().into());
        }
        Ok(request)
    }
}

impl Shared {
    async fn exchange(
        &self,
        http: &reqwest::Client,
        request: reqwest::Request,
        call: &Call,
    ) -> Result<Reply, RequestError> {
        let answered = AtomicBool::new(false);
        let total = call.total.unwrap_or(self.options.total);
        let whole = self.exchange_untimed(http, request, call, &answered);
        match tokio::time::timeout(total, whole).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => {
                let stage = if answered.load(Ordering::Relaxed) {
                    Stage::Body
                } else {
                    Stage::Waiting
                };
                let sent = match stage {
                    Stage::Body => Sent::Yes,
                    Stage::Connecting | Stage::Waiting => Sent::Maybe,
                };
                let fault = Fault::TimedOut(stage);
                Err(RequestError::without_answer(call.group, fault, sent))
            }
        }
    }

    async fn exchange_untimed(
        &self,
        http: &reqwest::Client,
        request: reqwest::Request,
        call: &Call,
        answered: &AtomicBool,
    ) -> Result<Reply, RequestError> {
        // With a proxy between, it is the proxy that is not found or refuses.
        let origin = Origin::of(request.url(), self.options.world, &Box::default).ok();
        let proxy = origin.and_then(|origin| self.options.proxies.for_origin(&origin));
        let host = proxy.unwrap_or(request.url()).host_str();
        let host: Box<str> = host.unwrap_or_default().into();
        let response = http.execute(request).await;
        let mut response = response.map_err(|error| {
            RequestError::without_answer(
                call.group,
                Fault::of(&error, &host, false),
                Sent::of(&error),
            )
        })?;
        answered.store(true, Ordering::Relaxed);
        let now = (self.options.clock)();
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let seen = judge::seen(status, &headers, now);
        let trouble = |fault| RequestError::answered(call.group, fault, seen.clone());
        if let Some(fault) = judge::wrong_content(call, status, &headers) {
            return Err(trouble(fault));
        }
        let read = judge::is_read(call, status);
        let cap = if read {
            call.cap
        } else {
            call.cap.min(ERROR_CAP)
        };
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(piece)) if body.len() + piece.len() > cap => {
                    if read {
                        return Err(trouble(Fault::TooLarge { cap }));
                    }
                    break;
                }
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break,
                // A failure's body is only for its words.
                Err(_) if !read => break,
                Err(error) => return Err(trouble(Fault::of(&error, &host, true))),
            }
        }
        judge::judge(call, seen, headers, body, now)
    }
}

fn library(
    origin: &Origin,
    options: &Options,
    reach: Reach,
) -> Result<reqwest::Client, SetupError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("cutover/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        // Not even a refused stream is sent twice behind our back: the one who asks decides.
        .retry(reqwest::retry::never())
        .https_only(options.world == World::Real)
        .dns_resolver(Names(reach))
        .connect_timeout(options.connect)
        .read_timeout(options.between)
        .no_proxy();
    if let Some(proxy) = options
        .proxies
        .for_origin(origin)
        .filter(|_| options.world == World::Real)
    {
        builder = builder.proxy(reqwest::Proxy::all(proxy.as_str()).map_err(SetupError::Proxy)?);
    }
    if let Some(pem) = &options.extra_ca {
        let extra = reqwest::Certificate::from_pem_bundle(pem).map_err(SetupError::Certificates)?;
        builder = builder.tls_certs_merge(extra);
    }
    builder.build().map_err(SetupError::Tls)
}

fn unsendable(group: Group, error: &dyn std::error::Error) -> RequestError {
    RequestError::unsent(
        group,
        Fault::Unsendable {
            why: visible(&error.to_string()).into(),
        },
    )
}

fn path_and_query(url: &Url) -> String {
    url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    )
}
