//! Who is who: an authority of our own, and what it signs.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::StartError;

/// Names and addresses under which the API server is reached: from here, and from what runs in the cluster.
const SERVER_NAMES: [&str; 4] = ["localhost", "127.0.0.1", "kubernetes.default.svc", "10.96.0.1"];

/// A certificate and its key, as files.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// The authority that the API server and its clients trust, and whatever else is signed.
#[derive(Debug)]
pub(super) struct Authority {
    directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    /// The authority's own certificate.
    pub(super) certificate: PathBuf,
}

impl Authority {
    /// Makes an authority that keeps its files in `directory`.
    pub(super) fn create(directory: &Path) -> Result<Self, StartError> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "faro-tests");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = directory.join("ca.crt");
        write(&certificate, &params.self_signed(&key)?.pem())?;
        Ok(Self { directory: directory.to_owned(), issuer: Issuer::new(params, key), certificate })
    }

    /// Signs for a server on this machine.
    pub(super) fn server(&self) -> Result<Identity, StartError> {
        let mut params = CertificateParams::new(SERVER_NAMES.map(str::to_owned))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign("server", params)
    }

    /// Signs for a user, a common name to Kubernetes, and a group, an organization to it.
    pub(super) fn client(&self, user: &str, group: Option<&str>) -> Result<Identity, StartError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(user.trim_start_matches("system:"), params)
    }

    fn sign(&self, name: &str, mut params: CertificateParams) -> Result<Identity, StartError> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let signed = params.signed_by(&key, &self.issuer)?;
        let identity =
            Identity { certificate: self.directory.join(format!("{name}.crt")), key: self.directory.join(format!("{name}.key")) };
        write(&identity.certificate, &signed.pem())?;
        write(&identity.key, &key.serialize_pem())?;
        Ok(identity)
    }

    /// Makes the key pair that signs the tokens of service accounts: the public key in place of a certificate.
    pub(super) fn token_keys(&self) -> Result<Identity, StartError> {
        let key = KeyPair::generate()?;
        let identity = Identity { certificate: self.directory.join("tokens.pub"), key: self.directory.join("tokens.key") };
        write(&identity.certificate, &key.public_key_pem())?;
        write(&identity.key, &key.serialize_pem())?;
        Ok(identity)
    }
}

/// Writes a file that only its owner can read.
pub(super) fn write(path: &Path, content: &str) -> Result<(), StartError> {
    let written = || -> io::Result<()> {
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(content.as_bytes())
    };
    written().map_err(|source| StartError::Io { action: "write", path: path.to_owned(), source })
}
