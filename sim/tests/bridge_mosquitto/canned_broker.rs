//! A TLS server that says what a real broker says seldom.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use microvisor_sim::broker::TlsCredentials;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::pki::Authority;

/// A success without properties (MQTT 5 §3.2).
pub(crate) const CONNACK: &[u8] = &[0x20, 3, 0, 0, 0];

pub(crate) struct CannedBroker {
    pub(crate) port: u16,
    pub(crate) credentials: TlsCredentials,
}

impl CannedBroker {
    /// Takes one connection, reads a packet, writes `answer` and waits for the other side to end it.
    pub(crate) fn start(answer: &'static [u8]) -> Self {
        let authority = Authority::new("test CA");
        let server = authority.server("localhost");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::try_from(server.pkcs8()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![server.der.into()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (tcp, _) = listener.accept().unwrap();
            let connection = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = StreamOwned::new(connection, tcp);
            let mut request = [0; 1024];
            // The client may end the connection at any time, in any way.
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer).and_then(|()| stream.flush());
            while stream.read(&mut request).is_ok_and(|count| count > 0) {}
        });
        let client = authority.client("lamp");
        let credentials = TlsCredentials {
            ca: vec![authority.der()],
            chain: vec![client.der.clone()],
            key: client.pkcs8(),
        };
        Self { port, credentials }
    }
}
