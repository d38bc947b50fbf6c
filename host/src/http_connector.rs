//! The HTTP connector: name resolution, blocked networks, TLS, and a pool of open connections.

use std::{
    error,
    future::Future,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use hyper_util::{
    client::legacy::{
        self,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo},
};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower_service::Service;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::blocked_networks::BlockedNetworks;

/// An HTTP client; HTTP/2 is used where a TLS server offers it.
pub(crate) type Client = legacy::Client<Connector, WasiBody>;

/// Makes the client of an application.
pub(crate) fn client(blocked: Arc<BlockedNetworks>, pooling: bool) -> Client {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    if !pooling {
        builder.pool_max_idle_per_host(0);
    }
    builder.build(Connector(Arc::new(Shared {
        blocked,
        tls: OnceLock::new(),
    })))
}

tokio::task_local! {
    /// The connector has no argument for the timeout, which each request sets.
    static CONNECT_TIMEOUT: Duration;
}

/// Lets a new connection, should `request` need one, take at most `limit`.
pub(crate) fn with_connect_timeout<F: Future>(
    limit: Duration,
    request: F,
) -> impl Future<Output = F::Output> {
    CONNECT_TIMEOUT.scope(limit, request)
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the URL cannot be used")]
    Url,
    #[error("the name cannot be resolved")]
    Name,
    #[error("the address is in a blocked network")]
    Blocked,
    #[error("connecting took too long")]
    Timeout,
    #[error("the connection was refused")]
    Refused,
    #[error("the TLS handshake failed")]
    Tls,
}

impl ConnectError {
    /// Finds the error in what the client made of it.
    pub(crate) fn find(error: &legacy::Error) -> Option<Self> {
        error::Error::source(error)?.downcast_ref().copied()
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Url => Self::HttpRequestUriInvalid,
            ConnectError::Name => Self::DnsError {
                rcode: Some("address not available".to_owned()),
                info_code: Some(0),
            },
            ConnectError::Blocked => Self::DestinationIpProhibited,
            ConnectError::Timeout => Self::ConnectionTimeout,
            ConnectError::Refused => Self::ConnectionRefused,
            ConnectError::Tls => Self::TlsProtocolError,
        }
    }
}

/// Makes connections for the client.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Shared>);

struct Shared {
    blocked: Arc<BlockedNetworks>,
    /// Made when first needed: reading the machine's certificates takes its time.
    tls: OnceLock<TlsConnector>,
}

impl Connector {
    async fn connect(self, uri: Uri, limit: Duration) -> Result<TokioIo<Stream>, ConnectError> {
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().ok_or(ConnectError::Url)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let mut addresses = tokio::net::lookup_host((bare, port))
            .await
            .map_err(|_| ConnectError::Name)?
            .collect::<Vec<SocketAddr>>();
        if self.0.blocked.filter_for(host, &mut addresses) {
            return Err(ConnectError::Blocked);
        }
        let stream = timeout(limit, TcpStream::connect(&*addresses))
            .await
            .map_err(|_| ConnectError::Timeout)?;
        let stream = stream.map_err(|error| match error.kind() {
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::InvalidInput => ConnectError::Name,
            _ => ConnectError::Refused,
        })?;
        // Small writes, such as events, are worth sending at once.
        let _ = stream.set_nodelay(true);
        if !secure {
            return Ok(TokioIo::new(Stream::Plain(stream)));
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| ConnectError::Name)?;
        let stream = self.tls()?.connect(name, stream).await.map_err(|error| {
            tracing::warn!("TLS handshake with {host:?}: {error}");
            ConnectError::Tls
        })?;
        Ok(TokioIo::new(Stream::Secure(Box::new(stream))))
    }

    /// TLS by the machine's certificates and by those that browsers trust, as in Spin.
    fn tls(&self) -> Result<TlsConnector, ConnectError> {
        if let Some(tls) = self.0.tls.get() {
            return Ok(tls.clone());
        }
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| ConnectError::Tls)?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(self
            .0
            .tls
            .get_or_init(|| TlsConnector::from(Arc::new(config)))
            .clone())
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let limit = CONNECT_TIMEOUT
            .try_with(|limit| *limit)
            .unwrap_or(Duration::from_secs(600));
        Box::pin(self.clone().connect(uri, limit))
    }
}

/// A connection with or without TLS.
pub(crate) enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

macro_rules! either {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream {
            Stream::Plain($inner) => $call,
            Stream::Secure($inner) => $call,
        }
    };
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Self::Plain(stream) => stream.connected(),
            Self::Secure(stream) => {
                let (tcp, session) = stream.get_ref();
                if session.alpn_protocol() == Some(b"h2") {
                    tcp.connected().negotiated_h2()
                } else {
                    tcp.connected()
                }
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(context))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(context, bytes))
    }

    fn is_write_vectored(&self) -> bool {
        either!(self, stream => stream.is_write_vectored())
    }
}
