//! The component `client-metadata`: fetches clients' metadata documents and JWK Sets.
//!
//! It alone may call any https host, so it has no key, no store and no secret. It is not reachable from outside;
//! `authorize` calls it by service chaining:
//!
//! | request | gives |
//! | --- | --- |
//! | `GET /document?url=…` | the metadata document at the URL |
//! | `GET /keys?url=…` | the JWK Set at the URL |
//!
//! A 200 has the body, and `Cache-Control: max-age` with the seconds for which it may be cached. Any other status
//! has the error as plain text for a page, without anything of this server's network.

mod router;

platform::http_component!(router::router);
