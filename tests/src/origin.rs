//! Web servers of others, on loopback.

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server. It ends with this value.
pub struct Origin {
    url: String,
    server: JoinHandle<()>,
}

impl Origin {
    /// Starts one on a free port.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn serve(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.ok();
        });
        Self {
            url: format!("http://{address}"),
            server,
        }
    }

    /// Returns its URL, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.server.abort();
    }
}
