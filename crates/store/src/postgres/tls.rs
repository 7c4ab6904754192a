//! Encrypted connections: whom they trust, and what is said where they fail. The provider is ring, named each time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::StoreError;

/// What a connection demands of TLS, as libpq names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    pub(super) const NAMES: &str = "disable, prefer, require, verify-ca or verify-full";

    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    fn verifies(self) -> bool {
        matches!(self, Self::VerifyCa | Self::VerifyFull)
    }
}

/// What a URL says of TLS, by libpq's names.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pub(super) mode: Option<Mode>,
    pub(super) root_certificates: Option<String>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

/// The name that stands for the authorities that the system trusts, instead of a file.
const SYSTEM: &str = "system";

impl Parameters {
    /// What the connection must have. Whoever names authorities means the server to be checked.
    pub(super) fn mode(&self) -> Result<Mode, StoreError> {
        match (self.mode, self.root_certificates.as_deref()) {
            (None, Some(SYSTEM)) => Ok(Mode::VerifyFull),
            (None | Some(Mode::Prefer), Some(_)) => Err(url_fault(
                "the database URL's sslrootcert has no effect without a check: give sslmode=verify-full (or \
                 verify-ca, which does not look at the server's name) with it",
            )),
            (Some(Mode::Require | Mode::VerifyCa), Some(SYSTEM)) => Err(url_fault(
                "the database URL's sslrootcert=system trusts anybody with a certificate, unless the server's name is \
                 checked: give sslmode=verify-full with it",
            )),
            (Some(Mode::VerifyCa), None) => Err(url_fault(
                "the database URL's sslmode=verify-ca needs sslrootcert, a file of authorities: those of the system \
                 vouch for anybody, unless the server's name is checked too, by sslmode=verify-full",
            )),
            // As in libpq.
            (Some(Mode::Require), Some(_)) => Ok(Mode::VerifyCa),
            (mode, _) => Ok(mode.unwrap_or(Mode::Prefer)),
        }
    }

    /// Makes encrypted connections.
    pub(super) fn connector(&self, mode: Mode) -> Result<MakeRustlsConnect, StoreError> {
        let provider = Arc::new(ring::default_provider());
        let trusted = if mode.verifies() { Some(self.trusted(mode == Mode::VerifyFull)?) } else { None };
        let verifier = Verifier { provider: Arc::clone(&provider), trusted };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(StoreError::internal)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match (&self.certificate, &self.key) {
            _ if mode == Mode::Disable => builder.with_no_client_auth(),
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let certificates = read_certificates(certificate, "sslcert")?;
                let private = PrivateKeyDer::from_pem_file(key).map_err(|error| {
                    let hint = "it must be in PEM form, and not be encrypted";
                    unreadable(key, "sslkey", format!("{error} ({hint})"))
                })?;
                builder
                    .with_client_auth_cert(certificates, private)
                    .map_err(|error| unreadable(certificate, "sslcert", error))?
            }
            _ => {
                return Err(url_fault(
                    "the database URL has one of sslcert and sslkey: give both, or neither",
                ));
            }
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn trusted(&self, name: bool) -> Result<Trusted, StoreError> {
        let certificates = match self.root_certificates.as_deref().filter(|path| *path != SYSTEM) {
            Some(path) => read_certificates(Path::new(path), "sslrootcert")?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut authorities = RootCertStore::empty();
        authorities.add_parsable_certificates(certificates.iter().cloned());
        if authorities.is_empty() {
            return Err(url_fault(
                "this system names no authorities that could vouch for the database's server: give a file of them with \
                 sslrootcert",
            ));
        }
        Ok(Trusted { authorities, certificates, name })
    }
}

fn read_certificates(
    path: &Path,
    parameter: &'static str,
) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(unreadable(path, parameter, "it holds no certificate in PEM form"))
        }
        read => read.map_err(|error| unreadable(path, parameter, error)),
    }
}

fn unreadable(path: &Path, parameter: &'static str, reason: impl std::fmt::Display) -> StoreError {
    StoreError::Url(format!(
        "cannot use {}, which {parameter} of the database URL names: {reason}",
        path.display()
    ))
}

fn url_fault(text: &str) -> StoreError {
    StoreError::Url(text.to_owned())
}

/// Looks at the certificate of a server.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// Nobody is asked where the connection only has to be encrypted.
    trusted: Option<Trusted>,
}

#[derive(Debug)]
struct Trusted {
    authorities: RootCertStore,
    /// Those of the authorities, among which may be a server's own, as one makes it with a single command.
    certificates: Vec<CertificateDer<'static>>,
    /// Whether the server's name counts too.
    name: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(trusted) = &self.trusted else {
            return Ok(ServerCertVerified::assertion());
        };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        if !trusted.certificates.contains(end_entity) {
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &trusted.authorities,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?;
        }
        if trusted.name {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why no encrypted connection came about, where trying again does not help, and what to do.
pub(super) fn refusal(error: &tokio_postgres::Error) -> Option<String> {
    let cause = std::error::Error::source(error)?;
    // Of this error the crate tells the text alone.
    if cause.to_string() == "server does not support TLS" {
        return Some(
            "its server does not speak TLS, which sslmode demands: turn TLS on there, or give sslmode=disable where the \
             network between is trusted"
                .to_owned(),
        );
    }
    let said = cause.downcast_ref::<std::io::Error>()?.get_ref()?;
    Some(match said.downcast_ref::<Error>()? {
        // The latter of another authority of the same name.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "its server's certificate is of an authority that is not trusted: name the right one's file with sslrootcert"
                .to_owned()
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its server's certificate is for another name than the URL's: use one of its subjectAltNames, or give \
             sslmode=verify-ca, which does not look at the name"
            .to_owned(),
        Error::InvalidCertificate(reason) => format!("its server's certificate cannot be trusted: {reason}"),
        other => format!("no encrypted connection comes about: {other}"),
    })
}
